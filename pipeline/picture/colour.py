"""Colours of flow and of territories; the window is fixed, the same for rest and stress."""

from matplotlib.colors import LinearSegmentedColormap

from pipeline.regions import Territory

FLOW_WINDOW_ML_MIN_G = (0.0, 6.0)
"""Never auto-windowed: the same colour is the same flow on every page."""

_KNOTS = (
    (0.00, (0.00, 0.00, 0.00)),
    (0.75, (0.10, 0.12, 0.72)),
    (1.50, (0.50, 0.18, 0.78)),
    (2.25, (0.90, 0.30, 0.38)),
    (3.25, (1.00, 0.62, 0.22)),
    (4.50, (1.00, 0.92, 0.50)),
    (6.00, (1.00, 1.00, 1.00)),
)
"""Flow in ml/min/g -> RGB; lightness rises monotonically so that order survives in grey."""

TERRITORY_COLOURS = {
    Territory.LAD: "#ffe14d",
    Territory.LCX: "#ff4f45",
    Territory.RCA: "#4fdc6a",
}
"""As on other perfusion reports; always with letters, for the colour-blind."""
TERRITORY_NAMES = {Territory.LAD: "LAD", Territory.LCX: "LCx", Territory.RCA: "RCA"}
NO_NUMBER = "#4a525a"
"""A region without a number: grey, which no flow is."""


def flow_colours() -> LinearSegmentedColormap:
    """Return the perfusion table: black, blue, violet, red, orange, yellow, white."""
    low, high = FLOW_WINDOW_ML_MIN_G
    knots = [((flow - low) / (high - low), rgb) for flow, rgb in _KNOTS]
    return LinearSegmentedColormap.from_list("perfusion", knots, N=256)
