"""Pure drawing: an analysis in, an RGB page out. No file, no identity, no clock.

`draw_page` is the one-look result of an exam, `draw_pair_page` that of stress and rest together;
`draw_failure_page` says in PACS why there is none.
"""

from pipeline.picture.failure import draw_failure_page
from pipeline.picture.page import PAGE_SHAPE, Provenance, draw_page
from pipeline.picture.pair_page import draw_pair_page

__all__ = ["PAGE_SHAPE", "Provenance", "draw_failure_page", "draw_page", "draw_pair_page"]
