"""Unlabelled pairs: which of two bolus runs is probably stress, as a proposal to confirm."""

import statistics
from collections.abc import Sequence
from itertools import pairwise

from node.translate.account import Origin
from node.translate.clock import read_clock
from node.translate.stacks import Stack
from node.translate.states import CONTRADICTION, StateReading
from pipeline.findings import Code, Finding, Grade
from pipeline.types import PatientState

_FASTER = 0.95
"""Beats of stress over beats of rest from which on a difference is worth a proposal."""

_OTHER = {PatientState.STRESS: PatientState.REST, PatientState.REST: PatientState.STRESS}


def propose_states(
    runs: Sequence[tuple[StateReading, Sequence[Stack]]],
) -> tuple[list[StateReading], list[Finding]]:
    """Return the readings, those that say nothing with a proposal, and a finding for each of these.

    Contrast given at stress lingers into rest and heart rates overlap between people, so the order
    and the length of the beats label nothing: state stays unknown until somebody confirms.

    Parameters
    ----------
    runs
        State and slices of each run, in order of time.

    """
    guesses = _guess(runs) if len(runs) == 2 else ["" for _ in runs]
    readings: list[StateReading] = []
    findings: list[Finding] = []
    for position, ((reading, _), guess) in enumerate(zip(runs, guesses, strict=True)):
        if reading.state is not PatientState.UNKNOWN:
            readings.append(reading)
            continue
        proposal = f"; {guess}, to be confirmed" if guess else ""
        readings.append(
            StateReading(
                state=PatientState.UNKNOWN,
                origin=Origin.MISSING,
                detail=reading.detail + proposal,
            )
        )
        run = "This run" if len(runs) == 1 else f"Bolus run {position + 1} of {len(runs)}"
        why = reading.detail if reading is CONTRADICTION else "not labelled as stress or rest"
        findings.append(
            Finding(
                code=Code.STATE_MISSING,
                grade=Grade.REVIEW,
                text=f"{run}: {why}{proposal}.",
            )
        )
    return readings, findings


def _guess(runs: Sequence[tuple[StateReading, Sequence[Stack]]]) -> list[str]:
    """Return in words what each run of a pair probably is; empty where nothing tells."""
    known = [reading.state for reading, _ in runs]
    if known != [PatientState.UNKNOWN] * 2:
        return [
            f"proposed: {_OTHER[other]}, as the other run is {other}" if other in _OTHER else ""
            for other in reversed(known)
        ]
    first, second = (_beat_s(slices) for _, slices in runs)
    if first is None or second is None or min(first, second) > _FASTER * max(first, second):
        return ["", ""]
    faster = PatientState.STRESS if first < second else PatientState.REST
    return [
        f"proposed: {state}, as its beats last {own:.2f} s and those of the other run {other:.2f} s"
        for state, own, other in ((faster, first, second), (_OTHER[faster], second, first))
    ]


def _beat_s(slices: Sequence[Stack]) -> float | None:
    """Return the median interval between the images of a slice."""
    clock = read_clock([stack.frames for stack in slices])
    if clock is None:
        return None
    times = sorted(clock.microseconds[0])
    return statistics.median(later - earlier for earlier, later in pairwise(times)) / 1e6
