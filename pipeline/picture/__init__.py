"""Pure drawing: an analysis in, an RGB page out. No file, no identity, no clock.

`draw_page` is the one-look result of an exam, `draw_pair_page` that of stress and rest together;
`draw_failure_page` says in PACS why there is none. `draw_flow_maps` and `draw_reserve_maps` are for
viewers without colour tables, `draw_movie` shows what motion correction did.
"""

from pipeline.picture.colour_map import draw_flow_maps, draw_reserve_maps
from pipeline.picture.failure import draw_failure_page
from pipeline.picture.movie import Movie, draw_movie
from pipeline.picture.page import PAGE_SHAPE, Provenance, draw_page
from pipeline.picture.pair_page import draw_pair_page
from pipeline.picture.scale import ColourTable

__all__ = [
    "PAGE_SHAPE",
    "ColourTable",
    "Movie",
    "Provenance",
    "draw_failure_page",
    "draw_flow_maps",
    "draw_movie",
    "draw_page",
    "draw_pair_page",
    "draw_reserve_maps",
]
