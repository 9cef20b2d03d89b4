"""Truth on the delivered field of view, when more was painted than is delivered."""

from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from models.phantom.imaging import SeriesImages
from models.phantom.reconstruction import Reconstruction
from models.phantom.truth import SeriesTruth


def on_painted_matrix(
    images: SeriesImages, painted: tuple[int, int], reconstruction: Reconstruction
) -> SeriesImages:
    """Return images with nothing where they were not delivered, for truth is written there too."""
    outside = reconstruction.outside(painted)
    if outside == 0:
        return images
    margins = (
        (0, 0, outside, outside) if reconstruction.phase_encoding_axis == 0 else (outside,) * 2
    )

    def padded(
        frames: Float[Tensor, "time row column"],
    ) -> Float[Tensor, "time painted_row painted_column"]:
        return torch.nn.functional.pad(frames, margins)

    return replace(
        images,
        frames=padded(images.frames),
        noise_free=padded(images.noise_free),
        motion_free=padded(images.motion_free),
    )


def unfold_truth(
    truth: SeriesTruth, painted: tuple[int, int], reconstruction: Reconstruction
) -> SeriesTruth:
    """Cut everything that is known on the painted matrix to the delivered one.

    Parameters
    ----------
    truth
        Everything on the painted matrix.
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
            changed[name] = _inside(value - shift, reconstruction.delivered(painted))
    return replace(truth, **changed)


def _inside(
    points: Float[Tensor, "point axis"], matrix: tuple[int, int]
) -> Float[Tensor, "kept axis"]:
    most = torch.tensor(matrix).to(points) - 1.0
    return points[((points >= 0.0) & (points <= most)).all(1)]
