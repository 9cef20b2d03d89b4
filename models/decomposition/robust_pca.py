"""Robust PCA: split a series into slowly varying anatomy and sparse enhancement.

Candes 2011 (doi 10.1145/1970392.1970395), solved by inexact augmented Lagrange multipliers
(Lin 2010, arXiv 1009.5055). The matrix is tall (pixels by time), so its singular values come from
the small time-by-time Gram matrix.
"""

import torch
from jaxtyping import Float
from torch import Tensor

GROWTH = 1.6
TOLERANCE = 1e-6


def split_low_rank(
    matrix: Float[Tensor, "pixel time"], *, n_iterations: int = 60
) -> tuple[Float[Tensor, "pixel time"], Float[Tensor, "pixel time"]]:
    """Return (low rank, sparse) with `low rank + sparse = matrix`.

    Minimises |L|_* + |S|_1 / sqrt(pixels) subject to L + S = M. A blank matrix, or one with
    values that are not finite, is returned whole as low rank.

    Parameters
    ----------
    matrix
        One column per frame. Shape `(pixel, time)`.
    n_iterations
        Cap; about 30 are needed.

    """
    sparse = torch.zeros_like(matrix)
    spectral = _spectral_norm(matrix)
    if not bool(torch.isfinite(spectral)) or float(spectral) <= 0:
        return matrix.clone(), sparse
    weight = matrix.shape[0] ** -0.5
    total = matrix.norm()
    multiplier = matrix / torch.maximum(spectral, matrix.abs().amax() / weight)
    stiffness = 1 / spectral
    low_rank = matrix
    for _ in range(n_iterations):
        low_rank = _shrink_singular_values(matrix - sparse + multiplier / stiffness, 1 / stiffness)
        sparse = _shrink(matrix - low_rank + multiplier / stiffness, weight / stiffness)
        rest = matrix - low_rank - sparse
        multiplier = multiplier + stiffness * rest
        stiffness = stiffness * GROWTH
        if bool(rest.norm() <= TOLERANCE * total):
            break
    return low_rank, matrix - low_rank


def _spectral_norm(matrix: Float[Tensor, "pixel time"]) -> Float[Tensor, ""]:
    gram = (matrix.T @ matrix).double()
    if not bool(torch.isfinite(gram).all()):
        return torch.full((), torch.nan, dtype=matrix.dtype, device=matrix.device)
    largest: Tensor = torch.linalg.eigvalsh(gram)[-1]
    return largest.clamp_min(0).sqrt().to(matrix.dtype)


def _shrink(values: Float[Tensor, "*shape"], threshold: Tensor) -> Float[Tensor, "*shape"]:
    return values.sign() * (values.abs() - threshold).clamp_min(0)


def _shrink_singular_values(
    matrix: Float[Tensor, "pixel time"], threshold: Tensor
) -> Float[Tensor, "pixel time"]:
    """Soft-threshold the singular values: U f(s) V' = M V f(s)/s V', no U needed."""
    squares, vectors = torch.linalg.eigh((matrix.T @ matrix).double())
    values = squares.clamp_min(0).sqrt()
    kept = (values - threshold.double()).clamp_min(0) / values.clamp_min(1e-30)
    filtered: Tensor = (vectors * kept) @ vectors.T
    return matrix @ filtered.to(matrix.dtype)
