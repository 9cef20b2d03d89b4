"""What every received series was taken for, and why: for the account of a study."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from pydicom.uid import (
    UID,
    EnhancedMRImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
    MRImageStorage,
)

from node.translate.account import Encoding, SeriesAccount, SeriesRole
from node.translate.headers import FrameHeader
from node.translate.roles import (
    is_corrected_by_scanner,
    is_magnitude,
    is_named_map,
    is_own_result,
)
from node.translate.runs import Run
from node.translate.stacks import MIN_BEATS, Stack, alike, gather_stacks, same_position
from node.translate.vendors import vendor_of

_ENCODINGS = {
    MRImageStorage: Encoding.CLASSIC,
    EnhancedMRImageStorage: Encoding.ENHANCED,
    LegacyConvertedEnhancedMRImageStorage: Encoding.LEGACY_CONVERTED,
}


def list_series(headers: Iterable[FrameHeader], runs: Sequence[Run]) -> tuple[SeriesAccount, ...]:
    """Return every series of a study in the order of series numbers.

    Parameters
    ----------
    headers
        All images that could be read.
    runs
        The bolus runs that were found; none when the study cannot be used.

    """
    return tuple(_describe(members, runs) for members in split_series(headers))


def split_series(headers: Iterable[FrameHeader]) -> tuple[tuple[FrameHeader, ...], ...]:
    """Return the images of every series, in the order of series numbers."""
    ordered = sorted(headers, key=lambda frame: (frame.series_number, frame.series_uid, frame.key))
    groups = groupby(ordered, key=lambda frame: (frame.series_number, frame.series_uid))
    return tuple(tuple(members) for _, members in groups)


def _describe(frames: tuple[FrameHeader, ...], runs: Sequence[Run]) -> SeriesAccount:
    first = frames[0]
    stacks = gather_stacks(frames)
    role, reason = _used_as(first.series_uid, runs) or _unused(frames, stacks, runs)
    n_passed_over = sum(not is_magnitude(frame) for frame in frames)
    if n_passed_over and role is not SeriesRole.NOT_MAGNITUDE:
        reason += f"; {n_passed_over} phase, real or imaginary images left out"
    vendor = vendor_of(first.dataset)
    return SeriesAccount(
        number=first.series_number,
        role=role,
        reason=reason,
        vendor="unknown" if vendor is None else vendor.name,
        encoding=_ENCODINGS.get(UID(first.sop_class_uid), Encoding.OTHER),
        transfer_syntax=", ".join(sorted({_syntax_name(frame) for frame in frames})),
        n_files=len({frame.path for frame in frames}),
        n_images=len(frames),
        shape=first.shape,
        n_positions=len(stacks),
    )


def transfer_syntax_of(frame: FrameHeader) -> str:
    """Return the UID of the transfer syntax of the file; empty where it is not known."""
    meta = getattr(frame.dataset, "file_meta", None)
    return str((meta or {}).get("TransferSyntaxUID", ""))


def _syntax_name(frame: FrameHeader) -> str:
    syntax = transfer_syntax_of(frame)
    return UID(syntax).name if syntax else "unknown"


def _used_as(series_uid: str, runs: Sequence[Run]) -> tuple[SeriesRole, str] | None:
    """Return what a series is in the runs; None when it is in none of them."""
    slices = [stack for run in runs for stack in run.slices]
    inputs = [run.arterial_input for run in runs if run.arterial_input is not None]
    echoes = [run.second_echo for run in runs if run.second_echo is not None]
    n_slices, n_inputs = _count(series_uid, slices), _count(series_uid, inputs)
    why = next((run.input_reason for run in runs if run.arterial_input in inputs), "")
    if n_slices and n_inputs:
        return SeriesRole.PERFUSION_WITH_INPUT, f"{_beats(slices)}; arterial input by {why}"
    if n_slices:
        return SeriesRole.PERFUSION, _beats(
            [stack for stack in slices if stack.frames[0].series_uid == series_uid]
        )
    if n_inputs:
        return SeriesRole.ARTERIAL_INPUT, why
    if _count(series_uid, echoes):
        return SeriesRole.SECOND_ECHO, "place and beats of the arterial input, later echo time"
    density = [frame for stack in (*slices, *inputs) for frame in stack.proton_density]
    if any(frame.series_uid == series_uid for frame in density):
        reason = "few images of the places of a run, shortly before it"
        return SeriesRole.PROTON_DENSITY, reason
    return None


def _count(series_uid: str, stacks: Iterable[Stack]) -> int:
    return sum(stack.frames[0].series_uid == series_uid for stack in stacks)


def _beats(stacks: Sequence[Stack]) -> str:
    counts = sorted({len(stack.frames) for stack in stacks})
    beats = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"{beats} images at each of {len(stacks)} positions"


def _unused(
    frames: Sequence[FrameHeader], stacks: Sequence[Stack], runs: Sequence[Run]
) -> tuple[SeriesRole, str]:
    """Return what a series that is in no run seems to be."""
    first = frames[0]
    most = max((len(stack.frames) for stack in stacks), default=0)
    for is_so, role, reason in (
        (is_own_result(first), SeriesRole.OWN_RESULT, "this software is the manufacturer"),
        (
            UID(first.sop_class_uid) not in _ENCODINGS,
            SeriesRole.OTHER,
            f"no MR images ({UID(first.sop_class_uid).name})",
        ),
        (
            not any(is_magnitude(frame) for frame in frames),
            SeriesRole.NOT_MAGNITUDE,
            "image type or complex image component",
        ),
        (
            any(_count(first.series_uid, run.not_parallel) for run in runs),
            SeriesRole.OTHER,
            "slices that are not parallel to those of the run",
        ),
        (
            most >= MIN_BEATS and _is_copy(stacks, runs),
            SeriesRole.COPY,
            "places of a run once more, "
            + (
                "corrected by the scanner" if is_corrected_by_scanner(first) else "derived or later"
            ),
        ),
        (
            most < MIN_BEATS and first.is_derived and is_named_map(first),
            SeriesRole.MAP,
            "derived, named as a map",
        ),
        (
            most < MIN_BEATS,
            SeriesRole.SCOUT if most else SeriesRole.OTHER,
            f"at most {most} images at a position",
        ),
    ):
        if is_so:
            return role, reason
    return SeriesRole.OTHER, "no perfusion in its names and no field that counts beats"


def _is_copy(stacks: Sequence[Stack], runs: Sequence[Run]) -> bool:
    places = [stack for run in runs for stack in run.stacks]
    return any(
        alike(stack, place) and same_position(stack.geometry, place.geometry)
        for stack in stacks
        for place in places
    )
