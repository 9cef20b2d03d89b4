"""Reserve of one pair held against its truth, in three ways that part its errors."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import permutations

import torch
from jaxtyping import Float
from torch import Tensor

from models.networks import Networks
from models.phantom import PhantomExam
from pipeline.analyse import analyse
from pipeline.errors import CannotQuantifyError
from pipeline.evaluation.flow.constants import site_parameters
from pipeline.evaluation.flow.true_wall import true_wall
from pipeline.evaluation.reserve.pair import PhantomPair, exam_at_rest, exam_under_stress
from pipeline.evaluation.reserve.records import ReserveRecord, Way
from pipeline.evaluation.reserve.truth import TruePair, true_pair
from pipeline.measure import measure
from pipeline.motion import Method, identity
from pipeline.quality import AnalysedExam
from pipeline.regions import Layer, SliceLevel
from pipeline.reserve import Reserve, compare_states
from pipeline.reserve.align import corresponding_px, overlap_dice, turn_between
from pipeline.reserve.placed import PlacedWall, stack_of
from pipeline.segment import divide_exam
from pipeline.segment.sectors import divide
from pipeline.types import Analysis, Exam, FlowMap, FlowModel, SliceAnalysis

_LEVELS = (SliceLevel.BASAL, SliceLevel.MID, SliceLevel.APICAL)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What one way makes of a pair."""

    way: Way
    stress: AnalysedExam
    rest: AnalysedExam
    reserve: Reserve
    true: tuple[TruePair, ...]


def answers(pair: PhantomPair, networks: Networks) -> Iterator[Answer]:
    """Yield the reserve of a pair in every way; the exams are analysed once.

    Parameters
    ----------
    pair
        Both exams.
    networks
        Trained networks.

    """
    yield true_answer(pair)
    exams, drawn = _exams(pair), (pair.stress, pair.rest)
    found = [_analysed(exam, each, networks) for exam, each in zip(exams, drawn, strict=True)]
    outlined = [_with_true_flow(one, each) for one, each in zip(found, drawn, strict=True)]
    yield _answer(Way.OUTLINED, pair, outlined)
    yield _answer(Way.ANALYSED, pair, found)


def true_answer(pair: PhantomPair) -> Answer:
    """Return the reserve of exams that never moved, with true walls and true flow."""
    drawn = pair.stress, pair.rest
    exams = [_ideal(exam, each) for exam, each in zip(_exams(pair), drawn, strict=True)]
    return _answer(Way.TRUE, pair, exams)


def measure_answer(seed: int, answer: Answer) -> ReserveRecord:
    """Return the figures of one answer."""
    true, found, error = _segments(answer)
    relative, n_wall = _pixel_errors(answer)
    wrong, n_refused = _wrong_pairs(answer)
    maps = [one for one in answer.reserve.maps if one is not None]
    return ReserveRecord(
        seed=seed,
        way=answer.way.value,
        n_maps=len(maps),
        overlap_dice=tuple(one.overlap_dice for one in maps),
        place_error_mm=_place_error_mm(answer),
        segment_true=true,
        segment_found=found,
        segment_standard_error=error,
        pixel_median_error=_quantile(relative.abs(), 0.5),
        pixel_median_bias=_quantile(relative, 0.5),
        pixel_known=len(relative) / max(n_wall, 1),
        wrong_dice=wrong,
        n_wrong_refused=n_refused,
    )


def _exams(pair: PhantomPair) -> tuple[Exam, Exam]:
    return exam_under_stress(pair), exam_at_rest(pair)


def _ideal(exam: Exam, drawn: PhantomExam) -> AnalysedExam:
    """Return an exam whose walls and flow are true and which never moved."""
    slices = []
    for series, phantom in zip(exam.slices, drawn.slices, strict=True):
        true = true_wall(phantom, None)
        slices.append(
            SliceAnalysis(
                motion=identity(series.frames, spacing_mm=series.geometry.spacing_mm),
                masks=true.masks,
                flow=_flow(true.flow_ml_min_g),
                tissue_time_s=None,
                tissue_mmol_l=None,
            )
        )
    sectors, _ = divide_exam(exam.slices, [one.masks for one in slices])
    divided = [replace(one, sectors=part) for one, part in zip(slices, sectors, strict=True)]
    return AnalysedExam(
        exam=exam,
        analysis=Analysis(
            state=exam.state,
            slices=tuple(divided),
            arterial_motion=None,
            arterial_input=None,
            regions=measure(divided),
        ),
    )


def _analysed(exam: Exam, drawn: PhantomExam, networks: Networks) -> AnalysedExam:
    parameters = site_parameters(
        field_strength_t=drawn.field_strength_t,
        agent=drawn.agent,
        model=FlowModel.BTEX,
        motion=Method.AUTO,
    )
    with torch.inference_mode():
        return AnalysedExam(exam=exam, analysis=analyse(exam, parameters, networks))


