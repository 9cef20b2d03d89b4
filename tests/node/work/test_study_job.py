"""A study computed more than once: what is new goes out, what no longer holds is taken back."""

from datetime import datetime
from pathlib import Path

import pytest
import torch
from pydicom.dataset import Dataset

from node.settings import Destination, MotionSettings, NodeSettings, Settings
from node.work.networks import load_trained
from node.work.outgoing import reject_study
from node.work.study_job import StudyJob
from storage.catalogue import Catalogue
from storage.files import FileStore
from storage.outbox import Outbox
from storage.records import StudyState
from tests.fakes.exams import edit, write_small_exam
from tests.fakes.received_files import receive

NOW = datetime(2026, 3, 2, 11, 30)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    pacs = Destination(name="PACS", ae_title="PACS", address="127.0.0.1", port=11112)
    viewer = pacs.model_copy(update={"name": "VIEWER", "objects": ("page",)})
    return Settings(
        node=NodeSettings(data=tmp_path),
        motion=MotionSettings(method="none"),
        destinations=(pacs, viewer),
    )


@pytest.fixture
def job(settings: Settings, catalogue: Catalogue, tmp_path: Path) -> StudyJob:
    trained = load_trained(settings, torch.device("cpu"))
    return StudyJob(settings, catalogue, FileStore(tmp_path), trained)


def compute(job: StudyJob, catalogue: Catalogue) -> set[str]:
    """Compute the queued revision; return the identifiers of its results, without retractions."""
    (study,) = catalogue.studies()
    run = catalogue.start(study.id, study.revision)
    assert run is not None
    job.compute(run)
    results = catalogue.results(study.id, study.revision)
    return {result.sop_uid for result in results if result.kind != "retraction"}


def without_pixels(dataset: Dataset) -> None:
    del dataset.PixelData


def deliver(outbox: Outbox) -> dict[str, list[str]]:
    """Let every destination accept everything; return what kinds each one got."""
    kinds: dict[str, list[str]] = {}
    for delivery in outbox.due(1000):
        assert outbox.begin(delivery.id)
        outbox.mark_sent(delivery.id)
        kinds.setdefault(delivery.destination, []).append(delivery.kind)
    return kinds


def test_late_rejected_and_computed_again(
    job: StudyJob, settings: Settings, catalogue: Catalogue, outbox: Outbox, tmp_path: Path
) -> None:
    images = write_small_exam(tmp_path / "scanner", n_slices=1)
    edit(images, without_pixels)
    receive(catalogue, tmp_path, images[:-1])
    catalogue.force(1)
    first = compute(job, catalogue)
    sent = deliver(outbox)
    assert sent == {"PACS": ["failure"], "VIEWER": ["failure"]}

    receive(catalogue, tmp_path, images[-1:])
    catalogue.force(1)
    second = compute(job, catalogue)
    assert catalogue.retracted_uids(1) == first
    assert first.isdisjoint(second), "another number of images is another reason"
    assert deliver(outbox)["VIEWER"] == ["failure", "retraction"]

    catalogue.retry(1)
    assert compute(job, catalogue) == second, "nothing changed: the same objects again"
    assert "retraction" not in deliver(outbox)["PACS"]

    study = catalogue.study(1)
    reject_study(study, "quality", settings=settings, catalogue=catalogue, now=NOW)
    assert catalogue.retracted_uids(1) == first | second
    assert deliver(outbox) == {"PACS": ["retraction"], "VIEWER": ["retraction"]}

    catalogue.retry(1)
    third = compute(job, catalogue)
    assert third.isdisjoint(first | second), "an archive may refuse what it was told to forget"
    assert len(third) == len(second)
    assert deliver(outbox)["PACS"].count("retraction") == 0
    assert catalogue.study(1).state is StudyState.FAILED
