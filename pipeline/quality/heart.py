"""All checks of one slice that need to know where its heart is."""

import torch
from jaxtyping import Float
from torch import Tensor

from models.physics import Relaxation
from pipeline.findings import Finding
from pipeline.quality.dark_rim import check_dark_rim
from pipeline.quality.field import check_field
from pipeline.quality.residual import check_residual
from pipeline.quality.residual_contrast import check_residual_contrast
from pipeline.types import HeartMasks, ImageSeries, MotionCorrection

_ARRIVED = 0.1
"""Share of the rise of blood before which no contrast is there."""


def check_heart(
    series: ImageSeries,
    corrected: ImageSeries,
    motion: MotionCorrection,
    masks: HeartMasks,
    *,
    muscle: Relaxation,
    blood: Relaxation,
    index: int,
) -> tuple[Finding, ...]:
    """Return findings on what happened to the heart of one slice.

    Parameters
    ----------
    series
        The slice as it was acquired.
    corrected
        Its registered frames without blank and broken ones.
    motion
        The registration.
    masks
        Where the heart is.
    muscle, blood
        How they relax with and without gadolinium.
    index
        Which slice it is.

    """
    recovery = corrected.frames[corrected.n_proton_density :]
    if not bool(masks.left_ventricle.any() & masks.myocardium.any()) or not len(recovery):
        return ()
    return (
        *check_field(motion, series=series, masks=masks, index=index),
        *check_residual(recovery, masks=masks, spacing_mm=series.geometry.spacing_mm, index=index),
        *check_dark_rim(recovery, masks=masks, index=index),
        *check_residual_contrast(
            corrected,
            masks=masks,
            n_before=count_before(recovery[:, masks.left_ventricle].mean(dim=1)),
            muscle=muscle,
            blood=blood,
            index=index,
        ),
    )


def count_before(blood: Float[Tensor, " time"]) -> int:
    """Return how many frames precede the rise of a curve of blood."""
    peak = int(blood.argmax())
    floor = blood[: peak + 1].min()
    risen = torch.nonzero(blood[: peak + 1] > floor + _ARRIVED * (blood[peak] - floor))
    return int(risen[0]) if risen.numel() else 0
