"""Writing down the truth of a scene on the grid of its series."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.kinetics import interpolate
from models.phantom.anatomy import SlicePicture
from models.phantom.contours import contour_points
from models.phantom.imaging import SeriesImages
from models.phantom.inversion import newton_inverse
from models.phantom.motion import Field, sample
from models.phantom.perfusion import sample_flow_coordinates
from models.phantom.scene import Scene
from models.phantom.shapes import Plane, grid_mm
from models.phantom.truth import SeriesTruth

Mask = Bool[Tensor, "row column"]
Masks = Bool[Tensor, "time row column"]
Drawn = Float[Tensor, "drawn_row drawn_column"]
"""A plane on the fine grid of the picture."""


def series_truth(scene: Scene, images: SeriesImages) -> SeriesTruth:
    """Return the truth of one series."""
    picture = scene.picture
    myocardium = _at_rest(scene, picture.myocardium)
    left = _at_rest(scene, picture.left_ventricle)
    right = _at_rest(scene, picture.right_ventricle)
    flow, in_defect = _flow(scene)
    delay = scene.patient.exchange.delay_s(flow)
    outside = torch.full_like(flow, torch.nan)
    endocardium, epicardium = contour_points(
        scene.section, scene.plan.matrix, scene.plan.spacing_mm
    )
    return SeriesTruth(
        displacement=scene.displacement,
        inverse_displacement=_inverse(scene),
        endocardium_px=endocardium,
        epicardium_px=epicardium,
        through_plane_mm=scene.through_plane_mm.to(torch.float32),
        myocardium=_moving(scene, lambda drawn: drawn.myocardium),
        left_ventricle=_moving(scene, lambda drawn: drawn.left_ventricle),
        right_ventricle=_moving(scene, lambda drawn: drawn.right_ventricle),
        reference_myocardium=myocardium,
        reference_left_ventricle=left,
        reference_right_ventricle=right,
        flow_ml_min_g=torch.where(myocardium, flow, outside),
        delay_s=torch.where(myocardium, delay, outside),
        defect=myocardium & in_defect,
        concentration_mmol_l=_concentration(
            scene, flow, myocardium, left & ~_at_rest(scene, picture.papillary), right
        ),
        motion_free_frames=images.motion_free,
        noise_free_frames=images.noise_free,
        noise_standard_deviation=images.noise_standard_deviation,
    )


def _pooled(scene: Scene, covered: Float[Tensor, "time drawn_row drawn_column"]) -> Masks:
    """Return the pixels of the series that are covered to more than half."""
    shares = torch.nn.functional.interpolate(covered[:, None], size=scene.plan.matrix, mode="area")
    return shares[:, 0] > 0.5


def _at_rest(scene: Scene, covered: Drawn) -> Mask:
    return _pooled(scene, covered[None])[0]


def _inverse(scene: Scene) -> Field:
    """Return where each pixel of the series lay in the reference."""
    if scene.plan.matrix == scene.patient.protocol.matrix:
        return scene.inverse_displacement
    return newton_inverse(scene.displacement)


def _moving(scene: Scene, part: Callable[[SlicePicture], Drawn]) -> Masks:
    """Return the pixels that a part of the heart covers in each frame."""
    offset = scene.inverse_displacement
    on_slice = _on_slice(scene, part(scene.picture)).expand(offset.shape[0], -1, -1, -1)
    if scene.other_picture is not None:
        share = scene.other_share.to(on_slice)[:, None, None, None]
        on_slice = torch.lerp(on_slice, _on_slice(scene, part(scene.other_picture)), share)
    return _pooled(scene, sample(on_slice, offset)[:, 0])


def _on_slice(scene: Scene, covered: Drawn) -> Float[Tensor, "1 1 slice_row slice_column"]:
    return torch.nn.functional.interpolate(
        covered[None, None], size=scene.patient.protocol.matrix, mode="area"
    )


def _flow(scene: Scene) -> tuple[Plane, Mask]:
    """Return flow as if all were myocardium, and where it is that of the defect."""
    pattern = scene.patient.pattern
    grid = grid_mm(scene.plan.matrix, scene.plan.spacing_mm)
    angle, depth = sample_flow_coordinates(scene.section, *grid)
    flow = pattern.flow_ml_min_g(scene.plan.slice_index, angle, depth)
    return flow, pattern.is_defect(scene.plan.slice_index, angle)


def _concentration(
    scene: Scene, flow: Plane, myocardium: Mask, left: Mask, right: Mask
) -> Float[Tensor, "time row column"]:
    patient = scene.patient
    known = torch.full((scene.time_s.shape[0], *flow.shape), torch.nan)
    levels = interpolate(
        patient.curves.concentration_mmol_l, patient.curves.time_s, scene.time_s
    ).to(flow.dtype)
    hats = patient.curves.hats(flow)[:, myocardium]
    known[:, myocardium] = levels.T @ hats
    pools = ((left, patient.blood.left_ventricle), (right, patient.blood.right_ventricle))
    for pool, curve in pools:
        at_frames = interpolate(curve, patient.blood.time_s, scene.time_s).to(flow.dtype)
        known[:, pool] = at_frames[:, None].expand(-1, int(pool.sum()))
    return known
