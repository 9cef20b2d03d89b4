"""Numbers of the series that a study leads to (`results.series_number_factor`)."""

STRESS, REST = 1200, 2200
ARTERIAL_INPUT = 1100
MOCO, FLOW, QUALITY, RESERVE, PARAMETRIC, ANATOMY, SEGMENTS = 1, 2, 3, 4, 5, 6, 7
COLOUR, REPORT, PAGE, DOCUMENT, MOVIE = 9, 10, 11, 12, 14
RESERVE_COLOUR, PAIR_PAGE = 15, 16
