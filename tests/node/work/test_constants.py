"""Constants of agent and tissue: settings first, then the table, then the nearest field."""

import pytest

from node.settings import QuantificationSettings
from node.work.constants import relaxivity_of, tissue_of, transverse_relaxivity_of


@pytest.mark.parametrize(
    ("medium", "field_strength_t", "expected"),
    [("plasma", 1.5, 5.2), ("plasma", 2.89, 5.0), ("whole_blood", 1.5, 4.6)],
)
def test_relaxivity_is_that_of_the_chosen_medium(
    medium: str, field_strength_t: float, expected: float
) -> None:
    settings = QuantificationSettings.model_validate({"relaxivity_in": medium})
    assert relaxivity_of(settings, field_strength_t) == expected


def test_a_set_relaxivity_wins() -> None:
    settings = QuantificationSettings(
        relaxivity_l_mmol_s=4.2, transverse_relaxivity_l_mmol_s=9.0, relaxivity_in="whole_blood"
    )
    assert relaxivity_of(settings, 0.55) == 4.2
    assert transverse_relaxivity_of(settings, 0.55) == 9.0


def test_a_relaxivity_that_nobody_measured_is_refused() -> None:
    settings = QuantificationSettings(agent="gadopiclenol", relaxivity_in="whole_blood")
    with pytest.raises(ValueError, match="whole blood"):
        relaxivity_of(settings, 3.0)


@pytest.mark.parametrize(("field_strength_t", "t2_star_s"), [(0.55, 0.036), (7.0, 0.024)])
def test_transverse_constants_follow_the_nearest_field_strength(
    field_strength_t: float, t2_star_s: float
) -> None:
    settings = QuantificationSettings(native_t1_blood_ms=1500, native_t1_myocardium_ms=900)
    tissue = tissue_of(settings, field_strength_t)
    assert tissue.native_t2_star_myocardium_s == t2_star_s
    assert tissue.native_t1_blood_s == 1.5


def test_settings_in_milliseconds_become_seconds() -> None:
    settings = QuantificationSettings(
        native_t2_blood_ms=180,
        native_t2_myocardium_ms=52,
        native_t2_star_blood_ms=60,
        native_t2_star_myocardium_ms=30,
    )
    tissue = tissue_of(settings, 3.0)
    found = (
        tissue.native_t2_blood_s,
        tissue.native_t2_myocardium_s,
        tissue.native_t2_star_blood_s,
        tissue.native_t2_star_myocardium_s,
    )
    assert found == pytest.approx((0.18, 0.052, 0.06, 0.03))


def test_unknown_t1_is_refused() -> None:
    with pytest.raises(ValueError, match="field strength"):
        tissue_of(QuantificationSettings(), 0.55)
