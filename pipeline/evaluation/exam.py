"""Put every method through one exam."""

from collections.abc import Collection, Iterator, Sequence

from jaxtyping import Float
from torch import Tensor

from models.networks import Networks, shipped_networks
from pipeline.evaluation.cases import (
    ARTERIAL_INPUT,
    Case,
    Subject,
    cases,
    slice_indices,
    slice_name,
    without_motion,
)
from pipeline.evaluation.contenders import Contender, Registration, register
from pipeline.evaluation.measure import StillView, measure, still_view
from pipeline.evaluation.records import Key, Record
from pipeline.motion import displacement_of_beats


def evaluate_exam(
    subject: Subject,
    contenders: Sequence[Contender],
    *,
    networks: Networks | None,
    weights: str,
    every_slice: bool,
    done: Collection[Key],
) -> Iterator[Record]:
    """Draw an exam and yield one record per method and series, where any is not yet done.

    The arterial-input series starts from what the same method found in the slice, as it does in an
    analysis.

    Parameters
    ----------
    subject
        Which exam.
    contenders
        Methods to run.
    networks
        Trained networks; None takes the shipped ones.
    weights
        Label of the weights.
    every_slice
        False takes one slice at random.
    done
        Results that exist already.

    """
    indices = slice_indices(subject.seed, subject.protocol.n_slices, every=every_slice)
    names = [slice_name(index) for index in indices] + [ARTERIAL_INPUT]
    wanted = {each: _wanted(names, each) for each in contenders}
    keys = [(contender, name) for contender, some in wanted.items() for name in some]
    if all(_key(subject, name, contender, weights) in done for contender, name in keys):
        return
    exam = subject.draw()
    views = _Views()
    found = networks or shipped_networks("cpu")
    chosen = cases(subject, exam, indices, network=found.segmentation)
    for contender in contenders:
        if all(_key(subject, name, contender, weights) in done for name in wanted[contender]):
            continue
        guess: tuple[Case, Registration] | None = None
        for case in (case for case in chosen if case.name in wanted[contender]):
            actual = without_motion(case) if contender is Contender.MOTION_FREE else case
            start = _guess_mm(guess, case) if case.is_arterial else None
            registration = register(contender, actual, networks=networks, guess_mm=start)
            guess = guess or (case, registration)
            view = views.of(actual, registration.motion.reference)
            yield measure(contender, actual, registration, view, weights=weights)


class _Views:
    """Remember the motion-free views of one exam: most methods share a reference frame."""

    def __init__(self) -> None:
        self._views: dict[tuple[int, int], tuple[Case, StillView]] = {}

    def of(self, case: Case, reference: int) -> StillView:
        """Return the view of a case at a frame, made once."""
        key = (id(case), reference)
        if key not in self._views:
            self._views[key] = (case, still_view(case, reference))
        return self._views[key][1]


def _wanted(names: Sequence[str], contender: Contender) -> Sequence[str]:
    """Return the series that a method is run on; elastix takes minutes for one, so slices only."""
    if contender is not Contender.ELASTIX:
        return names
    return [name for name in names if name != ARTERIAL_INPUT]


def _key(subject: Subject, name: str, contender: Contender, weights: str) -> Key:
    return (subject.split.value, subject.seed, name, contender.value, weights)


def _guess_mm(
    known: tuple[Case, Registration] | None, case: Case
) -> Float[Tensor, "time axis"] | None:
    """Return where the heart was in each beat according to the slice; None when nothing moved."""
    if known is None or not bool(known[1].motion.displacement.any()):
        return None
    source, registration = known
    return displacement_of_beats(
        registration.motion,
        time_s=source.series.time_s,
        at_s=case.series.time_s,
        spacing_mm=source.series.spacing_mm,
    )
