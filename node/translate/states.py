"""Stress or rest: as the site says, else by names, else by standard codes; never by a guess.

Where nothing says it and a study has exactly two bolus runs, the run of the faster heart is
proposed as stress. A proposal labels nothing: it is a finding that asks for confirmation.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from node.settings import StateRule
from node.translate.account import Fact, Origin
from node.translate.headers import FrameHeader
from node.translate.roles import EDGE, END
from node.translate.values import items_of, text_of
from pipeline.types import PatientState

_WORDS = {
    PatientState.STRESS: re.compile(
        r"stress|adeno|regad|dipy|hyperem|vasodil|dobut", re.IGNORECASE
    ),
    PatientState.REST: re.compile(rf"{EDGE}(rest|ruhe|repos){END}|resting", re.IGNORECASE),
}
_FIELDS = {
    "SeriesDescription": "series description",
    "ProtocolName": "protocol name",
    "SequenceName": "sequence name",
    "ImageComments": "image comments",
    "ImageType": "image type",
}
_CODES = {
    # CID 3101 and 3102, cardiac procedure state values.
    ("432655005", "SCT"): PatientState.STRESS,
    ("109091", "DCM"): PatientState.STRESS,
    ("128975004", "SCT"): PatientState.REST,
    ("F-01602", "SRT"): PatientState.REST,
    # CID 3261, stress protocols.
    ("424444005", "SCT"): PatientState.STRESS,
    ("422685009", "SCT"): PatientState.STRESS,
    ("424225000", "SCT"): PatientState.STRESS,
    ("424064009", "SCT"): PatientState.STRESS,
    # CID 3757 and LOINC, procedures.
    ("431609005", "SCT"): PatientState.STRESS,
    ("58750-1", "LN"): PatientState.STRESS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StateReading:
    """Stress, rest or unknown, and what told it."""

    state: PatientState
    origin: Origin
    detail: str

    @property
    def fact(self) -> Fact:
        """The reading as it is shown."""
        return Fact(
            name="state",
            value="" if self.state is PatientState.UNKNOWN else str(self.state),
            unit="",
            origin=self.origin,
            detail=self.detail,
        )


NOT_SAID = StateReading(
    state=PatientState.UNKNOWN,
    origin=Origin.MISSING,
    detail="neither names, standard codes nor config.yaml say stress or rest",
)
CONTRADICTION = StateReading(
    state=PatientState.UNKNOWN,
    origin=Origin.MISSING,
    detail="the series say both stress and rest",
)


def read_state(frames: Sequence[FrameHeader], states: Sequence[StateRule]) -> StateReading:
    """Return what one series says of itself.

    A rule of the site outweighs names, and names outweigh codes.

    Parameters
    ----------
    frames
        The images of one series.
    states
        What the names of the site mean.

    """
    found = [
        join(readings)
        for readings in (_by_rule(frames, states), _by_name(frames), _by_patient_state(frames))
    ]
    decided = [reading for reading in found if reading.state is not PatientState.UNKNOWN]
    if decided:
        return decided[0]
    return CONTRADICTION if CONTRADICTION in found else NOT_SAID


def read_procedure_state(frames: Iterable[FrameHeader]) -> StateReading:
    """Return what the code of the performed protocol says: it may be that of the whole study."""
    return join(
        StateReading(state=state, origin=Origin.HEADER, detail="code of the performed protocol")
        for header in _distinct(frames)
        for state in _coded_states(items_of(header, "PerformedProtocolCodeSequence"))
    )


def join(readings: Iterable[StateReading]) -> StateReading:
    """Return the reading that others do not contradict."""
    said = [reading for reading in readings if reading is not NOT_SAID]
    if not said:
        return NOT_SAID
    return said[0] if len({reading.state for reading in said}) == 1 else CONTRADICTION


def _by_rule(frames: Sequence[FrameHeader], states: Sequence[StateRule]) -> Iterator[StateReading]:
    names = {(frame.protocol, frame.station) for frame in frames}
    for protocol, station in sorted(names):
        rule = next((rule for rule in states if rule.matches(protocol, station)), None)
        if rule is not None:
            yield StateReading(
                state=PatientState(rule.state),
                origin=Origin.CONFIGURATION,
                detail=f"states, pattern {rule.pattern!r}",
            )


def _by_name(frames: Sequence[FrameHeader]) -> Iterator[StateReading]:
    for keyword, field in _FIELDS.items():
        texts = {text_of(frame.dataset, keyword) for frame in frames}
        for state, pattern in _WORDS.items():
            match = next((found for text in sorted(texts) if (found := pattern.search(text))), None)
            if match is not None:
                word = match.group(match.lastindex or 0).lower()
                yield StateReading(
                    state=state, origin=Origin.NAME, detail=f"{word!r} in the {field}"
                )


def _by_patient_state(frames: Sequence[FrameHeader]) -> Iterator[StateReading]:
    """Read codes that speak of the patient during this series, or of the drug that was given."""
    for header in _distinct(frames):
        for sequence, codes, detail in (
            (
                "PatientPhysiologicalStateSequence",
                "PatientPhysiologicalStateCodeSequence",
                "code of the physiological state",
            ),
            ("InterventionSequence", "InterventionDrugCodeSequence", "code of the drug given"),
        ):
            for item in items_of(header, sequence):
                for state in _coded_states(items_of(item, codes)):
                    yield StateReading(state=state, origin=Origin.HEADER, detail=detail)


def _distinct(frames: Iterable[FrameHeader]) -> Iterator[Dataset]:
    """Return one header per series: codes do not change from image to image."""
    seen: set[str] = set()
    for frame in frames:
        if frame.series_uid not in seen:
            seen.add(frame.series_uid)
            yield frame.dataset


def _coded_states(codes: Iterable[Dataset]) -> Iterator[PatientState]:
    for code in codes:
        known = _CODES.get((text_of(code, "CodeValue"), text_of(code, "CodingSchemeDesignator")))
        if known is not None:
            yield known
            continue
        meaning = text_of(code, "CodeMeaning")
        for state, pattern in _WORDS.items():
            if pattern.search(meaning):
                yield state
