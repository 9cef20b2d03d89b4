"""On the demo exam, correction beats no correction in overlap, smoothness and flow error."""

import pytest

from node.selftest.accuracy import MAX_MEDIAN_ERROR_FRACTION
from tests.pipeline.evidence import Evidence, gather

DEMO_SEED = 1


@pytest.fixture(scope="module")
def none() -> Evidence:
    return gather(DEMO_SEED, correct_motion=False)


@pytest.fixture(scope="module")
def done() -> Evidence:
    return gather(DEMO_SEED, correct_motion=True)


def test_overlap_is_better_in_every_slice(none: Evidence, done: Evidence) -> None:
    assert all(after > before for before, after in zip(none.dice, done.dice, strict=True))


def test_curves_are_smoother(none: Evidence, done: Evidence) -> None:
    assert done.roughness < none.roughness


def test_flow_is_more_accurate_and_accurate_enough(none: Evidence, done: Evidence) -> None:
    error = done.accuracy.median_error_fraction
    assert error < none.accuracy.median_error_fraction
    assert error <= MAX_MEDIAN_ERROR_FRACTION
