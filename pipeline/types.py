"""The values that cross the pipeline: an identity-free exam in, an analysis out.

No type here has a field for a name, a date or a UID. Axes: `time` first within a slice, then
`row`, `column`; displacement `(time, axis, row, column)` in pixels, axis 0 = row.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from jaxtyping import Bool, Float
from torch import Tensor

from models.physics import Readout, SaturationRecovery
from pipeline.findings import Finding
from pipeline.regions import RegionFlow, SliceSectors

Vector = tuple[float, float, float]
Progress = Callable[[str, float], None]
"""Called with the stage in words and the fraction of the whole analysis that is done (0-1)."""


class PatientState(StrEnum):
    """Whether flow was raised by a drug when the bolus passed."""

    STRESS = "stress"
    REST = "rest"
    UNKNOWN = "unknown"


class FlowModel(StrEnum):
    """Tissue models that flow can be computed with."""

    BTEX = "btex"
    """Plug-flow blood-tissue exchange."""
    FERMI = "fermi"
    """Fermi function with a retained fraction, first pass only."""
    TIKHONOV = "tikhonov"
    """Model-free: regularised deconvolution."""


class ArterialInputSource(StrEnum):
    """Where the arterial input was measured."""

    DUAL_SEQUENCE = "dual-sequence"
    """A series of its own with a short saturation time."""
    DUAL_ECHO = "dual-sequence, T2* corrected"
    """The same with a second echo that tells the loss by T2*."""
    SINGLE_SEQUENCE = "single sequence, saturated"
    """The cavity of a perfusion slice itself: its peak is cut, so flow is overestimated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Where the pixels of a series lie in the patient (DICOM patient axes, mm)."""

    spacing_mm: tuple[float, float]
    """Row spacing (between rows), column spacing."""
    thickness_mm: float
    origin_mm: Vector
    row_direction: Vector
    """Unit vector along increasing column index."""
    column_direction: Vector
    """Unit vector along increasing row index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSeries:
    """One slice, or the arterial-input series, over all beats.

    `frames[:n_proton_density]` are proton-density frames, the rest saturation recovery.
    """

    frames: Float[Tensor, "time row column"]
    time_s: Float[Tensor, " time"]
    """Acquisition time of each frame on the clock of the exam (0 = first frame of any series)."""
    n_proton_density: int
    geometry: Geometry
    sequence: SaturationRecovery | None
    """None when the header and the configuration do not tell: then no flow is computed."""
    proton_density: Readout | None

    def __post_init__(self) -> None:
        n_frames = self.frames.shape[0]
        if self.time_s.shape != (n_frames,):
            raise ValueError(f"{n_frames} frames but {self.time_s.shape[0]} times")
        if n_frames > 1 and not bool((self.time_s.diff() > 0).all()):
            raise ValueError("acquisition times must increase within a slice")
        if not 0 <= self.n_proton_density <= n_frames:
            raise ValueError("more proton-density frames than frames")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """One bolus run: the slices from base to apex and the arterial-input series."""

    state: PatientState
    field_strength_t: float
    slices: tuple[ImageSeries, ...]
    arterial_input: ImageSeries | None
    arterial_second_echo: ImageSeries | None = None
    """The beats of `arterial_input` at a later echo time; None where one echo was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionQuality:
    """Label-free figures of one registration; lower is better for all but sharpness."""

    roughness_before: float
    """Median size of the second difference of regional curves over their range, before."""
    roughness_after: float
    pca_metric_before: float
    """Groupwise metric D_PCA2 of the heart region (Huizinga 2016); see `pca_metric`."""
    pca_metric_after: float
    sharpness_before: float
    """Mean gradient of the temporal mean image of the heart region over its mean level, 1/px."""
    sharpness_after: float
    folded_fraction: float
    """Fraction of pixels whose Jacobian determinant is not positive."""
    mean_displacement_px: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsideredCorrection:
    """One correction that the gate looked at, taken or not."""

    method: str
    step: str
    """What the method calls this answer; the simpler ones come first."""
    score: float
    """Groupwise metric relative to the original series: below 1 is better aligned."""
    is_helpful: bool
    """Whether it passed the gate; of those that did, the best is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionCorrection:
    """A registered series.

    `frames[t, y] = original[t, y + displacement[t, :, y]]`, resampled once from the original.
    """

    frames: Float[Tensor, "time row column"]
    displacement: Float[Tensor, "time axis row column"]
    reference: int
    """Index of the frame that stayed where it was."""
    method: str
    """`identity` when every frame stayed, else the method of `pipeline.motion.Method` taken."""
    quality: MotionQuality
    is_unlike: Bool[Tensor, " time"]
    """Frames that no component of the others explains: spoiled, dark, or of another slice of the
    heart. No field can quite mend them."""
    heart_px: tuple[float, float] | None = None
    """Row and column of the middle of the region that was registered; None where it is unknown."""
    is_heart_shared: bool = False
    """Whether at least two series of the exam put the heart there."""
    considered: tuple[ConsideredCorrection, ...] = ()
    """What there was to choose from; empty when nothing was tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArterialInput:
    """Gadolinium in the blood of the left ventricle."""

    time_s: Float[Tensor, " time"]
    concentration_mmol_l: Float[Tensor, " time"]
    """Whole-blood concentration of the saturation-recovery frames, baseline subtracted."""
    mask: Bool[Tensor, "row column"]
    """Pixels of the series it was read from."""
    source: ArterialInputSource
    foot: int
    peak: int
    valley: int
    """First-pass window: indices of arrival, maximum and minimum before recirculation."""
    slice_index: int | None = None
    """The slice whose cavity it was read in; None where it has a series of its own."""
    decay_1_s: Float[Tensor, " time"] | None = None
    """R2* of the blood above its native one, from two echoes; None where one was read."""
    right_mmol_l: Float[Tensor, " time"] | None = None
    """Concentration in the right ventricle, NaN beyond what the sequence resolves; None where it
    was not seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowMap:
    """Pixel-wise perfusion of one slice; NaN where there is no basis for a number."""

    flow_ml_min_g: Float[Tensor, "row column"]
    fit_quality: Float[Tensor, "row column"]
    """Coefficient of determination R² of the fit."""
    delay_s: Float[Tensor, "row column"]
    """Arrival after the arterial input, s."""
    model: FlowModel = FlowModel.FERMI
    """Tissue model that was fitted."""
    standard_error_ml_min_g: Float[Tensor, "row column"] | None = None
    """Standard error of flow, noise and model included."""
    systematic_fraction: float = 0.0
    """Relative error that all pixels of an exam share; it is part of their standard error."""
    at_bound: Bool[Tensor, "row column"] | None = None
    """Pixels whose fit ended at a bound: their number says "at least" or "at most"."""
    blood_volume: Float[Tensor, "row column"] | None = None
    """vb, ml of blood per ml of tissue."""
    interstitial_volume: Float[Tensor, "row column"] | None = None
    """vi, ml of interstitial fluid per ml of tissue."""
    permeability_surface_ml_min_g: Float[Tensor, "row column"] | None = None
    """PS of plasma, ml/min/g."""
    model_spread_ml_min_g: Float[Tensor, "row column"] | None = None
    """Standard deviation of flow between the tissue models; None unless asked for."""

    @property
    def is_between_bounds(self) -> Bool[Tensor, "row column"]:
        """The pixels with a number that is the curve's own, not a bound."""
        known = self.flow_ml_min_g.isfinite()
        return known if self.at_bound is None else known & ~self.at_bound


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartMasks:
    """Where the left ventricle is in the corrected frames of one slice."""

    myocardium: Bool[Tensor, "row column"]
    left_ventricle: Bool[Tensor, "row column"]
    """Blood pool."""
    right_ventricle: Bool[Tensor, "row column"] | None
    insertions_px: tuple[tuple[float, float], tuple[float, float]] | None = None
    """Row and column where the wall of the right ventricle meets the left one, in the order of
    increasing angle atan2(row, column) across the septum; None where no right ventricle is seen."""
    expected_dice: float | None = None
    """What the segmentation thinks of itself: expected Dice of the myocardium, 0-1."""
    method: str = "bolus"
    """`network` or `bolus` (contours from the passage of contrast alone)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceAnalysis:
    """All that is known of one slice. A missing step is None and has a finding that says why."""

    motion: MotionCorrection
    masks: HeartMasks | None
    flow: FlowMap | None
    tissue_time_s: Float[Tensor, " time"] | None
    tissue_mmol_l: Float[Tensor, " time"] | None
    """Mean concentration of the myocardium over the saturation-recovery frames."""
    sectors: SliceSectors | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The result for one exam, slices in the order of the exam."""

    state: PatientState
    slices: tuple[SliceAnalysis, ...]
    arterial_motion: MotionCorrection | None
    arterial_input: ArterialInput | None
    findings: tuple[Finding, ...] = field(default_factory=tuple)
    regions: tuple[RegionFlow, ...] = ()
    """Measurements: global, slices, territories and segments, each whole, inner and outer."""

    @property
    def is_quantified(self) -> bool:
        """Whether any slice has a flow map."""
        return any(result.flow is not None for result in self.slices)
