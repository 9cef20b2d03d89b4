"""What an archive gives back is read as the analysis it was made from."""

from pathlib import Path

import numpy as np
import pytest

from node.errors import NotDicomError
from node.settings import DEFAULT_ACQUISITION
from node.translate import decode_study, read_result, to_bytes
from tests.fakes.encoding import encode_plain
from tests.fakes.exams import PAGE, unmoved_analysis, write_small_exam


def test_results_are_read_back(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1)
    decoded = decode_study(files, rules=DEFAULT_ACQUISITION).exams[0]
    analysis = unmoved_analysis(decoded.exam)
    results = encode_plain(decoded, analysis)
    (flow,) = [item.flow for item in analysis.slices]
    assert flow is not None
    for result in results:
        path = tmp_path / "result.dcm"
        path.write_bytes(to_bytes(result))
        again = read_result(path)
        assert (again.kind, again.sop_uid) == (result.kind, result.dataset.SOPInstanceUID)
        if again.kind == "flow":
            inside = flow.flow_ml_min_g.numpy() > 0.001
            error = np.abs(again.values - flow.flow_ml_min_g.numpy())[inside]
            assert error.max() < 0.001
            assert np.isnan(again.values[np.isnan(flow.flow_ml_min_g.numpy())]).all()
        if again.kind == "page":
            np.testing.assert_array_equal(again.values, PAGE)


def test_what_is_not_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotDicomError):
        read_result(write_small_exam(tmp_path, n_slices=1)[0])
