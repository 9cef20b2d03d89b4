"""Coarse translation of every frame, found from all pairs of frames at once.

Each image becomes a map of edge directions, so frames of different contrast can be compared.
The correlation of two such maps over all shifts is one product in Fourier space; its peak is the
shift of that pair. A chain of neighbours would add up errors; here all pairs vote, and a robust
least-squares fit, reweighted after each solution (Holland & Welsch 1977), drops the wrong peaks.

Where a matching network is given, its features are correlated beside the edges, half and half.
Edges are the same on every scanner, features know a heart from a chest; each is wrong elsewhere.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from models.networks.batches import in_batches
from models.networks.edges import edge_maps
from models.networks.matching import (
    MatchingNetwork,
    correlation,
    matching_inputs,
    near,
    standardised,
)
from pipeline.motion.compose import carry, warp

N_REWEIGHTINGS = 12
VOTE_POWER = 8
"""Alike frames decide: a pair half as alike has hardly a vote."""
TOLERATED_PX = 1.0
"""A pair that disagrees by this much counts half (Cauchy weights)."""
LEARNED_SHARE = 0.5
"""Of the correlation that votes, where there is a network; 0.3 to 0.7 give the same."""
NEGLIGIBLE = 0.01
PADDED_TO = 8


def matching_features(
    frames: Float[Tensor, "time row column"], network: MatchingNetwork, n_proton_density: int
) -> Float[Tensor, "time feature row column"]:
    """Return what the matching network sees in each frame.

    Parameters
    ----------
    frames
        Heart region, any unit.
    network
        Trained.
    n_proton_density
        Frames at the start without saturation pulse.

    """
    return in_batches(network, matching_inputs(frames, n_proton_density))


def translations(
    frames: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
    *,
    reach_px: int,
    n_rounds: int = 3,
    features: Float[Tensor, "time feature row column"] | None = None,
) -> Float[Tensor, "time axis"]:
    """Return the shift of each frame, px; their median is zero.

    Parameters
    ----------
    frames
        Heart region. Shape `(time, row, column)`.
    weight
        Smooth window on the heart, 0-1. Shape `(row, column)`.
    reach_px
        Largest shift between two frames that is looked for, px.
    n_rounds
        Rounds of estimation; later ones see the heart re-centred in the window.
    features
        What the matching network sees in the frames, compared beside their edges.

    """
    total = torch.zeros(frames.shape[0], 2, dtype=frames.dtype, device=frames.device)
    for _ in range(n_rounds):
        field = shift_field(total, frames)
        seen = None if features is None else carry(features, field)
        maps = _described(warp(frames, field), weight, seen)
        shifts, votes = _pairwise(_trimmed(maps, weight), reach_px)
        total = total + _reconcile(shifts, votes)
    return total - total.median(dim=0).values


def shift_field(
    shifts: Float[Tensor, "time axis"], like: Float[Tensor, "*batch row column"]
) -> Float[Tensor, "time axis row column"]:
    """Spread one shift per frame over the whole image."""
    return shifts[:, :, None, None].expand(-1, -1, like.shape[-2], like.shape[-1])


def _described(
    frames: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
    features: Float[Tensor, "time feature row column"] | None,
) -> Float[Tensor, "time map row column"]:
    """Return maps of each frame whose correlation tells how alike two frames are; unit length."""
    edges = edge_maps(frames) * weight
    size: Tensor = edges.flatten(1).norm(dim=1)[:, None, None, None]
    edges = edges / size.clamp_min(1e-20)
    if features is None:
        return edges
    learned = standardised(features, weight)
    return torch.cat([LEARNED_SHARE**0.5 * learned, (1 - LEARNED_SHARE) ** 0.5 * edges], dim=1)


def _trimmed(
    maps: Float[Tensor, "time map row column"], weight: Float[Tensor, "row column"]
) -> Float[Tensor, "time map new_row new_column"]:
    """Cut off the margin in which nothing counts: it only makes the correlation slower."""
    rows, columns = (
        (weight.amax(dim=axis) > NEGLIGIBLE * weight.amax()).nonzero()[:, 0] for axis in (1, 0)
    )
    if not len(rows):
        return maps
    return maps[:, :, int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]


def _padded(size: int, reach_px: int) -> int:
    """Return a length that is quick to transform and leaves no shift within reach ambiguous."""
    return -(-(size + reach_px + 1) // PADDED_TO) * PADDED_TO


def _pairwise(
    maps: Float[Tensor, "time map row column"], reach_px: int
) -> tuple[Float[Tensor, "time time axis"], Float[Tensor, "time time"]]:
    """Return shift from frame i to frame j and the height of its correlation peak, i < j."""
    n_frames = len(maps)
    shape = _padded(maps.shape[2], reach_px), _padded(maps.shape[3], reach_px)
    spectra = torch.fft.rfft2(maps, s=shape)
    shifts = maps.new_zeros(n_frames, n_frames, 2)
    heights = maps.new_zeros(n_frames, n_frames)
    for i in range(n_frames - 1):
        surface = correlation(spectra[i], spectra[i + 1 :], shape)
        shifts[i, i + 1 :], heights[i, i + 1 :] = _peak(surface, reach_px)
    return shifts, heights


def _peak(
    surface: Float[Tensor, "pair row column"], reach_px: int
) -> tuple[Float[Tensor, "pair axis"], Float[Tensor, " pair"]]:
    """Find the largest value within reach of zero shift, to a fraction of a pixel by parabolas."""
    reach = min(reach_px, (min(surface.shape[-2:]) - 3) // 2)
    around = near(surface, reach + 1)
    inner = around[:, 1:-1, 1:-1]
    height, place = inner.flatten(1).max(dim=1)
    row, column = place // inner.shape[2] + 1, place % inner.shape[2] + 1
    pair = torch.arange(len(around), device=surface.device)
    row_part = _vertex(*(around[pair, row + step, column] for step in (-1, 0, 1)))
    column_part = _vertex(*(around[pair, row, column + step] for step in (-1, 0, 1)))
    shift = torch.stack([row + row_part, column + column_part], dim=1) - (reach + 1)
    return shift, height.clamp_min(0)


def _vertex(
    before: Float[Tensor, " pair"], at: Float[Tensor, " pair"], after: Float[Tensor, " pair"]
) -> Float[Tensor, " pair"]:
    """Return where the parabola through three neighbouring values peaks, -0.5 to 0.5."""
    bend = (2 * at - before - after).clamp_min(1e-20)
    return (0.5 * (after - before) / bend).clamp(-0.5, 0.5)


def _reconcile(
    shifts: Float[Tensor, "time time axis"], heights: Float[Tensor, "time time"]
) -> Float[Tensor, "time axis"]:
    """Fit one position per frame to all pairwise shifts; far-off pairs lose their vote."""
    shifts = (shifts - shifts.transpose(0, 1)).double()
    votes = (heights + heights.T).double() ** VOTE_POWER
    position = torch.zeros(len(votes), 2, dtype=torch.float64, device=votes.device)
    trust = votes
    for _ in range(N_REWEIGHTINGS):
        position = _solve(shifts, trust)
        rest = (position[None] - position[:, None] - shifts).norm(dim=2)
        trust = votes / (1 + (rest / TOLERATED_PX).square())
    return position.to(heights.dtype)


def _solve(
    shifts: Float[Tensor, "time time axis"], trust: Float[Tensor, "time time"]
) -> Float[Tensor, "time axis"]:
    """Solve the normal equations of sum trust_ij (p_j - p_i - s_ij)^2; p is tied weakly to 0."""
    degree = trust.sum(dim=1)
    ridge = 1e-3 * degree.mean().clamp_min(1e-12)
    laplacian = torch.diag(degree + ridge) - trust
    solution: Tensor = torch.linalg.solve(laplacian, (trust[:, :, None] * shifts).sum(dim=0))
    return solution
