"""Which leading frames of a stack are proton density, and what told it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from node.translate.account import Origin
from node.translate.headers import FrameHeader
from node.translate.proton_density import MAX_FRAMES, MIN_DROP, Images, agree, count_proton_density
from node.translate.roles import is_named_proton_density
from node.translate.timed import TimedStack
from node.translate.values import number_of
from pipeline.findings import Code, Finding, Grade

_READOUT = ("FlipAngle", "InversionTime")


@dataclass(frozen=True, slots=True, kw_only=True)
class DensityCount:
    """How many leading frames of a stack are proton density."""

    count: int
    origin: Origin
    detail: str
    has_own_header: bool
    """Whether the headers of these frames speak of these frames, not of the whole series."""


def count_density(
    stacks: Sequence[TimedStack], frames: Sequence[Images], *, n_voters: int
) -> tuple[list[DensityCount], list[Finding]]:
    """Return the proton-density frames of every stack, and what was noticed.

    Frames of a series of their own are known, and some headers tell each frame for itself. In all
    other stacks the signal decides, and the stacks of a run must agree.

    Parameters
    ----------
    stacks
        Slices, arterial input, second echo.
    frames
        Their images, in the same order.
    n_voters
        How many of the stacks have a vote: a second echo shows the frames of the first one again.

    """
    told = [_told(stack) for stack in stacks]
    votes = [
        count_proton_density(images)
        for images, known in zip(frames[:n_voters], told[:n_voters], strict=True)
        if known is None
    ]
    agreed = agree(votes) if votes else 0
    seen = DensityCount(
        count=agreed,
        origin=Origin.SIGNAL,
        detail="leading frames without saturation" if agreed else "no leading frames stand out",
        has_own_header=False,
    )
    return [seen if known is None else known for known in told], list(_disagreement(votes))


def is_density(stack: TimedStack, frames: Images) -> bool:
    """Whether the frames of another series are proton density: by name, or by their signal."""
    count = stack.n_own_density
    if is_named_proton_density(stack.headers[0]):
        return True
    baseline = float(frames[count : count + 3].mean())
    return float(frames[:count].mean()) > MIN_DROP * baseline


def _told(stack: TimedStack) -> DensityCount | None:
    if stack.n_own_density:
        return DensityCount(
            count=stack.n_own_density,
            origin=Origin.HEADER,
            detail=f"series {stack.headers[0].series_number} of its own",
            has_own_header=True,
        )
    count = _count_by_header(stack.headers)
    if count == 0:
        return None
    return DensityCount(
        count=count,
        origin=Origin.HEADER,
        detail="flip angle or inversion time of the leading frames",
        has_own_header=True,
    )


def _count_by_header(headers: Sequence[FrameHeader]) -> int:
    """Count leading frames that are read in another way than all later ones."""
    readouts = [
        tuple(number_of(header.dataset, keyword) or 0.0 for keyword in _READOUT)
        for header in headers
    ]
    (usual, _), *others = Counter(readouts).most_common()
    if not others:
        return 0
    count = next((index for index, readout in enumerate(readouts) if readout == usual), 0)
    is_clean = count <= MAX_FRAMES and set(readouts[count:]) == {usual}
    return count if is_clean else 0


def _disagreement(votes: Sequence[int]) -> list[Finding]:
    if len(set(votes)) < 2:
        return []
    return [
        Finding(
            code=Code.UNSUPPORTED_SEQUENCE,
            grade=Grade.REVIEW,
            text=f"The slices disagree on the number of proton-density frames "
            f"({min(votes)} to {max(votes)}); {agree(votes)} was used.",
        )
    ]
