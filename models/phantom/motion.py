"""How the slice deforms: breathing, rotation, contraction, and smooth modes, the chest at rest.

Displacement d says that the reference point y is found at y + d(y) in a frame. It is a sum of
fixed smooth fields (modes) with one amplitude per frame, so truth is exact at any point. A frame
is drawn with the inverse field, found by fixed-point iteration.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from models.phantom.breathing import BreathingTrace
from models.phantom.heart import HeartSection
from models.phantom.randomness import normals, uniform
from models.phantom.shapes import Plane, smooth_step
from models.phantom.thorax import Thorax

Field = Float[Tensor, "time axis row column"]

_ITERATIONS = 14
_USUAL_JITTER_MM = 0.15
_BAND_INSIDE_MM = 24.0
_BAND_OUTSIDE_MM = 22.0
"""The chest comes to rest over a band around the inner chest wall, wide enough not to fold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A smooth local displacement that goes with breathing."""

    centre_mm: tuple[float, float]
    width_mm: float
    direction: tuple[float, float]
    """Unit vector."""
    amplitude_fraction: float
    """Per mm of breathing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrest:
    """What disturbs frames beside breathing."""

    jitter_mm: float
    """Of shift and bends, from frame to frame."""
    contraction_jitter: float
    """Relative to the size of the heart."""
    mistriggered_share: float
    """Frames in another phase of contraction without an early beat."""
    mistriggered_contraction: tuple[float, float]
    jump_mm: tuple[float, float]
    """The patient moves once and stays there."""
    jump_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyMotion:
    """How breathing moves this patient's heart; the same for all series."""

    trace: BreathingTrace
    direction: tuple[float, float]
    """Unit vector of the displacement, mostly along the rows."""
    rotation_rad_mm: float
    bending: tuple[float, float, float]
    """Amplitude of each non-rigid mode per mm of breathing."""
    pushes: tuple[Push, ...]
    through_plane_mm: float
    """Along the slice normal at the deepest breath, positive towards the apex."""
    unrest: Unrest | None
    """None stands for that of a textbook patient."""


def draw_body_motion(generator: Generator, trace: BreathingTrace) -> BodyMotion:
    """Draw how one patient breathes."""
    angle = uniform(generator, -0.35, 0.35)
    return BodyMotion(
        trace=trace,
        direction=(math.cos(angle), math.sin(angle)),
        rotation_rad_mm=math.radians(uniform(generator, -0.35, 0.35)),
        bending=(
            uniform(generator, -0.12, 0.12),
            uniform(generator, -0.12, 0.12),
            uniform(generator, -0.12, 0.12),
        ),
        pushes=(),
        through_plane_mm=0.0,
        unrest=None,
    )


def draw_amplitudes(
    generator: Generator,
    body: BodyMotion,
    *,
    time_s: Float[Tensor, " time"],
    is_ectopic: Bool[Tensor, " time"],
) -> Float[Tensor, "time mode"]:
    """Draw the amplitude of every mode in every frame of one series (see `motion_modes`)."""
    n_frames = time_s.shape[0]
    breath_mm = body.trace.at(time_s)
    jitter_mm = _USUAL_JITTER_MM if body.unrest is None else body.unrest.jitter_mm
    angle = body.rotation_rad_mm * breath_mm + math.radians(0.3) * normals(generator, n_frames)
    contraction = _contraction(generator, body.unrest, is_ectopic)
    bending = [rate * breath_mm + jitter_mm * normals(generator, n_frames) for rate in body.bending]
    shift = [part * breath_mm + jitter_mm * normals(generator, n_frames) for part in body.direction]
    if body.unrest is not None:
        jumped = smooth_step(time_s - body.unrest.jump_s)
        shift = [
            part + most * jumped for part, most in zip(shift, body.unrest.jump_mm, strict=True)
        ]
    columns = [*shift, torch.sin(angle), torch.cos(angle) - 1.0, -contraction, *bending]
    columns += [push.amplitude_fraction * breath_mm for push in body.pushes]
    return torch.stack(columns, -1).to(torch.float32)


def _contraction(
    generator: Generator, unrest: Unrest | None, is_ectopic: Bool[Tensor, " time"]
) -> Float[Tensor, " time"]:
    """Draw how much smaller the heart is in each frame, relative."""
    n_frames = is_ectopic.shape[0]
    if unrest is None:
        jitter = 0.012 * normals(generator, n_frames)
        return jitter + is_ectopic * uniform(generator, 0.08, 0.16)
    jitter = unrest.contraction_jitter * normals(generator, n_frames)
    chances = torch.rand(3, n_frames, generator=generator, dtype=torch.float64)
    is_off = is_ectopic | (chances[0] < unrest.mistriggered_share)
    least, most = unrest.mistriggered_contraction
    # Most late frames show a smaller heart; some early ones a larger.
    sign = torch.where(chances[1] < 0.8, 1.0, -0.5)
    return jitter + is_off * sign * (least + (most - least) * chances[2])


