"""How gadolinium becomes signal: relaxation, contrast agents, readouts.

`SaturationRecovery` plays any `Readout` after a saturation pulse: `SpoiledGradientEcho`,
`EchoPlanarGradientEcho` or `BalancedSteadyState`; `relaxation_rate` turns concentration into the
rate they need; `AGENTS` and `native_relaxation` hold the published constants.
"""

from models.physics.agents import AGENTS, ContrastAgent
from models.physics.balanced import BalancedSteadyState, Preparation
from models.physics.echo_planar import EchoPlanarGradientEcho
from models.physics.gradient_echo import SaturationRecovery, SpoiledGradientEcho
from models.physics.readout import Readout, TransverseDecay
from models.physics.relaxation import relaxation_rate
from models.physics.tissue import NativeRelaxation, native_relaxation

__all__ = [
    "AGENTS",
    "BalancedSteadyState",
    "ContrastAgent",
    "EchoPlanarGradientEcho",
    "NativeRelaxation",
    "Preparation",
    "Readout",
    "SaturationRecovery",
    "SpoiledGradientEcho",
    "TransverseDecay",
    "native_relaxation",
    "relaxation_rate",
]
