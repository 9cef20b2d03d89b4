"""Transverse relaxation of every tissue without contrast agent."""

from models.phantom.tissues import BLOOD, Tissue
from models.physics import NativeRelaxation

_T2_S = {
    Tissue.FAT: 0.060,
    Tissue.MUSCLE: 0.035,
    Tissue.BONE: 0.040,
    Tissue.LUNG: 0.040,
    Tissue.LIVER: 0.040,
    Tissue.SPLEEN: 0.060,
    Tissue.STOMACH: 0.080,
    Tissue.FLUID: 0.300,
}
"""Of plausible size; the wall of the right ventricle and what is not listed follow myocardium."""
_DEPHASING_1_S = {Tissue.LUNG: 400.0, Tissue.BONE: 60.0, Tissue.LIVER: 20.0}
"""What field gradients within a voxel add at 1.5 T; proportional to the field."""
_USUAL_DEPHASING_1_S = 8.0


def native_t2_s(tissue: Tissue, native: NativeRelaxation) -> float:
    """Return T2, s."""
    if tissue in BLOOD:
        return native.t2_blood_s
    return _T2_S.get(tissue, native.t2_myocardium_s)


def dephasing_1_s(tissue: Tissue, field_strength_t: float) -> float:
    """Return R2* - R2, 1/s."""
    return _DEPHASING_1_S.get(tissue, _USUAL_DEPHASING_1_S) * field_strength_t / 1.5
