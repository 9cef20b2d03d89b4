"""How gadolinium becomes signal: relaxation, contrast agents, gradient-echo readouts.

`SaturationRecovery` and `SpoiledGradientEcho` describe two readouts of the same dual-sequence
exam; `relaxation_rate` turns concentration into the rate they need; `AGENTS` and
`native_relaxation` hold the published constants.
"""

from models.physics.agents import AGENTS, ContrastAgent
from models.physics.gradient_echo import SaturationRecovery, SpoiledGradientEcho
from models.physics.relaxation import relaxation_rate
from models.physics.tissue import NativeRelaxation, native_relaxation

__all__ = [
    "AGENTS",
    "ContrastAgent",
    "NativeRelaxation",
    "SaturationRecovery",
    "SpoiledGradientEcho",
    "native_relaxation",
    "relaxation_rate",
]
