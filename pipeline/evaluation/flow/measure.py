"""One analysis held against the truth of its exam."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from models.phantom import ExamTruth
from pipeline.errors import CannotQuantifyError
from pipeline.evaluation.flow.design import Trial
from pipeline.evaluation.flow.prepared import Prepared, View
from pipeline.evaluation.flow.records import FlowRecord, Motion, Numbers
from pipeline.evaluation.flow.statistics import area_under_curve
from pipeline.evaluation.flow.true_wall import TrueWall, narrow_sectors, segments
from pipeline.findings import Grade
from pipeline.regions import Layer, SliceLevel
from pipeline.segment.sectors import divide
from pipeline.types import Analysis, FlowMap, FlowModel

_LEVELS = (SliceLevel.BASAL, SliceLevel.MID, SliceLevel.APICAL)
_MIN_KNOWN = 0.5
_WITHIN_95 = 1.96


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pair:
    """A map and what is true of its pixels."""

    true: TrueWall
    flow: FlowMap
    level: SliceLevel
    index: int
    """Place among the analysed slices."""

    @property
    def known(self) -> Bool[Tensor, "row column"]:
        """Wall with a number."""
        return self.true.wall & self.flow.flow_ml_min_g.isfinite()

    @property
    def relative_error(self) -> Float[Tensor, "row column"]:
        """(found - true) / true."""
        return self.flow.flow_ml_min_g / self.true.flow_ml_min_g - 1.0


def measure(
    trial: Trial,
    prepared: Prepared,
    analysis: Analysis,
    *,
    motion: Motion,
    model: FlowModel,
    cpu_s: float,
) -> FlowRecord:
    """Return the figures of one analysis.

    Parameters
    ----------
    trial, prepared
        What was analysed, and its truth.
    analysis
        The result.
    motion
        Whether the images moved.
    model
        Tissue model that was fitted.
    cpu_s
        Processor time of quantification.

    """
    view = prepared.views[motion]
    pairs = _pairs(trial, view, analysis)
    regions = _regions(view, analysis, pairs)
    sectors = _sectors(pairs)
    by_segment = _segments(pairs)
    return FlowRecord(
        split=trial.split.value,
        group=trial.group.value,
        factor=trial.factor,
        level=trial.level,
        seed=trial.seed,
        motion=motion.value,
        model=model.value,
        tissue=trial.protocol.tissue.model.value,
        signal_to_noise=trial.protocol.signal_to_noise,
        codes=tuple(
            sorted({str(each.code) for each in analysis.findings if each.grade is Grade.FAIL})
        ),
        n_slices=len(analysis.slices),
        n_mapped=len(pairs),
        segment_true=by_segment[0],
        segment_found=by_segment[1],
        region_true=regions[0],
        region_found=regions[1],
        region_standard_error=regions[2],
        sector_defect_share=sectors[0],
        sector_relative_flow=sectors[1],
        **_pixel_figures(pairs),
        **_parameter_errors(pairs, prepared.truth),
        cpu_s=cpu_s,
    )


def _pairs(trial: Trial, view: View, analysis: Analysis) -> list[_Pair]:
    """Return the slices that have a map."""
    return [
        _Pair(
            true=view.true[place],
            flow=result.flow,
            level=SliceLevel.MID if len(trial.slices) == 1 else _LEVELS[min(index, 2)],
            index=place,
        )
        for place, (index, result) in enumerate(zip(trial.slices, analysis.slices, strict=True))
        if result.flow is not None
    ]


def _means(
    values: Float[Tensor, "row column"],
    known: Bool[Tensor, "row column"],
    labels: Int[Tensor, "row column"],
) -> Numbers:
    """Return the mean of each label from 1 on; NaN where too little of it is known."""
    found = []
    for label in range(1, int(labels.max()) + 1):
        inside = labels == label
        part = inside & known
        enough = int(part.sum()) >= max(_MIN_KNOWN * int(inside.sum()), 1.0)
        found.append(float(values[part].double().mean()) if enough else math.nan)
    return tuple(found)


def _segments(pairs: Sequence[_Pair]) -> tuple[Numbers, Numbers]:
    """Return true and found flow of all segments of all slices."""
    true: list[float] = []
    found: list[float] = []
    for pair in pairs:
        labels = segments(pair.true, is_apical=pair.level is SliceLevel.APICAL)
        true += _means(pair.true.flow_ml_min_g, pair.true.wall, labels)
        found += _means(pair.flow.flow_ml_min_g, pair.known, labels)
    return tuple(true), tuple(found)


def _sectors(pairs: Sequence[_Pair]) -> tuple[Numbers, Numbers]:
    """Return share of defect and relative flow of all narrow sectors of slices with a defect."""
    share: list[float] = []
    relative: list[float] = []
    for pair in pairs:
        labels = narrow_sectors(pair.true)
        if int(labels.max()) == 0 or not bool(pair.known.any()):
            continue
        middle = float(pair.flow.flow_ml_min_g[pair.known].median())
        share += _means(pair.true.defect_share, pair.true.wall, labels)
        means = _means(pair.flow.flow_ml_min_g, pair.known, labels)
        relative += [value / middle for value in means]
    return tuple(share), tuple(relative)


def _regions(
    view: View, analysis: Analysis, pairs: Sequence[_Pair]
) -> tuple[Numbers, Numbers, Numbers]:
    """Return truth, result and standard error of the segments that the analysis itself names."""
    named = {
        region.segment: region.flow
        for region in analysis.regions
        if region.segment is not None and region.layer is Layer.WHOLE
    }
    rows: list[tuple[float, float, float]] = []
    for pair in pairs:
        geometry = view.exam.slices[pair.index].geometry
        try:
            labels = divide(pair.true.masks, geometry, pair.level).segment
        except CannotQuantifyError:
            continue
        for segment in sorted(set(labels[pair.true.wall].tolist()) & set(named)):
            flow = named[segment]
            true = float(pair.true.flow_ml_min_g[labels == segment].double().nanmean())
            rows.append((true, flow.mean_ml_min_g, flow.standard_error_ml_min_g))
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return columns[0], columns[1], columns[2]


def _pixel_figures(pairs: Sequence[_Pair]) -> dict[str, Any]:
    error = _joined([pair.relative_error[pair.known] for pair in pairs])
    core = _joined([pair.relative_error[pair.known & pair.true.core] for pair in pairs])
    within = _joined([_scores(pair) for pair in pairs])
    return {
        "pixel_auc": _pixel_auc(pairs),
        "n_pixels": sum(int(pair.true.wall.sum()) for pair in pairs),
        "n_known": error.numel(),
        "pixel_median_error": _median(error.abs()),
        "core_median_error": _median(core.abs()),
        "pixel_median_bias": _median(error),
        "n_with_error": within.numel(),
        "n_within_68": int((within <= 1.0).sum()),
        "n_within_95": int((within <= _WITHIN_95).sum()),
    }


def _scores(pair: _Pair) -> Float[Tensor, " voxel"]:
    """Return |found - true| over the standard error, where there is one."""
    error = pair.flow.standard_error_ml_min_g
    if error is None:
        return torch.empty(0)
    chosen = pair.known & error.isfinite()
    if pair.flow.at_bound is not None:
        chosen &= ~pair.flow.at_bound
    gap = (pair.flow.flow_ml_min_g - pair.true.flow_ml_min_g).abs()
    return gap[chosen] / error[chosen].clamp_min(1e-6)


def _pixel_auc(pairs: Sequence[_Pair]) -> float:
    inside, outside = [], []
    for pair in pairs:
        relative = pair.flow.flow_ml_min_g / pair.flow.flow_ml_min_g[pair.known].median()
        inside.append(relative[pair.known & (pair.true.defect_share > 0.5)])
        outside.append(relative[pair.known & (pair.true.defect_share <= 0.5)])
    return area_under_curve(_joined(inside).tolist(), _joined(outside).tolist())


def _parameter_errors(pairs: Sequence[_Pair], truth: ExamTruth) -> dict[str, Any]:
    """Return how far volumes, PS and delay are off, where the map has them."""
    rows: dict[str, list[Tensor]] = {name: [] for name in _PARAMETER_FIGURES}
    for pair in pairs:
        core = pair.known & pair.true.core
        true = _true_parameters(pair.true.flow_ml_min_g, truth)
        for name, field in _PARAMETER_FIGURES.items():
            found = getattr(pair.flow, field)
            if found is not None:
                rows[name].append((found / true[field] - 1.0)[core])
    late = [(pair.flow.delay_s - pair.true.delay_s)[pair.known & pair.true.core] for pair in pairs]
    errors = {name: _median(_joined(parts)) for name, parts in rows.items()}
    return {**errors, "delay_error_s": _median(_joined(late))}


_PARAMETER_FIGURES = {
    "blood_volume_error": "blood_volume",
    "interstitial_volume_error": "interstitial_volume",
    "permeability_surface_error": "permeability_surface_ml_min_g",
}
"""Figure, and the plane of a `FlowMap` it is about."""


def _true_parameters(
    flow: Float[Tensor, "row column"], truth: ExamTruth
) -> dict[str, Float[Tensor, "row column"]]:
    """Return volumes and PS that go with a flow in the phantom, in the units of a `FlowMap`."""
    relative = (flow / truth.healthy_flow_ml_min_g).clamp(max=1.3)
    surface = truth.permeability_surface_ml_min_ml / truth.density_g_ml
    return {
        "blood_volume": truth.plasma_volume
        * (0.75 + 0.25 * relative)
        / (1.0 - truth.hematocrit_fraction),
        "interstitial_volume": torch.full_like(flow, truth.interstitial_volume),
        "permeability_surface_ml_min_g": surface * (0.5 + 0.5 * relative),
    }


def _joined(parts: Sequence[Tensor]) -> Float[Tensor, " voxel"]:
    joined = torch.cat([torch.empty(0), *parts]).double()
    return joined[joined.isfinite()]


def _median(values: Float[Tensor, " voxel"]) -> float:
    return float(values.median()) if values.numel() else math.nan
