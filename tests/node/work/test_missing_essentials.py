"""Without what the signal model needs, corrected series go out; a code says why flow does not."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pydicom.dataset import Dataset

from node.settings import MotionSettings, Settings
from node.work.compute import compute_study
from node.work.networks import load_trained
from node.work.outcome import Outcome
from tests.fakes.exams import STAMP, edit, values, write_small_exam


def compute(files: list[Path]) -> Outcome:
    settings = Settings(motion=MotionSettings(method="none"))
    return compute_study(
        files,
        settings=settings,
        trained=load_trained(settings, torch.device("cpu")),
        stamp=STAMP,
        reference="0001",
        progress=lambda _stage, _fraction: None,
    )


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return write_small_exam(tmp_path, n_slices=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (values(MagneticFieldStrength=None, ImagingFrequency=None), "field strength"),
        (values(MagneticFieldStrength="0.55", ImagingFrequency="23.4"), "0.55 T"),
        (values(SeriesDescription="scan 7", ProtocolName="scan 7"), "saturation-recovery sequence"),
    ],
)
def test_corrected_series_go_out_and_a_code_says_why_flow_does_not(
    change: Callable[[Dataset], None], words: str, files: list[Path]
) -> None:
    edit(files, change)
    outcome = compute(files)
    kinds = {result.kind for result in outcome.results}
    assert {"moco", "page", "failure"} <= kinds
    assert "flow" not in kinds
    assert outcome.failure is not None
    assert outcome.failure.code == "P12"
    assert words in outcome.failure.text
