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
from tests.pipeline.exams import as_exam, cut, parameters, phantom
from tests.pipeline.perfusion.curves import arterial_input, beats

MASK = torch.ones(2, 2, dtype=torch.bool)


def find(series, exam):
    settings = parameters(exam, correct_motion=False)
    return find_arterial_input(
        series.frames,
        time_s=series.time_s,
        n_proton_density=series.n_proton_density,
        sequence=series.sequence,
        proton_density=series.proton_density,
        relaxation=settings.blood,
        spacing_mm=series.geometry.spacing_mm,
    )


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
    assert area == pytest.approx(1.0, abs=0.06)
    assert abs(found.peak - int(true.argmax())) <= 1
    assert found.foot < found.peak < found.valley


def test_without_proton_density_the_artery_is_still_measured():
    exam = phantom()
    series = as_exam().arterial_input
    bare = dataclasses.replace(
        series, frames=series.frames[3:], time_s=series.time_s[3:], n_proton_density=0
    )
    with_frames, without = find(series, exam), find(bare, exam)
    ratio = without.concentration_mmol_l[without.peak] / with_frames.concentration_mmol_l.max()
    assert float(ratio) == pytest.approx(1.0, abs=0.5)


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
