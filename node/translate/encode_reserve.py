"""Perfusion reserve as classic maps: those of the stress exam, on whose pixels they lie."""

from collections.abc import Iterable

from node.translate.context import ResultContext
from node.translate.encode_map import FLOW, RESERVE, MapPlace, encode_map, map_uid
from node.translate.results import ResultObject
from pipeline.reserve import Reserve
from pipeline.types import PatientState


def encode_reserve(
    stress: ResultContext, rest: ResultContext, reserve: Reserve, maps: Iterable[ResultObject]
) -> tuple[ResultObject, ...]:
    """Return the reserve maps of the slices that have one.

    Parameters
    ----------
    stress, rest
        Both exams.
    reserve
        What they say together.
    maps
        The flow maps of both exams, in any order; other objects are passed over. The reserve
        names those it was made from.

    """
    flow = {str(one.dataset.SOPInstanceUID): one.dataset for one in maps if one.kind == FLOW.kind}
    return tuple(
        encode_map(
            found.reserve,
            RESERVE,
            MapPlace(
                source=stress.shown(position),
                images=(flow[map_uid(FLOW, stress.key, position)],),
                moved=(flow[map_uid(FLOW, rest.key, found.rest_slice)],),
                series_source=stress.numbering,
                position=position,
            ),
            state=PatientState.UNKNOWN,
            key=stress.run.key(stress.key, rest.key),
            run=stress.run,
            settings=stress.settings,
        )
        for position, found in enumerate(reserve.maps)
        if found is not None
    )
