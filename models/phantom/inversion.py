"""Inverting strong motion: no folding, and Newton where plain iteration is slow.

Plain iteration needs a displacement that changes by less than a pixel per pixel. A gasp beside the
chest wall shears more than that without folding.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from models.phantom.motion import Field, displacement_px, jacobian, sample

_SMALLEST_JACOBIAN = 0.3
_LARGEST_JACOBIAN = 3.0
_MILDER = 0.85
_MOST_TRIALS = 24
_MOST_STEPS = 30
_LONGEST_STEP_PX = 4.0


def without_folds(
    amplitudes: Float[Tensor, "time mode"],
    modes: Float[Tensor, "mode axis row column"],
    spacing_mm: tuple[float, float],
) -> Float[Tensor, "time mode"]:
    """Return amplitudes, smaller in the frames that would fold or nearly fold the image.

    Parameters
    ----------
    amplitudes
        Of every mode in every frame.
    modes
        Unit displacement of each mode, mm.
    spacing_mm
        Row and column spacing of the grid of the modes.

    """
    gentle = amplitudes.clone()
    frames = torch.arange(amplitudes.shape[0])
    for _ in range(_MOST_TRIALS):
        area = jacobian(displacement_px(gentle[frames], modes, spacing_mm)).flatten(1)
        is_wild = (area.amin(1) < _SMALLEST_JACOBIAN) | (area.amax(1) > _LARGEST_JACOBIAN)
        frames = frames[is_wild]
        if not len(frames):
            break
        gentle[frames] = _MILDER * gentle[frames]
    return gentle


def newton_inverse(displacement: Field, *, tolerance_px: float = 2e-3) -> Field:
    """Return w with w(x) = -d(x + w(x)): where a pixel of the frame lay in the reference.

    Solves x + w + d(x + w) = x by Newton steps with the gradient by central differences, in the
    frames that are not there yet.

    Parameters
    ----------
    displacement
        Reference to frame, pixels, without folds. Shape `(time, axis, row, column)`.
    tolerance_px
        Largest residual.

    """
    down, right = torch.gradient(displacement, dim=(2, 3))
    known = torch.cat([displacement, down, right], 1)
    found = -displacement
    frames = torch.arange(displacement.shape[0], device=displacement.device)
    for _ in range(_MOST_STEPS):
        here = sample(known[frames], found[frames])
        wrong = found[frames] + here[:, :2]
        is_off = wrong.abs().amax((1, 2, 3)) > tolerance_px
        frames, here, wrong = frames[is_off], here[is_off], wrong[is_off]
        if not len(frames):
            break
        step = _solved(here[:, 2:4], here[:, 4:6], wrong)
        found[frames] = found[frames] - step.clamp(-_LONGEST_STEP_PX, _LONGEST_STEP_PX)
    return found


def _solved(down: Field, right: Field, wrong: Field) -> Field:
    """Solve (identity + gradient) step = wrong in every pixel."""
    first, second = 1.0 + down[:, 0], 1.0 + right[:, 1]
    upper, lower = right[:, 0], down[:, 1]
    area = (first * second - upper * lower).clamp(min=0.1)
    return torch.stack(
        [
            (second * wrong[:, 0] - upper * wrong[:, 1]) / area,
            (first * wrong[:, 1] - lower * wrong[:, 0]) / area,
        ],
        1,
    )
