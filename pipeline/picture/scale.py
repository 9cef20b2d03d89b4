"""What a colour means: a table of colours on a fixed range of one quantity."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float, UInt8

from pipeline.picture.colour import FLOW_WINDOW_ML_MIN_G, flow_colours
from pipeline.picture.uniform import N_COLOURS, uniform_colours


class ColourTable(StrEnum):
    """Tables that can be chosen."""

    PERFUSION = "perfusion"
    """As usual on perfusion maps; high flows look alike."""
    UNIFORM = "uniform"
    """Equal steps look equally far apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourScale:
    """The range of one quantity; never fitted to an image, so that colours can be compared."""

    quantity: str
    unit: str
    """Empty for a ratio."""
    low: float
    high: float
    n_decimals: int
    """That a number of this quantity is shown with."""

    @property
    def title(self) -> str:
        """Quantity and unit, as above a scale bar."""
        return f"{self.quantity} [{self.unit}]" if self.unit else self.quantity

    @property
    def ticks(self) -> tuple[int, ...]:
        """Whole numbers of the range."""
        return tuple(range(round(self.low), round(self.high) + 1))

    def entry(self, values: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
        """Return the entry of a table for each value; the ends stand for all beyond them."""
        part = np.nan_to_num((values - self.low) / (self.high - self.low))
        return np.asarray(np.rint((N_COLOURS - 1) * part.clip(0, 1)), dtype=np.uint8)


FLOW_SCALE = ColourScale(
    quantity="MBF",
    unit="ml/min/g",
    low=FLOW_WINDOW_ML_MIN_G[0],
    high=FLOW_WINDOW_ML_MIN_G[1],
    n_decimals=2,
)
RESERVE_SCALE = ColourScale(quantity="MPR", unit="", low=0.0, high=5.0, n_decimals=1)


def colours_of(table: ColourTable) -> UInt8[np.ndarray, "entry 3"]:
    """Return a table as RGB."""
    if table is ColourTable.UNIFORM:
        return uniform_colours()
    rgb = flow_colours()(np.linspace(0, 1, N_COLOURS))[:, :3]
    return np.asarray(np.rint(255 * rgb), dtype=np.uint8)
