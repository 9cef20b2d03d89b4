"""Truth on the delivered field of view, when more was painted than is delivered."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from models.phantom.reconstruction import Reconstruction
from models.phantom.truth import SeriesTruth


def unfold_truth(
    truth: SeriesTruth, painted: tuple[int, int], reconstruction: Reconstruction
) -> SeriesTruth:
    """Cut everything that is known on the painted matrix to the delivered one.

    Parameters
    ----------
    truth
        Maps, masks and fields on the painted matrix; images on the delivered one already.
    painted
        The painted matrix.
    reconstruction
        What is folded in.

    """
    outside = reconstruction.outside(painted)
    if outside == 0:
        return truth
    along = reconstruction.phase_encoding_axis - 2
    inside = painted[reconstruction.phase_encoding_axis] - 2 * outside
    changed: dict[str, Any] = {}
    for name in SeriesTruth.__dataclass_fields__:
        value = getattr(truth, name)
        if not isinstance(value, Tensor) or value.dim() < 2:
            continue
        if tuple(value.shape[-2:]) == painted:
            changed[name] = value.narrow(along, outside, inside)
        elif name.endswith("_px"):
            shift = torch.zeros(2).to(value)
            shift[reconstruction.phase_encoding_axis] = outside
            changed[name] = value - shift
    return replace(truth, **changed)
