"""Whatever the scanner speaks, the same exam comes out: images, times, geometry, parameters."""

from itertools import product
from pathlib import Path

import pytest
import torch

from models.phantom import PhantomExam, Protocol, make_exam
from node.scanner import Dialect, Form, Syntax, Vendor, write_exam
from node.settings import DEFAULT_ACQUISITION
from node.translate import DecodedExam, DecodedStudy, decode_study
from pipeline.types import Exam, ImageSeries, PatientState
from tests.fakes.exams import write_small_exam

TIME_TOLERANCE_S = {Vendor.PHILIPS: 1.01e-2, Vendor.CANON: 1.01e-3, Vendor.GE: 1.01e-4}
"""Hundredths of a second, milliseconds, tenths of them; both ends of an interval are rounded."""
TO_THE_BIT_S = 1e-5
N_SLICES = 1
PHILIPS_ROUNDING = 1.0
"""The reference is rounded to whole numbers, Philips to 1/4095 of the largest value of a frame."""

# Every vendor in every form, and every form in every syntax; every other one in random order.
SPOKEN = [
    Dialect(
        vendor=list(Vendor)[(number + shift) % len(Vendor)],
        form=form,
        syntax=syntax,
        is_shuffled=(number + shift) % 2 == 1,
    )
    for (number, form), (shift, syntax) in product(enumerate(Form), enumerate(Syntax))
]


def name(dialect: Dialect) -> str:
    order = " shuffled" if dialect.is_shuffled else ""
    return f"{dialect.vendor} {dialect.form} {dialect.syntax}{order}"


def decode(files: list[Path]) -> DecodedStudy:
    return decode_study(files, rules=DEFAULT_ACQUISITION)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> DecodedExam:
    (exam,) = decode(write_small_exam(tmp_path_factory.mktemp("plain"), n_slices=N_SLICES)).exams
    return exam


def series_of(exam: Exam) -> list[ImageSeries]:
    others = (exam.arterial_input, exam.arterial_second_echo)
    return [*exam.slices, *(item for item in others if item is not None)]


def assert_same(exam: Exam, expected: Exam, vendor: Vendor) -> None:
    """Compare all that the analysis reads of an exam."""
    assert exam.state == expected.state
    assert exam.field_strength_t == expected.field_strength_t
    assert len(series_of(exam)) == len(series_of(expected))
    for images, others in zip(series_of(exam), series_of(expected), strict=True):
        rounding = PHILIPS_ROUNDING if vendor is Vendor.PHILIPS else 0.0
        torch.testing.assert_close(images.frames, others.frames, rtol=0, atol=rounding)
        tolerance_s = TIME_TOLERANCE_S.get(vendor, TO_THE_BIT_S)
        torch.testing.assert_close(images.time_s, others.time_s, rtol=0, atol=tolerance_s)
        assert images.n_proton_density == others.n_proton_density
        assert images.sequence == others.sequence
        assert images.proton_density == others.proton_density
        assert images.geometry == others.geometry


def test_every_pair_of_words_is_spoken() -> None:
    assert {(item.vendor, item.form) for item in SPOKEN} == set(product(Vendor, Form))
    assert {(item.form, item.syntax) for item in SPOKEN} == set(product(Form, Syntax))


@pytest.mark.parametrize("dialect", SPOKEN, ids=name)
def test_every_dialect_is_the_same_exam(
    dialect: Dialect, reference: DecodedExam, tmp_path: Path
) -> None:
    study = decode(write_small_exam(tmp_path, n_slices=N_SLICES, dialect=dialect))
    (item,) = study.exams
    assert_same(item.exam, reference.exam, dialect.vendor)
    n_images = len(reference.sources.all)
    assert len({id(source) for source in item.sources.all}) == n_images
    assert not {finding.grade for finding in study.findings} & {"review", "fail"}


@pytest.mark.parametrize(
    ("vendor", "form"), [(Vendor.SIEMENS, Form.CLASSIC), (Vendor.PHILIPS, Form.ENHANCED)]
)
def test_proton_density_may_come_apart(
    vendor: Vendor, form: Form, reference: DecodedExam, tmp_path: Path
) -> None:
    dialect = Dialect(vendor=vendor, form=form, has_proton_density_series=True)
    (item,) = decode(write_small_exam(tmp_path, n_slices=N_SLICES, dialect=dialect)).exams
    assert_same(item.exam, reference.exam, vendor)


@pytest.mark.parametrize(
    ("vendor", "form"), [(Vendor.GE, Form.LEGACY), (Vendor.UIH, Form.ENHANCED)]
)
def test_a_second_echo_is_found_in_every_form(vendor: Vendor, form: Form, tmp_path: Path) -> None:
    phantom = two_echoes()
    (plain,) = decode(write_exam(phantom, tmp_path / "plain")).exams
    dialect = Dialect(vendor=vendor, form=form, is_shuffled=True)
    (item,) = decode(write_exam(phantom, tmp_path / "spoken", dialect=dialect)).exams
    assert item.exam.arterial_second_echo is not None
    assert_same(item.exam, plain.exam, vendor)


def two_echoes() -> PhantomExam:
    protocol = Protocol(
        matrix=(48, 40),
        spacing_mm=6.0,
        arterial_matrix=(16, 20),
        n_saturation_recovery=24,
        n_slices=1,
        arterial_second_echo_time_s=0.0017,
    )
    return make_exam(3, protocol=protocol)


@pytest.mark.parametrize("vendor", [Vendor.PHILIPS, Vendor.GE])
def test_both_states_of_one_study_are_two_exams(vendor: Vendor, tmp_path: Path) -> None:
    dialect = Dialect(vendor=vendor, form=Form.ENHANCED, is_shuffled=True)
    files = [
        path
        for state in ("rest", "stress")
        for path in write_small_exam(tmp_path / state, state, n_slices=1, dialect=dialect)
    ]
    study = decode(files)
    assert [item.exam.state for item in study.exams] == [PatientState.STRESS, PatientState.REST]
    assert all(item.exam.arterial_input is not None for item in study.exams)
    n_images = sum(len(item.sources.all) for item in study.exams)
    assert n_images == 2 * 2 * 27
