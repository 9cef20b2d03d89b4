"""The white lists of a survey: which public elements tell something of their value, and what."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from node.translate.values import as_number, items_of, text_of, value_of
from node.translate.vocabulary import HIDDEN, Vocabulary, known_words

_TEXTS = {
    "SeriesDescription": Vocabulary.PROTOCOL,
    "ProtocolName": Vocabulary.PROTOCOL,
    "SequenceName": Vocabulary.PROTOCOL,
    "PulseSequenceName": Vocabulary.PROTOCOL,
    "ImageComments": Vocabulary.PROTOCOL,
    "ManufacturerModelName": Vocabulary.EQUIPMENT,
    "SoftwareVersions": Vocabulary.EQUIPMENT,
    "ImageType": Vocabulary.TERMS,
    "FrameType": Vocabulary.TERMS,
    "ComplexImageComponent": Vocabulary.TERMS,
    "ScanningSequence": Vocabulary.TERMS,
    "SequenceVariant": Vocabulary.TERMS,
    "ScanOptions": Vocabulary.TERMS,
    "MRAcquisitionType": Vocabulary.TERMS,
    "PatientPosition": Vocabulary.TERMS,
    "InPlanePhaseEncodingDirection": Vocabulary.TERMS,
    "PartialFourier": Vocabulary.TERMS,
    "SaturationRecovery": Vocabulary.TERMS,
    "InversionRecovery": Vocabulary.TERMS,
    "BodyPartExamined": Vocabulary.TERMS,
    "LossyImageCompression": Vocabulary.TERMS,
}
_NUMBERS = (
    "SeriesNumber", "AcquisitionNumber", "InstanceNumber", "NumberOfFrames", "EchoNumbers",
    "TemporalPositionIdentifier", "NumberOfTemporalPositions", "TemporalPositionTimeOffset",
    "CardiacNumberOfImages", "Rows", "Columns", "BitsStored", "PixelRepresentation",
    "SamplesPerPixel", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices",
    "ImageOrientationPatient", "ImagePositionPatient", "AcquisitionMatrix", "PercentSampling",
    "PercentPhaseFieldOfView", "MagneticFieldStrength", "ImagingFrequency", "RepetitionTime",
    "EchoTime", "EffectiveEchoTime", "EchoTrainLength", "InversionTime", "InversionTimes",
    "FlipAngle", "PixelBandwidth", "NumberOfAverages", "TriggerTime",
    "NominalCardiacTriggerDelayTime", "NominalInterval", "RRIntervalTimeNominal", "LowRRValue",
    "HighRRValue", "HeartRate", "IntervalsAcquired", "IntervalsRejected", "RescaleSlope",
    "RescaleIntercept", "ReferencedFrameNumber", "ParallelReductionFactorInPlane",
)  # fmt: skip
_CODE_SEQUENCES = (
    "PerformedProtocolCodeSequence",
    "ProcedureCodeSequence",
    "AnatomicRegionSequence",
    "PatientPhysiologicalStateCodeSequence",
    "InterventionDrugCodeSequence",
)
_SCHEMES = frozenset({"DCM", "SCT", "SRT", "LN"})
_CODE = re.compile(r"\d{5,9}(?:-\d)?|[A-Z]\d?-[0-9A-F]{4,5}|\d{5}-\d")
_MOST_SHOWN = 4
_LARGEST = 999_999
"""A larger number may be a date or the number of a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberSummary:
    """The values of one element over all images of a series."""

    n_images: int
    """Images that have the element."""
    n_distinct: int
    values: tuple[tuple[float | None, ...], ...]
    """All of them where there are few, else the smallest and the largest; None: too large."""


def texts_in(datasets: Sequence[Dataset]) -> dict[str, tuple[str, ...]]:
    """Return the known words of coded and free text, by keyword."""
    found = {
        keyword: {
            _shown_text(text, vocabulary)
            for dataset in datasets
            if (text := text_of(dataset, keyword))
        }
        for keyword, vocabulary in _TEXTS.items()
    }
    return {keyword: tuple(sorted(texts)) for keyword, texts in found.items() if texts}


def _shown_text(text: str, vocabulary: Vocabulary) -> str:
    """Return the known words; a scanner's name is shown whole or not, as Vida is a first name."""
    words = known_words(text, vocabulary)
    return HIDDEN if vocabulary is Vocabulary.EQUIPMENT and HIDDEN in words else words


def numbers_in(datasets: Sequence[Dataset]) -> dict[str, NumberSummary]:
    """Return the numbers of the elements on the list, by keyword."""
    found = {
        keyword: [numbers for dataset in datasets if (numbers := _numbers(dataset, keyword))]
        for keyword in _NUMBERS
    }
    return {keyword: _summary(values) for keyword, values in found.items() if values}


def standard_codes(dataset: Dataset) -> tuple[str, ...]:
    """Return codes of public schemes; a site's own code may be made from anything."""
    return tuple(
        f"{keyword} {code}" for keyword in _CODE_SEQUENCES for code in _codes(dataset, keyword)
    )


def _codes(dataset: Dataset, keyword: str) -> Iterator[str]:
    for item in items_of(dataset, keyword):
        scheme, value = text_of(item, "CodingSchemeDesignator"), text_of(item, "CodeValue")
        if scheme in _SCHEMES and _CODE.fullmatch(value):
            yield f"{scheme} {value}"


def _numbers(dataset: Dataset, keyword: str) -> tuple[float | None, ...]:
    value = value_of(dataset, keyword)
    if value is None:
        return ()
    parts = value if isinstance(value, MultiValue | list | tuple) else [value]
    return tuple(_shown(as_number(part)) for part in parts)


def _shown(number: float | None) -> float | None:
    return None if number is None or abs(number) > _LARGEST else float(f"{number:.7g}")


def _summary(values: Sequence[tuple[float | None, ...]]) -> NumberSummary:
    distinct = sorted(
        set(values), key=lambda parts: [(part is None, part or 0.0) for part in parts]
    )
    shown = distinct if len(distinct) <= _MOST_SHOWN else [distinct[0], distinct[-1]]
    return NumberSummary(n_images=len(values), n_distinct=len(distinct), values=tuple(shown))


def _order(parts: tuple[float | None, ...]) -> list[tuple[bool, float]]:
    return [(part is None, part or 0.0) for part in parts]
