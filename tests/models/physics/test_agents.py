"""Contrast agents and native relaxation: published numbers, and refusal between field strengths."""

import dcmri
import pytest

from models.physics import AGENTS, Medium, native_relaxation

SPELLING = {"gadobenate": "gadobenade"}  # the package's own spelling


@pytest.mark.parametrize("name", AGENTS)
@pytest.mark.parametrize("field_strength_t", [1.5, 3.0])
def test_relaxivities_are_those_of_dcmri(name, field_strength_t):
    published = dcmri.relaxivity(field_strength_t, "plasma", SPELLING.get(name, name)) / 1000.0
    assert AGENTS[name].relaxivity_l_mmol_s(field_strength_t) == pytest.approx(published)


def test_real_magnets_are_near_a_tabulated_field_strength():
    agent = AGENTS["gadobutrol"]
    assert agent.relaxivity_l_mmol_s(1.494) == agent.relaxivity_l_mmol_s(1.5)
    assert agent.relaxivity_l_mmol_s(2.89) == agent.relaxivity_l_mmol_s(3.0)


@pytest.mark.parametrize("field_strength_t", [0.55, 2.2, 7.0, 15000.0, float("nan")])
def test_other_field_strengths_are_refused(field_strength_t):
    with pytest.raises(ValueError, match=r"only 1\.5 T and 3 T"):
        AGENTS["gadobutrol"].relaxivity_l_mmol_s(field_strength_t)
    with pytest.raises(ValueError, match=r"only 1\.5 T and 3 T"):
        native_relaxation(field_strength_t)


def test_native_relaxation_is_slower_at_3_t():
    low, high = native_relaxation(1.5), native_relaxation(3.0)
    assert (low.t1_blood_s, high.t1_blood_s) == (1.7, 2.0)
    assert (low.t1_myocardium_s, high.t1_myocardium_s) == (1.1, 1.3)


def test_relaxivity_in_blood_is_taken_on_demand_and_not_invented():
    agent = AGENTS["gadobutrol"]
    assert agent.relaxivity_l_mmol_s(3.0, Medium.WHOLE_BLOOD) == 4.5
    with pytest.raises(ValueError, match="whole blood"):
        AGENTS["gadopiclenol"].relaxivity_l_mmol_s(3.0, Medium.WHOLE_BLOOD)


@pytest.mark.parametrize("name", AGENTS)
@pytest.mark.parametrize("field_strength_t", [1.5, 3.0])
def test_agents_shorten_t2_more_than_t1(name, field_strength_t):
    agent = AGENTS[name]
    r1, r2 = (
        agent.relaxivity_l_mmol_s(field_strength_t),
        agent.transverse_relaxivity_l_mmol_s(field_strength_t),
    )
    assert r1 < r2 < 2.5 * r1


@pytest.mark.parametrize("field_strength_t", [1.5, 3.0])
def test_transverse_relaxation_is_faster_than_longitudinal_and_t2_star_faster_than_t2(
    field_strength_t,
):
    native = native_relaxation(field_strength_t)
    assert native.t2_star_blood_s < native.t2_blood_s < native.t1_blood_s
    assert native.t2_star_myocardium_s < native.t2_myocardium_s < native.t1_myocardium_s
