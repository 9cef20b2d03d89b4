"""How gadolinium becomes signal: relaxation, contrast agents, gradient-echo readouts.

`SaturationRecovery` and `SpoiledGradientEcho` describe two readouts of the same dual-sequence
exam; `relaxation_rate` turns concentration into the rate they need.
"""

from models.physics.agents import AGENTS, ContrastAgent
from models.physics.gradient_echo import SaturationRecovery, SpoiledGradientEcho
from models.physics.relaxation import relaxation_rate

__all__ = [
    "AGENTS",
    "ContrastAgent",
    "SaturationRecovery",
    "SpoiledGradientEcho",
    "relaxation_rate",
]
