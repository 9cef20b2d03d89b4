"""What produced a picture, as it is burned into it: no identity, only methods and versions."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.types import Analysis

_SEPARATOR = "   |   "


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What produced a picture; burned into it."""

    software: str
    created: str
    label: str
    """Research-use wording."""
    motion: str
    """Methods of motion correction and the networks they used."""
    assumptions: tuple[str, ...] = ()
    """Values that no header and no configuration told, in words."""


def foot_lines(analysis: Analysis, provenance: Provenance) -> tuple[str, str]:
    """Return the two lines at the foot of a picture: who made it and when; by which methods."""
    identity = (provenance.label, provenance.software, provenance.created)
    return _SEPARATOR.join(part for part in identity if part), method_line((analysis,), provenance)


def method_line(analyses: Sequence[Analysis], provenance: Provenance) -> str:
    """Return by which methods the analyses that a picture shows were made."""
    sources = {str(one.arterial_input.source) for one in analyses if one.arterial_input is not None}
    models = {
        str(result.flow.model)
        for one in analyses
        for result in one.slices
        if result.flow is not None
    }
    parts = (
        f"motion: {provenance.motion}",
        f"arterial input: {', '.join(sorted(sources)) or 'none'}",
        f"model: {', '.join(sorted(models)) or 'none'}",
    )
    return _SEPARATOR.join(parts)


def assumed_line(provenance: Provenance) -> str:
    """Return what the numbers rest on without anybody having said so."""
    return f"assumed: {'; '.join(provenance.assumptions) or 'nothing'}"
