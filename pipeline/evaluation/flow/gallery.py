"""All pictures of the evidence of flow, written to one folder."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.evaluation.cases import Split
from pipeline.evaluation.flow.design import clinical_trials
from pipeline.evaluation.flow.example import example_picture
from pipeline.evaluation.flow.plots import (
    agreement_plot,
    bias_plot,
    coverage_plot,
    defect_plot,
    factor_plot,
    model_plot,
)
from pipeline.evaluation.flow.prepared import prepare
from pipeline.evaluation.flow.records import FlowRecord
from pipeline.types import FlowModel


def draw_gallery(
    records: Sequence[FlowRecord], folder: Path, *, model: FlowModel, kept: Path | None
) -> tuple[str, ...]:
    """Draw what the results allow, and return the names of the files.

    Parameters
    ----------
    records
        All results; the first clinical exam is analysed anew.
    folder
        Where the files are written.
    model
        The default fit.
    kept
        Folder of exams that are kept; None keeps none.

    """
    if not records:
        return ()
    first = clinical_trials(Split(records[0].split), 1)[0]
    pictures = {
        "quantification_agreement.png": agreement_plot(records, model),
        "quantification_models.png": model_plot(records),
        "quantification_bias.png": bias_plot(records),
        "quantification_factors.png": factor_plot(records, model),
        "quantification_coverage.png": coverage_plot(records, model),
        "quantification_defects.png": defect_plot(records),
        "quantification_example.png": example_picture(prepare(first, kept), model),
    }
    for name, picture in pictures.items():
        picture.savefig(folder / name)
    return tuple(pictures)
