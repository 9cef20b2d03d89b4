"""Everything an analysis may be told: constants of tissue, agent and fit, frozen."""

from dataclasses import dataclass

from models.physics import Relaxation
from pipeline.motion.methods import Method
from pipeline.types import FlowModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Tissue:
    """Constants of blood and myocardium."""

    native_t1_blood_s: float
    native_t1_myocardium_s: float
    density_g_ml: float
    hematocrit_fraction: float
    native_t2_blood_s: float = 0.25
    native_t2_myocardium_s: float = 0.045
    native_t2_star_blood_s: float = 0.09
    native_t2_star_myocardium_s: float = 0.024


@dataclass(frozen=True, slots=True, kw_only=True)
class FermiBounds:
    """Search range of the Fermi fit, fixed before any result was looked at."""

    max_flow_ml_min_g: float
    max_delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSettings:
    """How concentration becomes flow."""

    bounds: FermiBounds
    density_g_ml: float
    hematocrit_fraction: float
    model: FlowModel = FlowModel.BTEX
    shares_neighbourhood: bool = False
    """Whether BTEX takes volume, exchange and arrival of a pixel from its neighbourhood; the other
    models always do."""
    with_spread: bool = False
    """Whether the other models are fitted too and their spread is mapped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisParameters:
    """Parameters of one analysis."""

    relaxivity_l_mmol_s: float
    tissue: Tissue
    bounds: FermiBounds
    motion: Method
    """How motion is corrected."""
    transverse_relaxivity_l_mmol_s: float = 5.9
    """r2; of little weight but in balanced and echo-planar readouts."""
    flow_model: FlowModel = FlowModel.BTEX
    """Tissue model of the flow map."""
    shares_neighbourhood: bool = False
    """Whether BTEX takes volume, exchange and arrival of a pixel from its neighbourhood; the other
    models always do."""
    with_model_spread: bool = False
    """Whether the other models are fitted too and their spread is mapped."""

    @property
    def flow(self) -> FlowSettings:
        """What the flow map needs."""
        return FlowSettings(
            bounds=self.bounds,
            density_g_ml=self.tissue.density_g_ml,
            hematocrit_fraction=self.tissue.hematocrit_fraction,
            model=self.flow_model,
            shares_neighbourhood=self.shares_neighbourhood,
            with_spread=self.with_model_spread,
        )

    @property
    def blood(self) -> Relaxation:
        """How blood relaxes with and without contrast agent."""
        return Relaxation(
            native_t1_s=self.tissue.native_t1_blood_s,
            native_t2_s=self.tissue.native_t2_blood_s,
            native_t2_star_s=self.tissue.native_t2_star_blood_s,
            relaxivity_l_mmol_s=self.relaxivity_l_mmol_s,
            transverse_relaxivity_l_mmol_s=self.transverse_relaxivity_l_mmol_s,
        )

    @property
    def myocardium(self) -> Relaxation:
        """How myocardium relaxes with and without contrast agent."""
        return Relaxation(
            native_t1_s=self.tissue.native_t1_myocardium_s,
            native_t2_s=self.tissue.native_t2_myocardium_s,
            native_t2_star_s=self.tissue.native_t2_star_myocardium_s,
            relaxivity_l_mmol_s=self.relaxivity_l_mmol_s,
            transverse_relaxivity_l_mmol_s=self.transverse_relaxivity_l_mmol_s,
        )
