"""All pictures of the evidence, written to one folder."""

from collections.abc import Sequence
from pathlib import Path

from models.phantom import Breathing
from pipeline.evaluation.contenders import OURS, Contender
from pipeline.evaluation.pictures import failures_picture, movie
from pipeline.evaluation.plots import methods_plot, phases_plot, time_plot
from pipeline.evaluation.records import Record
from pipeline.evaluation.scenes import scene_of, typical_of, worst_of


def draw_gallery(records: Sequence[Record], folder: Path) -> tuple[str, ...]:
    """Draw what the results allow, and return the names of the files.

    Parameters
    ----------
    records
        All results; the worst and the typical cases are registered anew.
    folder
        Where the files are written.

    """
    if not records:
        return ()
    names = ["motion_methods.png", "motion_phases.png", "motion_time.png"]
    for name, plot in zip(names, (methods_plot, phases_plot, time_plot), strict=True):
        plot(records).savefig(folder / name)
    worst = [found for contender in OURS if (found := worst_of(records, contender)) is not None]
    if worst:
        scenes = [scene_of(record, networks=None) for record in worst]
        failures_picture(scenes).savefig(folder / "motion_failures.png")
        names.append("motion_failures.png")
    typical = typical_of(records, Contender.AUTO, Breathing.FREE.value)
    if typical is not None:
        (folder / "motion_movie.gif").write_bytes(movie(scene_of(typical, networks=None)))
        names.append("motion_movie.gif")
    return tuple(names)
