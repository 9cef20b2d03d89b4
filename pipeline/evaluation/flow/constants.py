"""The constants that a site would have set for an exam: tables, not what its patient has."""

from models.physics import AGENTS, native_relaxation
from pipeline.evaluation.flow.prepared import Prepared
from pipeline.motion import Method
from pipeline.parameters import AnalysisParameters, FermiBounds, Tissue
from pipeline.types import FlowModel

BOUNDS = FermiBounds(max_flow_ml_min_g=8.0, max_delay_s=3.0)
"""Those of the shipped configuration, as are density and haematocrit."""
_DENSITY_G_ML = 1.05
_HEMATOCRIT = 0.42


def parameters_of(prepared: Prepared, *, model: FlowModel) -> AnalysisParameters:
    """Return the parameters of an analysis of images that no longer move."""
    field_strength_t = next(iter(prepared.views.values())).exam.field_strength_t
    return site_parameters(
        field_strength_t=field_strength_t, agent=prepared.agent, model=model, motion=Method.NONE
    )


def site_parameters(
    *, field_strength_t: float, agent: str, model: FlowModel, motion: Method
) -> AnalysisParameters:
    """Return what the tables say of a field strength and an agent."""
    native, given = native_relaxation(field_strength_t), AGENTS[agent]
    return AnalysisParameters(
        relaxivity_l_mmol_s=given.relaxivity_l_mmol_s(field_strength_t),
        transverse_relaxivity_l_mmol_s=given.transverse_relaxivity_l_mmol_s(field_strength_t),
        tissue=Tissue(
            native_t1_blood_s=native.t1_blood_s,
            native_t1_myocardium_s=native.t1_myocardium_s,
            native_t2_blood_s=native.t2_blood_s,
            native_t2_myocardium_s=native.t2_myocardium_s,
            native_t2_star_blood_s=native.t2_star_blood_s,
            native_t2_star_myocardium_s=native.t2_star_myocardium_s,
            density_g_ml=_DENSITY_G_ML,
            hematocrit_fraction=_HEMATOCRIT,
        ),
        bounds=BOUNDS,
        motion=motion,
        flow_model=model,
    )
