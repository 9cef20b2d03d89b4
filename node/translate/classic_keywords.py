"""Attributes of Enhanced MR under the keywords of classic MR, which the rest of the node reads.

Sources: PS3.3 C.8.3.1 (classic MR Image), C.8.13.4 (MR Pulse Sequence), C.8.13.5 (functional groups
of Enhanced MR) and C.7.6.16.2 (functional groups of every multi-frame object).
"""

import re

from pydicom.dataset import Dataset

from node.translate.copying import replace_value
from node.translate.values import number_of, text_of, value_of

_MOMENT = re.compile(r"(\d{8})(\d{2}\d*(?:\.\d+)?)")
"""Date and time of a DT value; what follows is the distance from UTC (PS3.5 6.2)."""
_MAX_NAME = 16
"""Characters of a short string, which the name of a classic sequence is (PS3.5 6.2)."""


def add_classic_keywords(header: Dataset) -> None:
    """Write what the header of one frame says under the keywords of classic MR, in place.

    A classic keyword that is there already stays, except where that of the whole object stands
    in the way of that of the frame: image type and time of acquisition.
    """
    for keyword, classic, say in _SAME:
        text = say(header, keyword)
        if text and not text_of(header, classic):
            replace_value(header, classic, text)
    frame_type = value_of(header, "FrameType")
    if frame_type:
        replace_value(header, "ImageType", frame_type)
    _set_acquisition_time(header)
    _set_sequence(header)
    _set_encoding_direction(header)


def _set_acquisition_time(header: Dataset) -> None:
    """Take the time of the frame, else that of the object where no other is there."""
    own = text_of(header, "FrameAcquisitionDateTime")
    whole = text_of(header, "AcquisitionDateTime")
    if own:
        replace_value(header, "AcquisitionDateTime", own)
    match = _MOMENT.match(own or whole)
    if match and (own or not text_of(header, "AcquisitionTime")):
        replace_value(header, "AcquisitionDate", match.group(1))
        replace_value(header, "AcquisitionTime", match.group(2))


def _set_sequence(header: Dataset) -> None:
    """Say scanning sequence and variant in the words of classic MR (C.8.3.1.1)."""
    if not text_of(header, "ScanningSequence"):
        replace_value(header, "ScanningSequence", _scanning_sequence(header))
    if not text_of(header, "SequenceVariant"):
        replace_value(header, "SequenceVariant", _sequence_variant(header))


def _scanning_sequence(header: Dataset) -> list[str]:
    echo = text_of(header, "EchoPulseSequence")
    words = {"GRADIENT": ["GR"], "SPIN": ["SE"], "BOTH": ["SE", "GR"]}.get(echo, [])
    words += ["EP"] if text_of(header, "EchoPlanarPulseSequence") == "YES" else []
    # A saturation pulse has a delay too, and that may be written for inversion recovery only.
    is_inverted = text_of(header, "SaturationRecovery") != "YES"
    words += ["IR"] if is_inverted and text_of(header, "InversionRecovery") == "YES" else []
    return words or ["RM"]


def _sequence_variant(header: Dataset) -> list[str]:
    steady = text_of(header, "SteadyStatePulseSequence")
    words = ["SS"] if steady not in {"", "NONE"} else []
    words += ["SP"] if text_of(header, "Spoiling") not in {"", "NONE"} else []
    words += ["SK"] if text_of(header, "SegmentedKSpaceTraversal") == "PARTIAL" else []
    return words or ["NONE"]


def _set_encoding_direction(header: Dataset) -> None:
    """Write COL for COLUMN, and the acquisition matrix as four numbers (C.8.3.1)."""
    direction = text_of(header, "InPlanePhaseEncodingDirection")
    if direction == "COLUMN":
        replace_value(header, "InPlanePhaseEncodingDirection", "COL")
    frequency = int(number_of(header, "MRAcquisitionFrequencyEncodingSteps") or 0)
    phase = int(number_of(header, "MRAcquisitionPhaseEncodingStepsInPlane") or 0)
    if text_of(header, "AcquisitionMatrix") or not (frequency and phase):
        return
    is_row = direction == "ROW"
    matrix = [frequency, 0, 0, phase] if is_row else [0, frequency, phase, 0]
    replace_value(header, "AcquisitionMatrix", matrix)


def _decimal(header: Dataset, keyword: str) -> str:
    number = number_of(header, keyword)
    return "" if number is None else f"{number:.10g}"


def _integer(header: Dataset, keyword: str) -> str:
    return str(round(number_of(header, keyword) or 0)).removeprefix("0")


def _name(header: Dataset, keyword: str) -> str:
    return text_of(header, keyword)[:_MAX_NAME]


_SAME = (
    ("EffectiveEchoTime", "EchoTime", _decimal),
    ("InversionTimes", "InversionTime", _decimal),
    ("NominalCardiacTriggerDelayTime", "TriggerTime", _decimal),
    ("TransmitterFrequency", "ImagingFrequency", _decimal),
    ("RRIntervalTimeNominal", "NominalInterval", _integer),
    ("FrameAcquisitionNumber", "AcquisitionNumber", _integer),
    ("RFEchoTrainLength", "EchoTrainLength", _integer),
    ("GradientEchoTrainLength", "EchoTrainLength", _integer),
    ("PulseSequenceName", "SequenceName", _name),
    ("ResonantNucleus", "ImagedNucleus", text_of),
    ("FrameComments", "ImageComments", text_of),
)
"""Keyword of Enhanced MR, that of classic MR, how to write it; times in ms, frequencies in MHz."""
