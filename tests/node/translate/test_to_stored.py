"""Stored map values: half a step of error at most, and never a whole maximum."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from node.translate.encode_map import FLOW, QUALITY, MapKind, to_stored

KINDS = pytest.mark.parametrize("kind", [FLOW, QUALITY], ids=["flow", "quality"])


@KINDS
@given(
    values=st.lists(
        st.one_of(st.just(float("nan")), st.floats(0, 1, width=32)), min_size=1, max_size=30
    )
)
def test_values_are_kept_and_the_maximum_is_never_whole(kind: MapKind, values: list[float]) -> None:
    scale = 1.0 if kind is QUALITY else 8.0
    given_values = torch.tensor([values], dtype=torch.float64) * scale
    stored = to_stored(given_values, slope=kind.slope, maximum=kind.maximum)
    shown = stored.astype(float) * kind.slope
    known = ~torch.isnan(given_values).numpy()
    error = np.abs(shown - given_values.numpy())[known]
    assert stored.dtype == np.uint16
    assert (stored[~known] == 0).all()
    assert (error <= 1.5 * kind.slope + 1e-9).all()
    assert (
        np.sort(error)[: max(0, len(error) - (stored == stored.max()).sum())]
        <= 0.5 * kind.slope + 1e-9
    ).all()
    peak = float(stored.max()) * kind.slope
    assert stored.max() == 0 or not peak.is_integer()


@KINDS
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_nothing_is_stored_as_zero(kind: MapKind, value: float) -> None:
    stored = to_stored(torch.full((3, 4), value), slope=kind.slope, maximum=kind.maximum)
    assert (stored == 0).all()


def test_a_whole_maximum_is_lowered_by_one_step() -> None:
    stored = to_stored(torch.tensor([[1.5, 3.0, 3.0]]), slope=0.001, maximum=65.0)
    assert stored.tolist() == [[1500, 2999, 2999]]


def test_values_beyond_the_range_stay_below_it() -> None:
    stored = to_stored(torch.tensor([[100.0, float("inf")]]), slope=0.001, maximum=65.0)
    assert stored.tolist() == [[64999, 64999]]
    stored = to_stored(torch.tensor([[1.0, 0.5]]), slope=0.0001, maximum=1.0)
    assert stored.tolist() == [[9999, 5000]]
