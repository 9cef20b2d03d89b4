"""Render training series from a pool: another view, contrast and image quality every time."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.nn import functional

from models.training.contrast import recolour
from models.training.flaws import acquire, smooth_field
from models.training.scenes import FIELD_MM, N_PROTON_DENSITY, ScenePool

OVERSAMPLING = 2
RUN = 3
"""Frames in a row; every other neighbour in time is missing."""
SCALE = (0.75, 1.3)
OFF_CENTRE_MM = 16.0
STRETCH = 0.08
LESS_MOTION_SHARE = 0.3
"""Share of series that are shown with less motion than they have, as after a first alignment."""
MORE_MOTION = (0.5, 2.5)
"""Factor on the motion of the others: what moves little can be guessed from the average of the
series, and a network that learns to guess has not learned to look."""
JITTER_MM = 5.0
"""Largest standard deviation of a shift of each frame by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingBatch:
    """Series as a scanner would deliver them, with where the heart is."""

    frames: Float[Tensor, "series time row column"]
    """Magnitude, brightest blood about 1."""
    anatomy: Float[Tensor, "series time tissue row column"]
    """Share of left ventricle (all inside the endocardium), myocardium, right ventricle."""
    n_proton_density: Int[Tensor, " series"]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """From a pixel of the result, mm from its middle, to a point of the frame, mm."""

    matrix: Float[Tensor, "two axis"]
    centre_mm: Float[Tensor, " axis"]

    def points(self, size: int, spacing_mm: float) -> Float[Tensor, "axis row column"]:
        """Return the point of each pixel of a square grid."""
        line = (torch.arange(size) - (size - 1) / 2) * spacing_mm
        place = torch.stack(torch.meshgrid(line, line, indexing="ij"))
        return torch.einsum("ab,brc->arc", self.matrix, place) + self.centre_mm[:, None, None]


def sample(
    pool: ScenePool,
    generator: Generator,
    *,
    n_series: int,
    n_frames: int,
    size: int,
    spacing_mm: float,
) -> TrainingBatch:
    """Render series of the heart region on the device of the pool.

    Parameters
    ----------
    pool
        Scenes to choose from.
    generator
        Source of randomness, on the CPU; the same state gives the same batch.
    n_series, n_frames
        How many series, and frames of each: runs of `RUN` beats in order, some with
        proton-density frames at the start.
    size, spacing_mm
        Rows and columns, and pixel size, of the result.

    """
    series = [_render(pool, generator, n_frames, size, spacing_mm) for _ in range(n_series)]
    frames, anatomy, n_proton = zip(*series, strict=True)
    return TrainingBatch(
        frames=torch.stack(frames),
        anatomy=torch.stack(anatomy),
        n_proton_density=torch.tensor(n_proton),
    )


def _render(
    pool: ScenePool, generator: Generator, n_frames: int, size: int, spacing_mm: float
) -> tuple[Float[Tensor, "time row column"], Float[Tensor, "time tissue row column"], int]:
    scene = int(torch.randint(len(pool), (), generator=generator))
    use = _beats(pool.signals.shape[1], n_frames, generator)
    n_proton = int((use < N_PROTON_DENSITY).sum())
    view = draw_view(pool.centre_mm[scene].cpu(), generator)
    points = _points(
        pool, scene, use, view, (OVERSAMPLING * size, spacing_mm / OVERSAMPLING), generator
    )
    signals = recolour(pool.signals[scene].cpu(), N_PROTON_DENSITY, generator)[use]
    picture = paint(pool, scene, use, signals.to(pool.signals.device), generator)
    fine = look(picture[:, None], points)[:, 0]
    maps = look(_maps(pool, scene, use), coarser(points))
    return acquire(fine, size, generator), maps, n_proton


