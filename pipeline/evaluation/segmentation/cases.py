"""Corrected series with the truth of their outlines, kept on disk.

Drawing and correcting an exam takes a hundred times as long as outlining it, and neither depends on
how it is outlined; so both are done once.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from models.networks import Networks
from models.phantom import PhantomSeries
from pipeline.evaluation.cases import Split, Subject
from pipeline.evaluation.phantom_exam import hearts_of
from pipeline.motion.compose import warp
from pipeline.motion.correction import correct
from pipeline.segment import SAME_HEART_MM, HeartRegion


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutlineCase:
    """One corrected slice."""

    split: Split
    seed: int
    index: int
    """Of the slice, from base to apex."""
    breathing: str
    motion: str
    """Method that was taken to correct it."""
    frames: Float[Tensor, "time row column"]
    n_proton_density: int
    spacing_mm: tuple[float, float]
    heart_px: tuple[float, float] | None
    """Row and column of the middle of the heart as motion correction knows it."""
    reach_mm: float | None
    """How far from there a heart may be; None where only one series says where it is."""
    shares: Float[Tensor, "tissue row column"]
    """Share of the corrected frames in which a pixel is left ventricle, myocardium, right
    ventricle: the truth, seen through what motion correction has left."""

    @property
    def masks(self) -> Bool[Tensor, "tissue row column"]:
        """The pixels that most frames agree on."""
        return self.shares > 0.5


def prepared(subject: Subject, networks: Networks, folder: Path) -> tuple[OutlineCase, ...]:
    """Return all slices of an exam, corrected by the default method; read them if they are there.

    Parameters
    ----------
    subject
        Which exam.
    networks
        For motion correction.
    folder
        Where corrected series are kept.

    """
    file = folder / f"{subject.split}_{subject.seed}.safetensors"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        exam = subject.draw()
        hearts = hearts_of(exam, networks.segmentation)
        _store(
            file,
            [
                _correct(series, heart, networks)
                for series, heart in zip(exam.slices, hearts, strict=False)
            ],
        )
    return _read(file, subject)


def _correct(
    series: PhantomSeries, heart: HeartRegion | None, networks: Networks
) -> tuple[dict[str, Tensor], object]:
    motion = correct(
        series.frames.float(),
        spacing_mm=series.spacing_mm,
        n_proton_density=series.n_proton_density,
        networks=networks,
        heart=heart,
    )
    truth = series.truth
    shares = torch.stack(
        [
            warp(masks.float(), motion.displacement)[series.n_proton_density :].mean(dim=0)
            for masks in (truth.left_ventricle, truth.myocardium, truth.right_ventricle)
        ]
    )
    notes = (
        motion.method,
        series.n_proton_density,
        series.spacing_mm,
        motion.heart_px,
        SAME_HEART_MM if motion.is_heart_shared else None,
    )
    return {"frames": motion.frames.half(), "shares": shares.half()}, notes


def _store(file: Path, slices: Sequence[tuple[dict[str, Tensor], object]]) -> None:
    """Write all slices in one move; half precision is finer than the noise."""
    tensors = {
        f"{index}.{name}": value.contiguous()
        for index, (parts, _) in enumerate(slices)
        for name, value in parts.items()
    }
    partial = file.with_suffix(".partial")
    save_file(tensors, partial, metadata={"notes": json.dumps([notes for _, notes in slices])})
    partial.replace(file)


def _read(file: Path, subject: Subject) -> tuple[OutlineCase, ...]:
    with safe_open(file, framework="pt") as stored:
        notes = json.loads(stored.metadata()["notes"])
        return tuple(
            OutlineCase(
                split=subject.split,
                seed=subject.seed,
                index=index,
                breathing=subject.protocol.breathing.value,
                motion=motion,
                frames=stored.get_tensor(f"{index}.frames").float(),
                n_proton_density=n_proton_density,
                spacing_mm=(spacing_mm[0], spacing_mm[1]),
                heart_px=None if heart_px is None else (heart_px[0], heart_px[1]),
                reach_mm=reach_mm,
                shares=stored.get_tensor(f"{index}.shares").float(),
            )
            for index, (motion, n_proton_density, spacing_mm, heart_px, reach_mm) in enumerate(
                notes
            )
        )
