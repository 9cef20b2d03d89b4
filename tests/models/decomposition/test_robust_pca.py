import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.decomposition import split_low_rank


def low_rank_and_sparse(seed: int, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    low = torch.randn(400, rank, generator=generator) @ torch.randn(rank, 40, generator=generator)
    hit = torch.rand(400, 40, generator=generator) < 0.03
    return low, 10 * torch.randn(400, 40, generator=generator) * hit


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), rank=st.integers(1, 3))
def test_low_rank_and_sparse_are_found_again(seed: int, rank: int) -> None:
    low, sparse = low_rank_and_sparse(seed, rank)
    found_low, found_sparse = split_low_rank(low + sparse)
    assert float((found_low - low).norm() / low.norm()) < 0.02
    torch.testing.assert_close(found_low + found_sparse, low + sparse, atol=1e-4, rtol=0)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e4))
def test_the_split_scales_with_the_input(seed: int, scale: float) -> None:
    low, sparse = low_rank_and_sparse(seed, 2)
    first, _ = split_low_rank(low + sparse)
    scaled, _ = split_low_rank(scale * (low + sparse))
    torch.testing.assert_close(scaled / scale, first, atol=0.02, rtol=0)


@pytest.mark.parametrize("fill", [0.0, 3.0, float("nan"), float("inf")])
def test_flat_and_broken_matrices_return_as_they_are(fill: float) -> None:
    matrix = torch.full((50, 6), fill)
    low, sparse = split_low_rank(matrix)
    torch.testing.assert_close(low + torch.nan_to_num(sparse), matrix, equal_nan=True)
