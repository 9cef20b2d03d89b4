"""Measurements of a study as JSON: every region with its numbers, and no identity."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pipeline.findings import Finding
from pipeline.regions import RegionFlow
from pipeline.types import Analysis


def to_json(analyses: Sequence[Analysis], *, software: str) -> str:
    """Return the regions and findings of the exams of one study.

    Parameters
    ----------
    analyses
        One per exam, such as stress and rest.
    software
        What computed them.

    Returns
    -------
    JSON with flow in ml/min/g; null where a region has no number.

    """
    content = {
        "software": software,
        "unit": "ml/min/g",
        "segments": "AHA 16, doi 10.1161/hc0402.102975",
        "exams": [
            {
                "state": str(analysis.state),
                "regions": [_region(region) for region in analysis.regions],
                "findings": [_finding(finding) for finding in analysis.findings],
            }
            for analysis in analyses
        ],
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def _region(region: RegionFlow) -> dict[str, Any]:
    numbers = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in asdict(region.flow).items()
    }
    return {
        "name": region.name,
        "layer": str(region.layer),
        "segment": region.segment,
        **numbers,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": str(finding.code),
        "grade": finding.grade.name,
        "text": finding.sentence,
    }
