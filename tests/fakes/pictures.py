"""Pictures, movie and document of the small exam, as they go out."""

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from node.settings import DEFAULT_ACQUISITION, ResultsSettings
from node.translate import ResultObject, decode_study
from node.translate.context import ResultContext
from node.translate.encode_colour import encode_colour_maps
from node.translate.encode_document import encode_document
from node.translate.encode_map import FLOW, MapPlace, encode_map
from node.translate.encode_movie import encode_movie
from node.translate.encode_page import encode_page
from pipeline.picture.colour_map import draw_flow_maps
from pipeline.picture.movie import Movie, draw_movie
from pipeline.picture.provenance import Provenance
from pipeline.picture.scale import ColourTable
from tests.fakes.exams import PAGE, STAMP, unmoved_analysis, write_small_exam

PROVENANCE = Provenance(
    software="perfnode test", created="2026-01-01", label="RESEARCH ONLY", motion="identity"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPictures:
    """What was encoded, and what it was made from."""

    context: ResultContext
    maps: tuple[ResultObject, ...]
    drawn: tuple[np.ndarray | None, ...]
    colour: tuple[ResultObject, ...]
    movie: Movie
    movie_object: ResultObject
    document: ResultObject

    @property
    def results(self) -> tuple[ResultObject, ...]:
        return (*self.colour, self.movie_object, self.document)


@cache
def shared_pictures() -> EncodedPictures:
    """Return the pictures that tests may share, made once."""
    with tempfile.TemporaryDirectory() as folder:
        return encode_pictures(Path(folder))


def encode_pictures(folder: Path) -> EncodedPictures:
    """Write the small exam to a folder and encode its pictures."""
    files = write_small_exam(folder)
    decoded = decode_study(files, rules=DEFAULT_ACQUISITION).exams[0]
    analysis = unmoved_analysis(decoded.exam)
    context = ResultContext(
        decoded=decoded,
        analysis=analysis,
        run=STAMP,
        settings=ResultsSettings(institution="Node Hospital"),
    )
    maps = tuple(_flow_map(context, position) for position in range(len(analysis.slices)))
    drawn = draw_flow_maps(decoded.exam, analysis, PROVENANCE, ColourTable.PERFUSION)
    movie = draw_movie(decoded.exam, analysis, PROVENANCE)
    page = encode_page(
        PAGE,
        context.numbering,
        [one.dataset for one in maps],
        state=analysis.state,
        key=context.key,
        run=STAMP,
        settings=context.settings,
    )
    return EncodedPictures(
        context=context,
        maps=maps,
        drawn=drawn,
        colour=encode_colour_maps(context, drawn, maps),
        movie=movie,
        movie_object=encode_movie(context, movie),
        document=encode_document(context, [PAGE, PAGE[::-1].copy()], [page]),
    )


def _flow_map(context: ResultContext, position: int) -> ResultObject:
    flow = context.analysis.slices[position].flow
    assert flow is not None
    place = MapPlace(
        source=context.shown(position),
        images=context.decoded.sources.slices[position],
        series_source=context.numbering,
        position=position,
    )
    return encode_map(
        flow.flow_ml_min_g,
        FLOW,
        place,
        state=context.analysis.state,
        key=context.key,
        run=context.run,
        settings=context.settings,
    )