def _beats(n_beats: int, n_frames: int, generator: Generator) -> Int[Tensor, " frame"]:
    """Choose runs of consecutive beats, one from each part of the series, in order of time.

    Every part, so that the passage of the bolus is seen as in a whole series. Every other series
    begins with proton-density frames.
    """
    n_runs = max(1, n_frames // RUN)
    beats = torch.arange(RUN)
    has_proton = draw(generator, 0.0, 1.0) < 0.5
    first = N_PROTON_DENSITY
    part = (n_beats - first) / n_runs
    runs = []
    for run in range(n_runs):
        latest = first + (run + 1) * part - RUN
        runs.append(int(draw(generator, first + run * part, max(latest, first + run * part))))
    chosen = torch.tensor(runs)[:, None] + beats
    if has_proton:
        chosen[0] = beats
    return chosen.flatten()[:n_frames]


def draw_view(centre_mm: Float[Tensor, " axis"], generator: Generator) -> View:
    """Turn by any angle, mirror, scale, stretch a little, and put the heart off the middle."""
    turn = draw(generator, 0.0, math.tau)
    scale = math.exp(draw(generator, math.log(SCALE[0]), math.log(SCALE[1])))
    rotation = torch.tensor([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    mirror = torch.diag(torch.tensor([1.0, 1.0 if draw(generator, 0.0, 1.0) < 0.5 else -1.0]))
    stretch = torch.eye(2) + STRETCH * (2 * torch.rand(2, 2, generator=generator) - 1)
    off_mm = OFF_CENTRE_MM * (2 * torch.rand(2, generator=generator) - 1)
    return View(matrix=scale * rotation @ mirror @ stretch, centre_mm=centre_mm + off_mm)


def _points(
    pool: ScenePool,
    scene: int,
    use: Int[Tensor, " frame"],
    view: View,
    grid: tuple[int, float],
    generator: Generator,
) -> Float[Tensor, "frame axis row column"]:
    """Return where in the reference, mm, each point of each frame lay."""
    size, spacing_mm = grid
    device = pool.signals.device
    seen = view.points(size, spacing_mm).to(device).expand(len(use), -1, -1, -1)
    motion = pool.inverse_displacement[scene][use.to(device)].float()
    less = draw(generator, 0.0, 1.0) < LESS_MOTION_SHARE
    share = draw(generator, 0.0, 0.4) if less else draw(generator, *MORE_MOTION)
    jitter_mm = draw(generator, 0.0, 0.2 * JITTER_MM if less else JITTER_MM)
    jitter = jitter_mm * torch.randn(len(use), 2, generator=generator)
    motion = share * motion + jitter[:, :, None, None].to(device)
    return seen + look(motion, seen)


def paint(
    pool: ScenePool,
    scene: int,
    use: Int[Tensor, " frame"],
    signals: Float[Tensor, "frame class"],
    generator: Generator,
) -> Float[Tensor, "frame row column"]:
    """Return the reference slice in the contrast of each frame, the other slice blended in."""
    tissues = pool.tissues[scene].float()
    images = torch.einsum("tc,lcij->tlij", signals, tissues)
    blend = pool.blend[scene][use.to(images.device)].to(images.dtype)[:, None, None]
    mixed = (1 - blend) * images[:, 0] + blend * images[:, 1]
    heart = pool.anatomy[scene, 0].float().sum(dim=0).clamp(max=1.0)
    strength = draw(generator, 0.0, 0.7)
    cloud = torch.exp(strength * smooth_field(images.shape[-1], 12, generator))
    return mixed * torch.lerp(cloud.to(mixed.device), torch.ones_like(heart), heart)


def _maps(
    pool: ScenePool, scene: int, use: Int[Tensor, " frame"]
) -> Float[Tensor, "frame tissue row column"]:
    anatomy = pool.anatomy[scene].float()
    blend = pool.blend[scene][use.to(anatomy.device)].float()[:, None, None, None]
    return (1 - blend) * anatomy[0] + blend * anatomy[1]


def look(
    images: Float[Tensor, "frame channel row column"],
    points_mm: Float[Tensor, "frame axis new_row new_column"],
) -> Float[Tensor, "frame channel new_row new_column"]:
    """Read images of the whole field at points, mm from its middle."""
    grid = points_mm.flip(1).permute(0, 2, 3, 1) * (2.0 / FIELD_MM)
    return functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="border", align_corners=False
    )


def coarser(
    points: Float[Tensor, "frame axis row column"],
) -> Float[Tensor, "frame axis new_row new_column"]:
    """Return the points of the pixels that are delivered, from those of the finer grid."""
    return functional.avg_pool2d(points, OVERSAMPLING)


def draw(generator: Generator, low: float, high: float) -> float:
    """Draw a number evenly between two."""
    return low + (high - low) * float(torch.rand((), generator=generator))
