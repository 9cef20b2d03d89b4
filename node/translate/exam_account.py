"""How one exam was read, for people: stacks, clock, state, and every number with its origin."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from models.physics import SaturationRecovery
from node.translate.account import ExamAccount, Fact, Origin, StackAccount
from node.translate.acquisition import Acquisition, Sourced
from node.translate.density_frames import DensityCount
from node.translate.states import StateReading
from node.translate.timed import TimedRun, TimedStack
from pipeline.findings import Code, Finding, Grade
from pipeline.types import ImageSeries

_ROLES = {"perfusion": "perfusion", "arterial_input": "arterial input"}
_WORDS = {
    "to_centre": "to the centre of k-space",
    "to_first_pulse": "to the first pulse",
    "echo_planar": "echo planar",
    "half_alpha": "half alpha",
}


_WEAKEST = (Origin.ASSUMED, Origin.CONFIGURATION)
"""What a number rests on is said by the least certain of its parts."""


def list_stacks(run: TimedRun, images: Sequence[ImageSeries]) -> tuple[StackAccount, ...]:
    """Return the beats of every slice, of the arterial input and of its second echo."""
    most = max(len(stack.time_us) - stack.n_own_density for stack in run.stacks)
    first, last = images[0].geometry, images[run.n_slices - 1].geometry
    normal = np.cross(first.row_direction, first.column_direction)
    if normal @ np.subtract(last.origin_mm, first.origin_mm) < 0:
        normal = -normal
    return tuple(
        StackAccount(
            name=stack.name,
            series_number=stack.headers[-1].series_number,
            shape=stack.stack.shape,
            spacing_mm=image.geometry.spacing_mm,
            position_mm=float(normal @ np.subtract(image.geometry.origin_mm, first.origin_mm)),
            time_s=tuple(image.time_s.tolist()),
            n_proton_density=image.n_proton_density,
            n_missing=most - (len(stack.time_us) - stack.n_own_density),
        )
        for stack, image in zip(run.stacks, images, strict=True)
    )


def list_facts(
    stack: TimedStack,
    known: Acquisition,
    density: DensityCount,
    sequence: SaturationRecovery | None,
) -> tuple[Fact, ...]:
    """Return the parameters of the signal model of one stack.

    Parameters
    ----------
    stack
        The stack.
    known
        What header and configuration tell.
    density
        Its proton-density frames.
    sequence
        What was made of it; None where too little is known.

    """
    facts = [*_sequence_facts(known, sequence), *_density_facts(known, density)]
    if known.readout.value == "balanced":
        facts.append(_fact("preparation", known.balanced_preparation))
        if known.balanced_preparation.value == "ramp":
            facts.append(_fact("ramp pulses", known.ramp_pulses))
    if known.readout.value == "echo_planar":
        facts.append(_fact("echoes of a shot", known.echo_train_length))
    role = _ROLES[stack.role]
    return tuple(replace(fact, name=f"{role}: {fact.name}") for fact in facts)


def join_facts(
    field_strength: Sourced[float], stacks: Sequence[tuple[Fact, ...]]
) -> tuple[Fact, ...]:
    """Return the facts of an exam: what several slices share is said once."""
    facts = [_fact("field strength", field_strength, "T")]
    for own in stacks:
        facts += [fact for fact in own if fact not in facts]
    return tuple(facts)


def note_assumptions(facts: Sequence[Fact]) -> Iterator[Finding]:
    """Say in one sentence what no header and no configuration said."""
    assumed = [fact.name.split(": ")[-1] for fact in facts if fact.origin is Origin.ASSUMED]
    if assumed:
        yield Finding(
            code=Code.UNSUPPORTED_SEQUENCE,
            grade=Grade.NOTE,
            text="Not in the headers and not set for this protocol, so shipped values were "
            f"assumed: {', '.join(dict.fromkeys(assumed))}.",
        )


def account_of(
    state: StateReading, run: TimedRun, stacks: tuple[StackAccount, ...], facts: tuple[Fact, ...]
) -> ExamAccount:
    """Return how an exam was read."""
    return ExamAccount(
        state=state.state,
        state_origin=state.fact,
        clock=str(run.clock),
        stacks=stacks,
        facts=facts,
    )


def _sequence_facts(known: Acquisition, sequence: SaturationRecovery | None) -> Iterator[Fact]:
    yield _fact("readout", known.readout)
    yield _fact("echo time", known.echo_time_ms, "ms")
    yield _fact("flip angle", known.flip_angle_deg, "deg")
    yield _fact("pulse spacing", known.pulse_spacing_ms, "ms")
    yield _fact("pulses before the centre of k-space", known.pulses_before_centre)
    yield _fact("partial Fourier", known.partial_fourier)
    if known.saturation_delay_ms.value is None:
        yield _fact("inversion time", known.inversion_time_ms, "ms")
        yield _fact("meaning of the inversion time", known.inversion_time_meaning)
    yield _saturation_delay(known, sequence)
    yield _fact("saturation efficiency", known.saturation_efficiency_percent, "%")


def _saturation_delay(known: Acquisition, sequence: SaturationRecovery | None) -> Fact:
    """Return the delay of the model, which usually follows from other numbers."""
    if known.saturation_delay_ms.value is not None:
        return _fact("saturation delay", known.saturation_delay_ms, "ms")
    if sequence is None:
        detail = "inversion time, its meaning, or the readout after it is not known or impossible"
        return _fact("saturation delay", Sourced(None, Origin.MISSING, detail), "ms")
    value = round(sequence.saturation_delay_s * 1e3, 6)
    if known.inversion_time_meaning.value == "to_first_pulse":
        parts: tuple[Sourced[float] | Sourced[int] | Sourced[str], ...] = ()
        detail = "inversion time"
    else:
        parts = (known.pulse_spacing_ms, known.pulses_before_centre)
        detail = "inversion time less the pulses before the centre of k-space"
    origins = {part.origin for part in (known.inversion_time_meaning, *parts)}
    origin = next((one for one in _WEAKEST if one in origins), known.inversion_time_ms.origin)
    return _fact("saturation delay", Sourced(value, origin, detail), "ms")


def _density_facts(known: Acquisition, density: DensityCount) -> Iterator[Fact]:
    yield _fact("proton-density frames", Sourced(density.count, density.origin, density.detail))
    if density.count:
        yield _fact("proton-density flip angle", known.proton_density_flip_angle_deg, "deg")


def _fact(name: str, known: Sourced[float] | Sourced[int] | Sourced[str], unit: str = "") -> Fact:
    value = known.value
    text = "" if value is None else value if isinstance(value, str) else f"{value:.6g}"
    return Fact(
        name=name,
        value=_WORDS.get(text, text),
        unit=unit,
        origin=known.origin,
        detail=known.detail,
    )
