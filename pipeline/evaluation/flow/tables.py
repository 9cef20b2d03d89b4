"""Results of flow as tables in Markdown."""

from collections.abc import Callable, Iterable, Sequence

from models.phantom import TissueModel
from pipeline.evaluation.figures import mean
from pipeline.evaluation.flow.curve_trials import CurveRow
from pipeline.evaluation.flow.design import FACTORS, Group
from pipeline.evaluation.flow.goals import clinical, of_tissue
from pipeline.evaluation.flow.records import FlowRecord, Motion
from pipeline.evaluation.flow.statistics import (
    area_under_curve,
    defect_scores,
    of_regions,
    of_segments,
    pixel_coverage,
    region_coverage,
)
from pipeline.evaluation.statistics import compare_pairs
from pipeline.evaluation.tables import number, table
from pipeline.types import FlowModel

Rows = Sequence[FlowRecord]
_HEAD = (
    "exams",
    "segments",
    "bias %",
    "RMSE %",
    "95 % limits %",
    "as reported: bias %",
    "RMSE %",
    "pixel error %",
    "core %",
    "defect AUC",
    "pixel AUC",
    "68 %",
    "95 %",
    "segments 68 %",
    "95 %",
)


def accuracy_cells(rows: Rows) -> list[str]:
    """Return one line of figures for a set of results."""
    true, named = of_segments(rows), of_regions(rows)
    pixels, regions = pixel_coverage(rows), region_coverage(rows)
    return [
        str(len(rows)),
        str(true.n_values),
        _percent(true.bias),
        _percent(true.root_mean_square),
        f"{_percent(true.lower_limit)} to {_percent(true.upper_limit)}",
        _percent(named.bias),
        _percent(named.root_mean_square),
        _percent(mean([row.pixel_median_error for row in rows])),
        _percent(mean([row.core_median_error for row in rows])),
        number(area_under_curve(*defect_scores(rows)), 3),
        number(mean([row.pixel_auc for row in rows]), 3),
        _percent(pixels.within_68),
        _percent(pixels.within_95),
        _percent(regions.within_68),
        _percent(regions.within_95),
    ]


def model_table(records: Rows, group: Group) -> str:
    """Return every fitted model on one group, moving and still."""
    body = []
    for motion in Motion:
        for model in FlowModel:
            rows = [
                row
                for row in records
                if row.group == group and row.motion == motion and row.model == model
            ]
            if rows:
                body.append([model.value, motion.value, *accuracy_cells(rows)])
    return table(["fit", "images", *_HEAD], body)


def tissue_table(records: Rows, group: Group) -> str:
    """Return every fitted model on every tissue, after motion correction."""
    body = []
    for tissue in TissueModel:
        for model in FlowModel:
            rows = [
                row
                for row in of_tissue(records, tissue)
                if row.group == group and row.motion == Motion.CORRECTED and row.model == model
            ]
            if rows:
                body.append([tissue.value, model.value, *accuracy_cells(rows)])
    return table(["tissue", "fit", *_HEAD], body)


def factor_table(records: Rows, model: FlowModel) -> str:
    """Return every level of every factor, after motion correction and without motion."""
    head = ["factor", "level", *_HEAD, "without motion: bias %", "RMSE %"]
    body = []
    for factor, levels in FACTORS.items():
        for level in levels:
            rows = [
                row
                for row in records
                if (row.factor, row.level, row.model) == (factor, level, model.value)
            ]
            moving = [row for row in rows if row.motion == Motion.CORRECTED]
            still = of_segments(row for row in rows if row.motion == Motion.STILL)
            if rows:
                cells = [_percent(still.bias), _percent(still.root_mean_square)]
                body.append([factor, level, *accuracy_cells(moving), *cells])
    return table(head, body)


