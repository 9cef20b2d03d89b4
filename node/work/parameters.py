"""What one exam is computed with: constants that follow from settings and field strength."""

import torch

from node.errors import UnusableStudyError
from node.settings import QuantificationSettings
from node.work.constants import relaxivity_of, tissue_of, transverse_relaxivity_of
from pipeline.findings import Code
from pipeline.motion import Method
from pipeline.parameters import AnalysisParameters, FermiBounds
from pipeline.types import Exam, FlowModel


def parameters_for(
    exam: Exam, settings: QuantificationSettings, *, motion: Method
) -> AnalysisParameters:
    """Return the constants for an exam; what the settings leave open follows field strength.

    Raises
    ------
    UnusableStudyError
        The tables know neither agent nor tissue at this field strength.

    """
    field_strength_t = exam.field_strength_t
    try:
        return AnalysisParameters(
            relaxivity_l_mmol_s=relaxivity_of(settings, field_strength_t),
            transverse_relaxivity_l_mmol_s=transverse_relaxivity_of(settings, field_strength_t),
            tissue=tissue_of(settings, field_strength_t),
            bounds=FermiBounds(
                max_flow_ml_min_g=settings.max_flow_ml_min_g, max_delay_s=settings.max_delay_s
            ),
            motion=motion,
            flow_model=FlowModel(settings.flow_model),
            shares_neighbourhood=settings.spatial_prior,
            with_model_spread=settings.model_spread,
        )
    except ValueError as error:
        remedy = "set relaxivity and both native T1 under quantification in config.yaml"
        raise UnusableStudyError(Code.UNSUPPORTED_SEQUENCE, f"{error}; {remedy}") from error


def choose_device(wanted: str) -> torch.device:
    """Return the device to compute on; `auto` takes a GPU when there is one."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(wanted)
