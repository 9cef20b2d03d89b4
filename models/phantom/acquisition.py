"""From tissue to image: signal per class, coil sensitivity, finite k-space, noise."""

import torch
from jaxtyping import Complex, Float
from torch import Generator, Tensor

from models.kinetics import interpolate
from models.phantom.motion import sample
from models.phantom.reconstruction import Reconstruction, acquire, fold_over
from models.phantom.uptake import ClassProperties
from models.physics import Readout, SaturationRecovery, TransverseDecay

Frames = Float[Tensor, "time row column"]
AnyFrames = Float[Tensor, "time row column"] | Complex[Tensor, "time row column"]
FineFrames = Float[Tensor, "time fine_row fine_column"]
SmallWeights = Float[Tensor, "class fine_row fine_column"]

OVERSAMPLING = 2
"""Points of the fine grid per pixel and axis."""
_CHUNK = 16


def class_signals(
    properties: ClassProperties,
    *,
    time_s: Float[Tensor, " time"],
    n_proton_density: int,
    sequence: SaturationRecovery,
    proton_density: Readout,
    relaxivity_l_mmol_s: float,
) -> Float[Tensor, "time class"]:
    """Return the signal of every class in every frame by the exact recursion of the sequence.

    The first `n_proton_density` frames are acquired without saturation.
    """
    concentration = interpolate(
        properties.concentration_mmol_l, properties.time_s, time_s
    ).T.contiguous()
    rate_1_s = 1.0 / properties.native_t1_s + relaxivity_l_mmol_s * concentration
    first, rest = slice(None, n_proton_density), slice(n_proton_density, None)
    before = _transverse_1_s(properties, concentration[first], proton_density.decay)
    after = _transverse_1_s(properties, concentration[rest], sequence.readout.decay)
    signal = torch.cat(
        [
            proton_density.signal(rate_1_s[first], before),
            sequence.signal(rate_1_s[rest], after),
        ]
    )
    return properties.proton_density * signal


def _transverse_1_s(
    properties: ClassProperties,
    concentration_mmol_l: Float[Tensor, "time class"],
    decay: TransverseDecay,
) -> Float[Tensor, "time class"]:
    """Return the transverse rate that a readout sees."""
    relaxivity = properties.transverse_relaxivity_l_mmol_s
    if decay is TransverseDecay.AGENT:
        return relaxivity * concentration_mmol_l
    native = 1.0 / properties.native_t2_s
    if decay is TransverseDecay.T2_STAR:
        native = native + properties.dephasing_1_s
    # Where native decay is seen, so is that which the agent causes in tissue, as in blood.
    return native + relaxivity.max() * concentration_mmol_l


def render(
    weights: SmallWeights,
    signals: Float[Tensor, "offset time class"],
    *,
    shares: Float[Tensor, "offset fine_row fine_column"] | None,
    inverse_displacement: Float[Tensor, "time axis slice_row slice_column"] | None,
    sensitivity: Float[Tensor, "fine_row fine_column"],
    matrix: tuple[int, int],
    reconstruction: Reconstruction,
) -> Frames:
    """Return noise-free frames, on the device of the weights.

    Parameters
    ----------
    weights
        Share of each class in each point of the fine grid, reference position.
    signals
        Signal of each class in each frame, at each field offset that is told apart.
    shares
        How much of each point is seen at each offset; None where there is only one.
    inverse_displacement
        Where each pixel of a frame lay in the reference, pixels of the slice; None leaves the
        heart where it is.
    sensitivity
        Coil sensitivity on the fine grid.
    matrix
        Rows and columns of the whole field of view, before anything outside is folded in.
    reconstruction
        How k-space is sampled.

    """
    axis = reconstruction.phase_encoding_axis
    outside = reconstruction.outside((weights.shape[-2], weights.shape[-1]))
    frames = []
    for first in range(0, signals.shape[1], _CHUNK):
        some = slice(first, first + _CHUNK)
        fine = _mixed(weights, signals[:, some].to(weights.dtype), shares)
        if inverse_displacement is not None:
            fine = _moved(fine, inverse_displacement[some])
        folded = fold_over(fine * sensitivity, outside, axis)
        frames.append(acquire(folded, reconstruction.delivered(matrix), reconstruction))
    return torch.cat(frames)


def _mixed(
    weights: SmallWeights,
    signals: Float[Tensor, "offset time class"],
    shares: Float[Tensor, "offset fine_row fine_column"] | None,
) -> FineFrames:
    """Return the image of each frame in reference position."""
    flat = weights.flatten(1)
    if shares is None:
        return (signals[0] @ flat).reshape(-1, *weights.shape[1:])
    fine = weights.new_zeros((signals.shape[1], *weights.shape[1:]))
    for seen, share in zip(signals, shares, strict=True):
        fine += share * (seen @ flat).reshape(fine.shape)
    return fine


def _moved(
    fine: FineFrames, inverse_displacement: Float[Tensor, "time axis slice_row slice_column"]
) -> FineFrames:
    offset = torch.nn.functional.interpolate(
        inverse_displacement, size=fine.shape[-2:], mode="bilinear", align_corners=False
    )
    return sample(fine[:, None], OVERSAMPLING * offset)[:, 0]


def add_noise(
    generator: Generator,
    frames: AnyFrames,
    standard_deviation: Float[Tensor, "row column"] | float,
    *,
    window: Float[Tensor, "row column"] | None = None,
) -> Frames:
    """Return the magnitude of the frames with complex Gaussian noise (Rician statistics).

    Parameters
    ----------
    generator
        Source of randomness, on the CPU.
    frames
        Images without noise.
    standard_deviation
        Of each channel.
    window
        k-space window of power 1 that the noise passes; None leaves it white.

    """
    real, imaginary = (
        torch.randn(frames.shape, generator=generator, dtype=torch.float32) for _ in range(2)
    )
    if window is not None:
        coloured = torch.fft.ifft2(torch.fft.fft2(torch.complex(real, imaginary)) * window)
        real, imaginary = coloured.real, coloured.imag
    real, imaginary = real.to(frames.device), imaginary.to(frames.device)
    if frames.is_complex():
        return torch.hypot(
            frames.real + standard_deviation * real, frames.imag + standard_deviation * imaginary
        )
    return torch.hypot(frames + standard_deviation * real, standard_deviation * imaginary)
