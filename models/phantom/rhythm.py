"""The heart beat: uneven intervals, an occasional ectopic beat, an occasional missed trigger."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from models.phantom.protocol import PhantomState
from models.phantom.randomness import normals, uniform

_READOUT_TAIL_S = 0.05
"""From the last k-space centre until the scanner can trigger again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Triggers that led to images."""

    trigger_s: Float[Tensor, " beat"]
    """R waves, s; the first at 0."""
    interval_s: Float[Tensor, " beat"]
    """From each trigger to the next, s."""
    is_ectopic: Bool[Tensor, " beat"]
    """Beats that came early, with the heart in another phase of contraction."""


def draw_rhythm(
    generator: Generator, *, state: PhantomState, n_beats: int, shortest_s: float
) -> Rhythm:
    """Draw the triggers of one exam.

    Parameters
    ----------
    generator
        Source of randomness.
    state
        Stress beats faster.
    n_beats
        Number of triggers.
    shortest_s
        Time that the images of one beat need, s.

    """
    mean_s = (
        uniform(generator, 0.66, 0.74)
        if state is PhantomState.STRESS
        else uniform(generator, 0.88, 1.02)
    )
    wave = torch.sin(torch.arange(n_beats, dtype=torch.float64) / uniform(generator, 0.7, 1.4))
    interval_s = mean_s * (1.0 + 0.02 * wave + 0.015 * normals(generator, n_beats))
    is_ectopic = torch.zeros(n_beats, dtype=torch.bool)
    if n_beats >= 20:
        early, missed = _positions(generator, n_beats)
        is_ectopic[early] = True
        interval_s[early - 1] *= 0.82
        interval_s[early] *= 1.25  # compensatory pause
        interval_s[missed] *= 2.0
    interval_s = interval_s.clamp(min=shortest_s + _READOUT_TAIL_S)
    trigger_s = torch.cat([interval_s.new_zeros(1), interval_s.cumsum(0)[:-1]])
    return Rhythm(trigger_s=trigger_s, interval_s=interval_s, is_ectopic=is_ectopic)


def _positions(generator: Generator, n_beats: int) -> tuple[int, int]:
    """Draw the ectopic beat and the beat after which a trigger is missed, apart from each other."""
    early = int(uniform(generator, 0.30, 0.55) * n_beats)
    missed = int(uniform(generator, 0.65, 0.95) * n_beats)
    return early, missed
