"""How result series are called in PACS: defaults, and what config.yaml may say instead."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator

SeriesName = Literal[
    "moco",
    "flow",
    "quality",
    "reserve",
    "flow_colour",
    "reserve_colour",
    "page",
    "pair_page",
    "movie",
    "parametric",
    "segmentation",
    "segments",
    "report",
    "pair_report",
    "document",
    "failure",
    "retraction",
]

DESCRIPTIONS: Mapping[SeriesName, str] = MappingProxyType(
    {
        "moco": "MOCO {source}",
        "flow": "MBF map {state} [ml/min/g]",
        "quality": "MBF fit quality R2 {state}",
        "reserve": "MPR map STRESS/REST [ratio]",
        "flow_colour": "MBF COLOUR {state} [ml/min/g]",
        "reserve_colour": "MPR COLOUR",
        "page": "MBF summary {state}",
        "pair_page": "MBF and MPR summary STRESS/REST",
        "movie": "Motion correction movie {state}",
        "parametric": "MBF float map {state} [ml/min/g]",
        "segmentation": "LV segmentation {state}",
        "segments": "AHA segments {state}",
        "report": "MBF report {state}",
        "pair_report": "MBF and MPR report STRESS and REST",
        "document": "Perfusion report {state}",
        "failure": "PERFUSION NOT AVAILABLE",
        "retraction": "Retraction: {source}",
    }
)
"""What each series is called; `{state}` is STRESS or REST, `{source}` the series that was
corrected, or why a result is withdrawn."""

LONGEST = 64
"""Letters of a long string (LO, PS3.5 6.2)."""
_PLACE = re.compile(r"\{[^{}]*\}?|\}")
_PLACES = {"{state}", "{source}"}


def checked_description(value: str) -> str:
    """Return a description, or raise ValueError with what is wrong in it."""
    if not value.strip() or len(value) > LONGEST or not value.isascii() or not value.isprintable():
        raise ValueError(f"1 to {LONGEST} printable ASCII characters")
    if "\\" in value:
        raise ValueError("no backslash: it divides the values of a DICOM element")
    unknown = sorted(set(_PLACE.findall(value)) - _PLACES)
    if unknown:
        raise ValueError(f"{unknown[0]} is neither {{state}} nor {{source}}")
    return value


Description = Annotated[str, AfterValidator(checked_description)]


def describe(
    name: SeriesName, configured: Mapping[SeriesName, str], *, state: str = "", source: str = ""
) -> str:
    """Return what a series is called.

    Parameters
    ----------
    name
        Which series.
    configured
        What config.yaml says; the default stands for what it does not name.
    state
        `stress` or `rest`; empty where both are in it.
    source
        Description of the series that it was made of.

    """
    text = configured.get(name, DESCRIPTIONS[name])
    filled = text.replace("{state}", state.upper() or "STRESS/REST").replace("{source}", source)
    return filled.strip()