def parameter_table(records: Rows) -> str:
    """Return how far the other parameters are off, moving and still, by tissue."""
    head = ["tissue", "images", "exams", "vb %", "vi %", "PS %", "delay s"]
    figures: tuple[Callable[[FlowRecord], float], ...] = (
        lambda row: 100 * row.blood_volume_error,
        lambda row: 100 * row.interstitial_volume_error,
        lambda row: 100 * row.permeability_surface_error,
    )
    body = []
    for tissue in TissueModel:
        for motion in Motion:
            rows = of_tissue(clinical(records, motion=motion, model=FlowModel.BTEX.value), tissue)
            if rows:
                cells = [number(mean([read(row) for row in rows]), 0) for read in figures]
                late = number(mean([row.delay_error_s for row in rows]), 2)
                body.append([tissue.value, motion.value, str(len(rows)), *cells, late])
    return table(head, body)


def paired_table(records: Rows, model: FlowModel) -> str:
    """Return the default fit against the others on the same exams after motion correction."""
    head = [f"{model} against", "pairs", "pixel error, points (effect, p)", "segment RMSE, points"]
    mine = _by_exam(records, model)
    body = []
    for other in FlowModel:
        theirs = _by_exam(records, other)
        keys = sorted(mine.keys() & theirs.keys())
        if other is model or not keys:
            continue
        cells = [
            _compared([(read(mine[key]), read(theirs[key])) for key in keys])
            for read in (_pixel_error, _segment_error)
        ]
        body.append([other.value, str(len(keys)), *cells])
    return table(head, body)


def _by_exam(records: Rows, model: FlowModel) -> dict[tuple[str, str, str, int], FlowRecord]:
    return {
        (row.group, row.factor, row.level, row.seed): row
        for row in records
        if row.motion == Motion.CORRECTED and row.model == model
    }


def _pixel_error(row: FlowRecord) -> float:
    return 100 * row.pixel_median_error


def _segment_error(row: FlowRecord) -> float:
    return 100 * of_segments([row]).root_mean_square


def _compared(pairs: Sequence[tuple[float, float]]) -> str:
    first, second = zip(*pairs, strict=True)
    found = compare_pairs(first, second)
    chance = "<0.001" if found.p_value < 0.001 else number(found.p_value, 3)
    return f"{number(found.median_difference, 1)} ({number(found.effect, 2)}, {chance})"


def curve_table(rows: Iterable[CurveRow]) -> str:
    """Return the fit on curves without images."""
    head = ["tissue", "SNR", "fit", "voxels", "median bias %", "median error %"]
    head += ["68 %", "95 %", "without a number %", "voxels/s"]
    body = [
        [
            row.tissue,
            f"{row.signal_to_noise:g}" if row.signal_to_noise < 1e5 else "no noise",
            row.model,
            str(row.n_voxels),
            _percent(row.bias),
            _percent(row.median_error),
            _percent(row.within_68),
            _percent(row.within_95),
            _percent(row.missing_fraction),
            f"{row.voxels_per_s:.0f}",
        ]
        for row in rows
    ]
    return table(head, body)


def failure_table(records: Rows) -> str:
    """Return how many slices have a map, and which codes failed."""
    head = ["group", "images", "fit", "slices", "with a map", "failing codes (exams)"]
    body = []
    for group in Group:
        for motion in Motion:
            for model in FlowModel:
                rows = [
                    row
                    for row in records
                    if (row.group, row.motion, row.model) == (group, motion, model)
                ]
                if rows:
                    counts = [sum(row.n_slices for row in rows), sum(row.n_mapped for row in rows)]
                    body.append(
                        [
                            group.value,
                            motion.value,
                            model.value,
                            *(str(count) for count in counts),
                            _codes(rows),
                        ]
                    )
    return table(head, body)


def _codes(rows: Rows) -> str:
    every = sorted({code for row in rows for code in row.codes})
    counts = [f"{code} ({sum(code in row.codes for row in rows)})" for code in every]
    return ", ".join(counts) or "none"


def _percent(value: float) -> str:
    return number(100 * value, 1)
