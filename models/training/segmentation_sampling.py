"""Corrected series to learn segmentation from: one summary and its true outlines for each.

A series is rendered as a scanner would deliver it, with the motion that registration leaves behind,
at pixels of its own, and is then treated as in use: resampled around the heart and summarised.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.nn import functional

from models.networks.summary import SIZE, SPACING_MM, summarise
from models.training.contrast import recolour
from models.training.delivery import deliver
from models.training.flaws import acquire, smooth_field
from models.training.insertions import insertion_map, insertion_points
from models.training.sampling import View, draw, draw_view, look, paint
from models.training.scenes import N_PROTON_DENSITY, ScenePool
from models.training.scenes import SPACING_MM as SCENE_MM

NATIVE_MM = (1.3, 3.2)
"""Pixels as acquired."""
FINE_SIZE = 144
"""Rows and columns before the scanner; scenes are not finer."""
N_FRAMES = (26.0, 45.0)
PROTON_SHARE = 0.7
INSERTION_MM = 4.0
"""Width of the mark of an insertion."""
FAR_SHARE = 0.3
FAR_MM = 90.0
"""Some views look elsewhere, up to this far off, so that a network can say that no heart is
there."""
BENT_MM = 4.0
"""Largest bend of a view, which makes new hearts of old ones."""
BEND_KNOTS = (3.0, 7.0)
REST_MM = ((0.55, 0.12, 0.8), (0.8, 0.4, 2.0), (1.0, 1.2, 4.0))
"""Motion that is left: share of series up to here, largest share of the breathing motion, largest
standard deviation of each frame's own shift, mm. The last have all of it: the heart is looked for
before motion is corrected."""
SMALL_CAVITY_MM2 = 100.0
SMALL_CAVITY_SHARE = 0.08
"""Near the apex all may be muscle; so few slices are that they are shown more often."""
DENSITY_JITTER_MM = 1.5
"""Of proton-density frames, which are harder to register."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationBatch:
    """Summaries of series, with where the heart is."""

    inputs: Float[Tensor, "series channel row column"]
    shares: Float[Tensor, "series tissue row column"]
    """Of the classes of `models.networks.segmentation.TISSUES`; they sum to 1."""
    insertions: Float[Tensor, "series row column"]
    """1 at the insertions of the right ventricle, falling to 0 around them."""


class MarkedPool:
    """A pool of scenes and the insertions of the right ventricle of each, found once.

    Parameters
    ----------
    pool
        Scenes.

    """

    def __init__(self, pool: ScenePool) -> None:
        self.scenes = pool
        self._marks: dict[int, Float[Tensor, "level row column"]] = {}
        cavity_mm2 = SCENE_MM**2 * pool.anatomy[:, 0, 0].sum(dim=(1, 2), dtype=torch.float32)
        self._with_small_cavity = (cavity_mm2 < SMALL_CAVITY_MM2).nonzero()[:, 0].tolist()

    def choose(self, generator: Generator) -> int:
        """Return any scene; those with hardly a cavity more often than they are drawn."""
        among: Sequence[int] = range(len(self.scenes))
        if self._with_small_cavity and draw(generator, 0.0, 1.0) < SMALL_CAVITY_SHARE:
            among = self._with_small_cavity
        return among[int(torch.randint(len(among), (), generator=generator))]

    def maps(self, scene: int) -> Float[Tensor, "level map row column"]:
        """Return shares of left ventricle, myocardium, right ventricle, and the insertions."""
        anatomy = self.scenes.anatomy[scene].float()
        if scene not in self._marks:
            self._marks[scene] = torch.stack([_marks(level) for level in anatomy.cpu()])
        return torch.cat([anatomy, self._marks[scene][:, None].to(anatomy)], dim=1)


def sample_series(pool: MarkedPool, generator: Generator, n_series: int) -> SegmentationBatch:
    """Render series on the device of the pool.

    Parameters
    ----------
    pool
        Scenes to choose from.
    generator
        Source of randomness, on the CPU; the same state gives the same batch.
    n_series
        How many.

    """
    rendered = [_render(pool, generator) for _ in range(n_series)]
    inputs, maps = (torch.stack(parts) for parts in zip(*rendered, strict=True))
    heart = maps[:, :3].clamp(0.0, 1.0)
    elsewhere = (1.0 - heart.sum(dim=1, keepdim=True)).clamp(min=0.0)
    return SegmentationBatch(
        inputs=inputs, shares=torch.cat([elsewhere, heart], dim=1), insertions=maps[:, 3]
    )


def _marks(anatomy: Float[Tensor, "map row column"]) -> Float[Tensor, "row column"]:
    points = insertion_points(anatomy[0] + anatomy[1], anatomy[2], (SCENE_MM, SCENE_MM))
    size = (anatomy.shape[1], anatomy.shape[2])
    return insertion_map(points, size, width_px=INSERTION_MM / SCENE_MM)


