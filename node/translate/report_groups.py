"""Measurement groups of a report: one for each region and layer of the wall (TID 1411, 1501).

Inner and outer half have groups of their own: readers that look only at the name and the unit of a
measurement would take them for the whole wall. What could not be measured is left out; a group
without a flow still says how much of its region has one.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from node.translate.algorithms import Algorithm, flow_algorithm
from node.translate.codes import (
    AHA_SEGMENTS,
    BLOOD_FLOW,
    ML_MIN_G,
    MYOCARDIUM,
    PATIENT_STATE,
    PATIENT_STATES,
    RATIO,
    RESERVE,
    CodedTerm,
)
from node.translate.content import (
    Relation,
    code_item,
    container_item,
    image_item,
    number_item,
    text_item,
    uid_item,
)
from node.translate.report_codes import (
    ALGORITHM_NAME,
    ALGORITHM_VERSION,
    DERIVATION,
    FINDING,
    FINDING_SITE,
    GROUP,
    LAYERS,
    MEAN,
    MEDIAN,
    METHOD,
    METHODS,
    MYOCARDIAL_PERFUSION,
    N_PIXELS,
    PERCENT,
    PIXELS,
    SEGMENT,
    SEGMENTED_IMAGE,
    SITE_MODIFIER,
    STANDARD_DEVIATION,
    TIME_POINT,
    TRACKING_NAME,
    TRACKING_UID,
    UNCERTAINTY,
    VALID_PART,
)
from node.translate.reported import ReportedExam, ReportedMask, find_masks
from node.translate.tracking import tracking_name, tracking_uid
from pipeline.regions import (
    SEGMENTS,
    TERRITORIES,
    FlowStatistics,
    Layer,
    RegionFlow,
    SliceLevel,
    Territory,
)
from pipeline.reserve import RegionReserve
from pipeline.types import FlowModel, PatientState

_TID_1501, _TID_1411 = "1501", "1411"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Region:
    """What a group is about, of flow or of reserve."""

    name: str
    layer: Layer
    segment: int | None

    @property
    def tracked_as(self) -> str:
        return tracking_name(self.name, self.layer, self.segment)


def flow_groups(reported: ReportedExam) -> Iterator[bytes]:
    """Yield a group for each measured region of an exam.

    Parameters
    ----------
    reported
        The exam, with the masks that regions are referred to.

    """
    context = reported.context
    masks = find_masks(reported.segmentations)
    key, time_point = context.key, time_point_of(context.analysis.state)
    methods = tuple(_methods(reported))
    algorithm = algorithm_items(flow_algorithm(context))
    for measured in context.analysis.regions:
        region = _region_of(measured)
        items = (
            *tracking(key, region.tracked_as),
            code_item(Relation.CONTAINS, FINDING, MYOCARDIAL_PERFUSION),
            *methods,
            *_sites(region, context.analysis.regions),
            *algorithm,
            time_point,
            *_flow_numbers(measured.flow),
            *state_items(context.analysis.state),
        )
        yield _group(items, masks.get(region.tracked_as))


def reserve_groups(key: str, regions: Iterable[RegionReserve]) -> Iterator[bytes]:
    """Yield a group for each region that has a reserve.

    Parameters
    ----------
    key
        Digest of everything both exams were made from.
    regions
        The reserve of each region.

    """
    known = [measured for measured in regions if math.isfinite(measured.reserve)]
    for measured in known:
        region = _region_of(measured)
        properties = _uncertainty(measured.standard_error, RATIO)
        items = (
            *tracking(key, region.tracked_as),
            code_item(Relation.CONTAINS, FINDING, MYOCARDIAL_PERFUSION),
            *_sites(region, known),
            number_item(Relation.CONTAINS, RESERVE, measured.reserve, RATIO, properties),
        )
        yield _group(items, None)


def tracking(key: str, name: str) -> tuple[bytes, bytes]:
    """Return the items that name what a group is about."""
    return (
        text_item(Relation.CONTEXT, TRACKING_NAME, name),
        uid_item(Relation.CONTEXT, TRACKING_UID, tracking_uid(key, name)),
    )


def time_point_of(state: PatientState) -> bytes:
    """Return the item that tells the groups of stress and rest apart."""
    return text_item(Relation.CONTEXT, TIME_POINT, state.upper())


def state_items(state: PatientState) -> Iterator[bytes]:
    """Yield the coded state of the patient, nothing where it is not known."""
    if state in PATIENT_STATES:
        yield code_item(Relation.CONTAINS, PATIENT_STATE, PATIENT_STATES[state])


def algorithm_items(algorithm: Algorithm) -> tuple[bytes, bytes]:
    """Return name and version of a method (TID 4019)."""
    return (
        text_item(Relation.MODIFIER, ALGORITHM_NAME, algorithm.name),
        text_item(Relation.MODIFIER, ALGORITHM_VERSION, algorithm.version),
    )


def _methods(reported: ReportedExam) -> Iterator[bytes]:
    """Yield how flow was measured."""
    flows = (result.flow for result in reported.context.analysis.slices)
    models: set[FlowModel] = {flow.model for flow in flows if flow is not None}
    for model in sorted(models):
        yield code_item(Relation.CONTAINS, METHOD, METHODS[model])


def _group(items: Iterable[bytes], mask: ReportedMask | None) -> bytes:
    if mask is None:
        return container_item(GROUP, items, template=_TID_1501)
    references = (
        image_item(Relation.CONTAINS, SEGMENT, mask.instance, mask.number),
        *(image_item(Relation.CONTAINS, SEGMENTED_IMAGE, image) for image in mask.images),
    )
    return container_item(GROUP, (*items, *references), template=_TID_1411)


def _flow_numbers(flow: FlowStatistics) -> Iterator[bytes]:
    """Yield the numbers of a region that are known."""
    for value, derivation, properties in (
        (flow.mean_ml_min_g, MEAN, _uncertainty(flow.standard_error_ml_min_g, ML_MIN_G)),
        (flow.sd_ml_min_g, STANDARD_DEVIATION, ()),
        (flow.median_ml_min_g, MEDIAN, ()),
    ):
        if math.isfinite(value):
            kind = code_item(Relation.MODIFIER, DERIVATION, derivation)
            children = (kind, *properties)
            yield number_item(Relation.CONTAINS, BLOOD_FLOW, value, ML_MIN_G, children)
    yield number_item(Relation.CONTAINS, N_PIXELS, flow.n_pixels, PIXELS)
    yield number_item(Relation.CONTAINS, VALID_PART, 100 * flow.valid_fraction, PERCENT)


def _uncertainty(standard_error: float, unit: CodedTerm) -> tuple[bytes, ...]:
    """Return the standard error as a property of a mean (TID 310)."""
    if not math.isfinite(standard_error):
        return ()
    return (number_item(Relation.PROPERTY, UNCERTAINTY, standard_error, unit),)


def _region_of(measured: RegionFlow | RegionReserve) -> _Region:
    return _Region(name=measured.name, layer=measured.layer, segment=measured.segment)


def _sites(
    region: _Region, measured: Iterable[RegionFlow] | Iterable[RegionReserve]
) -> Iterator[bytes]:
    """Yield where a region is: levels and territories are the segments that they consist of."""
    imaged = {one.segment for one in measured}
    members = [number for number in _MEMBERS.get(region.name, ()) if number in imaged]
    numbers = [region.segment] if region.segment is not None else members
    layer = LAYERS.get(region.layer)
    modifier = () if layer is None else (code_item(Relation.MODIFIER, SITE_MODIFIER, layer),)
    for site in [AHA_SEGMENTS[number] for number in numbers] or [MYOCARDIUM]:
        yield code_item(Relation.MODIFIER, FINDING_SITE, site, modifier)


_MEMBERS: Mapping[str, tuple[int, ...]] = {
    **{level.value: SEGMENTS[level] for level in SliceLevel},
    **{territory.value: TERRITORIES[territory] for territory in Territory},
}
