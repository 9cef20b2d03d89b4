"""The learned method with the shipped network, on virtual patients it has never seen."""

from dataclasses import replace

import pytest
import torch

from models.networks import Networks, shipped_networks
from models.phantom import Protocol, make_exam
from models.phantom.protocol import Breathing
from pipeline.motion import Method, correct
from pipeline.motion.learned import heart_window, register
from pipeline.motion.series import prepare

SMALL = Protocol(
    matrix=(96, 96),
    spacing_mm=2.6,
    n_slices=2,
    n_saturation_recovery=40,
    breathing=Breathing.FREE,
    breathing_range_mm=(8.0, 12.0),
)


@pytest.fixture(scope="module")
def exam():
    return make_exam(5101, protocol=SMALL)


@pytest.fixture(scope="module")
def networks():
    return shipped_networks("cpu")


def _quiet(stage, fraction):
    assert 0 <= fraction <= 1
    assert stage


def _shift_error_mm(series, displacement, reference):
    """Return how far the heart is shifted wrongly, frame by frame, relative to its usual place."""
    heart = series.truth.reference_myocardium
    true = series.truth.displacement[:, :, heart].mean(dim=2)
    found = displacement[:, :, heart].mean(dim=2)
    rest = (found - true) * torch.tensor(series.spacing_mm)
    return (rest - rest.median(dim=0).values).norm(dim=1)


def test_a_free_breathing_heart_is_brought_to_rest(exam):
    series = exam.slices[0]
    result = correct(
        series.frames, spacing_mm=series.spacing_mm, n_proton_density=3, method=Method.LEARNED
    )
    error = _shift_error_mm(series, result.displacement, result.reference)
    before = _shift_error_mm(series, torch.zeros_like(result.displacement), 0)
    assert result.method == "learned"
    assert float(error.mean()) < 0.35 * float(before.mean())
    assert float(error.mean()) < 1.0


def test_every_step_answers_and_the_reference_stays(exam, networks):
    series = exam.slices[1]
    ready = prepare(series.frames, spacing_mm=series.spacing_mm, n_proton_density=3)
    answers = register(ready, networks, _quiet)
    assert [answer.name for answer in answers] == [
        "translation",
        "affine",
        "refined",
    ]
    for answer in answers:
        assert bool(answer.field.isfinite().all())
        assert not bool(answer.field[answer.reference].any())


def test_a_frame_of_another_slice_is_marked(exam, networks):
    first, other = exam.slices
    strange = 30
    frames = first.frames.clone()
    frames[strange] = other.frames[strange].flip(0)
    ready = prepare(frames, spacing_mm=first.spacing_mm, n_proton_density=3)
    answers = {answer.name: answer for answer in register(ready, networks, _quiet)}
    marked = answers["refined"].is_unlike
    assert bool(marked[strange])
    assert int(marked.sum()) <= 3


def test_a_guess_from_another_series_is_where_the_search_begins(exam, networks):
    arterial = exam.arterial_input
    heart = arterial.truth.reference_left_ventricle
    true_mm = arterial.truth.displacement[:, :, heart].mean(dim=2) * torch.tensor(
        arterial.spacing_mm
    )
    ready = prepare(
        arterial.frames, spacing_mm=arterial.spacing_mm, n_proton_density=3, guess_mm=true_mm
    )
    answer = register(ready, networks, _quiet)[0]
    error = _shift_error_mm(arterial, answer.field, answer.reference)
    assert float(error.mean()) < 0.5


def test_without_a_heart_there_is_no_window():
    maps = torch.zeros(5, 3, 32, 32)
    assert heart_window(maps, spacing_mm=2.0) is None
    maps[:, 1, 8:24, 8:24] = 1
    window = heart_window(maps, spacing_mm=4.0)
    assert window is not None
    assert float(window[16, 16]) > 0.99
    assert float(window[0, 31]) < 0.05


def test_without_weights_the_answer_is_a_clear_error(exam, networks):
    empty = replace(networks, anatomy=None)
    assert isinstance(empty, Networks)
    series = exam.slices[0]
    ready = prepare(series.frames, spacing_mm=series.spacing_mm, n_proton_density=3)
    with pytest.raises(ValueError, match="weights of the anatomy network"):
        register(ready, empty, _quiet)