def _render(
    pool: MarkedPool, generator: Generator
) -> tuple[Float[Tensor, "channel row column"], Float[Tensor, "map row column"]]:
    scenes = pool.scenes
    scene = pool.choose(generator)
    use = _beats(scenes.signals.shape[1], generator)
    n_proton = int((use < N_PROTON_DENSITY).sum())
    view = _astray(draw_view(scenes.centre_mm[scene].cpu(), generator), generator)
    native_mm = math.exp(draw(generator, *(math.log(mm) for mm in NATIVE_MM)))
    size = 2 * round(0.5 * SIZE * SPACING_MM / native_mm)
    bend = _bend(generator)
    seen = _seen(view, bend, min(2 * size, FINE_SIZE)).to(scenes.signals.device)
    signals = recolour(scenes.signals[scene].cpu(), N_PROTON_DENSITY, generator)[use]
    picture = paint(scenes, scene, use, signals.to(seen.device), generator)
    fine = look(picture[:, None], seen + _rest(scenes, scene, use, seen, generator))[:, 0]
    frames = _resampled(deliver(acquire(fine, size, generator), generator))
    here, other = pool.maps(scene)
    blend = scenes.blend[scene][use.to(here.device)].mean()
    place = _seen(view, bend, SIZE).to(seen.device)[None]
    maps = look(torch.lerp(here, other, blend)[None], place)[0]
    return summarise(frames, n_proton), maps


def _beats(n_beats: int, generator: Generator) -> Int[Tensor, " frame"]:
    """Choose beats in a row that hold the passage; most series begin with proton-density frames."""
    n_frames = int(draw(generator, *N_FRAMES))
    step = 2 if draw(generator, 0.0, 1.0) < 0.25 else 1
    start = N_PROTON_DENSITY + int(draw(generator, 0.0, 4.0))
    beats = torch.arange(start, min(start + step * n_frames, n_beats), step)
    has_proton = draw(generator, 0.0, 1.0) < PROTON_SHARE
    n_proton = int(draw(generator, 1.0, N_PROTON_DENSITY + 1.0)) if has_proton else 0
    return torch.cat([torch.arange(n_proton), beats])


def _astray(view: View, generator: Generator) -> View:
    """Point a view elsewhere now and then."""
    if draw(generator, 0.0, 1.0) > FAR_SHARE:
        return view
    away_mm = FAR_MM * (2 * torch.rand(2, generator=generator) - 1)
    return replace(view, centre_mm=view.centre_mm + away_mm)


def _bend(generator: Generator) -> Float[Tensor, "axis row column"]:
    """Return a smooth displacement of the view, mm, on the grid of the result."""
    knots = int(draw(generator, *BEND_KNOTS))
    size_mm = draw(generator, 0.0, BENT_MM)
    fields = [smooth_field(SIZE, knots, generator) for _ in range(2)]
    return size_mm * torch.stack(fields)


def _seen(
    view: View, bend: Float[Tensor, "axis row column"], size: int
) -> Float[Tensor, "axis new_row new_column"]:
    """Return which point of the scene, mm from its middle, is seen by each of size² pixels."""
    line = ((torch.arange(size) + 0.5) / size - 0.5) * (SIZE * SPACING_MM)
    place = torch.stack(torch.meshgrid(line, line, indexing="ij"))
    bent = functional.interpolate(bend[None], size=(size, size), mode="bilinear")[0]
    return torch.einsum("ab,brc->arc", view.matrix, place + bent) + view.centre_mm[:, None, None]


def _rest(
    pool: ScenePool,
    scene: int,
    use: Int[Tensor, " frame"],
    seen: Float[Tensor, "axis row column"],
    generator: Generator,
) -> Float[Tensor, "frame axis row column"]:
    """Return the motion that registration has left, mm, about its mean over the series."""
    kind = draw(generator, 0.0, 1.0)
    _, share, jitter_mm = next(entry for entry in REST_MM if kind <= entry[0])
    motion = pool.inverse_displacement[scene][use.to(seen.device)].float()
    motion = draw(generator, 0.0, share) * (motion - motion.mean(dim=0))
    shift = draw(generator, 0.0, jitter_mm) * torch.randn(len(use), 2, generator=generator)
    density_mm = draw(generator, 0.0, DENSITY_JITTER_MM)
    common = density_mm * torch.randn(1, 2, generator=generator)
    shift = shift + common * (use < N_PROTON_DENSITY)[:, None]
    place = seen[None].expand(len(use), -1, -1, -1)
    return look(motion, place) + shift[:, :, None, None].to(seen.device)


def _resampled(frames: Float[Tensor, "time row column"]) -> Float[Tensor, "time side side"]:
    return functional.interpolate(
        frames[:, None], size=(SIZE, SIZE), mode="bilinear", align_corners=False
    )[:, 0]
