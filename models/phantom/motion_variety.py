"""Motion of every kind and depth that a network or a gate should have seen."""

import math

from torch import Generator

from models.phantom.breathing import BreathingTrace
from models.phantom.heart import Heart
from models.phantom.motion import BodyMotion, Push, Unrest
from models.phantom.randomness import chance, log_uniform, uniform

_SHALLOWEST_MM = 8.0
"""Largest rotation and through-plane motion belong to breaths at least as deep as this."""


def draw_wide_body_motion(
    generator: Generator, trace: BreathingTrace, heart: Heart, *, beyond: bool = False
) -> BodyMotion:
    """Draw how one patient of the wide range moves.

    Parameters
    ----------
    generator
        Source of randomness.
    trace
        How the patient breathes.
    heart
        The pushes lie around it.
    beyond
        Rotate and leave the plane further.

    """
    deepest_mm = max(float(trace.displacement_mm.abs().max()), _SHALLOWEST_MM)
    direction = uniform(generator, -math.pi, math.pi)
    most_rotation = math.radians(16.0 if beyond else 12.0) * uniform(generator, -1.0, 1.0)
    return BodyMotion(
        trace=trace,
        direction=(math.cos(direction), math.sin(direction)),
        rotation_rad_mm=most_rotation / deepest_mm,
        bending=(
            uniform(generator, -0.15, 0.15),
            uniform(generator, -0.15, 0.15),
            uniform(generator, -0.15, 0.15),
        ),
        pushes=tuple(_draw_push(generator, heart) for _ in range(3)),
        through_plane_mm=_draw_through_plane(generator, beyond=beyond),
        unrest=_draw_unrest(generator, float(trace.time_s[-1])),
    )


def _draw_push(generator: Generator, heart: Heart) -> Push:
    """Draw a place at or near the heart that breathing moves by its own amount."""
    away = uniform(generator, 0.0, 70.0)
    place, direction = (uniform(generator, -math.pi, math.pi) for _ in range(2))
    return Push(
        centre_mm=(
            heart.centre_mm[0] + away * math.sin(place),
            heart.centre_mm[1] + away * math.cos(place),
        ),
        width_mm=uniform(generator, 22.0, 45.0),
        direction=(math.sin(direction), math.cos(direction)),
        amplitude_fraction=uniform(generator, -0.25, 0.25),
    )


def _draw_through_plane(generator: Generator, *, beyond: bool) -> float:
    """Draw how far another part of the heart comes into the plane; not at all in some."""
    leaves = chance(generator, 0.6) or beyond
    share = uniform(generator, 0.0, 1.0)
    # Breathing moves the heart mostly within the plane: large distances are rare.
    distance = 8.0 + 6.0 * share if beyond else 2.0 + 8.0 * share**2
    sign = 1.0 if chance(generator, 0.5) else -1.0
    return sign * distance if leaves else 0.0


def _draw_unrest(generator: Generator, duration_s: float) -> Unrest:
    """Draw jitter, frames in the wrong phase, and now and then a move of the patient."""
    is_mistriggered, jumps = chance(generator, 0.4), chance(generator, 0.15)
    jump = [uniform(generator, -4.0, 4.0) for _ in range(2)]
    return Unrest(
        jitter_mm=log_uniform(generator, 0.05, 0.4),
        contraction_jitter=log_uniform(generator, 0.005, 0.03),
        mistriggered_share=uniform(generator, 0.02, 0.12) if is_mistriggered else 0.0,
        mistriggered_contraction=(0.08, 0.30),
        jump_mm=(jump[0], jump[1]) if jumps else (0.0, 0.0),
        jump_s=uniform(generator, 0.1, 0.95) * duration_s,
    )
