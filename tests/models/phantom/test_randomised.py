"""Random protocols cover the ranges they promise, differ by seed, and can all be scanned."""

from collections import Counter

import pytest
import torch

from models.phantom import Breathing, make_exam, random_protocol
from models.phantom.variety import Variety
from models.physics import BalancedSteadyState, EchoPlanarGradientEcho, SpoiledGradientEcho

SEEDS = range(5000, 5100)


@pytest.fixture(scope="module")
def usual():
    return [random_protocol(seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def far():
    return [random_protocol(seed, beyond=True) for seed in SEEDS]


def covers(values, low, high):
    """Whether all values lie in a range and come near to both of its ends."""
    margin = 0.15 * (high - low)
    assert low <= min(values) < low + margin
    assert high - margin < max(values) <= high


def delivered(protocol):
    return protocol.reconstruction.delivered(protocol.matrix)


def test_the_ranges_are_covered(usual):
    covers([p.spacing_mm for p in usual], 1.0, 2.8)
    covers([side for p in usual for side in delivered(p)], 128, 256)
    covers([s for p in usual for s in p.reconstruction.delivered(p.arterial_matrix)], 48, 96)
    covers([p.n_saturation_recovery for p in usual], 45, 80)
    covers([p.signal_to_noise for p in usual], 5.0, 40.0)
    covers([p.perfusion.saturation_time_s for p in usual], 0.08, 0.18)
    covers([p.artefacts.coil_strength for p in usual], 1.2, 3.0)
    latest = [p.last_trigger_delay_s for p in usual]
    assert min(latest) < 0.39
    assert max(latest) < 0.95
    assert {p.n_proton_density for p in usual} == {0, 1, 2, 3, 4}
    assert {p.field_strength_t for p in usual} == {1.5, 3.0}
    assert {p.breathing for p in usual} == set(Breathing)
    assert {p.reconstruction.phase_encoding_axis for p in usual} == {0, 1}
    assert {p.mirrored for p in usual} == {True, False}
    assert len({p.agent for p in usual}) > 4
    assert all(p.variety is Variety.WIDE and not p.anatomy_beyond for p in usual)


def test_every_sequence_and_artefact_occurs_and_none_always(usual):
    readouts = Counter(type(p.perfusion.readout) for p in usual)
    for kind in (SpoiledGradientEcho, EchoPlanarGradientEcho, BalancedSteadyState):
        assert 8 <= readouts[kind] <= 70
    occurrences = {
        "two echoes": sum(p.arterial_second_echo_time_s is not None for p in usual),
        "folds": sum(p.reconstruction.fold_over_fraction > 0 for p in usual),
        "bands": sum(p.artefacts.off_resonance_hz > 0 for p in usual),
        "ghosts": sum(p.artefacts.ghost_phase_rad > 0 for p in usual),
        "aliases": sum(p.artefacts.residual_aliasing > 0 for p in usual),
        "amplified noise": sum(p.artefacts.g_factor > 1 for p in usual),
        "incoherent": sum(p.artefacts.incoherent_aliasing > 0 for p in usual),
        "shared views": sum(p.artefacts.view_sharing > 0 for p in usual),
        "streaks": sum(p.artefacts.streaks > 0 for p in usual),
        "dark rims": sum(p.artefacts.dark_rim > 0 for p in usual),
        "gain": sum(p.artefacts.gain_jitter > 0 for p in usual),
    }
    assert all(5 <= count <= 85 for count in occurrences.values()), occurrences


def test_what_lies_beyond_is_never_drawn_otherwise(usual, far):
    assert max(p.artefacts.ghost_phase_rad for p in usual) <= 0.15
    assert max(p.artefacts.residual_aliasing for p in usual) <= 0.08
    strays = [
        (
            p.signal_to_noise < 5.0,
            p.spacing_mm > 2.8,
            p.artefacts.ghost_phase_rad > 0.17,
            p.artefacts.residual_aliasing > 0.09,
            p.artefacts.gain_jitter > 0.05,
            p.artefacts.coil_strength > 3.0,
            p.breathing_range_mm == (20.0, 25.0),
            p.anatomy_beyond,
        )
        for p in far
    ]
    assert min(sum(row) for row in strays) >= 2
    assert all(sum(column) > 10 for column in zip(*strays, strict=True))
    assert max(p.spacing_mm for p in far) <= 3.4
    assert min(p.signal_to_noise for p in far) >= 3.0


def test_the_same_seed_gives_the_same_protocol():
    assert random_protocol(5001) == random_protocol(5001)
    assert random_protocol(5001) != random_protocol(5002)
    assert random_protocol(5001) != random_protocol(5001, beyond=True)


def test_breathing_can_be_chosen_without_changing_the_rest():
    free, held = (
        random_protocol(5001, breathing=kind) for kind in (Breathing.FREE, Breathing.HELD)
    )
    assert free.breathing is Breathing.FREE
    assert (free.matrix, free.artefacts, free.perfusion) == (
        held.matrix,
        held.artefacts,
        held.perfusion,
    )


@pytest.mark.parametrize(("seed", "beyond"), [(5006, False), (5011, True)])
def test_random_exams_are_reproducible(seed, beyond):
    one, two = (make_exam(seed, protocol=random_protocol(seed, beyond=beyond)) for _ in range(2))
    assert torch.equal(one.slices[1].frames, two.slices[1].frames)
    for series in (*one.slices, one.arterial_input):
        assert bool(torch.isfinite(series.frames).all())
        assert float(series.frames.max()) < 4095.0
        assert series.frames.shape == series.truth.myocardium.shape
        assert bool((series.time_s.diff() > 0).all())
