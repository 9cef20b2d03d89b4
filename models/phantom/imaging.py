"""Imaging a scene: with and without motion, gain and noise of a real series."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.phantom.acquisition import AnyFrames, Frames, add_noise, render
from models.phantom.appearance import Appearance, appear, exchange_through_plane, healthy_level
from models.phantom.artefacts import gains, noise_amplification, spoil
from models.phantom.coils import draw_coil
from models.phantom.randomness import stream
from models.phantom.reconstruction import noise_window
from models.phantom.scene import Scene, fine_grid
from models.phantom.shapes import grid_mm

_ARTERIAL_BOOST = 1.5
"""Signal to noise of arterial blood at its peak over that of myocardium in the slices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesImages:
    """Images of one series; one gain for all, so that ratios of frames mean something."""

    frames: Frames
    noise_free: Frames
    motion_free: Frames
    noise_standard_deviation: float
    """Of each channel, at the heart."""
    gain: float


def image(scene: Scene, *, first_echo: SeriesImages | None = None) -> SeriesImages:
    """Image a scene twice, moving and still.

    Parameters
    ----------
    scene
        What is imaged.
    first_echo
        Images of an earlier echo; this one has their gain and noise.

    """
    seen = appear(scene)
    moving = _rendered(scene, exchange_through_plane(scene, seen), scene.inverse_displacement)
    still = _rendered(scene, seen, None)
    if first_echo is None:
        brightest = scene.patient.protocol.reconstruction.brightest
        gain = brightest / float((moving.abs() if moving.is_complex() else moving).max())
        noise = gain * _noise(scene, seen)
    else:
        gain, noise = first_echo.gain, first_echo.noise_standard_deviation
    return SeriesImages(
        frames=_with_noise(scene, gain * moving, noise),
        noise_free=_magnitude(gain * moving),
        motion_free=_magnitude(gain * still),
        noise_standard_deviation=noise,
        gain=gain,
    )


def _rendered(
    scene: Scene,
    seen: Appearance,
    inverse_displacement: Float[Tensor, "time axis slice_row slice_column"] | None,
) -> AnyFrames:
    """Return frames before gain and noise; every rendering carries the same artefacts."""
    protocol = scene.patient.protocol
    artefacts, reconstruction = protocol.artefacts, protocol.reconstruction
    frames = render(
        seen.weights,
        seen.signals,
        shares=seen.shares,
        inverse_displacement=inverse_displacement,
        sensitivity=draw_coil(
            stream(scene.patient.seed, "coil"),
            artefacts.coil,
            fine_grid(scene.patient),
            scene.patient.heart.centre_mm,
            artefacts.coil_strength,
        ),
        matrix=scene.plan.matrix,
        reconstruction=reconstruction,
    )
    generator = _stream(scene, "artefacts")
    if artefacts.gain_jitter:
        frames = frames * gains(artefacts, len(frames), generator)[:, None, None].to(frames)
    if artefacts.spoil_the_image:
        return spoil(
            frames,
            artefacts,
            reconstruction.phase_encoding_axis,
            generator,
            n_proton_density=protocol.n_proton_density,
        )
    return frames


def _stream(scene: Scene, concern: str) -> torch.Generator:
    """Return the stream of a concern; echoes share artefacts but not noise."""
    words = [scene.patient.state, concern, scene.plan.name]
    if concern == "noise" and scene.plan.echo_number > 1:
        words.append(f"echo {scene.plan.echo_number}")
    return stream(scene.patient.seed, *words)


def _magnitude(frames: AnyFrames) -> Frames:
    return frames.abs() if frames.is_complex() else frames


def _with_noise(scene: Scene, frames: AnyFrames, noise: float) -> Frames:
    """Add noise, stronger where parallel imaging amplifies it, and round."""
    protocol, reconstruction = scene.patient.protocol, scene.patient.protocol.reconstruction
    matrix = (frames.shape[-2], frames.shape[-1])
    level: Float[Tensor, "row column"] | float = noise
    if protocol.artefacts.g_factor > 1.0:
        level = noise * noise_amplification(
            protocol.artefacts,
            grid_mm(matrix, scene.plan.spacing_mm),
            scene.patient.heart.centre_mm,
            reconstruction.phase_encoding_axis,
        ).to(frames.device)
    noisy = add_noise(
        _stream(scene, "noise"),
        frames,
        level,
        window=noise_window(matrix, reconstruction) if reconstruction.filters_noise else None,
    )
    return noisy.round() if reconstruction.rounds else noisy


def _noise(scene: Scene, seen: Appearance) -> float:
    """Return the noise of each channel that gives the signal-to-noise ratio of the protocol."""
    protocol = scene.patient.protocol
    enhanced = seen.signals[0, protocol.n_proton_density :]
    if scene.plan.is_arterial_input:
        from_blood = float(enhanced[:, scene.picture.left_blood].max())
        return from_blood / (_ARTERIAL_BOOST * protocol.signal_to_noise)
    return float(enhanced[:, healthy_level(scene)].max()) / protocol.signal_to_noise
