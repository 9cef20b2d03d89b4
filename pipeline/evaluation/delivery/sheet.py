"""One frame of one series in all the ways in which it may be handed on."""

from collections.abc import Sequence

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from torch import Tensor

from models.networks import Networks
from pipeline.evaluation.cases import Case
from pipeline.evaluation.contours import Contours
from pipeline.evaluation.delivery.measure import register
from pipeline.evaluation.delivery.ways import Delivered, Way, deliver

_COLUMNS = 5
_SHOWN_MM = 75.0
"""Half of what is shown."""
_TRUE, _LOOKED_AT = "#58b4ff", "#ffc43c"


def contact_sheet(case: Case, networks: Networks, *, ways: Sequence[Way] = tuple(Way)) -> Canvas:
    """Return the reference frame in every way, with the true wall and where the heart was seen.

    Parameters
    ----------
    case
        The series.
    networks
        Trained networks.
    ways
        What is shown.

    """
    n_rows = -(-len(ways) // _COLUMNS)
    figure = Canvas(figsize=(2.3 * _COLUMNS, 2.5 * n_rows), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    for place, way in enumerate(ways):
        axes = figure.add_subplot(n_rows, _COLUMNS, place + 1)
        _draw(axes, deliver(case, way), case, networks)
        axes.set_title(way.value, fontsize=8)
    return figure


def _draw(axes: Axes, series: Delivered, case: Case, networks: Networks) -> None:
    motion = register(series, networks)
    picture = series.frames[motion.reference]
    middle = series.place(case.series.truth.epicardium_px.mean(dim=0))
    axes.imshow(picture.numpy(), cmap="gray", vmin=0, vmax=_white(picture))
    _outline(axes, series.contours(case.contours), motion.reference)
    if motion.heart_px is not None:
        axes.plot(motion.heart_px[1], motion.heart_px[0], "+", color=_LOOKED_AT, markersize=10)
    row_px, column_px = (_SHOWN_MM / size for size in series.spacing_mm)
    axes.set_xlim(float(middle[1]) - column_px, float(middle[1]) + column_px)
    axes.set_ylim(float(middle[0]) + row_px, float(middle[0]) - row_px)
    axes.set_facecolor("#404040")
    axes.set_xticks([])
    axes.set_yticks([])


def _white(picture: Float[Tensor, "row column"]) -> float:
    return max(float(picture.quantile(0.995)), 1e-12)


def _outline(axes: Axes, contours: Contours, frame: int) -> None:
    for points in (contours.inner_px[frame], contours.outer_px[frame]):
        axes.plot(points[:, 1], points[:, 0], ".", color=_TRUE, markersize=1.5)
