"""Render series as a first alignment leaves them: what is still to be corrected is known."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor
from torch.nn import functional

from models.phantom.tissues import BLOOD, Tissue
from models.training.contrast import recolour
from models.training.delivery import deliver
from models.training.flaws import acquire
from models.training.sampling import (
    OVERSAMPLING,
    View,
    coarser,
    draw,
    draw_view,
    look,
    paint,
)
from models.training.scenes import N_PROTON_DENSITY, ScenePool

_BLOOD = [tuple(Tissue).index(tissue) for tissue in BLOOD]
ARRIVED = (0.06, 0.3)
"""Change of the blood, of its largest, from which on a frame counts as one with contrast agent."""
STRENGTH = (0.5, 1.8)
"""Factor on how the heart turns and bends."""
BENT, PARTLY_BENT = (0.7, 1.0), (0.0, 0.7)
"""How much of turn and bend is left where nobody has looked at it, and where somebody has."""
JITTER_MM = (0.1, 2.0)
"""Standard deviation of the shift of each frame; that of a series is drawn."""
GROUP_MM = (0.1, 2.5)
"""The same of all frames of one contrast together."""
FAR_SHARE = 0.03
FAR_MM = 5.0
ROUGH_MM = 0.8
N_KNOTS = (4.0, 10.0)
LARGEST_MM = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MisalignedSeries:
    """A series that is roughly aligned."""

    frames: Float[Tensor, "time row column"]
    """Magnitude, brightest blood about 1."""
    place: Float[Tensor, "time axis row column"]
    """Where in the reference what is seen at a pixel lies, px of the image; smooth."""
    anatomy: Float[Tensor, "time tissue row column"]
    """Share of left ventricle (all inside the endocardium), myocardium, right ventricle."""
    is_enhanced: Bool[Tensor, " time"]
    n_proton_density: int


def misaligned(
    pool: ScenePool,
    generator: Generator,
    *,
    n_frames: int,
    size: int,
    spacing_mm: float,
    is_shifted_only: bool = False,
) -> MisalignedSeries:
    """Render one series on the device of the pool.

    Parameters
    ----------
    pool
        Scenes to choose from.
    generator
        Source of randomness, on the CPU; the same state gives the same series.
    n_frames
        How many, in order of time, half of the time with proton-density frames at the start.
    size, spacing_mm
        Rows and columns, and pixel size, of the result.
    is_shifted_only
        Whether frames with contrast agent were shifted alone, as the others were; otherwise turn
        and bend of them are partly corrected.

    """
    scene = int(torch.randint(len(pool), (), generator=generator))
    use = _beats(pool.signals.shape[1], n_frames, generator)
    n_proton = int((use < N_PROTON_DENSITY).sum())
    is_enhanced = _arrived(pool.signals[scene].cpu(), generator)[use]
    view = draw_view(pool.centre_mm[scene].cpu(), generator)
    pixel_mm = spacing_mm / OVERSAMPLING
    is_looked_at = is_enhanced & (not is_shifted_only)
    shifts = _left(use, is_enhanced, generator)
    points = _points(
        pool, scene, use, (shifts, is_looked_at), view, (OVERSAMPLING * size, pixel_mm), generator
    )
    signals = recolour(pool.signals[scene].cpu(), N_PROTON_DENSITY, generator)[use]
    picture = paint(pool, scene, use, signals.to(pool.signals.device), generator)
    fine = look(picture[:, None], points)[:, 0]
    seen = coarser(points)
    blend = pool.blend[scene][use.to(pool.blend.device)].float()
    anatomy = pool.anatomy[scene].float()
    maps = torch.lerp(anatomy[0], anatomy[1], blend[:, None, None, None])
    back = torch.linalg.inv(view.matrix).to(seen.device) / spacing_mm
    middle = view.centre_mm.to(seen.device)[:, None, None]
    return MisalignedSeries(
        frames=deliver(acquire(fine, size, generator), generator),
        place=torch.einsum("ab,tbrc->tarc", back, seen - middle) + (size - 1) / 2,
        anatomy=look(maps, seen),
        is_enhanced=is_enhanced.to(seen.device),
        n_proton_density=n_proton,
    )


def _beats(n_beats: int, n_frames: int, generator: Generator) -> Int[Tensor, " frame"]:
    """Choose beats at random, in order; every other series begins with proton-density frames."""
    first = N_PROTON_DENSITY
    has_proton = draw(generator, 0.0, 1.0) < 0.5
    n_recovery = n_frames - first if has_proton else n_frames
    chosen = first + torch.randperm(n_beats - first, generator=generator)[:n_recovery]
    chosen = chosen.sort().values
    return torch.cat([torch.arange(first), chosen]) if has_proton else chosen


def _arrived(signals: Float[Tensor, "beat class"], generator: Generator) -> Bool[Tensor, " beat"]:
    """Tell the beats from arrival of the bolus on."""
    blood = signals[:, _BLOOD]
    change = (blood - blood[N_PROTON_DENSITY]).abs().amax(dim=1)
    change[:N_PROTON_DENSITY] = 0.0
    arrived = (change > draw(generator, *ARRIVED) * change.max()).nonzero()
    is_enhanced = torch.zeros(len(signals), dtype=torch.bool)
    if len(arrived):
        is_enhanced[int(arrived[0, 0]) :] = True
    return is_enhanced


def _points(
    pool: ScenePool,
    scene: int,
    use: Int[Tensor, " frame"],
    left: tuple[Float[Tensor, "frame axis"], Bool[Tensor, " frame"]],
    view: View,
    grid: tuple[int, float],
    generator: Generator,
) -> Float[Tensor, "frame axis row column"]:
    """Return where in the reference, mm, each point of each frame lies.

    `left` says by how much each frame is shifted, mm, and whether its bend is partly corrected.
    """
    size, spacing_mm = grid
    shifts, is_looked_at = left
    device = pool.signals.device
    motion = pool.inverse_displacement[scene][use.to(device)].float()
    heart = pool.anatomy[scene, 0].float().sum(dim=0)
    heart = functional.interpolate(heart[None, None], size=motion.shape[-2:], mode="area")[0, 0]
    shift = (motion * heart).sum(dim=(2, 3), keepdim=True) / heart.sum().clamp_min(1e-6)
    partly = is_looked_at[:, None, None, None].to(device)
    all_of_it, some = draw(generator, *BENT), draw(generator, *PARTLY_BENT)
    bend = draw(generator, *STRENGTH) * torch.where(partly, some, all_of_it) * (motion - shift)
    motion = shift + bend
    seen = view.points(size, spacing_mm).to(device).expand(len(use), -1, -1, -1)
    seen = seen + _rough(len(use), size, generator).to(device)
    start = seen - shift + shifts.to(device)[:, :, None, None]
    return start + look(motion, start)


def _left(
    use: Int[Tensor, " frame"], is_enhanced: Bool[Tensor, " frame"], generator: Generator
) -> Float[Tensor, "frame axis"]:
    """Draw the shift of each frame, mm, that a first alignment has left."""
    jitter = torch.randn(len(use), 2, generator=generator)
    far = torch.rand(len(use), 1, generator=generator) < FAR_SHARE
    is_proton = use < N_PROTON_DENSITY
    shifts = _log_even(JITTER_MM, generator) * jitter
    for group in (is_proton, ~is_proton & ~is_enhanced):
        together = _log_even(GROUP_MM, generator) * torch.randn(2, generator=generator)
        shifts[group] = together + _log_even(JITTER_MM, generator) * jitter[group]
    shifts = shifts + FAR_MM * far * torch.randn(len(use), 2, generator=generator)
    return shifts.clamp(-LARGEST_MM, LARGEST_MM)


def _log_even(limits: tuple[float, float], generator: Generator) -> float:
    return math.exp(draw(generator, math.log(limits[0]), math.log(limits[1])))


def _rough(
    n_frames: int, size: int, generator: Generator
) -> Float[Tensor, "frame axis row column"]:
    """Draw smooth fields, mm: what a registration by images alone gets wrong."""
    n_knots = int(draw(generator, *N_KNOTS))
    knots = torch.randn(n_frames, 2, n_knots, n_knots, generator=generator)
    size_mm = ROUGH_MM * draw(generator, 0.0, 1.0) ** 2
    smooth = functional.interpolate(knots, size=(size // 4, size // 4), mode="bicubic")
    return size_mm * functional.interpolate(smooth, size=(size, size), mode="bilinear")
