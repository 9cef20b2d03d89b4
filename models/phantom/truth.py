"""What is known of a phantom exam without measuring it."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesTruth:
    """Truth of one series. `reference_` and maps are in the reference (breath-hold) position."""

    displacement: Float[Tensor, "time axis row column"]
    """Pixels: the reference pixel y is found at y + displacement[t, :, y] in frame t."""
    inverse_displacement: Float[Tensor, "time axis row column"]
    """Pixels: the pixel x of frame t lay at x + inverse_displacement[t, :, x] in the reference."""
    endocardium_px: Float[Tensor, "inner_point axis"]
    """Row and column of points of the outline of the cavity, to a fraction of a pixel: at most 48,
    none in the open outflow tract, none at all where the slice has no cavity."""
    epicardium_px: Float[Tensor, "outer_point axis"]
    """Row and column of points of the outer outline of the left ventricle."""
    through_plane_mm: Float[Tensor, " time"]
    """How far along the slice normal from the planned slice the heart is cut in each frame,
    positive towards the apex."""
    myocardium: Bool[Tensor, "time row column"]
    left_ventricle: Bool[Tensor, "time row column"]
    right_ventricle: Bool[Tensor, "time row column"]
    reference_myocardium: Bool[Tensor, "row column"]
    reference_left_ventricle: Bool[Tensor, "row column"]
    """Everything inside the endocardium, papillary muscles included."""
    reference_right_ventricle: Bool[Tensor, "row column"]
    """Blood of the right ventricle."""
    flow_ml_min_g: Float[Tensor, "row column"]
    """Blood flow per gram; NaN outside the myocardium."""
    delay_s: Float[Tensor, "row column"]
    """Arrival after the left ventricle; NaN outside the myocardium."""
    defect: Bool[Tensor, "row column"]
    """Myocardium whose flow is nearer to that of the defect than to that of healthy wall."""
    concentration_mmol_l: Float[Tensor, "time row column"]
    """Gadolinium per volume of tissue in the myocardium, of blood in the left ventricle outside
    the papillary muscles and in the right ventricle; NaN elsewhere."""
    motion_free_frames: Float[Tensor, "time row column"]
    """Without noise, everything in reference position; same gain as the frames."""
    noise_free_frames: Float[Tensor, "time row column"]
    """Without noise, moving."""
    noise_standard_deviation: float
    """Of each channel of the complex noise, in the units of the frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamTruth:
    """Truth that all series share."""

    trigger_s: Float[Tensor, " beat"]
    is_ectopic: Bool[Tensor, " beat"]
    breathing_time_s: Float[Tensor, " sample"]
    breathing_mm: Float[Tensor, " sample"]
    right_ventricle_mmol_l: Float[Tensor, " fine"]
    """On the same grid as the arterial concentration of the exam."""
    healthy_flow_ml_min_g: float
    defect_flow_ml_min_g: float
    defect_slices: tuple[int, ...]
    relaxivity_l_mmol_s: float
    native_t1_blood_s: float
    native_t1_myocardium_s: float
    plasma_volume: float
    interstitial_volume: float
    permeability_surface_ml_min_ml: float
    hematocrit_fraction: float
    density_g_ml: float
