"""Myocardium made to order: flow, defect, arrival, exchange, instead of what the seed draws."""

from dataclasses import dataclass

from models.phantom.tissue_models import TissueModel


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTissue:
    """What is asked of the myocardium; None leaves it to the seed."""

    model: TissueModel = TissueModel.PLUG_FLOW
    """How contrast agent passes through it."""
    healthy_flow_ml_min_g: float | None = None
    defect_share: float | None = None
    """Flow of the defect over that of healthy wall, 0-1."""
    defect_width_mm: float | None = None
    """Along the middle of the wall at the base; such a defect is transmural and in all slices."""
    arrival_s: float | None = None
    """Arrival in healthy wall after the left ventricle, s."""
    has_wide_exchange: bool = False
    """Draw volumes and PS from the whole range of the literature."""

    def __post_init__(self) -> None:
        if self.healthy_flow_ml_min_g is not None and self.healthy_flow_ml_min_g <= 0.0:
            raise ValueError("flow must be positive")
        if self.defect_share is not None and not 0.0 < self.defect_share <= 1.0:
            raise ValueError("defect_share must lie in (0, 1]")
        if self.defect_width_mm is not None and self.defect_width_mm < 0.0:
            raise ValueError("a defect cannot have a negative width")
