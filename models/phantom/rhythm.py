"""The heart beat: uneven intervals, an occasional ectopic beat, an occasional missed trigger."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from models.phantom.protocol import PhantomState
from models.phantom.randomness import chance, log_uniform, normals, uniform

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


def draw_wide_rhythm(
    generator: Generator, *, state: PhantomState, n_beats: int, shortest_s: float
) -> Rhythm:
    """Draw the triggers of one exam: slow to fast, even to absolutely irregular.

    Parameters as those of `draw_rhythm`. Beats come early one by one, in pairs or not at all, and
    so do missed triggers.
    """
    fastest_s, slowest_s = (0.45, 1.0) if state is PhantomState.STRESS else (0.6, 1.5)
    mean_s = uniform(generator, fastest_s, slowest_s)
    unevenness = uniform(generator, 0.08, 0.2) if chance(generator, 0.15) else 0.02
    unevenness *= log_uniform(generator, 0.5, 1.5)
    interval_s = mean_s * (1.0 + unevenness * normals(generator, n_beats)).clamp(0.6, 1.6)
    early, missed = (_scattered(generator, n_beats) for _ in range(2))
    before = torch.cat([early[1:], early.new_zeros(1)])
    interval_s = torch.where(before, 0.8 * interval_s, interval_s)
    interval_s = torch.where(early, 1.25 * interval_s, interval_s)
    n_missed = torch.where(missed, 1.0 + int(chance(generator, 0.3)), 0.0)
    interval_s = (1.0 + n_missed) * interval_s.clamp(min=shortest_s + _READOUT_TAIL_S)
    trigger_s = torch.cat([interval_s.new_zeros(1), interval_s.cumsum(0)[:-1]])
    return Rhythm(trigger_s=trigger_s, interval_s=interval_s, is_ectopic=early)


def steady_rhythm(
    generator: Generator,
    *,
    heart_rate_bpm: float,
    n_missed: int,
    n_beats: int,
    shortest_s: float,
) -> Rhythm:
    """Draw the triggers of a heart with a given rate.

    A beat too short for its images is followed by one without any, as scanners do it.

    Parameters
    ----------
    generator
        Source of randomness.
    heart_rate_bpm
        Beats per minute.
    n_missed
        Triggers that are missed.
    n_beats
        Number of triggers with images.
    shortest_s
        Time that the images of one beat need, s.

    """
    mean_s = 60.0 / heart_rate_bpm
    every = math.ceil((shortest_s + _READOUT_TAIL_S) / (0.93 * mean_s))
    interval_s = every * mean_s * (1.0 + 0.02 * normals(generator, n_beats).clamp(-3.0, 3.0))
    places = 1 + torch.randperm(n_beats - 1, generator=generator)[:n_missed]
    interval_s[places] *= 2.0
    trigger_s = torch.cat([interval_s.new_zeros(1), interval_s.cumsum(0)[:-1]])
    return Rhythm(
        trigger_s=trigger_s,
        interval_s=interval_s,
        is_ectopic=torch.zeros(n_beats, dtype=torch.bool),
    )


def _scattered(generator: Generator, n_beats: int) -> Bool[Tensor, " beat"]:
    """Draw none to five beats, not the first."""
    n_marked = min(int(6.0 * uniform(generator, 0.0, 1.0) ** 1.5), n_beats - 1)
    marked = torch.zeros(n_beats, dtype=torch.bool)
    marked[1 + torch.randperm(n_beats - 1, generator=generator)[:n_marked]] = True
    return marked