def _with_true_flow(one: AnalysedExam, drawn: PhantomExam) -> AnalysedExam:
    """Return the walls that were found with the flow that is true, beyond their borders too."""
    slices = tuple(
        replace(
            result,
            flow=_flow(_spread(true_wall(phantom, result.motion.reference).flow_ml_min_g)),
        )
        for result, phantom in zip(one.analysis.slices, drawn.slices, strict=True)
    )
    return replace(one, analysis=replace(one.analysis, slices=slices, regions=measure(slices)))


def _spread(flow: Float[Tensor, "row column"]) -> Float[Tensor, "row column"]:
    """Give pixels next to the wall the mean flow of their neighbours, twice."""
    for _ in range(2):
        known = flow.isfinite()
        window = torch.ones(1, 1, 3, 3, dtype=flow.dtype)
        stack = torch.stack([flow.nan_to_num(), known.to(flow.dtype)])[:, None]
        total, share = torch.nn.functional.conv2d(stack, window, padding=1)[:, 0]
        flow = torch.where(known | (share == 0), flow, total / share.clamp_min(1))
    return flow


def _flow(flow: Float[Tensor, "row column"]) -> FlowMap:
    return FlowMap(
        flow_ml_min_g=flow, fit_quality=torch.ones_like(flow), delay_s=torch.zeros_like(flow)
    )


def _answer(way: Way, pair: PhantomPair, exams: list[AnalysedExam]) -> Answer:
    stress, rest = exams
    true = tuple(
        true_pair(
            above,
            below,
            (None, None) if way is Way.TRUE else (one.motion.reference, other.motion.reference),
        )
        for above, below, one, other in zip(
            pair.stress.slices,
            pair.rest.slices,
            stress.analysis.slices,
            rest.analysis.slices,
            strict=True,
        )
    )
    return Answer(
        way=way,
        stress=stress,
        rest=rest,
        reserve=compare_states(stress=stress, rest=rest),
        true=true,
    )


def _segments(answer: Answer) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Return true and found reserve of all segments, and what is said of the error."""
    named = {
        region.segment: region
        for region in answer.reserve.regions
        if region.segment is not None and region.layer is Layer.WHOLE
    }
    rows: list[tuple[float, float, float]] = []
    slices = zip(answer.true, answer.stress.exam.slices, _LEVELS, strict=True)
    for true, series, level in slices:
        labels = divide(true.stress.masks, series.geometry, level).segment
        for segment in sorted(set(labels[true.known].tolist()) & set(named)):
            part = true.known & (labels == segment)
            ratio = float(
                true.stress.flow_ml_min_g[part].double().mean()
                / true.rest_flow_ml_min_g[part].double().mean()
            )
            rows.append((ratio, named[segment].reserve, named[segment].standard_error))
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return columns[0], columns[1], columns[2]


def _pixel_errors(answer: Answer) -> tuple[Float[Tensor, " voxel"], int]:
    """Return relative errors over the true walls, and how many pixels these have."""
    errors, n_wall = [torch.empty(0, dtype=torch.float64)], 0
    for true, found in zip(answer.true, answer.reserve.maps, strict=True):
        n_wall += int(true.known.sum())
        if found is not None:
            relative = found.reserve.double() / true.reserve - 1.0
            errors.append(relative[true.known & relative.isfinite()])
    return torch.cat(errors), n_wall


def _place_error_mm(answer: Answer) -> tuple[float, float]:
    """Return how far from their muscle pixels of the true wall are looked up at rest."""
    pairs = _walls(answer)
    turn_rad = turn_between((one, other) for one, other, _ in pairs)
    away = [torch.empty(0, dtype=torch.float64)]
    for one, other, true in pairs:
        place = corresponding_px(one, other, turn_rad).double()
        spacing_mm = torch.tensor(other.geometry.spacing_mm, dtype=torch.float64)
        way = (place - true.place_px) * spacing_mm[:, None, None]
        chosen = true.known & one.masks.myocardium
        away.append(torch.hypot(way[0], way[1])[chosen])
    all_mm = torch.cat(away)
    return _quantile(all_mm, 0.5), _quantile(all_mm, 0.95)


def _walls(answer: Answer) -> list[tuple[PlacedWall, PlacedWall, TruePair]]:
    """Return the walls of both exams where both are known, slice by slice."""
    walls = zip(
        stack_of(answer.stress).walls, stack_of(answer.rest).walls, answer.true, strict=True
    )
    return [
        (one, other, true) for one, other, true in walls if one is not None and other is not None
    ]


def _wrong_pairs(answer: Answer) -> tuple[tuple[float, ...], int]:
    """Return how walls of different levels overlap, and how many pairs the walls refuse."""
    stress, rest = stack_of(answer.stress).walls, stack_of(answer.rest).walls
    dice, n_refused = [], 0
    for own, other in permutations(range(len(stress)), 2):
        one, wrong = stress[own], rest[other]
        if one is None or wrong is None:
            continue
        try:
            dice.append(overlap_dice(one, wrong, 0.0))
        except CannotQuantifyError:
            n_refused += 1
    return tuple(dice), n_refused


def _quantile(values: Float[Tensor, " voxel"], part: float) -> float:
    return float(values.quantile(part)) if values.numel() else math.nan
