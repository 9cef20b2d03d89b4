"""How the tissues of a scene look to the scanner: shares, signals, field, dark rim."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.kinetics import interpolate
from models.phantom.acquisition import OVERSAMPLING, class_signals
from models.phantom.anatomy import SlicePicture
from models.phantom.off_resonance import OffsetMixture, at_offset, draw_field_map, mix_offsets
from models.phantom.randomness import stream
from models.phantom.scene import Scene, fine_grid
from models.phantom.shapes import Plane
from models.phantom.tissues import Tissue
from models.phantom.uptake import class_properties
from models.physics import AGENTS, BalancedSteadyState

_RIM_MM = 1.5
"""Depth to which the dark rim reaches into the wall."""

Signals = Float[Tensor, "offset time class"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """What is rendered: sum over classes of share and signal, at every offset of the field."""

    weights: Float[Tensor, "class fine_row fine_column"]
    signals: Signals
    shares: Float[Tensor, "offset fine_row fine_column"] | None
    """How much of each point is seen at each offset; None where there is only one."""


def appear(scene: Scene) -> Appearance:
    """Return how the tissues of a scene look."""
    offsets = _offsets(scene)
    weights, signals = _weights(scene, scene.picture), _signals(scene, offsets)
    if scene.patient.protocol.artefacts.dark_rim:
        signals = torch.cat([signals, _dark_rim_signal(scene, signals)[..., None]], dim=-1)
    shares = None if offsets is None else offsets.share
    return Appearance(weights=weights, signals=signals, shares=shares)


def exchange_through_plane(scene: Scene, seen: Appearance) -> Appearance:
    """Return how a scene looks when breathing brings another part of the heart into the plane.

    The classes of the other picture stand beside those of the planned one; in each frame, they
    share the signal.
    """
    if scene.other_picture is None:
        return seen
    share = scene.other_share.to(seen.signals)[:, None]
    return Appearance(
        weights=torch.cat([seen.weights, _weights(scene, scene.other_picture)]),
        signals=torch.cat([(1.0 - share) * seen.signals, share * seen.signals], dim=-1),
        shares=seen.shares,
    )


def healthy_level(scene: Scene) -> int:
    """Return the class of healthy myocardium."""
    patient = scene.patient
    away = (patient.curves.flow_ml_min_g - patient.pattern.healthy_ml_min_g).abs()
    return len(scene.picture.tissues) + int(away.argmin())


def _weights(scene: Scene, picture: SlicePicture) -> Float[Tensor, "class fine_row fine_column"]:
    """Return the shares of a picture, fat where its frequency puts it, then the dark rim."""
    artefacts, weights = scene.patient.protocol.artefacts, picture.weights
    shift = round(OVERSAMPLING * artefacts.fat_shift_px)
    if shift != 0:
        weights, fat = picture.weights.clone(), picture.tissues.index(Tissue.FAT)
        across = 1 - scene.patient.protocol.reconstruction.phase_encoding_axis
        weights[fat] = weights[fat].roll(shift, dims=across)
    if artefacts.dark_rim:
        weights = torch.cat([weights, _dark_rim_share(picture, scene)[None]])
    return weights


def _offsets(scene: Scene) -> OffsetMixture | None:
    """Return the field of a balanced readout that is not perfectly shimmed."""
    largest_hz = scene.patient.protocol.artefacts.off_resonance_hz
    readout = scene.plan.sequence.readout
    if largest_hz == 0.0 or not isinstance(readout, BalancedSteadyState):
        return None
    generator = stream(scene.patient.seed, "field map")
    field_hz = draw_field_map(generator, fine_grid(scene.patient), largest_hz)
    return mix_offsets(field_hz, readout.repetition_time_s)


def _signals(scene: Scene, offsets: OffsetMixture | None) -> Signals:
    patient, protocol = scene.patient, scene.patient.protocol
    properties = class_properties(
        scene.picture.tissues, patient.blood, patient.curves, protocol, patient.solid
    )
    relaxivity = AGENTS[protocol.agent].relaxivity_l_mmol_s(protocol.field_strength_t)
    return torch.stack(
        [
            class_signals(
                properties,
                time_s=scene.time_s,
                n_proton_density=protocol.n_proton_density,
                sequence=at_offset(scene.plan.sequence, offset_hz),
                proton_density=scene.plan.proton_density,
                relaxivity_l_mmol_s=relaxivity,
            )
            for offset_hz in ((0.0,) if offsets is None else offsets.offset_hz)
        ]
    )


def _dark_rim_share(picture: SlicePicture, scene: Scene) -> Plane:
    """Return how much of the rim lies in each point: muscle that is near to the cavity."""
    points_mm = scene.patient.protocol.spacing_mm / OVERSAMPLING
    reach = math.ceil(2.0 * _RIM_MM / points_mm)
    offset_mm = points_mm * torch.arange(-reach, reach + 1.0).to(picture.weights)
    kernel = torch.exp(-0.5 * (offset_mm / _RIM_MM).square())
    kernel = kernel / kernel.sum()
    near = picture.left_ventricle[None, None]
    for along in ((1, 1, -1, 1), (1, 1, 1, -1)):
        near = torch.nn.functional.conv2d(near, kernel.reshape(along), padding="same")
    return 2.0 * near[0, 0] * picture.myocardium


def _dark_rim_signal(scene: Scene, signals: Signals) -> Float[Tensor, "offset time"]:
    """Return what the rim lacks: a part of the signal of muscle that grows with dense blood."""
    blood = scene.patient.blood
    density = interpolate(blood.left_ventricle, blood.time_s, scene.time_s)
    lost = scene.patient.protocol.artefacts.dark_rim * density / blood.left_ventricle.max()
    return -lost * signals[..., healthy_level(scene)]
