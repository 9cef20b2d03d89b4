"""What names and declared image types tell about a series: hints, geometry and signal decide."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from node.settings import AcquisitionRule
from node.translate.equipment import MANUFACTURER
from node.translate.headers import FrameHeader
from node.translate.values import text_of

Role = Literal["perfusion", "arterial_input"]

EDGE = r"(?:^|[\W_\d])"
END = r"(?:[\W_\d]|$)"
_ARTERIAL_INPUT = re.compile(rf"{EDGE}(?:ds_?|lr_?)?aif{END}|low_?res", re.IGNORECASE)
_PERFUSION = re.compile(r"perf|first.?pass|tfl_sr|sr_tfl|fgret", re.IGNORECASE)
_CORRECTED = re.compile(rf"{EDGE}moco{END}", re.IGNORECASE)
_PROTON_DENSITY = re.compile(rf"{EDGE}pd(?:w|_?ref)?{END}|proton", re.IGNORECASE)
_MAP = re.compile(
    rf"{EDGE}(?:mbf|cbf|ttp|mtt|mpr|psi|auc|pbv){END}|map{END}|flow|up.?slope|time.to.peak",
    re.IGNORECASE,
)
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


def is_named_proton_density(frame: FrameHeader) -> bool:
    """Whether a series calls itself proton density."""
    return _PROTON_DENSITY.search(frame.names) is not None


def is_named_map(frame: FrameHeader) -> bool:
    """Whether a series calls itself a map: of flow, of times, of slopes."""
    return _MAP.search(frame.names) is not None


def is_own_result(frame: FrameHeader) -> bool:
    """Whether this software made the image."""
    return text_of(frame.dataset, "Manufacturer") == MANUFACTURER


def is_magnitude(frame: FrameHeader) -> bool:
    """Whether an image is not declared as phase, real or imaginary part."""
    component = text_of(frame.dataset, "ComplexImageComponent") or "MAGNITUDE"
    return component in {"MAGNITUDE", "MIXED"} and not _NOT_MAGNITUDE.intersection(
        frame.image_type[_COMPONENT : _COMPONENT + 1]
    )


def is_candidate(frame: FrameHeader) -> bool:
    """Whether an image can belong to a bolus run: a magnitude that this software did not make.

    Derived images stay: some scanners call filtered or registered images so, and they may be all
    that was sent. Maps drop out later, having no beats.
    """
    return is_magnitude(frame) and not is_own_result(frame)
