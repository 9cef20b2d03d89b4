"""The left ventricle is found and measured, and what is no first pass is refused with a reason."""

import dataclasses

import pytest
import torch

from models.kinetics import interpolate
from pipeline.component import largest_component
from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.perfusion import find_arterial_input
from pipeline.perfusion.arterial_input import first_pass
from pipeline.perfusion.window import first_pass_s
from pipeline.types import ArterialInputSource
from tests.pipeline.exams import as_exam, cut, parameters, phantom
from tests.pipeline.perfusion.curves import arterial_input, beats
from tests.pipeline.perfusion.pools import BLOOD, LEFT, N_FIRST, RIGHT, disc, paint
from tests.pipeline.perfusion.pools import bolus as bolus_of

MASK = torch.ones(2, 2, dtype=torch.bool)


def find(series, exam):
    return find_arterial_input(series, relaxation=parameters(exam, correct_motion=False).blood)


@pytest.mark.parametrize(("seed", "state"), [(1, "stress"), (2, "rest")])
def test_phantom_artery_is_found_and_measured(seed, state):
    exam = phantom(seed, state)
    series = as_exam(seed, state).arterial_input
    found = find(series, exam)
    truth = exam.arterial_input.truth
    assert bool(truth.reference_left_ventricle[found.mask].all())
    true = interpolate(exam.arterial_concentration_mmol_l, exam.arterial_time_s, found.time_s)
    window = slice(found.foot, found.peak + 10)
    area = float(found.concentration_mmol_l[window].sum() / true[window].sum())
    assert area == pytest.approx(1.0, abs=0.03)
    assert abs(found.peak - int(true.argmax())) <= 1
    assert found.foot < found.peak < found.valley


def test_without_proton_density_blood_lost_in_the_noise_is_no_scale():
    series = as_exam().arterial_input
    bare = dataclasses.replace(
        series, frames=series.frames[3:], time_s=series.time_s[3:], n_proton_density=0
    )
    with pytest.raises(CannotQuantifyError) as caught:
        find(bare, phantom())
    assert caught.value.code is Code.NO_ARTERIAL_INPUT


def ventricles():
    return [(disc(RIGHT, 4.5), bolus_of(6.0, 6.0)), (disc(LEFT, 4.0), bolus_of(4.0, 12.0))]


def area_error(found) -> float:
    true = bolus_of(4.0, 12.0)[N_FIRST:]
    window = slice(found.foot, found.valley)
    return float(found.concentration_mmol_l[window].sum() / true[window].sum()) - 1.0


@pytest.mark.parametrize(
    ("noise", "has_first", "tolerance"),
    [(0.0005, True, 0.02), (0.004, True, 0.05), (0.0005, False, 0.1)],
)
def test_area_is_right_at_low_and_high_noise(noise, has_first, tolerance):
    found = find_arterial_input(
        paint(ventricles(), noise=noise, has_first=has_first), relaxation=BLOOD
    )
    assert abs(area_error(found)) < tolerance
    assert found.source is ArterialInputSource.DUAL_SEQUENCE
    assert found.decay_1_s is None


@pytest.mark.parametrize("r2_star", [6.0, 25.0])
def test_a_second_echo_gives_back_what_t2_star_took(r2_star):
    echoes = [
        paint(ventricles(), echo_s=echo_s, r2_star=r2_star, noise=0.0005, seed=seed)
        for seed, echo_s in enumerate((0.0008, 0.0019))
    ]
    assumed = find_arterial_input(echoes[0], relaxation=BLOOD)
    measured = find_arterial_input(echoes[0], relaxation=BLOOD, second_echo=echoes[1])
    assert measured.source is ArterialInputSource.DUAL_ECHO
    assert abs(area_error(measured)) < 0.02
    assert measured.decay_1_s is not None
    assert float(measured.decay_1_s.max()) == pytest.approx(4.0 * r2_star, rel=0.15)
    if r2_star > 20.0:
        assert area_error(assumed) < -0.03


def test_the_right_ventricle_comes_with_it():
    found = find_arterial_input(paint(ventricles(), noise=0.001), relaxation=BLOOD)
    assert found.right_mmol_l is not None
    right = found.right_mmol_l.nan_to_num(99.0)
    assert int(right.argmax()) < found.peak


