"""Where an arterial input may come from, and that each source says what it is worth."""

import dataclasses
import math

import pytest
import torch

from pipeline.arterial import quantify_arterial_input
from pipeline.findings import Code, Grade
from pipeline.motion.compose import warp
from pipeline.motion.correction import identity
from pipeline.motion.methods import Method
from pipeline.parameters import AnalysisParameters, FermiBounds, Tissue
from pipeline.types import ArterialInputSource, Exam, ImageSeries, PatientState
from tests.pipeline.perfusion.pools import BLOOD, LEFT, N_FIRST, RIGHT, bolus, disc, paint

PARAMETERS = AnalysisParameters(
    relaxivity_l_mmol_s=BLOOD.relaxivity_l_mmol_s,
    transverse_relaxivity_l_mmol_s=BLOOD.transverse_relaxivity_l_mmol_s,
    tissue=Tissue(
        native_t1_blood_s=BLOOD.native_t1_s,
        native_t1_myocardium_s=1.2,
        density_g_ml=1.05,
        hematocrit_fraction=0.42,
    ),
    bounds=FermiBounds(max_flow_ml_min_g=8.0, max_delay_s=3.0),
    motion=Method.NONE,
)


def blood(peak: float = 4.0) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(disc(RIGHT, 4.5), bolus(1.5 * peak, 6.0)), (disc(LEFT, 4.0), bolus(peak, 12.0))]


def series(echo_s: float = 0.0008, **kwargs) -> ImageSeries:
    return paint(blood(), echo_s=echo_s, noise=0.0005, r2_star=20.0, **kwargs)


def cavity(peak: float = 2.5) -> ImageSeries:
    return paint(blood(peak), delay_s=0.1, noise=0.0005)


def exam(arterial: ImageSeries | None, **changes: object) -> Exam:
    plain = Exam(
        state=PatientState.STRESS,
        field_strength_t=1.5,
        slices=(cavity(), cavity()),
        arterial_input=arterial,
    )
    return dataclasses.replace(plain, **changes)


def quantify(case: Exam, moved: torch.Tensor | None = None):
    inputs = [] if case.arterial_input is None else [case.arterial_input]
    motions = [
        identity(one.frames, spacing_mm=one.geometry.spacing_mm) for one in (*case.slices, *inputs)
    ]
    if moved is not None:
        last = motions[-1]
        frames = warp(case.arterial_input.frames, moved)
        motions[-1] = dataclasses.replace(last, frames=frames, displacement=moved)
    return quantify_arterial_input(case, motions, PARAMETERS)


def said(findings, code: Code) -> list[Grade]:
    return [finding.grade for finding in findings if finding.code is code]


def peak_of(found) -> float:
    return float(found.concentration_mmol_l[found.peak])


def test_a_series_of_its_own_comes_first():
    found, findings = quantify(exam(series()))
    assert found.source is ArterialInputSource.DUAL_SEQUENCE
    assert found.slice_index is None
    assert Grade.FAIL not in [finding.grade for finding in findings]


def test_a_second_echo_measures_t2_star():
    found, _ = quantify(exam(series(), arterial_second_echo=series(0.0019, seed=1)))
    assert found.source is ArterialInputSource.DUAL_ECHO
    assert peak_of(found) == pytest.approx(4.0, rel=0.03)


def test_a_second_echo_is_registered_by_the_first():
    """Both echoes lie off by two pixels in some beats; the first one's field brings both back."""
    displacement = torch.zeros(len(series().frames), 2, 48, 48)
    displacement[15:25, 0] = 2.0
    shifted = [
        dataclasses.replace(
            echo,
            frames=torch.cat(
                [
                    part.roll(2, 1) if index in range(15, 25) else part
                    for index, part in enumerate(echo.frames.split(1))
                ]
            ),
        )
        for echo in (series(), series(0.0019, seed=1))
    ]
    case = exam(shifted[0], arterial_second_echo=shifted[1])
    found, _ = quantify(case, displacement)
    assert found.source is ArterialInputSource.DUAL_ECHO
    assert peak_of(found) == pytest.approx(4.0, rel=0.03)


