"""Everything an analysis may be told: constants of tissue, agent and fit, frozen."""

from dataclasses import dataclass

from pipeline.motion.methods import Method
from pipeline.types import FlowModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Tissue:
    """Constants of blood and myocardium."""

    native_t1_blood_s: float
    native_t1_myocardium_s: float
    density_g_ml: float
    hematocrit_fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FermiBounds:
    """Search range of the Fermi fit, fixed before any result was looked at."""

    max_flow_ml_min_g: float
    max_delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisParameters:
    """Parameters of one analysis."""

    relaxivity_l_mmol_s: float
    tissue: Tissue
    bounds: FermiBounds
    motion: Method
    """How motion is corrected."""
    flow_model: FlowModel = FlowModel.FERMI
    """Tissue model of the flow map."""
    shares_neighbourhood: bool = True
    """Whether a pixel takes what its curve alone does not tell from its neighbourhood."""
    with_model_spread: bool = False
    """Whether the other models are fitted too and their spread is mapped."""
