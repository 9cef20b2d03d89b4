"""The one call that the analysis makes: a series in, a registered series out, never an error."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from models.networks import Networks, shipped_networks
from pipeline.motion import iterative, learned, published
from pipeline.motion.compose import warp
from pipeline.motion.gate import helps, score
from pipeline.motion.methods import Method
from pipeline.motion.phases import choose_reference, enhanced
from pipeline.motion.quality import figures, motion_quality
from pipeline.motion.series import Candidate, Series, prepare
from pipeline.segment import HeartRegion
from pipeline.types import ConsideredCorrection, MotionCorrection, Progress

MIN_FRAMES = 4
MIN_SIDE = 16

Answer = Callable[[Series, Networks, Progress], tuple[Candidate, ...]]


def correct(
    frames: Float[Tensor, "time row column"],
    *,
    spacing_mm: tuple[float, float],
    n_proton_density: int = 0,
    method: Method = Method.AUTO,
    networks: Networks | None = None,
    guess_mm: Float[Tensor, "time axis"] | None = None,
    heart: HeartRegion | None = None,
    progress: Progress | None = None,
) -> MotionCorrection:
    """Register all frames of one series to one of them.

    Frames that are blank, constant or not finite stay as they are. When nothing helps, the
    method is `identity` and the frames are the original ones.

    Parameters
    ----------
    frames
        Magnitude images in any unit, proton-density frames first. Shape `(time, row, column)`.
    spacing_mm
        Row and column spacing, mm.
    n_proton_density
        How many frames at the start are proton-density weighted.
    method
        Which method; `auto` takes the learned one, the iterative one where its network is missing.
    networks
        Trained networks; None takes the shipped ones.
    guess_mm
        Displacement of each frame that another series of the same beats showed, mm. Shape
        `(time, axis)`.
    heart
        Where the heart is, as the other series of the exam know it; None looks for it here.
    progress
        Called with stage and fraction of this correction, 0-1.

    """
    if networks is None:
        networks = _shipped(method, frames.device)
    series = prepare(
        frames,
        spacing_mm=spacing_mm,
        n_proton_density=n_proton_density,
        network=networks.segmentation,
        guess_mm=guess_mm,
        heart=heart,
    )
    if _is_too_small(series) or method is Method.NONE:
        return _still(series)
    considered: list[ConsideredCorrection] = []
    chosen = _chosen(method, networks)
    for answer in _answers(series, chosen, networks, progress or _silent):
        correction = _apply(series, answer, chosen)
        is_known = guess_mm is not None and chosen is Method.LEARNED
        considered.append(_consider(correction, answer, is_known=is_known))
        if considered[-1].is_helpful:
            return replace(correction, considered=tuple(considered))
    return replace(_still(series), considered=tuple(considered))


def identity(
    frames: Float[Tensor, "time row column"],
    *,
    spacing_mm: tuple[float, float],
    n_proton_density: int = 0,
) -> MotionCorrection:
    """Leave every frame where it is.

    Parameters
    ----------
    frames
        Magnitude images. Shape `(time, row, column)`.
    spacing_mm
        Row and column spacing, mm.
    n_proton_density
        How many frames at the start are proton-density weighted.

    """
    return _still(prepare(frames, spacing_mm=spacing_mm, n_proton_density=n_proton_density))


def _consider(
    correction: MotionCorrection, answer: Candidate, *, is_known: bool
) -> ConsideredCorrection:
    return ConsideredCorrection(
        method=correction.method,
        step=answer.name,
        score=score(correction.quality),
        is_helpful=helps(correction.quality, is_known=is_known),
    )


def _answers(
    series: Series, method: Method, networks: Networks, progress: Progress
) -> Iterator[Candidate]:
    """Yield what a method has to offer, its finest answer first.

    A finer answer fits the series at least as well as those it started from, so the coarser ones
    are worth their resampling only where it does not help.
    """
    yield from reversed(_ANSWERS[method](series, networks, progress))


def _shipped(method: Method, device: torch.device) -> Networks:
    """Load what the method needs; those that need no network work beside damaged weights."""
    if method in (Method.ITERATIVE, Method.NONE):
        return Networks(anatomy=None, published=None)
    return shipped_networks(str(device))


def _chosen(method: Method, networks: Networks) -> Method:
    """Return the method that `auto` stands for.

    What the learned method leaves alone, the iterative one does not help either: on development
    exams it drove a heart of little contrast away where the learned one had not passed the gate.
    """
    if method is not Method.AUTO:
        return method
    return Method.ITERATIVE if networks.anatomy is None else Method.LEARNED


def _answer_iteratively(
    series: Series, networks: Networks, progress: Progress
) -> tuple[Candidate, ...]:
    del networks
    return iterative.register(series, progress)


def _answer_as_published(
    series: Series, networks: Networks, progress: Progress
) -> tuple[Candidate, ...]:
    if networks.published is None:
        raise ValueError("the published method needs the weights of its three networks")
    return published.register(series, networks.published, progress)


_ANSWERS: dict[Method, Answer] = {
    Method.LEARNED: learned.register,
    Method.PUBLISHED: _answer_as_published,
    Method.ITERATIVE: _answer_iteratively,
}


def _is_too_small(series: Series) -> bool:
    return len(series.usable) < MIN_FRAMES or min(series.frames.shape[1:]) < MIN_SIDE


def _still(series: Series) -> MotionCorrection:
    """Leave every frame; the reference is the one that is most like the others."""
    reference = 0
    if not _is_too_small(series):
        shown = series.crop.cut(series.usable)
        weight = series.crop.weight(shown)
        is_enhanced = enhanced(shown, weight, series.n_proton_density)
        usable = series.is_usable.nonzero()[:, 0]
        reference = int(usable[choose_reference(shown, weight, is_enhanced)])
    return MotionCorrection(
        frames=series.frames.clone(),
        displacement=series.still,
        reference=reference,
        method="identity",
        quality=motion_quality(series.before, series.before, series.still[:1]),
        is_unlike=torch.zeros_like(series.is_usable),
        heart_px=(series.crop.region.centre_row, series.crop.region.centre_column),
        is_heart_shared=series.crop.region.is_shared,
    )


def _apply(series: Series, candidate: Candidate, method: Method) -> MotionCorrection:
    """Resample the original frames once, at full resolution, and measure the result."""
    field = candidate.field
    moved = _resample(series.usable, field)
    displacement = series.still
    displacement[series.is_usable] = field
    corrected = series.frames.clone()
    corrected[series.is_usable] = moved.to(corrected.dtype)
    crop = series.crop
    after = figures(crop.cut(moved), crop.weight(moved), series.n_proton_density)
    is_unlike = torch.zeros_like(series.is_usable)
    if candidate.is_unlike is not None:
        is_unlike[series.is_usable] = candidate.is_unlike
    return MotionCorrection(
        frames=corrected,
        displacement=displacement,
        reference=int(series.is_usable.nonzero()[candidate.reference, 0]),
        method=method.value,
        quality=motion_quality(series.before, after, displacement),
        is_unlike=is_unlike,
        heart_px=(candidate.crop.region.centre_row, candidate.crop.region.centre_column),
        is_heart_shared=candidate.crop.region.is_shared,
    )


def _resample(
    frames: Float[Tensor, "time row column"], field: Float[Tensor, "time axis row column"]
) -> Float[Tensor, "time row column"]:
    """Resample with cubic interpolation, without its overshoot beyond the range of the frame.

    Linear interpolation blurs by an amount that changes with the shift, so it leaves an error
    that changes from beat to beat, about twice as large in the myocardium.
    """
    sharp = warp(frames, field, interpolation="bicubic")
    lowest = frames.amin(dim=(1, 2), keepdim=True)
    highest = frames.amax(dim=(1, 2), keepdim=True)
    return torch.minimum(torch.maximum(sharp, lowest), highest)


def _silent(stage: str, fraction: float) -> None:
    """Report to nobody."""
