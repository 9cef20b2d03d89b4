"""A study whose headers declare their counts starts at once, without waiting for any timer."""

from pathlib import Path

from node.selftest.archive import free_port
from storage.records import CompletedBy, StudyState
from tests.fakes.exams import write_small_exam
from tests.peers.running_node import quick_settings, running_node


def test_full_grid_does_not_wait_for_the_quiet_time(tmp_path: Path) -> None:
    settings = quick_settings(tmp_path / "data", free_port(), quiet_s=30)
    with running_node(tmp_path, settings) as node:
        node.send(write_small_exam(tmp_path / "scanner", declares_beats=True))
        study = node.wait_for(StudyState.DONE, StudyState.FAILED)
    assert study.completed_by is CompletedBy.GRID