@pytest.mark.parametrize("kind", ["shorter", "earlier", "other beats"])
def test_a_second_echo_that_is_none_is_told_and_not_used(kind):
    late = series(0.0019, seed=1)
    wrong = {
        "shorter": dataclasses.replace(late, frames=late.frames[:-1], time_s=late.time_s[:-1]),
        "earlier": dataclasses.replace(late, sequence=series(0.0004).sequence),
        "other beats": dataclasses.replace(late, time_s=late.time_s + 0.4),
    }[kind]
    found, findings = quantify(exam(series(), arterial_second_echo=wrong))
    assert found.source is ArterialInputSource.DUAL_SEQUENCE
    assert said(findings, Code.INCOMPLETE_TRANSFER) == [Grade.REVIEW]


def test_without_a_series_the_cavity_serves_and_says_so():
    found, findings = quantify(exam(None))
    assert found.source is ArterialInputSource.SINGLE_SEQUENCE
    assert found.slice_index == 0
    assert peak_of(found) == pytest.approx(2.5, rel=0.1)
    assert Grade.REVIEW in said(findings, Code.ARTERIAL_INPUT_SATURATED)


def test_the_first_slice_that_is_not_saturated_is_taken():
    found, _ = quantify(exam(None, slices=(cavity(9.0), cavity())))
    assert found.slice_index == 1


def test_cavities_that_are_all_saturated_are_refused():
    found, findings = quantify(exam(None, slices=(cavity(9.0), cavity(9.0))))
    assert found is None
    assert said(findings, Code.NO_ARTERIAL_INPUT) == [Grade.FAIL]


def test_no_series_and_no_slice_is_refused():
    found, findings = quantify(exam(None, slices=()))
    assert found is None
    assert said(findings, Code.NO_ARTERIAL_INPUT) == [Grade.FAIL]


def test_a_series_without_sequence_gives_nothing():
    found, _ = quantify(exam(dataclasses.replace(series(), sequence=None)))
    assert found is None


def test_without_proton_density_the_weight_of_imperfect_saturation_is_told():
    case = exam(paint(blood(), has_first=False, noise=0.0002, delay_s=0.03))
    found, findings = quantify(case)
    assert found is not None
    texts = [finding.text for finding in findings if finding.code is Code.UNSUPPORTED_SEQUENCE]
    # TS is 48 ms: blood has recovered 2.6 % of its magnetisation, and 1 % more is a third of it.
    assert any(f"{math.floor(100 * 0.0097 / 0.0263)}" in text for text in texts), texts


def without_scale() -> ImageSeries:
    """Return a series whose blood has no signal before contrast to speak of."""
    short = paint(blood(), has_first=False, noise=0.0)
    sequence = dataclasses.replace(
        short.sequence,
        saturation_delay_s=0.001,
        readout=dataclasses.replace(short.sequence.readout, pulses_before_centre=2),
    )
    return dataclasses.replace(short, sequence=sequence)


def test_where_its_own_series_has_no_scale_the_cavity_serves():
    found, findings = quantify(exam(without_scale()))
    assert found.source is ArterialInputSource.SINGLE_SEQUENCE
    assert found.slice_index == 0
    assert any("must be the scale" in finding.text for finding in findings)


def test_without_any_scale_nothing_is_computed():
    found, findings = quantify(exam(without_scale(), slices=(without_scale(),)))
    assert found is None
    assert said(findings, Code.NO_ARTERIAL_INPUT) == [Grade.FAIL]


def test_a_series_with_a_scale_and_without_a_bolus_is_not_replaced():
    still = paint([], noise=0.0005)
    found, findings = quantify(exam(still))
    assert found is None
    assert Grade.FAIL in [finding.grade for finding in findings]


def test_nothing_that_was_given_is_changed():
    case = exam(series(), arterial_second_echo=series(0.0019, seed=1))
    before = case.arterial_input.frames.clone(), case.arterial_second_echo.frames.clone()
    quantify(case)
    assert torch.equal(case.arterial_input.frames, before[0])
    assert torch.equal(case.arterial_second_echo.frames, before[1])
    assert case.arterial_input.n_proton_density == N_FIRST
