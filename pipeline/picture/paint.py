"""Values of a quantity as colours on a page: maps, single fields, the bar that explains them."""

import numpy as np
from jaxtyping import Float
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure

from pipeline.picture.canvas import INK, RULE, Place
from pipeline.picture.scale import ColourScale, ColourTable, colours_of

_DIMMED = 0.45
"""Brightness of the image where the map has no number: no colour is as grey."""

Rgb = tuple[float, float, float]


def paint(
    values: Float[np.ndarray, "row column"],
    underlay: Float[np.ndarray, "row column"],
    scale: ColourScale,
    table: ColourTable,
) -> Float[np.ndarray, "row column rgb"]:
    """Return a map in colour over a dimmed anatomical image where it has no number (NaN).

    Parameters
    ----------
    values
        The map, in the unit of its scale; NaN shows the underlay.
    underlay
        Anatomical image, any scale.
    scale, table
        What a colour means.

    """
    low, high = np.percentile(underlay, [1, 99])
    grey = _DIMMED * np.clip((underlay - low) / max(high - low, 1e-6), 0, 1)
    rgb = colours_of(table)[scale.entry(values)] / 255
    known = np.isfinite(values)[..., None]
    return np.asarray(np.where(known, rgb, grey[..., None]), dtype=np.float64)


def colour_of(value: float, scale: ColourScale, table: ColourTable) -> Rgb:
    """Return the colour of one number, parts of 1."""
    entry = int(scale.entry(np.array([value], dtype=np.float64))[0])
    red, green, blue = (float(part) / 255 for part in colours_of(table)[entry])
    return red, green, blue


def ink_on(ground: Rgb) -> str:
    """Return black or white, whichever is read better on a colour (luma of ITU-R BT.601)."""
    red, green, blue = ground
    return "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "#ffffff"


def draw_bar(figure: Figure, place: Place, scale: ColourScale, table: ColourTable) -> None:
    """Draw the bar of a scale, a number at every whole step.

    Parameters
    ----------
    figure
        The page.
    place
        Of the bar; the numbers stand to its right, and below its top.
    scale, table
        What a colour means.

    """
    colours = ListedColormap(colours_of(table) / 255)
    axes = figure.add_axes(place)
    bar = figure.colorbar(ScalarMappable(Normalize(scale.low, scale.high), colours), cax=axes)
    bar.set_ticks([float(tick) for tick in scale.ticks])
    bar.ax.tick_params(colors=INK, labelsize=10)
    bar.outline.set_edgecolor(RULE)
