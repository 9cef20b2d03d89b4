"""The truth file holds every field of the phantom but its images."""

from pathlib import Path

import numpy as np

from node.scanner import save_truth
from tests.fakes.exams import small_exam


def test_truth_is_read_back(tmp_path: Path) -> None:
    exam = small_exam()
    path = tmp_path / "truth.npz"
    save_truth(exam, path)
    with np.load(path, allow_pickle=False) as truth:
        assert str(truth["state"]) == "stress"
        assert int(truth["seed"]) == exam.seed
        for index, item in enumerate(exam.slices):
            name = f"slices.{index}"
            np.testing.assert_array_equal(truth[f"{name}.time_s"], item.time_s)
            for field in ("flow_ml_min_g", "displacement", "reference_myocardium"):
                np.testing.assert_array_equal(
                    truth[f"{name}.truth.{field}"], getattr(item.truth, field)
                )
        np.testing.assert_array_equal(
            truth["arterial_concentration_mmol_l"], exam.arterial_concentration_mmol_l
        )
        assert float(truth["slices.0.sequence.readout.flip_angle_rad"]) > 0
        assert not any(name.endswith(".frames") for name in truth.files)
