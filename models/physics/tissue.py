"""Relaxation of blood and myocardium before contrast.

T1 and T2 are the constants in the public code of the NHLBI dual-sequence chain (method: Kellman
2017, doi 10.1186/s12968-017-0355-5). Published native values disagree: T1 by several hundred ms;
T2 of myocardium is 52 ms at 1.5 T and 46 ms at 3 T in a meta-analysis (Hanson 2020, doi
10.1148/radiol.2020200989). T2* of myocardium at 3 T is that of Roy 2017 (doi
10.1186/s12968-017-0371-5), of blood at 3 T that of Blockley 2006 (ISMRM abstract 2516) at 97 %
oxygenation; for T2* at 1.5 T no source was at hand, the numbers are of plausible size. All are
defaults of settings, not truths.
"""

from dataclasses import dataclass

from models.physics.field_strength import nearest_field_strength


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeRelaxation:
    """Relaxation times of blood and myocardium without contrast agent, s."""

    t1_blood_s: float
    t1_myocardium_s: float
    t2_blood_s: float
    t2_myocardium_s: float
    t2_star_blood_s: float
    t2_star_myocardium_s: float


_AT_1_5_T = NativeRelaxation(
    t1_blood_s=1.7,
    t1_myocardium_s=1.1,
    t2_blood_s=0.22,
    t2_myocardium_s=0.045,
    t2_star_blood_s=0.12,
    t2_star_myocardium_s=0.036,
)
_AT_3_T = NativeRelaxation(
    t1_blood_s=2.0,
    t1_myocardium_s=1.3,
    t2_blood_s=0.25,
    t2_myocardium_s=0.045,
    t2_star_blood_s=0.09,
    t2_star_myocardium_s=0.024,
)


def native_relaxation(field_strength_t: float) -> NativeRelaxation:
    """Return native T1, T2 and T2* at a field strength.

    Raises
    ------
    ValueError
        If the field strength is neither 1.5 T nor 3 T (within 0.3 T).

    """
    return _AT_1_5_T if nearest_field_strength(field_strength_t) == 1.5 else _AT_3_T
