"""Constants of an exam: from the settings where they say so, else from the field strength."""

import pytest

from node.errors import UnusableStudyError
from node.settings import QuantificationSettings
from node.work.parameters import parameters_for
from pipeline.findings import Code
from pipeline.motion import Method
from pipeline.types import Exam, PatientState


def _exam(field_strength_t: float) -> Exam:
    return Exam(
        state=PatientState.REST, field_strength_t=field_strength_t, slices=(), arterial_input=None
    )


@pytest.mark.parametrize(("field_strength_t", "blood_s"), [(1.5, 1.7), (2.89, 2.0)])
def test_open_settings_follow_field_strength(field_strength_t: float, blood_s: float) -> None:
    found = parameters_for(_exam(field_strength_t), QuantificationSettings(), motion=Method.AUTO)
    assert found.tissue.native_t1_blood_s == blood_s


def test_settings_win_and_make_any_field_strength_usable() -> None:
    settings = QuantificationSettings(
        relaxivity_l_mmol_s=5.9, native_t1_blood_ms=1200, native_t1_myocardium_ms=700
    )
    found = parameters_for(_exam(0.55), settings, motion=Method.AUTO)
    assert found.relaxivity_l_mmol_s == 5.9
    assert found.tissue.native_t1_blood_s == pytest.approx(1.2)
    assert found.tissue.native_t1_myocardium_s == pytest.approx(0.7)


def test_unknown_field_strength_is_refused_with_the_remedy() -> None:
    with pytest.raises(UnusableStudyError, match=r"config\.yaml") as caught:
        parameters_for(
            _exam(0.55), QuantificationSettings(relaxivity_l_mmol_s=5.9), motion=Method.AUTO
        )
    assert caught.value.code is Code.UNSUPPORTED_SEQUENCE
