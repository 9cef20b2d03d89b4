"""The exam as a whole: reproducible, on one clock, and shaped like the protocol."""

import pytest
import torch

from models.phantom import Protocol, make_exam


def series_of(exam):
    return [*exam.slices, exam.arterial_input]


def test_the_same_seed_gives_the_same_bytes(small):
    one, two = (make_exam(5, protocol=small) for _ in range(2))
    for first, second in zip(series_of(one), series_of(two), strict=True):
        assert first.frames.numpy().tobytes() == second.frames.numpy().tobytes()
        assert first.time_s.numpy().tobytes() == second.time_s.numpy().tobytes()
        assert torch.equal(first.truth.displacement, second.truth.displacement)


def test_another_seed_gives_another_patient(small):
    one, two = (make_exam(seed, protocol=small) for seed in (5, 6))
    assert not torch.equal(one.slices[0].frames, two.slices[0].frames)
    assert not torch.equal(
        one.slices[0].truth.reference_myocardium, two.slices[0].truth.reference_myocardium
    )


def test_stress_and_rest_are_the_same_heart_with_other_flow(small):
    stress, rest = (make_exam(5, state=state, protocol=small) for state in ("stress", "rest"))
    one, two = stress.slices[1].truth, rest.slices[1].truth
    assert torch.equal(one.reference_myocardium, two.reference_myocardium)
    assert not torch.equal(one.displacement, two.displacement)
    healthy = one.reference_myocardium & ~one.defect
    assert 2.2 < float(one.flow_ml_min_g[healthy].mean()) < 3.5
    assert 0.7 < float(two.flow_ml_min_g[healthy].mean()) < 1.2
    assert float(stress.rr_interval_s.median()) < float(rest.rr_interval_s.median())


def test_shapes_follow_the_protocol(exam):
    protocol = Protocol()
    assert [s.frames.shape for s in exam.slices] == [(63, 144, 144)] * 3
    assert exam.arterial_input.frames.shape == (63, 48, 64)
    assert [s.offset_mm for s in exam.slices] == [0.0, 20.0, 40.0]
    assert exam.arterial_input.spacing_mm == protocol.arterial_spacing_mm == (6.0, 4.5)
    for series in series_of(exam):
        assert series.frames.dtype == torch.float32
        assert 0.0 <= float(series.frames.min()) <= float(series.frames.max()) < 4095.0
        assert bool(torch.isfinite(series.frames).all())


def test_all_series_share_one_clock_with_uneven_beats(exam):
    order = [exam.arterial_input, *exam.slices]
    times = torch.stack([series.time_s for series in order], -1).flatten()
    assert bool((times.diff() > 0).all())
    assert float(exam.rr_interval_s.std()) > 0.005
    for series in order:
        in_beat = series.time_s - exam.truth.trigger_s
        assert torch.allclose(in_beat, torch.full_like(in_beat, series.trigger_delay_s))
    assert torch.allclose(exam.truth.trigger_s.diff(), exam.rr_interval_s[:-1])


def test_one_beat_comes_early_and_one_trigger_is_missed(exam):
    usual = float(exam.rr_interval_s.median())
    before_early = exam.rr_interval_s[:-1][exam.truth.is_ectopic[1:]]
    assert int(exam.truth.is_ectopic.sum()) == 1
    assert float(before_early) < 0.95 * usual
    assert float(exam.rr_interval_s.max()) == pytest.approx(2.0 * usual, rel=0.15)


def test_the_bolus_passes_right_heart_then_left_heart(exam):
    time_s, left = exam.arterial_time_s, exam.arterial_concentration_mmol_l
    right = exam.truth.right_ventricle_mmol_l
    assert 3.0 < float(left.max()) < 5.0 < float(right.max()) * 1.3
    assert float(right.max()) > 1.2 * float(left.max())
    assert 4.5 < float(time_s[left.argmax()] - time_s[right.argmax()]) < 8.5
    peak = int(left.argmax())
    valley = float(left[peak : peak + 280].min())
    assert valley < 0.45 * float(left.max())
    assert float(left[-1]) > 0.1 * float(left.max())


@pytest.mark.parametrize("change", [{"n_slices": 0}, {"matrix": (8, 8)}, {"signal_to_noise": 0.0}])
def test_protocols_without_sense_are_refused(change):
    with pytest.raises(ValueError, match=r"needs? |must "):
        Protocol(**change)


def test_unknown_states_are_refused():
    with pytest.raises(ValueError, match="exercise"):
        make_exam(1, state="exercise")


def test_an_exam_at_1_5_t_with_another_agent(small):
    import dataclasses

    exam = make_exam(
        2, protocol=dataclasses.replace(small, field_strength_t=1.5, agent="gadoterate")
    )
    assert exam.truth.relaxivity_l_mmol_s == 3.6
    assert exam.truth.native_t1_blood_s == 1.7


def test_the_shipped_exam_is_what_it_always_was():
    # Bytes depend on the machine, these numbers do not: everything new is off by default.
    known = [
        (247.2782, 302.9732, 1556.830, 33.41933, 370),
        (245.4458, 294.4901, 1468.857, 34.29156, 352),
        (240.6841, 272.9321, 744.974, 36.49366, 266),
        (174.0438, 343.1189, 799.501, 46.02175, 57),
    ]
    for series, numbers in zip(series_of(make_exam(1)), known, strict=True):
        frames = series.frames.double()
        n_rows, n_columns = frames.shape[1:]
        found = (
            float(frames.mean()),
            float(frames.std()),
            float(frames[30, n_rows // 2, n_columns // 2]),
            series.truth.noise_standard_deviation,
            int(series.truth.reference_myocardium.sum()),
        )
        assert found == pytest.approx(numbers, rel=1e-5)