def test_a_cavity_near_the_end_of_its_table_is_saturated():
    def cavity(peak):
        tissues = [(disc(RIGHT, 4.5), bolus_of(peak, 6.0)), (disc(LEFT, 4.0), bolus_of(peak, 12.0))]
        return paint(tissues, noise=1e-5, delay_s=0.12)

    single = ArterialInputSource.SINGLE_SEQUENCE
    found = find_arterial_input(cavity(2.5), relaxation=BLOOD, source=single)
    assert found.source is single
    with pytest.raises(CannotQuantifyError) as caught:
        find_arterial_input(cavity(4.8), relaxation=BLOOD, source=single)
    assert caught.value.code is Code.ARTERIAL_INPUT_SATURATED


def test_a_series_without_sequence_is_refused():
    series = dataclasses.replace(paint(ventricles()), sequence=None)
    with pytest.raises(CannotQuantifyError) as caught:
        find_arterial_input(series, relaxation=BLOOD)
    assert caught.value.code is Code.UNSUPPORTED_SEQUENCE


def test_a_peak_of_one_beat_is_a_spike():
    curve = 0.25 * bolus()
    curve[20:22] += torch.tensor([6.0, 0.0])
    curve[19] += 1.0
    assert refused(torch.where(curve > 3.0, curve, 0.1 * curve)) is Code.NO_ARTERIAL_INPUT


def test_window_lies_around_the_first_pass():
    artery = arterial_input(beats())
    start_s, end_s = first_pass_s(artery)
    assert start_s < float(artery.time_s[artery.foot])
    assert float(artery.time_s[artery.peak]) < end_s <= float(artery.time_s[artery.valley])


def refused(curve, time_s=None):
    time_s = torch.arange(len(curve), dtype=torch.float64) if time_s is None else time_s
    with pytest.raises(CannotQuantifyError) as caught:
        first_pass(curve, time_s, MASK)
    return caught.value.code


def bolus() -> torch.Tensor:
    when = beats()
    return interpolate(when.fine_mmol_l, when.fine_s, when.arterial_s)


def test_a_bolus_that_came_before_the_series_is_refused():
    assert refused(bolus()[12:]) is Code.BOLUS_NOT_COVERED


def test_a_series_that_ends_during_the_bolus_is_refused():
    assert refused(bolus()[:19]) is Code.BOLUS_NOT_COVERED


def test_a_weak_peak_is_refused():
    assert refused(0.05 * bolus()) is Code.NO_ARTERIAL_INPUT


def test_a_curve_that_leaves_the_table_is_refused():
    curve = bolus()
    curve[17] = torch.nan
    assert refused(curve) is Code.ARTERIAL_INPUT_SATURATED


def test_a_spike_before_the_bolus_is_not_its_peak():
    curve = bolus()
    clean = first_pass(curve, torch.arange(60, dtype=torch.float64), MASK)
    curve[3] += 5.0
    spiked = first_pass(curve, torch.arange(60, dtype=torch.float64), MASK)
    assert abs(spiked.peak - clean.peak) <= 1


@pytest.mark.parametrize("kind", ["zero", "noise", "constant"])
def test_images_without_a_bolus_are_refused(kind):
    exam = phantom()
    series = as_exam().arterial_input
    generator = torch.Generator().manual_seed(2)
    frames = {
        "zero": torch.zeros_like(series.frames),
        "constant": torch.full_like(series.frames, 100.0),
        "noise": 100.0 + 10.0 * torch.randn(series.frames.shape, generator=generator),
    }[kind]
    with pytest.raises(CannotQuantifyError):
        find(dataclasses.replace(series, frames=frames), exam)


def test_images_of_twenty_beats_miss_the_bolus():
    exam = phantom()
    series = as_exam().arterial_input
    with pytest.raises(CannotQuantifyError) as caught:
        find(cut(series, slice(20)), exam)
    assert caught.value.code is Code.BOLUS_NOT_COVERED


def test_largest_component_touches_along_edges_only():
    mask = torch.tensor([[1, 1, 0, 1], [0, 0, 1, 1], [1, 0, 0, 0]], dtype=torch.bool)
    expected = torch.tensor([[0, 0, 0, 1], [0, 0, 1, 1], [0, 0, 0, 0]], dtype=torch.bool)
    assert torch.equal(largest_component(mask), expected)
    nothing = torch.zeros(3, 3, dtype=torch.bool)
    assert torch.equal(largest_component(nothing), nothing)
