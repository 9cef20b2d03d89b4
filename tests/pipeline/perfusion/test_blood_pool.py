"""The left ventricle is told from all else that blood brightens, and its rim is left out."""

import pytest
import torch

from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.perfusion.blood_pool import find_left_ventricle
from tests.pipeline.perfusion.pools import (
    LEFT,
    N_FIRST,
    RIGHT,
    SPACING_MM,
    bolus,
    disc,
    paint,
    times,
)

LEFT_POOL, RIGHT_POOL = disc(LEFT, 4.0), disc(RIGHT, 4.5)


def find(tissues, **kwargs):
    series = paint(tissues, **kwargs)
    return find_left_ventricle(
        series.frames[N_FIRST:], times()[N_FIRST:], n_pre_contrast=6, spacing_mm=SPACING_MM
    )


def ventricles():
    return [(RIGHT_POOL, bolus(6.0, 6.0)), (LEFT_POOL, bolus(4.0, 12.0))]


def test_both_ventricles_are_found():
    pool = find(ventricles(), noise=0.002)
    assert bool(LEFT_POOL[pool.mask].all())
    assert pool.right is not None
    assert float(RIGHT_POOL[pool.right].double().mean()) > 0.95


def test_pixels_at_the_rim_are_left_out():
    pool = find(ventricles())
    assert bool(disc(LEFT, 3.2)[pool.mask].all())
    assert int(pool.mask.sum()) >= 8


@pytest.mark.parametrize("delay_s", [1.0, 2.5])
def test_what_is_larger_and_later_elsewhere_is_not_taken(delay_s):
    """Spleen or aorta: bright, late, and larger than the ventricle."""
    other = disc((39.0, 34.0), 5.5)
    pool = find([*ventricles(), (other, bolus(4.6, 12.0 + delay_s))], noise=0.002)
    assert bool(LEFT_POOL[pool.mask].all())


def test_pixels_mixed_with_the_right_ventricle_are_left_out():
    """Where the pools touch, pixels hold both; their area under the curve is largest."""
    touching = disc((24.0, 21.0), 1.6)
    mixed = 0.5 * bolus(6.0, 6.0) + 0.5 * bolus(4.0, 12.0)
    pool = find([*ventricles(), (touching, mixed)], noise=0.001)
    assert not bool((pool.mask & touching).any())


def test_a_right_ventricle_brighter_by_far_does_not_hide_the_left_one():
    pool = find([(RIGHT_POOL, bolus(14.0, 6.0)), (LEFT_POOL, bolus(3.0, 12.0))], noise=0.001)
    assert bool(LEFT_POOL[pool.mask].all())
    assert int(pool.mask.sum()) >= 8


def test_one_pool_alone_is_taken_and_said_to_be_alone():
    pool = find([(LEFT_POOL, bolus(4.0, 12.0))])
    assert bool(LEFT_POOL[pool.mask].all())
    assert not pool.has_right_ventricle


def test_nothing_that_enhances_is_refused():
    with pytest.raises(CannotQuantifyError) as refused:
        find([], noise=0.01)
    assert refused.value.code is Code.NO_ARTERIAL_INPUT


def test_frames_are_left_alone():
    series = paint(ventricles())
    before = series.frames.clone()
    find_left_ventricle(
        series.frames[N_FIRST:], times()[N_FIRST:], n_pre_contrast=6, spacing_mm=SPACING_MM
    )
    assert torch.equal(series.frames, before)


def test_a_late_organ_far_away_does_not_push_both_ventricles_into_one_group():
    """With three shapes of curves, two groups would be the heart and the organ."""
    organ = bolus(5.0, 22.0)
    pool = find([*ventricles(), (disc((41.0, 36.0), 4.5), organ)], noise=0.002)
    assert bool(LEFT_POOL[pool.mask].all())
