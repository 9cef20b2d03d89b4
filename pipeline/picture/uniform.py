"""A colour table in which equal steps of a quantity look equally far apart.

It is a path through CIELAB (CIE 1976, ISO/CIE 11664-4) along which lightness rises evenly and so
does the way through the plane of colours: every step has the same colour difference, and what a
colour-blind eye or a grey print keeps, lightness, is in proportion to the quantity.
"""

from functools import cache

import numpy as np
from jaxtyping import Float, UInt8
from scipy.interpolate import CubicSpline

N_COLOURS = 256

_LIGHTNESS = (0.0, 97.0)
_PATH = (
    (0.0, 0.0),  # black
    (14.0, -28.0),  # dark blue
    (34.0, -50.0),  # blue
    (60.0, -32.0),  # purple
    (60.0, 14.0),  # red
    (38.0, 54.0),  # orange
    (4.0, 62.0),  # yellow
    (-4.0, 18.0),  # pale yellow
)
"""Way through the plane of colours: a* (green to red), b* (blue to yellow)."""
_FINE = 4096
_WHITE = np.array([0.95047, 1.0, 1.08883])
"""D65, the white of sRGB (IEC 61966-2-1)."""
_TO_LINEAR_RGB = np.array(
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
)
"""XYZ to linear sRGB (IEC 61966-2-1)."""


@cache
def uniform_colours() -> UInt8[np.ndarray, "entry 3"]:
    """Return the table as RGB: black, blue, purple, red, orange, yellow, nearly white."""
    knots = np.array(_PATH)
    path = CubicSpline(np.arange(len(knots)), knots, bc_type="natural")
    fine = path(np.linspace(0, len(knots) - 1, _FINE))
    length = np.concatenate([[0.0], np.hypot(*np.diff(fine, axis=0).T).cumsum()])
    even = np.linspace(0, length[-1], N_COLOURS)
    lightness = np.linspace(*_LIGHTNESS, N_COLOURS)
    lab = np.stack([lightness, *(np.interp(even, length, axis) for axis in fine.T)], axis=1)
    return np.asarray(np.rint(255 * lab_to_rgb(lab).clip(0, 1)), dtype=np.uint8)


def lab_to_rgb(lab: Float[np.ndarray, "entry 3"]) -> Float[np.ndarray, "entry 3"]:
    """Return sRGB of CIELAB colours; outside 0-1 where a screen has no such colour.

    With f = (L* + 16)/116 + (a*/500, 0, -b*/200): XYZ = white f³ where f > 6/29, else
    white 3 (6/29)² (f - 4/29) (ISO/CIE 11664-4).

    Parameters
    ----------
    lab
        L* (0-100), a*, b*. Shape `(entry, 3)`.

    """
    lightness, green_red, blue_yellow = lab.T
    middle = (lightness + 16) / 116
    f = np.stack([middle + green_red / 500, middle, middle - blue_yellow / 200], axis=1)
    xyz = _WHITE * np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    linear = xyz @ _TO_LINEAR_RGB.T
    bent = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    return np.asarray(np.where(linear > 0.0031308, bent, 12.92 * linear), dtype=np.float64)
