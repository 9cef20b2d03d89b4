"""Constants of agent and tissue: from the settings where they say so, else from the tables."""

from models.physics import AGENTS, Medium, native_relaxation
from node.settings import QuantificationSettings
from pipeline.parameters import Tissue

_TABULATED_T = (1.5, 3.0)


def relaxivity_of(settings: QuantificationSettings, field_strength_t: float) -> float:
    """Return r1, l/(mmol s).

    Raises
    ------
    ValueError
        The table does not know it.

    """
    if settings.relaxivity_l_mmol_s is not None:
        return settings.relaxivity_l_mmol_s
    agent = AGENTS[settings.agent]
    return agent.relaxivity_l_mmol_s(field_strength_t, Medium(settings.relaxivity_in))


def transverse_relaxivity_of(settings: QuantificationSettings, field_strength_t: float) -> float:
    """Return r2, l/(mmol s), from the nearest field strength that the table knows."""
    if settings.transverse_relaxivity_l_mmol_s is not None:
        return settings.transverse_relaxivity_l_mmol_s
    return AGENTS[settings.agent].transverse_relaxivity_l_mmol_s(_nearest_t(field_strength_t))


def tissue_of(settings: QuantificationSettings, field_strength_t: float) -> Tissue:
    """Return the constants of blood and myocardium.

    T2 and T2* weigh little, so those of the nearest field strength serve at any.

    Raises
    ------
    ValueError
        T1 is neither set nor known at this field strength.

    """
    near = native_relaxation(_nearest_t(field_strength_t))
    return Tissue(
        native_t1_blood_s=_seconds(settings.native_t1_blood_ms)
        or native_relaxation(field_strength_t).t1_blood_s,
        native_t1_myocardium_s=_seconds(settings.native_t1_myocardium_ms)
        or native_relaxation(field_strength_t).t1_myocardium_s,
        native_t2_blood_s=_seconds(settings.native_t2_blood_ms) or near.t2_blood_s,
        native_t2_myocardium_s=_seconds(settings.native_t2_myocardium_ms) or near.t2_myocardium_s,
        native_t2_star_blood_s=_seconds(settings.native_t2_star_blood_ms) or near.t2_star_blood_s,
        native_t2_star_myocardium_s=_seconds(settings.native_t2_star_myocardium_ms)
        or near.t2_star_myocardium_s,
        density_g_ml=settings.tissue_density_g_ml,
        hematocrit_fraction=settings.hematocrit_percent / 100,
    )


def _nearest_t(field_strength_t: float) -> float:
    return min(_TABULATED_T, key=lambda known_t: abs(known_t - field_strength_t))


def _seconds(value_ms: float | None) -> float | None:
    return None if value_ms is None else value_ms / 1000
