"""What the thorax is made of: proton density, T1, and how each tissue takes up contrast agent."""

from dataclasses import dataclass
from enum import StrEnum


class Tissue(StrEnum):
    """The classes of the label picture, painted in this order."""

    FAT = "fat"
    MUSCLE = "muscle"
    BONE = "bone"
    LUNG = "lung"
    LUNG_VESSEL = "lung vessel"
    LIVER = "liver"
    STOMACH = "stomach"
    SPLEEN = "spleen"
    AORTA = "aorta"
    RIGHT_BLOOD = "right ventricle"
    LEFT_BLOOD = "left ventricle"
    RIGHT_WALL = "right ventricular wall"
    FLUID = "fluid"
    MASS = "mass"
    OTHER_MASS = "other mass"


USUAL_TISSUES = tuple(
    tissue for tissue in Tissue if tissue not in (Tissue.FLUID, Tissue.MASS, Tissue.OTHER_MASS)
)
"""What a textbook patient has."""
BLOOD = (Tissue.LUNG_VESSEL, Tissue.AORTA, Tissue.RIGHT_BLOOD, Tissue.LEFT_BLOOD)


@dataclass(frozen=True, slots=True, kw_only=True)
class TissueConstants:
    """Signal and uptake of one tissue outside the left ventricle.

    T1 of muscle is that of Stanisz 2005 (doi 10.1002/mrm.20605) in round numbers; the others
    are chosen to be of plausible size.
    """

    proton_density: float
    """Relative to blood."""
    t1_1_5_t_s: float
    t1_3_t_s: float
    flow_ml_min_g: float
    blood_volume: float
    arrival_s: float
    """After the left ventricle."""


def _tissue(
    proton_density: float, t1_s: tuple[float, float], flow: float, volume: float, arrival_s: float
) -> TissueConstants:
    return TissueConstants(
        proton_density=proton_density,
        t1_1_5_t_s=t1_s[0],
        t1_3_t_s=t1_s[1],
        flow_ml_min_g=flow,
        blood_volume=volume,
        arrival_s=arrival_s,
    )


SOLID: dict[Tissue, TissueConstants] = {
    Tissue.FAT: _tissue(0.75, (0.30, 0.38), 0.03, 0.01, 3.0),
    Tissue.MUSCLE: _tissue(0.85, (1.00, 1.40), 0.08, 0.03, 3.0),
    Tissue.BONE: _tissue(0.50, (0.45, 0.60), 0.15, 0.05, 3.0),
    Tissue.LUNG: _tissue(0.18, (1.10, 1.25), 2.00, 0.25, 0.0),
    Tissue.LIVER: _tissue(0.80, (0.58, 0.80), 0.70, 0.20, 5.0),
    Tissue.STOMACH: _tissue(0.90, (1.50, 1.90), 0.15, 0.04, 3.0),
    Tissue.SPLEEN: _tissue(0.90, (1.05, 1.30), 1.50, 0.25, 1.5),
    Tissue.RIGHT_WALL: _tissue(0.85, (1.10, 1.30), 1.20, 0.10, 0.6),
    Tissue.FLUID: _tissue(1.00, (3.00, 3.50), 0.001, 0.001, 3.0),
    Tissue.MASS: _tissue(0.80, (0.70, 0.90), 0.60, 0.10, 3.0),
    Tissue.OTHER_MASS: _tissue(0.50, (1.00, 1.20), 0.20, 0.05, 2.0),
}
"""Tissues that take up contrast agent by perfusion, other than the left-ventricular myocardium."""
