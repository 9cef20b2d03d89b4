"""A still heart with known masks, as a slice and its analysis, to put faults into."""

import dataclasses
from functools import cache

from torch import Tensor

from pipeline.motion import identity
from pipeline.types import Geometry, HeartMasks, ImageSeries, MotionCorrection
from tests.pipeline.quality.test_checks import series
from tests.pipeline.toy import Toy, make_toy

N_FRAMES = 40
N_DENSITY = 2
SPACING_MM = (2.5, 2.5)
PLANE = Geometry(
    spacing_mm=SPACING_MM,
    thickness_mm=8.0,
    origin_mm=(0.0, 0.0, 0.0),
    row_direction=(1.0, 0.0, 0.0),
    column_direction=(0.0, 1.0, 0.0),
)


@cache
def toy() -> Toy:
    return make_toy(
        n_frames=N_FRAMES,
        n_proton_density=N_DENSITY,
        size=72,
        spacing_mm=SPACING_MM[0],
        amplitude_mm=0.0,
        noise=4.0,
    )


def masks(**changes) -> HeartMasks:
    found = HeartMasks(
        myocardium=toy().myocardium,
        left_ventricle=toy().left_ventricle,
        right_ventricle=toy().right_ventricle,
    )
    return dataclasses.replace(found, **changes)


def recovery() -> Tensor:
    """Return the saturation-recovery frames; a copy that may be spoiled."""
    return toy().frames[N_DENSITY:].clone()


def heart_slice(frames: Tensor | None = None, **changes) -> ImageSeries:
    """Return the whole series, frames of 0.8 s."""
    images = toy().frames if frames is None else frames
    arguments = {"frames": images, "n_proton_density": N_DENSITY, "geometry": PLANE}
    return series(len(images), **(arguments | changes))


def still(frames: Tensor | None = None) -> MotionCorrection:
    images = toy().frames if frames is None else frames
    return identity(images, spacing_mm=SPACING_MM, n_proton_density=N_DENSITY)
