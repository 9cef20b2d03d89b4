"""Imaging a scene: with and without motion, gain and noise of a real series."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from models.phantom.acquisition import (
    Frames,
    add_noise,
    class_signals,
    coil_sensitivity,
    render,
)
from models.phantom.randomness import stream
from models.phantom.scene import Scene, fine_grid
from models.phantom.uptake import class_properties
from models.physics import AGENTS

_BRIGHTEST = 3500.0
"""Largest noise-free value of a series; scanners fill 12 bits."""
_ARTERIAL_BOOST = 1.5
"""Signal to noise of arterial blood at its peak over that of myocardium in the slices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesImages:
    """Images of one series; one gain for all, so that ratios of frames mean something."""

    frames: Frames
    noise_free: Frames
    motion_free: Frames
    noise_standard_deviation: float


def image(scene: Scene) -> SeriesImages:
    """Image a scene twice, moving and still."""
    signals = _signals(scene)
    sensitivity = coil_sensitivity(
        stream(scene.patient.seed, "coil"),
        fine_grid(scene.patient),
        scene.patient.heart.centre_mm,
    )
    moving, still = (
        render(
            scene.picture.weights,
            signals,
            inverse_displacement=field,
            sensitivity=sensitivity,
            matrix=scene.plan.matrix,
        )
        for field in (scene.inverse_displacement, None)
    )
    gain = _BRIGHTEST / float(moving.max())
    noise = gain * _noise(scene, signals)
    generator = stream(scene.patient.seed, scene.patient.state, "noise", scene.plan.name)
    return SeriesImages(
        frames=add_noise(generator, gain * moving, noise),
        noise_free=gain * moving,
        motion_free=gain * still,
        noise_standard_deviation=noise,
    )


def _signals(scene: Scene) -> Float[Tensor, "time class"]:
    protocol = scene.patient.protocol
    return class_signals(
        class_properties(
            scene.picture.tissues, scene.patient.blood, scene.patient.curves, protocol
        ),
        time_s=scene.time_s,
        n_proton_density=protocol.n_proton_density,
        sequence=scene.plan.sequence,
        proton_density=scene.plan.proton_density,
        relaxivity_l_mmol_s=AGENTS[protocol.agent].relaxivity_l_mmol_s(protocol.field_strength_t),
    )


def _noise(scene: Scene, signals: Float[Tensor, "time class"]) -> float:
    """Return the noise of each channel that gives the signal-to-noise ratio of the protocol."""
    patient = scene.patient
    enhanced = signals[patient.protocol.n_proton_density :]
    if scene.plan.is_arterial_input:
        from_blood = float(enhanced[:, scene.picture.left_blood].max())
        return from_blood / (_ARTERIAL_BOOST * patient.protocol.signal_to_noise)
    healthy = patient.pattern.healthy_ml_min_g
    level = int((patient.curves.flow_ml_min_g - healthy).abs().argmin())
    from_muscle = float(enhanced[:, len(scene.picture.tissues) + level].max())
    return from_muscle / patient.protocol.signal_to_noise
