"""Register every series of an exam: the slices side by side, then the arterial-input series.

First the heart is looked for in all of them, since they show the same one (`pipeline.hearts`).

The arterial-input series is coarse. The slice next to it saw the same beats in more detail, so the
search for the motion of the blood pool starts from what that slice found.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

import torch
from jaxtyping import Float
from torch import Tensor

from models.networks import Networks
from pipeline.hearts import find_hearts
from pipeline.motion import Method, correct, displacement_of_beats
from pipeline.segment import HeartRegion
from pipeline.types import Exam, Geometry, ImageSeries, MotionCorrection, Progress, Vector

_Guess = Float[Tensor, "time axis"] | None
_SAME_DIRECTION = 0.99
"""Cosine between the axes of two series from which on a displacement in one holds in the other."""


def register_exam(
    exam: Exam,
    *,
    method: Method,
    networks: Networks | None,
    progress: Progress,
    n_parallel: int,
) -> tuple[MotionCorrection, ...]:
    """Return the slices, registered, and after them the arterial-input series if there is one.

    Parameters
    ----------
    exam
        Slices and arterial-input series on one clock.
    method
        How motion is corrected.
    networks
        Trained networks; None takes the shipped ones.
    progress
        Called with the stage and the fraction done.
    n_parallel
        Series that are registered side by side; the result does not depend on it.

    """
    arterial = () if exam.arterial_input is None else (exam.arterial_input,)
    every = (*exam.slices, *arterial)
    shares = _Shares(progress, len(every))
    hearts = _hearts(every, networks, n_parallel)

    def _register(place: int, series: ImageSeries, guess: Callable[[], _Guess]) -> MotionCorrection:
        # The mode belongs to the thread, not to the caller.
        with torch.inference_mode():
            return correct(
                series.frames,
                spacing_mm=series.geometry.spacing_mm,
                n_proton_density=series.n_proton_density,
                method=method,
                networks=networks,
                guess_mm=guess(),
                heart=hearts[place],
                progress=shares.part(place),
            )

    with ThreadPoolExecutor(n_parallel) as threads:
        # Begun in this order, so what the last one waits for is always running or done.
        tasks = [
            threads.submit(_register, place, series, lambda: None)
            for place, series in enumerate(exam.slices)
        ]
        tasks += [
            threads.submit(_register, len(exam.slices), series, _guess_from(exam, tasks))
            for series in arterial
        ]
        return tuple(task.result() for task in tasks)


def _hearts(
    series: Sequence[ImageSeries], networks: Networks | None, n_parallel: int
) -> tuple[HeartRegion | None, ...]:
    """Find the heart in every series; without networks each series is left to itself."""
    network = None if networks is None else networks.segmentation
    if network is None:
        return (None,) * len(series)
    return find_hearts(series, network, n_parallel=n_parallel)


def _guess_from(exam: Exam, tasks: list[Future[MotionCorrection]]) -> Callable[[], _Guess]:
    """Return the function that waits for the slice next to the arterial-input series and asks it.

    It knows nothing when no slice lies as that series does, or when that slice stayed as it was.
    """
    target = exam.arterial_input
    nearest = None if target is None else _nearest_slice(exam.slices, target.geometry)

    def _guess() -> _Guess:
        if target is None or nearest is None:
            return None
        motion, known = tasks[nearest].result(), exam.slices[nearest]
        if not bool(motion.displacement.any()):
            return None
        return displacement_of_beats(
            motion,
            time_s=known.time_s,
            at_s=target.time_s,
            spacing_mm=known.geometry.spacing_mm,
        )

    return _guess


def _nearest_slice(slices: tuple[ImageSeries, ...], target: Geometry) -> int | None:
    """Return which of the slices with the same image axes has its plane nearest to another one."""
    found = {
        place: _distance_mm(series.geometry, target)
        for place, series in enumerate(slices)
        if _lie_alike(series.geometry, target)
    }
    return min(found, key=lambda place: found[place], default=None)


def _lie_alike(first: Geometry, second: Geometry) -> bool:
    along = _dot(first.row_direction, second.row_direction)
    down = _dot(first.column_direction, second.column_direction)
    return min(along, down) >= _SAME_DIRECTION


def _distance_mm(first: Geometry, second: Geometry) -> float:
    """Return how far the origin of one lies from the plane of the other."""
    row, column = torch.tensor((second.row_direction, second.column_direction))
    normal = torch.linalg.cross(row, column)
    step = torch.tensor(first.origin_mm) - torch.tensor(second.origin_mm)
    return abs(float(normal @ step))


def _dot(first: Vector, second: Vector) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))


class _Shares:
    """Join the progress of series that are registered side by side into one."""

    def __init__(self, report: Progress, n_series: int) -> None:
        self._report = report
        self._done = [0.0] * n_series
        self._lock = Lock()

    def part(self, place: int) -> Progress:
        """Return the callback of one series."""

        def _advance(_stage: str, fraction: float) -> None:
            with self._lock:
                self._done[place] = max(self._done[place], fraction)
                self._report("motion correction", sum(self._done) / len(self._done))

        return _advance
