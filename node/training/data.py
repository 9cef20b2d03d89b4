"""Heart regions to learn from: of virtual patients, or of the exams in a folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from models.networks.published import SIZE, SPACING_MM
from models.training.sampling import sample
from models.training.scenes import draw_pool
from node.errors import RefusalError, UnusableStudyError
from node.ports import Progress
from node.settings import AcquisitionRule
from node.translate import decode_study, find_studies
from pipeline.motion.published import heart_square
from pipeline.motion.series import prepare
from pipeline.types import ImageSeries

FIRST_TRAINING_SEED = 100_000
"""Seeds below are kept for examples that judge."""
SCENES_AT_ONCE = 16
N_FRAMES = 30
MIN_FRAMES = 12
MIN_SIDE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Series of the heart region, 128 px at 1.25 mm, and where they come from."""

    series: Sequence[Float[Tensor, "_time row column"]]
    origin: str
    """For the card of the network."""


def scene_seeds(seed: int, n_scenes: int) -> range:
    """Return the virtual patients of a training; another seed has other patients."""
    first = FIRST_TRAINING_SEED * (1 + seed)
    return range(first, first + n_scenes)


def phantom_series(seed: int, n_scenes: int, progress: Progress) -> Data:
    """Draw one series of each of many virtual patients.

    Parameters
    ----------
    seed
        The same seed has the same series.
    n_scenes
        How many patients.
    progress
        Told how far it is.

    """
    generator = torch.Generator().manual_seed(seed)
    seeds = scene_seeds(seed, n_scenes)
    series: list[Tensor] = []
    for start in range(0, n_scenes, SCENES_AT_ONCE):
        pool = draw_pool(seeds[start : start + SCENES_AT_ONCE])
        batch = sample(
            pool,
            generator,
            n_series=len(pool),
            n_frames=N_FRAMES,
            size=SIZE,
            spacing_mm=SPACING_MM,
        )
        series += list(batch.frames)
        progress("drawing virtual patients", len(series) / n_scenes)
    return Data(
        series=series,
        origin=f"{n_scenes} slices of virtual patients (seeds {seeds[0]}-{seeds[-1]}), "
        f"{N_FRAMES} frames each",
    )


def study_series(folder: Path, rules: Sequence[AcquisitionRule], progress: Progress) -> Data:
    """Decode all exams of a folder and cut out the hearts.

    Parameters
    ----------
    folder
        With DICOM files of any number of studies.
    rules
        Acquisition rules of the configuration.
    progress
        Told how far it is.

    Raises
    ------
    RefusalError
        If there is no folder, or no perfusion series in it.

    """
    if not folder.is_dir():
        raise RefusalError(f"{folder} is not a folder")
    studies = find_studies(folder).studies
    series: list[Tensor] = []
    n_exams = 0
    for done, files in enumerate(studies, start=1):
        try:
            exams = decode_study(files, rules=rules).exams
        except UnusableStudyError:
            continue
        finally:
            progress("reading studies", done / len(studies))
        n_exams += len(exams)
        for decoded in exams:
            series += _hearts((*decoded.exam.slices, decoded.exam.arterial_input))
    if not series:
        raise RefusalError(f"no perfusion series was found in {folder}")
    return Data(
        series=series, origin=f"{len(series)} series of {n_exams} received exams, without labels"
    )


def _hearts(found: Sequence[ImageSeries | None]) -> list[Float[Tensor, "_time side side"]]:
    """Cut the heart out of every series that shows enough."""
    hearts = []
    for series in found:
        if series is None or min(series.frames.shape[1:]) < MIN_SIDE:
            continue
        ready = prepare(
            series.frames,
            spacing_mm=series.geometry.spacing_mm,
            n_proton_density=series.n_proton_density,
        )
        if len(ready.usable) >= MIN_FRAMES:
            hearts.append(heart_square(ready).cut(ready.usable))
    return hearts
