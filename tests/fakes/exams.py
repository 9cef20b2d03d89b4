"""Small phantom exams as files, edits of them, and an analysis that moved nothing."""

import atexit
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import torch
from pydicom import dcmread
from pydicom.dataset import Dataset

from models.phantom import PhantomExam, Protocol, make_exam
from node.scanner import Dialect, VirtualPatient, write_exam
from node.translate import NetworkStamp, RunStamp
from pipeline.measure import measure
from pipeline.segment import divide_exam
from pipeline.types import (
    Analysis,
    Exam,
    FlowMap,
    HeartMasks,
    ImageSeries,
    MotionCorrection,
    MotionQuality,
    SliceAnalysis,
)

STAMP = RunStamp(
    created=datetime(2026, 3, 2, 11, 30, 15, 250_000),
    software_version="perfnode 0.1.0",
    configuration_digest="0" * 64,
    networks=(NetworkStamp(method="learned", name="anatomy", sha256="1a2b" * 16),),
)
PAGE = np.arange(120 * 161 * 3, dtype=np.uint32).astype(np.uint8).reshape(120, 161, 3)


@cache
def small_exam(state: str = "stress", n_slices: int = 3) -> PhantomExam:
    protocol = Protocol(
        matrix=(48, 40),
        spacing_mm=6.0,
        arterial_matrix=(16, 20),
        n_saturation_recovery=24,
        n_slices=n_slices,
    )
    return make_exam(3, state=state, protocol=protocol)


def write_small_exam(
    folder: Path,
    state: str = "stress",
    *,
    n_slices: int = 3,
    patient: VirtualPatient | None = None,
    declares_beats: bool = False,
    with_localizer: bool = False,
    started: datetime | None = None,
    dialect: Dialect | None = None,
) -> list[Path]:
    """Write a small exam, or copy it when the same one was written before."""
    key = (state, n_slices, patient, declares_beats, with_localizer, started, dialect)
    folder.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copy(path, folder)) for path in _written(*key)]


@cache
def _written(
    state: str,
    n_slices: int,
    patient: VirtualPatient | None,
    declares_beats: bool,
    with_localizer: bool,
    started: datetime | None,
    dialect: Dialect | None,
) -> list[Path]:
    folder = Path(tempfile.mkdtemp(prefix="small_exam_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return write_exam(
        small_exam(state, n_slices),
        folder,
        patient=patient,
        declares_beats=declares_beats,
        with_localizer=with_localizer,
        started=started,
        dialect=dialect,
    )


def edit(paths: Sequence[Path], change: Callable[[Dataset], None]) -> None:
    """Change files in place."""
    for path in paths:
        dataset = dcmread(path)
        change(dataset)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset.save_as(path)


def values(**wanted: object) -> Callable[[Dataset], None]:
    """Return a change that writes values under their keywords."""

    def change(dataset: Dataset) -> None:
        for keyword, value in wanted.items():
            setattr(dataset, keyword, value)

    return change


def series(paths: Sequence[Path], number: int) -> list[Path]:
    """Return the files of one series: 11 arterial input, 12 slices (21 and 22 at rest)."""
    return [path for path in paths if path.name.startswith(f"{number:03d}_")]


def unmoved(images: ImageSeries) -> MotionCorrection:
    quality = MotionQuality(
        roughness_before=0.1,
        roughness_after=0.1,
        pca_metric_before=0.1,
        pca_metric_after=0.1,
        sharpness_before=1.0,
        sharpness_after=1.0,
        folded_fraction=0.0,
        mean_displacement_px=0.0,
    )
    n_frames, n_rows, n_columns = images.frames.shape
    return MotionCorrection(
        frames=images.frames,
        displacement=torch.zeros(n_frames, 2, n_rows, n_columns),
        reference=10,
        method="identity",
        quality=quality,
        is_unlike=torch.zeros(n_frames, dtype=torch.bool),
    )


def flow_map(images: ImageSeries, seed: int) -> FlowMap:
    generator = torch.Generator().manual_seed(seed)
    shape = images.frames.shape[1:]
    flow = torch.full(shape, float("nan"))
    flow[10:30, 8:32] = torch.rand(20, 24, generator=generator) * 4.5
    return FlowMap(
        flow_ml_min_g=flow, fit_quality=(flow / 4.5).clamp(0, 1), delay_s=torch.zeros(shape)
    )


def ring(images: ImageSeries) -> HeartMasks:
    """Return a left ventricle in the middle of the image, its right one in the left half."""
    n_rows, n_columns = images.frames.shape[1:]
    row_mm, column_mm = images.geometry.spacing_mm
    row = (torch.arange(n_rows) - n_rows / 2) * row_mm
    column = (torch.arange(n_columns) - n_columns / 2) * column_mm
    away = torch.hypot(row[:, None], column[None, :])
    beside = torch.hypot(row[:, None], column[None, :] + 30.0)
    return HeartMasks(
        myocardium=(away >= 22.0) & (away < 36.0),
        left_ventricle=away < 22.0,
        right_ventricle=(beside < 36.0) & (away >= 36.0),
    )


def unmoved_analysis(exam: Exam, *, has_flow: bool = True) -> Analysis:
    masks = tuple(ring(images) for images in exam.slices)
    sectors, _ = divide_exam(exam.slices, masks)
    slices = tuple(
        SliceAnalysis(
            motion=unmoved(images),
            masks=masks[seed],
            flow=flow_map(images, seed) if has_flow else None,
            tissue_time_s=None,
            tissue_mmol_l=None,
            sectors=sectors[seed],
        )
        for seed, images in enumerate(exam.slices)
    )
    return Analysis(
        state=exam.state,
        slices=slices,
        arterial_motion=None if exam.arterial_input is None else unmoved(exam.arterial_input),
        arterial_input=None,
        regions=measure(slices) if has_flow else (),
    )
