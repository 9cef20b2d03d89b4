"""Which series a bolus run has, and which images a series has."""

from collections.abc import Iterator, Sequence

from models.phantom import PhantomExam, PhantomSeries
from node.scanner.dialect import Dialect
from node.scanner.plane import short_axis_plane
from node.scanner.scanned import ScannedImage, ScannedSeries
from node.scanner.session import Session
from node.scanner.vendors import MANNERS

_PROTON_DENSITY = "_PD"
_N_BOLUS_SERIES = 2


def plan_series(
    exam: PhantomExam, session: Session, dialect: Dialect, *, declares_beats: bool
) -> Iterator[tuple[ScannedImage, ...]]:
    """Yield the images of the arterial-input series, then of the perfusion series, beat by beat.

    Echoes of one beat follow one another in one series. Where proton-density frames are series of
    their own, these come first.
    """
    second = exam.arterial_input_second_echo
    echoes = (exam.arterial_input,) if second is None else (exam.arterial_input, second)
    n_first = exam.arterial_input.n_proton_density if dialect.has_proton_density_series else 0
    n_beats = len(exam.arterial_input.time_s)
    for is_reference, beats in ((True, range(n_first)), (False, range(n_first, n_beats))):
        if not beats:
            continue
        for is_input, stacks in ((True, echoes), (False, exam.slices)):
            name = MANNERS[dialect.vendor].name(exam.state, is_input=is_input)
            name += _PROTON_DENSITY if is_reference else ""
            number = session.series_number(exam.state) + (0 if is_input else 1)
            number += _N_BOLUS_SERIES if is_reference else 0
            series = ScannedSeries(
                session=session,
                exam=exam,
                description=name,
                number=number,
                identity=(exam.state, name, str(number), *dialect.key),
                beats=beats,
                is_proton_density=is_reference,
                declares_beats=declares_beats,
            )
            yield tuple(_images(series, stacks))


def _images(series: ScannedSeries, stacks: Sequence[PhantomSeries]) -> Iterator[ScannedImage]:
    planes = [
        short_axis_plane(
            (item.frames.shape[1], item.frames.shape[2]), item.spacing_mm, item.offset_mm
        )
        for item in stacks
    ]
    instance = 0
    for beat in series.beats:
        for stack, (item, plane) in enumerate(zip(stacks, planes, strict=True)):
            instance += 1
            yield ScannedImage(
                series=series,
                phantom=item,
                plane=plane,
                beat=beat,
                stack=stack,
                instance=instance,
            )
