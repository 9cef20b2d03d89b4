"""What produced a picture, as it is burned into it: no identity, only methods and versions."""

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


def foot_lines(analysis: Analysis, provenance: Provenance) -> tuple[str, str]:
    """Return the two lines at the foot of a picture: who made it and when; by which methods."""
    source = analysis.arterial_input.source if analysis.arterial_input else "none"
    models = sorted({str(one.flow.model) for one in analysis.slices if one.flow is not None})
    identity = (provenance.label, provenance.software, provenance.created)
    methods = (
        f"motion: {provenance.motion}",
        f"arterial input: {source}",
        f"model: {', '.join(models) or 'none'}",
    )
    return _SEPARATOR.join(part for part in identity if part), _SEPARATOR.join(methods)
