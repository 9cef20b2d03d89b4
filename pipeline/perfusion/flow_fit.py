"""What a fit answers, whatever the tissue model."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFit:
    """One entry per voxel; NaN where there is no basis for a number."""

    flow_ml_min_g: Float[Tensor, " voxel"]
    fit_quality: Float[Tensor, " voxel"]
    """R² over the samples that were fitted."""
    delay_s: Float[Tensor, " voxel"]
    """Arrival after the arterial input, s."""
    standard_error_ml_min_g: Float[Tensor, " voxel"] | None = None
    at_bound: Bool[Tensor, " voxel"] | None = None
    """Voxels whose flow ended at a bound."""
    blood_volume: Float[Tensor, " voxel"] | None = None
    """vb, ml/ml."""
    interstitial_volume: Float[Tensor, " voxel"] | None = None
    """vi, ml/ml."""
    permeability_surface_ml_min_g: Float[Tensor, " voxel"] | None = None
    """PS of plasma, ml/min/g."""