def motion_modes(
    section: HeartSection,
    thorax: Thorax,
    grid: tuple[Plane, Plane],
    pushes: tuple[Push, ...] = (),
) -> Float[Tensor, "mode axis row column"]:
    """Return the unit displacement of each mode, mm.

    Rows, columns, sine and cosine part of rotation about the heart, contraction, three bends, and
    the pushes of the patient's `BodyMotion`.
    """
    rows, columns = grid
    free = 1.0 - smooth_step(
        (thorax.cavity(*thorax.local(rows, columns)) + _BAND_INSIDE_MM)
        / (_BAND_INSIDE_MM + _BAND_OUTSIDE_MM)
    )
    down, right = rows - section.centre_mm[0], columns - section.centre_mm[1]
    radius = torch.hypot(down, right)
    near = torch.exp(-((radius / 75.0) ** 2)) * free
    squeezed = _squeeze(section, radius) * free
    nothing = torch.zeros_like(rows)
    wave = math.tau / 140.0
    fields = [
        (free, nothing),
        (nothing, free),
        (right * near, -down * near),
        (down * near, right * near),
        (down * squeezed, right * squeezed),
        (torch.sin(wave * columns) * free, nothing),
        (torch.cos(wave * rows) * free, torch.sin(wave * rows) * free),
        (nothing, torch.sin(wave * (rows + columns)) * free),
    ]
    for push in pushes:
        from_centre = torch.hypot(rows - push.centre_mm[0], columns - push.centre_mm[1])
        strength = torch.exp(-0.5 * (from_centre / push.width_mm).square()) * free
        fields.append((push.direction[0] * strength, push.direction[1] * strength))
    return torch.stack([torch.stack(field) for field in fields])


def _squeeze(section: HeartSection, radius: Plane) -> Plane:
    """Return 1 inside the cavity, falling to 0 outside the heart."""
    cavity = section.epicardial_radius_mm - section.wall_mm
    return 1.0 - smooth_step((radius - 0.7 * cavity) / (0.3 * cavity + section.wall_mm + 22.0))


def displacement_px(
    amplitudes: Float[Tensor, "time mode"],
    modes: Float[Tensor, "mode axis row column"],
    spacing_mm: tuple[float, float],
) -> Field:
    """Return where each reference pixel is found, as an offset in pixels."""
    moved_mm = torch.einsum("tm,marc->tarc", amplitudes, modes)
    return moved_mm / torch.tensor(spacing_mm, dtype=moved_mm.dtype)[:, None, None]


def jacobian(displacement: Field) -> Float[Tensor, "time row column"]:
    """Return the determinant of the gradient of y + d(y) by central differences."""
    down, right = torch.gradient(displacement, dim=(2, 3))
    return (1.0 + down[:, 0]) * (1.0 + right[:, 1]) - right[:, 0] * down[:, 1]


def inverse(displacement: Field) -> Field:
    """Return w with w(x) = -d(x + w(x)): where a pixel of the frame lay in the reference.

    Raises
    ------
    ValueError
        If the displacement folds, so that no inverse exists.

    """
    if float(jacobian(displacement).min()) <= 0.0:
        raise ValueError("the drawn motion folds the image")
    found = -displacement
    for _ in range(_ITERATIONS):
        found = -sample(displacement, found)
    return found


def sample(
    images: Float[Tensor, "time channel row column"], offset: Field
) -> Float[Tensor, "time channel row column"]:
    """Return images at y + offset(y), bilinear, the border held."""
    n_rows, n_columns = offset.shape[-2:]
    axes = [
        torch.arange(count, dtype=offset.dtype, device=offset.device)
        for count in (n_rows, n_columns)
    ]
    rows, columns = axes[0][:, None] + offset[:, 0], axes[1] + offset[:, 1]
    where = torch.stack(
        [(2.0 * columns + 1.0) / n_columns - 1.0, (2.0 * rows + 1.0) / n_rows - 1.0], -1
    )
    return torch.nn.functional.grid_sample(
        images, where, mode="bilinear", padding_mode="border", align_corners=False
    )
