"""Which methods a result rests on, by name, version and weights: what makes it repeatable."""

from dataclasses import dataclass

from node.translate.codes import ARTIFICIAL_INTELLIGENCE, EDGE_DETECTION, CodedTerm
from node.translate.context import ResultContext

_NETWORK = "network"
"""Method of masks that a network outlined."""
_OUTLINE_NETWORK = "segmentation"
"""Name on the card of the network that outlines the heart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """One method as objects name it (PS3.3 10.16, PS3.16 TID 4019)."""

    name: str
    version: str
    parameters: tuple[str, ...]
    """Each `name=value`."""


def outline_algorithm(context: ResultContext) -> Algorithm:
    """Return what outlined the heart."""
    methods = _outlined_by(context)
    weights = tuple(
        f"weights=sha256:{network.sha256}"
        for network in context.run.networks
        if _NETWORK in methods and network.name == _OUTLINE_NETWORK
    )
    return Algorithm(
        name="perfnode outline",
        version=context.run.software_version,
        parameters=(f"method={'+'.join(methods)}", *weights),
    )


def outline_family(context: ResultContext) -> CodedTerm:
    """Return of which kind that is (CID 7162)."""
    has_network = _NETWORK in _outlined_by(context)
    return ARTIFICIAL_INTELLIGENCE if has_network else EDGE_DETECTION


def flow_algorithm(context: ResultContext) -> Algorithm:
    """Return what computed flow, from motion correction and outline to the tissue model."""
    analysis, run = context.analysis, context.run
    models = sorted({str(one.flow.model) for one in analysis.slices if one.flow is not None})
    motion = sorted({one.motion.method for one in analysis.slices})
    arterial_input = analysis.arterial_input
    return Algorithm(
        name="perfnode flow",
        version=run.software_version,
        parameters=(
            f"model={'+'.join(models)}",
            f"motion={'+'.join(motion)}",
            f"outline={'+'.join(_outlined_by(context))}",
            *(() if arterial_input is None else (f"arterial input={arterial_input.source}",)),
            f"configuration=sha256:{run.configuration_digest}",
            *(f"{network.name}=sha256:{network.sha256}" for network in run.networks),
        ),
    )


def _outlined_by(context: ResultContext) -> list[str]:
    found = (result.masks for result in context.analysis.slices)
    return sorted({masks.method for masks in found if masks is not None})
