"""Colour tables for flow: fixed window, the same for rest and stress."""

import numpy as np
from jaxtyping import Float
from matplotlib.colors import LinearSegmentedColormap, Normalize

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


def flow_window() -> Normalize:
    """Return the fixed display window."""
    return Normalize(*FLOW_WINDOW_ML_MIN_G, clip=True)


def ink_on(flow_ml_min_g: float) -> str:
    """Return black or white, whichever is read better on the colour of a flow."""
    if not np.isfinite(flow_ml_min_g):
        return "#ffffff"
    red, green, blue, _ = flow_colours()(flow_window()(flow_ml_min_g))
    return "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "#ffffff"


def colour_flow(
    flow_ml_min_g: Float[np.ndarray, "row column"],
    underlay: Float[np.ndarray, "row column"],
) -> Float[np.ndarray, "row column rgb"]:
    """Return a map in colour over a dimmed anatomical image where flow is unknown (NaN).

    Parameters
    ----------
    flow_ml_min_g
        Flow, ml/min/g; NaN shows the underlay.
    underlay
        Anatomical image, any scale.

    """
    low, high = np.percentile(underlay, [1, 99])
    grey = 0.45 * np.clip((underlay - low) / max(high - low, 1e-6), 0, 1)
    rgb = flow_colours()(flow_window()(np.nan_to_num(flow_ml_min_g)))[..., :3]
    known = np.isfinite(flow_ml_min_g)[..., None]
    return np.asarray(np.where(known, rgb, grey[..., None]), dtype=np.float64)
