"""What names and declared image types tell about a series: hints, geometry and signal decide."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from node.settings import AcquisitionRule, StateRule
from node.translate.equipment import MANUFACTURER
from node.translate.headers import FrameHeader
from node.translate.values import text_of
from pipeline.types import PatientState

Role = Literal["perfusion", "arterial_input"]

_EDGE = r"(?:^|[\W_\d])"
_END = r"(?:[\W_\d]|$)"
_ARTERIAL_INPUT = re.compile(rf"{_EDGE}(?:ds_?|lr_?)?aif{_END}|low_?res", re.IGNORECASE)
_PERFUSION = re.compile(r"perf|first.?pass|tfl_sr|sr_tfl|fgret", re.IGNORECASE)
_CORRECTED = re.compile(rf"{_EDGE}moco{_END}", re.IGNORECASE)
_STRESS = re.compile(r"stress|adeno|regad|dipy|hyperem|vasodil", re.IGNORECASE)
_REST = re.compile(rf"{_EDGE}(?:rest|ruhe|repos){_END}", re.IGNORECASE)
_NOT_MAGNITUDE = frozenset({"P", "PHASE", "R", "REAL", "I", "IMAGINARY"})
_COMPONENT = 2  # image type value 3 of the scanners that write one


def find_rule(
    frame: FrameHeader, role: Role, rules: Iterable[AcquisitionRule]
) -> AcquisitionRule | None:
    """Return the first rule for a role whose pattern is in protocol name or series description."""
    return next(
        (
            rule
            for rule in rules
            if rule.role == role and rule.matches(frame.protocol, frame.station)
        ),
        None,
    )


def is_named(frame: FrameHeader, role: Role, rules: Sequence[AcquisitionRule]) -> bool:
    """Whether a rule, or the usual words, give a series this role."""
    usual = _PERFUSION if role == "perfusion" else _ARTERIAL_INPUT
    return find_rule(frame, role, rules) is not None or usual.search(frame.names) is not None


def is_corrected_by_scanner(frame: FrameHeader) -> bool:
    """Whether the scanner has registered the series already."""
    return _CORRECTED.search(frame.names) is not None


def is_candidate(frame: FrameHeader) -> bool:
    """Whether an image can belong to a bolus run: a magnitude that this software did not make.

    Derived images stay: some scanners call filtered or registered images so, and they may be all
    that was sent. Maps drop out later, having no beats.
    """
    if text_of(frame.dataset, "Manufacturer") == MANUFACTURER:
        return False
    component = text_of(frame.dataset, "ComplexImageComponent") or "MAGNITUDE"
    return component in {"MAGNITUDE", "MIXED"} and not _NOT_MAGNITUDE.intersection(
        frame.image_type[_COMPONENT : _COMPONENT + 1]
    )


def state_of(frames: Sequence[FrameHeader], states: Sequence[StateRule]) -> PatientState:
    """Return stress or rest: as the site says, else if the names say so without contradiction."""
    settled = {
        rule.state
        for frame in frames
        for rule in states
        if rule.matches(frame.protocol, frame.station)
    }
    if len(settled) == 1:
        return PatientState(settled.pop())
    names = " ".join(sorted({frame.names for frame in frames}))
    is_stress = _STRESS.search(names) is not None
    is_rest = _REST.search(names) is not None
    if is_stress == is_rest:
        return PatientState.UNKNOWN
    return PatientState.STRESS if is_stress else PatientState.REST
