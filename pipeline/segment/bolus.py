"""Outline the left ventricle by the passage of the bolus alone, without a network.

The blood pool is known from the bolus. Rays from its centre meet the inner border where blood
enhancement falls, and the outer one where enhancement of the kind seen just outside the blood
ends, be it against lung, right ventricle or liver. Both borders are closed contours of least cost.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.segment.blood import BloodPools, enhancement, find_blood
from pipeline.segment.heart import HeartRegion
from pipeline.segment.polar import (
    MAX_RADIUS_MM,
    Polar,
    cheapest_contour,
    outward_slope,
    radii_mm,
    smooth_contour,
)
from pipeline.types import HeartMasks

EDGE_MM = 3.0
THIN_WALL_MM = 3.5
USUAL_WALL_MM = 9.0
MIN_AREA_MM2 = 100.0
MAX_AREA_MM2 = 5500.0


def outline_by_bolus(
    series: Float[Tensor, "time row column"],
    region: HeartRegion,
    spacing_mm: tuple[float, float],
) -> HeartMasks:
    """Find blood pools and myocardium in the corrected saturation-recovery frames.

    Parameters
    ----------
    series
        Finite frames without proton-density ones. Shape `(time, row, column)`.
    region
        Where the heart is.
    spacing_mm
        Row and column spacing, mm.

    Raises
    ------
    CannotQuantifyError
        P04 when no bolus passes, P10 when what was found cannot be a left ventricle.

    """
    rise = enhancement(series, spacing_mm)
    pools = find_blood(rise, region, spacing_mm)
    rays = _rays(pools.left, spacing_mm)
    endo_mm = _inner_border(rays, rise, pools)
    epi_mm = _outer_border(rays, rise, pools, endo_mm)
    return _masks(rays, endo_mm, epi_mm, pools)


def _rays(left: Bool[Tensor, "row column"], spacing_mm: tuple[float, float]) -> Polar:
    place = left.nonzero().float().mean(dim=0)
    return Polar(centre_row=float(place[0]), centre_column=float(place[1]), spacing_mm=spacing_mm)


def _inner_border(
    rays: Polar, rise: Float[Tensor, "time row column"], pools: BloodPools
) -> Float[Tensor, " angle"]:
    """Return the radius at which the brightness of left-ventricular blood ends, mm."""
    peak = int(pools.left_curve.argmax())
    around = slice(max(0, peak - 1), peak + 2)
    blood = rise[around].mean(dim=0) / pools.left_curve[around].mean()
    profile = rays.sample(blood[None])[0].clamp(0, 1.2)
    cost = outward_slope(profile, width_mm=EDGE_MM)
    # Once the way out has left the blood, brightness seen further on is another cavity.
    left_blood = (profile < 0.4).float().cummax(dim=1).values
    beyond = left_blood.cumsum(dim=1) * 0.02
    return smooth_contour(cheapest_contour(cost + beyond))


def _outer_border(
    rays: Polar,
    rise: Float[Tensor, "time row column"],
    pools: BloodPools,
    endo_mm: Float[Tensor, " angle"],
) -> Float[Tensor, " angle"]:
    """Return the radius at which muscle ends, mm."""
    curves = rays.sample(rise)
    muscle = _muscle_curve(curves, endo_mm)
    basis = [pools.left_curve, muscle]
    if pools.right_curve is not None:
        basis.append(pools.right_curve)
    parts = non_negative_parts(curves.flatten(1), torch.stack(basis))
    parts = parts.reshape(len(basis), *curves.shape[1:]).clamp(0, 1.5)
    edge = outward_slope(parts[1], width_mm=EDGE_MM)
    if pools.right_curve is not None:
        edge = edge - outward_slope(parts[2], width_mm=EDGE_MM)
    wall_mm = torch.full_like(endo_mm, USUAL_WALL_MM)
    contour = endo_mm + wall_mm
    for tolerance_mm in (8.0, 5.0):
        contour = cheapest_contour(edge + _wall_prior(endo_mm, wall_mm, tolerance_mm))
        wall_mm = (contour - endo_mm).median().expand_as(endo_mm)
    return smooth_contour(contour)


def _muscle_curve(
    curves: Float[Tensor, "time angle radius"], endo_mm: Float[Tensor, " angle"]
) -> Float[Tensor, " time"]:
    """Take the median over angles of what lies just outside the blood."""
    depth = radii_mm(curves)[None] - endo_mm[:, None]
    ring = (depth > 2.0) & (depth < 5.0)
    return curves[:, ring].median(dim=1).values


def _wall_prior(
    endo_mm: Float[Tensor, " angle"], wall_mm: Float[Tensor, " angle"], tolerance_mm: float
) -> Float[Tensor, "angle radius"]:
    depth = radii_mm(endo_mm)[None] - endo_mm[:, None]
    prior = 0.25 * ((depth - wall_mm[:, None]) / tolerance_mm).square()
    return torch.where(depth < THIN_WALL_MM, 10.0, prior)


def non_negative_parts(
    curves: Float[Tensor, "time voxel"], basis: Float[Tensor, "part time"], *, n_sweeps: int = 40
) -> Float[Tensor, "part voxel"]:
    """Write each curve as a sum of the basis curves with amounts >= 0, least squares.

    Coordinate descent (Franc 2005, doi 10.1007/11556121_50).
    """
    gram = basis @ basis.T
    right = basis @ curves
    amounts = torch.zeros_like(right)
    for _ in range(n_sweeps):
        for part in range(len(basis)):
            slope = right[part] - gram[part] @ amounts
            updated = (amounts[part] + slope / gram[part, part].clamp_min(1e-12)).clamp_min(0)
            amounts = torch.cat([amounts[:part], updated[None], amounts[part + 1 :]])
    return amounts


def _masks(
    rays: Polar,
    endo_mm: Float[Tensor, " angle"],
    epi_mm: Float[Tensor, " angle"],
    pools: BloodPools,
) -> HeartMasks:
    size = (pools.left.shape[0], pools.left.shape[1])
    area_mm2 = float((0.5 * endo_mm.square()).mean()) * 2 * torch.pi
    if not MIN_AREA_MM2 < area_mm2 < MAX_AREA_MM2 or float(epi_mm.max()) > MAX_RADIUS_MM - 2:
        raise CannotQuantifyError(Code.SEGMENTATION_UNCERTAIN, "no plausible left ventricle")
    cavity, outer = rays.inside(endo_mm, size), rays.inside(epi_mm, size)
    return HeartMasks(
        myocardium=outer & ~cavity,
        left_ventricle=cavity,
        right_ventricle=None if pools.right is None else pools.right & ~outer,
    )
