"""The flow map of one slice: which pixels are fitted and what they share with neighbours."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import max_pool2d

from models.smoothing import smooth
from pipeline.parameters import FlowSettings
from pipeline.perfusion.btex import Belief
from pipeline.perfusion.fit import SYSTEMATIC_FRACTION, FlowFit, exam_belief, fit
from pipeline.perfusion.window import first_pass_s
from pipeline.types import ArterialInput, FlowMap, FlowModel

_NEIGHBOURHOOD_MM = 12.0
"""Standard deviation of the neighbourhood that shares arrival and transit time: its width at half
height, 28 mm, is about one segment of the wall."""
_CALMING_MM = 1.5
"""Standard deviation of the blur against noise, about the point spread of the image."""
_MIN_CORE_PIXELS = 20
_MIN_WEIGHT = 1e-4
"""Share of the neighbourhood below which nothing of it is known."""
_NOISE_FACTOR = 4.0
"""Enhancement over noise below which a pixel is background."""


def flow_map(
    concentration_mmol_l: Float[Tensor, "time row column"],
    *,
    time_s: Float[Tensor, " time"],
    arterial_input: ArterialInput,
    region: Bool[Tensor, "row column"],
    myocardium: Bool[Tensor, "row column"] | None,
    spacing_mm: tuple[float, float],
    settings: FlowSettings,
    belief: Belief | None = None,
) -> FlowMap:
    """Fit every pixel of a region that enhances above noise.

    Parameters
    ----------
    concentration_mmol_l
        Saturation-recovery frames as concentration, baseline subtracted.
    time_s
        Their times on the clock of the exam, s.
    arterial_input
        Concentration in the left ventricle.
    region
        Where to look, usually a disc around the heart.
    myocardium
        Its pixels take their neighbourhood from each other only, not from blood; None when not
        known.
    spacing_mm
        Row and column spacing, mm.
    settings
        Tissue model, bounds and constants.
    belief
        What the whole heart tells of its tissue, see `heart_belief`.

    Returns
    -------
    The map; NaN outside the region, where nothing enhances and where a concentration is missing.

    """
    wall = torch.zeros_like(region) if myocardium is None else myocardium
    chosen = region & (_enhances(concentration_mmol_l, time_s, arterial_input) | wall)
    # The outline is drawn tight: the pixels along it are mostly muscle and take its arrival.
    margin = _grown(wall) & ~wall
    parts = (chosen & wall, chosen & margin, chosen & ~wall & ~margin)
    calm = _mean_of_kin(concentration_mmol_l, parts, _CALMING_MM, spacing_mm)
    regional = None
    if (
        settings.shares_neighbourhood
        or settings.model is not FlowModel.BTEX
        or settings.with_spread
    ):
        core = _core_of(parts[0])
        sources = (core, core, parts[2])
        regional = _mean_of_kin(
            concentration_mmol_l, parts, _NEIGHBOURHOOD_MM, spacing_mm, sources=sources
        )[:, chosen].T
    curves = calm[:, chosen].T

    def by(model: FlowModel) -> FlowFit:
        is_shared = settings.shares_neighbourhood or model is not FlowModel.BTEX
        return fit(
            curves,
            time_s=time_s,
            arterial_input=arterial_input,
            bounds=settings.bounds,
            density_g_ml=settings.density_g_ml,
            regional_mmol_l=regional if is_shared else None,
            model=model,
            hematocrit_fraction=settings.hematocrit_fraction,
            belief=belief,
        )

    fitted = by(settings.model)
    spread = None
    if settings.with_spread:
        others = [by(model) for model in FlowModel if model is not settings.model]
        every = torch.stack([each.flow_ml_min_g for each in (fitted, *others)])
        spread = _picture(every.std(dim=0), chosen)
    return replace(_map_of(fitted, chosen, settings.model), model_spread_ml_min_g=spread)


def heart_belief(
    slices: Sequence[
        tuple[Float[Tensor, "time row column"], Float[Tensor, " time"], Bool[Tensor, "row column"]]
    ],
    *,
    arterial_input: ArterialInput,
    settings: FlowSettings,
) -> Belief | None:
    """Return what all slices together tell of the tissue; None where that is nothing.

    Parameters
    ----------
    slices
        Concentration (mmol/l), sample times (s) and myocardium of each slice.
    arterial_input
        Concentration in the left ventricle.
    settings
        Bounds and constants.

    """
    curves = []
    for concentration, time_s, myocardium in slices:
        core = _core_of(myocardium) & concentration.isfinite().all(dim=0)
        if bool(core.any()):
            curves.append((concentration[:, core].mean(dim=1), time_s))
    if not curves:
        return None
    return exam_belief(
        curves,
        arterial_input=arterial_input,
        bounds=settings.bounds,
        density_g_ml=settings.density_g_ml,
        hematocrit_fraction=settings.hematocrit_fraction,
    )


def _map_of(fitted: FlowFit, chosen: Bool[Tensor, "row column"], model: FlowModel) -> FlowMap:
    """Put the voxels back where they were."""

    def picture(values: Float[Tensor, " voxel"] | None) -> Float[Tensor, "row column"] | None:
        return None if values is None else _picture(values, chosen)

    error = picture(fitted.standard_error_ml_min_g)
    at_bound = None
    if fitted.at_bound is not None:
        at_bound = torch.zeros_like(chosen)
        at_bound[chosen] = fitted.at_bound
    return FlowMap(
        flow_ml_min_g=_picture(fitted.flow_ml_min_g, chosen),
        fit_quality=_picture(fitted.fit_quality, chosen),
        delay_s=_picture(fitted.delay_s, chosen),
        model=model,
        standard_error_ml_min_g=error,
        systematic_fraction=0.0 if error is None else SYSTEMATIC_FRACTION,
        at_bound=at_bound,
        blood_volume=picture(fitted.blood_volume),
        interstitial_volume=picture(fitted.interstitial_volume),
        permeability_surface_ml_min_g=picture(fitted.permeability_surface_ml_min_g),
    )


def _picture(
    values: Float[Tensor, " voxel"], chosen: Bool[Tensor, "row column"]
) -> Float[Tensor, "row column"]:
    image = torch.full(chosen.shape, torch.nan, dtype=values.dtype, device=values.device)
    image[chosen] = values
    return image


def _enhances(
    concentration: Float[Tensor, "time row column"],
    time_s: Float[Tensor, " time"],
    arterial_input: ArterialInput,
) -> Bool[Tensor, "row column"]:
    """Return the pixels whose late first pass stands above their scatter between beats."""
    start_s, end_s = first_pass_s(arterial_input)
    middle_s = 0.5 * (start_s + end_s)
    late = concentration[(time_s >= middle_s) & (time_s <= end_s)]
    if late.shape[0] == 0:
        return torch.zeros_like(concentration[0], dtype=torch.bool)
    # Beat-to-beat differences carry the noise of two samples and none of the slow rise.
    scatter = concentration.diff(dim=0).abs().median(dim=0).values / (0.6745 * 2.0**0.5)
    noise = scatter / float(late.shape[0]) ** 0.5
    return torch.gt(late.mean(dim=0), _NOISE_FACTOR * noise)


def _grown(mask: Bool[Tensor, "row column"]) -> Bool[Tensor, "row column"]:
    """Return a mask with the pixels next to it."""
    return max_pool2d(mask.float()[None, None], 3, stride=1, padding=1)[0, 0] > 0


def _core_of(wall: Bool[Tensor, "row column"]) -> Bool[Tensor, "row column"]:
    """Return the wall without its outermost pixels, which hold blood, fat or lung as well.

    A wall too thin to have a core is returned whole.
    """
    core = wall & ~_grown(~wall)
    return core if int(core.sum()) >= _MIN_CORE_PIXELS else wall


def _mean_of_kin(
    concentration: Float[Tensor, "time row column"],
    parts: tuple[Bool[Tensor, "row column"], ...],
    width_mm: float,
    spacing_mm: tuple[float, float],
    *,
    sources: tuple[Bool[Tensor, "row column"], ...] | None = None,
) -> Float[Tensor, "time row column"]:
    """Return the local mean curve of each pixel over pixels of its own part; NaN stays NaN.

    `sources` names the pixels of each part that are averaged; all of them when None.
    """
    width_px = (width_mm / spacing_mm[0], width_mm / spacing_mm[1])
    valid = concentration.isfinite().all(dim=0)
    result = concentration
    for part, source in zip(parts, sources or parts, strict=True):
        members = source & valid
        weight = smooth(members.to(concentration.dtype), width_px)
        total = smooth(torch.where(members, concentration, 0.0), width_px)
        is_reached = part & valid & (weight > _MIN_WEIGHT)
        result = torch.where(is_reached, total / weight.clamp_min(_MIN_WEIGHT), result)
    return result
