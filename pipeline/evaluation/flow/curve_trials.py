"""The fit on curves without images: every tissue model, every level of noise, every fit."""

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from models.phantom import TissueModel
from pipeline.evaluation.flow.constants import BOUNDS
from pipeline.evaluation.flow.curves import DENSITY_G_ML, HEMATOCRIT, CurveSet, draw_curves
from pipeline.perfusion.fit import fit
from pipeline.types import FlowModel

RATIOS = (10.0, 20.0, 40.0, 1e6)
"""Signal-to-noise ratios; the last is no noise."""
_N_SETS = 4
"""Arterial inputs and rhythms for each row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveRow:
    """Errors of one fit on one kind of curves; every voxel by itself."""

    tissue: str
    signal_to_noise: float
    model: str
    n_voxels: int
    bias: float
    """Median of (found - true) / true."""
    median_error: float
    """Median of its size."""
    within_68: float
    """Share of truths within one standard error; NaN where the fit gives none."""
    within_95: float
    missing_fraction: float
    voxels_per_s: float


def curve_line(row: CurveRow) -> str:
    """Return a row as one line of JSON; NaN becomes null."""
    plain = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in asdict(row).items()
    }
    return json.dumps(plain)


def curve_row(line: str) -> CurveRow:
    """Read a row back.

    Raises
    ------
    ValueError
        When the line is not a row of this version.

    """
    content = json.loads(line)
    if not isinstance(content, dict) or set(content) != {each.name for each in fields(CurveRow)}:
        raise ValueError("not a result of this version; remove the file to start anew")
    known: dict[str, Any] = {
        name: math.nan if value is None else value for name, value in content.items()
    }
    return CurveRow(**known)


def count_rows(models: Sequence[FlowModel]) -> int:
    """Return how many rows `judge_curves` yields."""
    return len(TissueModel) * len(RATIOS) * len(models)


def judge_curves(first_seed: int, n_voxels: int, models: Sequence[FlowModel]) -> Iterator[CurveRow]:
    """Fit curves of every tissue model at every level of noise with every model.

    Parameters
    ----------
    first_seed
        Of four sets of curves, each with an arterial input, heart rate and missed beats of its own.
    n_voxels
        In each set.
    models
        What is fitted.

    """
    for tissue in TissueModel:
        for ratio in RATIOS:
            sets = [
                draw_curves(
                    first_seed + place,
                    n_voxels,
                    tissue_model=tissue,
                    signal_to_noise=ratio,
                    n_missed=place,
                )
                for place in range(_N_SETS)
            ]
            for model in models:
                yield _row(sets, tissue, ratio, model)


def _row(sets: Sequence[CurveSet], tissue: TissueModel, ratio: float, model: FlowModel) -> CurveRow:
    started = time.process_time()
    parts = [_errors(curves, model) for curves in sets]
    seconds = time.process_time() - started
    relative, scores = (torch.cat(each) for each in zip(*parts, strict=True))
    known = relative[relative.isfinite()]
    sized = scores[scores.isfinite()]
    return CurveRow(
        tissue=tissue.value,
        signal_to_noise=ratio,
        model=model.value,
        n_voxels=relative.numel(),
        bias=float(known.median()) if known.numel() else math.nan,
        median_error=float(known.abs().median()) if known.numel() else math.nan,
        within_68=_share(sized, 1.0),
        within_95=_share(sized, 1.96),
        missing_fraction=1.0 - known.numel() / max(relative.numel(), 1),
        voxels_per_s=relative.numel() / max(seconds, 1e-9),
    )


def _errors(
    curves: CurveSet, model: FlowModel
) -> tuple[Float[Tensor, " voxel"], Float[Tensor, " voxel"]]:
    """Return relative error, and error over standard error, of each voxel."""
    found = fit(
        curves.tissue_mmol_l,
        time_s=curves.time_s,
        arterial_input=curves.arterial_input,
        bounds=BOUNDS,
        density_g_ml=DENSITY_G_ML,
        model=model,
        hematocrit_fraction=HEMATOCRIT,
    )
    gap = found.flow_ml_min_g - curves.truth.flow_ml_min_g
    error = found.standard_error_ml_min_g
    scores = torch.full_like(gap, torch.nan) if error is None else gap.abs() / error
    return gap / curves.truth.flow_ml_min_g, scores


def _share(scores: Float[Tensor, " voxel"], limit: float) -> float:
    return float((scores <= limit).double().mean()) if scores.numel() else math.nan
