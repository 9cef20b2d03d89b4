"""Contrast agents and how strongly they shorten T1.

Relaxivities are those in human plasma at 37 °C (Rohrer 2005,
doi 10.1097/01.rli.0000184756.66360.d3); gadopiclenol, which is younger, as tabulated by dcmri. At
3 T Szomolanyi 2019 (doi 10.1097/RLI.0000000000000577) measured up to 14 % less than that in plasma
and 22 to 31 % less in blood; a site that trusts another number sets it in the configuration.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from models.physics.field_strength import nearest_field_strength


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastAgent:
    """A gadolinium contrast agent.

    Parameters
    ----------
    name
        Generic name, lower case.
    relaxivity_1_5_t_l_mmol_s
        Longitudinal relaxivity r1 at 1.5 T, l/(mmol s).
    relaxivity_3_t_l_mmol_s
        Longitudinal relaxivity r1 at 3 T, l/(mmol s).

    """

    name: str
    relaxivity_1_5_t_l_mmol_s: float
    relaxivity_3_t_l_mmol_s: float

    def relaxivity_l_mmol_s(self, field_strength_t: float) -> float:
        """Return r1 at a field strength, l/(mmol s).

        Raises
        ------
        ValueError
            If the field strength is neither 1.5 T nor 3 T (within 0.3 T).

        """
        if nearest_field_strength(field_strength_t) == 1.5:
            return self.relaxivity_1_5_t_l_mmol_s
        return self.relaxivity_3_t_l_mmol_s


def _agent(name: str, at_1_5_t: float, at_3_t: float) -> ContrastAgent:
    return ContrastAgent(
        name=name, relaxivity_1_5_t_l_mmol_s=at_1_5_t, relaxivity_3_t_l_mmol_s=at_3_t
    )


AGENTS: Mapping[str, ContrastAgent] = MappingProxyType(
    {
        agent.name: agent
        for agent in (
            _agent("gadobutrol", 5.2, 5.0),
            _agent("gadoterate", 3.6, 3.5),
            _agent("gadobenate", 6.3, 5.5),
            _agent("gadopentetate", 4.1, 3.7),
            _agent("gadoteridol", 4.1, 3.7),
            _agent("gadodiamide", 4.3, 4.0),
            _agent("gadopiclenol", 12.8, 11.6),
        )
    }
)
"""Contrast agents by generic name."""
