"""Contrast agents and how strongly they shorten T1 and T2.

r1 is that in human plasma at 37 °C (Rohrer 2005, doi 10.1097/01.rli.0000184756.66360.d3);
gadopiclenol, which is younger, as tabulated by dcmri. r1 in whole blood is that of Shen 2015
(Invest Radiol 50:330). At 3 T Szomolanyi 2019 (doi 10.1097/RLI.0000000000000577) measured up to
14 % less in plasma than Rohrer and, in blood, 3.5 (gadobutrol), 2.7 (gadoterate) and 2.6
(gadoteridol): sources differ by a quarter.

r2 is that in plasma of the same paper of Rohrer as commonly quoted; the paper was not at hand to
verify it. For gadopiclenol none was found and r2 = 1.25 r1 is assumed. In blood R2* grows faster
than r2 c (Maki 2013, ISMRM abstract 1272; Kellman 2006, doi 10.1002/mrm.21061, found T2* = 9 ms at
the peak in the left ventricle), so r2 c is a lower bound of what a gradient echo loses there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from models.physics.field_strength import nearest_field_strength

AtBothFields = tuple[float, float]
"""A constant at 1.5 T and at 3 T."""


class Medium(StrEnum):
    """Where a longitudinal relaxivity was measured."""

    PLASMA = "plasma"
    WHOLE_BLOOD = "whole_blood"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastAgent:
    """A gadolinium contrast agent.

    Parameters
    ----------
    name
        Generic name, lower case.
    in_plasma_l_mmol_s
        Longitudinal relaxivity r1 in plasma, l/(mmol s).
    in_blood_l_mmol_s
        r1 in whole blood; None where nobody measured it.
    transverse_l_mmol_s
        Transverse relaxivity r2 in plasma.

    """

    name: str
    in_plasma_l_mmol_s: AtBothFields
    in_blood_l_mmol_s: AtBothFields | None
    transverse_l_mmol_s: AtBothFields

    def relaxivity_l_mmol_s(self, field_strength_t: float, medium: Medium = Medium.PLASMA) -> float:
        """Return r1 at a field strength, l/(mmol s).

        Raises
        ------
        ValueError
            If the field strength is neither 1.5 T nor 3 T (within 0.3 T), or if r1 is not known in
            this medium.

        """
        known = self.in_plasma_l_mmol_s
        if medium is Medium.WHOLE_BLOOD:
            if self.in_blood_l_mmol_s is None:
                raise ValueError(f"no relaxivity of {self.name} in whole blood is tabulated")
            known = self.in_blood_l_mmol_s
        return _pick(known, field_strength_t)

    def transverse_relaxivity_l_mmol_s(self, field_strength_t: float) -> float:
        """Return r2 at a field strength, l/(mmol s).

        Raises
        ------
        ValueError
            If the field strength is neither 1.5 T nor 3 T (within 0.3 T).

        """
        return _pick(self.transverse_l_mmol_s, field_strength_t)


def _pick(values: AtBothFields, field_strength_t: float) -> float:
    return values[0] if nearest_field_strength(field_strength_t) == 1.5 else values[1]


def _agent(
    name: str, plasma: AtBothFields, blood: AtBothFields | None, transverse: AtBothFields
) -> ContrastAgent:
    return ContrastAgent(
        name=name,
        in_plasma_l_mmol_s=plasma,
        in_blood_l_mmol_s=blood,
        transverse_l_mmol_s=transverse,
    )


AGENTS: Mapping[str, ContrastAgent] = MappingProxyType(
    {
        agent.name: agent
        for agent in (
            _agent("gadobutrol", (5.2, 5.0), (4.6, 4.5), (6.1, 7.1)),
            _agent("gadoterate", (3.6, 3.5), (3.9, 3.4), (4.3, 4.9)),
            _agent("gadobenate", (6.3, 5.5), (6.2, 5.4), (8.7, 11.0)),
            _agent("gadopentetate", (4.1, 3.7), (4.3, 3.8), (4.6, 5.2)),
            _agent("gadoteridol", (4.1, 3.7), (4.4, 3.5), (5.0, 5.7)),
            _agent("gadodiamide", (4.3, 4.0), (4.5, 3.9), (5.2, 5.6)),
            _agent("gadopiclenol", (12.8, 11.6), None, (16.0, 14.5)),
        )
    }
)
"""Contrast agents by generic name: r1 in plasma, r1 in whole blood, r2 in plasma."""
