"""The numbers of a measurement report, read as any reader of TID 1500 would."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.dataset import Dataset

from node.translate.report_codes import (
    DERIVATION,
    GROUP,
    MEASUREMENTS,
    TIME_POINT,
    TRACKING_NAME,
    UNCERTAINTY,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedNumber:
    """One measurement of a report."""

    region: str
    """What the group is tracked by: `AHA 7`, `AHA 7 endocardial`, `global`."""
    time_point: str
    """`STRESS`, `REST` or `UNKNOWN`; empty for what comes of both."""
    code: str
    """Code value of the quantity."""
    derivation: str
    """`Mean`, `Median`, `Standard Deviation`; empty for a plain number."""
    value: float
    unit: str
    standard_error: float | None


def read_numbers(report: Dataset) -> tuple[ReceivedNumber, ...]:
    """Return all measurements of a report in their order."""
    return tuple(
        number
        for part in _named(report, MEASUREMENTS.value)
        for group in _named(part, GROUP.value)
        for number in _numbers_of(group)
    )


def _numbers_of(group: Dataset) -> Iterator[ReceivedNumber]:
    region = _text(group, TRACKING_NAME.value)
    time_point = _text(group, TIME_POINT.value)
    for item in group.ContentSequence:
        if item.ValueType == "NUM":
            (measured,) = item.MeasuredValueSequence
            errors = [float(one.MeasuredValueSequence[0].NumericValue) for one in _errors(item)]
            yield ReceivedNumber(
                region=region,
                time_point=time_point,
                code=_name(item),
                derivation=_derivation(item),
                value=float(measured.NumericValue),
                unit=str(measured.MeasurementUnitsCodeSequence[0].CodeValue),
                standard_error=errors[0] if errors else None,
            )


def _errors(item: Dataset) -> list[Dataset]:
    return _named(item, UNCERTAINTY.value)


def _derivation(item: Dataset) -> str:
    found = _named(item, DERIVATION.value)
    return str(found[0].ConceptCodeSequence[0].CodeMeaning) if found else ""


def _text(group: Dataset, name: str) -> str:
    found = _named(group, name)
    return str(found[0].TextValue) if found else ""


def _named(item: Dataset, name: str) -> list[Dataset]:
    """Return the children of an item by the code value of their names."""
    return [child for child in item.get("ContentSequence") or () if _name(child) == name]


def _name(item: Dataset) -> str:
    names = item.get("ConceptNameCodeSequence")
    return str(names[0].CodeValue) if names else ""
