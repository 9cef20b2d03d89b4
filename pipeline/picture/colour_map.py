"""Maps in colour, one picture per slice: what a viewer shows that knows no colour tables."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from pipeline.picture.labels import slice_name
from pipeline.picture.map_picture import MapSubject, Reading, draw_map
from pipeline.picture.provenance import Provenance
from pipeline.picture.raster import Picture
from pipeline.picture.scale import FLOW_SCALE, RESERVE_SCALE, ColourTable
from pipeline.picture.slices import flow_of_tissue
from pipeline.regions import Layer
from pipeline.reserve import Reserve
from pipeline.types import Analysis, Exam, SliceAnalysis

_NOTES = ("Usual territories. Pixels next", "to a border are not counted.")
_RESERVE_NOTES = (*_NOTES, "Ratio of mean flows: read it", "beside stress MBF.")
_LAYERS = (Layer.ENDOCARDIAL, Layer.EPICARDIAL)


def draw_flow_maps(
    exam: Exam, analysis: Analysis, provenance: Provenance, table: ColourTable
) -> tuple[Picture | None, ...]:
    """Draw the flow map of every slice, None where a slice has none.

    Parameters
    ----------
    exam
        The exam as it was decoded.
    analysis
        Its result, slices in the same order.
    provenance
        What is burned into the foot.
    table
        Colours of the map.

    """

    def draw(index: int, result: SliceAnalysis) -> Picture | None:
        if result.flow is None:
            return None
        subject = MapSubject(
            values=flow_of_tissue(result.flow, result.masks),
            scale=FLOW_SCALE,
            state=analysis.state,
            name=slice_name(index, analysis),
            readings=tuple(_readings_of(result, _flow_readings(analysis))),
            notes=_NOTES,
            series=exam.slices[index],
            result=result,
        )
        return draw_map(subject, analysis, provenance, table)

    return tuple(draw(*pair) for pair in enumerate(analysis.slices))


def draw_reserve_maps(
    exam: Exam, analysis: Analysis, reserve: Reserve, provenance: Provenance, table: ColourTable
) -> tuple[Picture | None, ...]:
    """Draw the reserve map of every stress slice, None where a slice has none.

    Parameters
    ----------
    exam
        The stress exam.
    analysis
        Its result.
    reserve
        What stress and rest say together.
    provenance
        What is burned into the foot.
    table
        Colours of the map.

    """

    def draw(index: int, result: SliceAnalysis) -> Picture | None:
        found = reserve.maps[index]
        if found is None:
            return None
        subject = MapSubject(
            values=np.asarray(found.reserve, dtype=np.float64),
            scale=RESERVE_SCALE,
            state="stress / rest",
            name=slice_name(index, analysis),
            readings=tuple(_readings_of(result, _reserve_readings(reserve))),
            notes=_RESERVE_NOTES,
            series=exam.slices[index],
            result=result,
        )
        return draw_map(subject, together, provenance, table)

    together = replace(analysis, findings=(*analysis.findings, *reserve.findings))
    return tuple(draw(*pair) for pair in enumerate(analysis.slices))


def _flow_readings(analysis: Analysis) -> Iterator[tuple[str, Reading]]:
    flows = {(region.name, region.layer): region.flow for region in analysis.regions}
    for region in analysis.regions:
        if region.layer is Layer.WHOLE:
            inner, outer = (flows.get((region.name, layer)) for layer in _LAYERS)
            yield (
                region.name,
                Reading(
                    segment=region.segment,
                    value=region.flow.mean_ml_min_g,
                    standard_error=region.flow.standard_error_ml_min_g,
                    inner=math.nan if inner is None else inner.mean_ml_min_g,
                    outer=math.nan if outer is None else outer.mean_ml_min_g,
                ),
            )


def _reserve_readings(reserve: Reserve) -> Iterator[tuple[str, Reading]]:
    ratios = {(region.name, region.layer): region.reserve for region in reserve.regions}
    for region in reserve.regions:
        if region.layer is Layer.WHOLE:
            inner, outer = (ratios.get((region.name, layer), math.nan) for layer in _LAYERS)
            yield (
                region.name,
                Reading(
                    segment=region.segment,
                    value=region.reserve,
                    standard_error=region.standard_error,
                    inner=inner,
                    outer=outer,
                ),
            )


def _readings_of(
    result: SliceAnalysis, regions: Iterable[tuple[str, Reading]]
) -> Iterator[Reading]:
    """Yield what was measured in the whole slice, then in its segments."""
    if result.sectors is None:
        return
    level = result.sectors.level.value
    numbers = set(result.sectors.segment.flatten().tolist())
    for name, reading in regions:
        is_here = name == level or reading.segment in numbers
        if is_here and math.isfinite(reading.value):
            yield reading
