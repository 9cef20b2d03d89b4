"""How gadolinium becomes signal: relaxation, contrast agents, readouts.

`SaturationRecovery` plays any `Readout` after a saturation pulse: `SpoiledGradientEcho`,
`EchoPlanarGradientEcho` or `BalancedSteadyState`; `Relaxation` turns concentration into the
rates they need; `AGENTS` and `native_relaxation` hold the published constants.
"""

from models.physics.agents import AGENTS, ContrastAgent, Medium
from models.physics.balanced import BalancedSteadyState, Preparation
from models.physics.echo_planar import EchoPlanarGradientEcho
from models.physics.gradient_echo import SaturationRecovery, SpoiledGradientEcho
from models.physics.readout import Readout, TransverseDecay
from models.physics.relaxation import Relaxation, relaxation_rate
from models.physics.tissue import NativeRelaxation, native_relaxation

__all__ = [
    "AGENTS",
    "BalancedSteadyState",
    "ContrastAgent",
    "EchoPlanarGradientEcho",
    "Medium",
    "NativeRelaxation",
    "Preparation",
    "Readout",
    "Relaxation",
    "SaturationRecovery",
    "SpoiledGradientEcho",
    "TransverseDecay",
    "native_relaxation",
    "relaxation_rate",
]
