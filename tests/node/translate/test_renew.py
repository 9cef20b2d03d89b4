"""Results that were taken back come again under other identifiers, and only those."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from node.settings import DEFAULT_ACQUISITION
from node.translate import ResultObject, decode_study, to_bytes
from node.translate.renew import renew
from tests.fakes.encoding import encode_plain
from tests.fakes.exams import unmoved_analysis, write_small_exam


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[ResultObject, ...]:
    files = write_small_exam(tmp_path_factory.mktemp("exam"), n_slices=1)
    decoded = decode_study(files, rules=DEFAULT_ACQUISITION).exams[0]
    return encode_plain(decoded, unmoved_analysis(decoded.exam))[:20]


def uids(results: tuple[ResultObject, ...]) -> list[str]:
    return [str(result.dataset.SOPInstanceUID) for result in results]


def references(dataset: Dataset) -> set[str]:
    return {
        str(item.ReferencedSOPInstanceUID)
        for series in dataset.ReferencedSeriesSequence
        for item in series.ReferencedInstanceSequence
    }


def test_without_a_retraction_nothing_changes(results: tuple[ResultObject, ...]) -> None:
    assert renew(results, {"2.25.1"}) == results


def test_one_that_was_taken_back_renews_all(results: tuple[ResultObject, ...]) -> None:
    before = uids(results)
    renewed = renew(results, {before[0]})
    assert set(uids(renewed)).isdisjoint(before)
    assert len(set(uids(renewed))) == len(before)
    assert [item.kind for item in renewed] == [item.kind for item in results]
    assert uids(results) == before, "the originals are as they were"


def test_results_still_name_each_other(results: tuple[ResultObject, ...]) -> None:
    """References among the results follow; those to received images stay."""
    before, renewed = uids(results), renew(results, set(uids(results)))
    own = dict(zip(before, uids(renewed), strict=True))
    for old, new in zip(results, renewed, strict=True):
        expected = {own.get(uid, uid) for uid in references(old.dataset)}
        assert references(new.dataset) == expected
        assert old.dataset.PixelData == new.dataset.PixelData
    assert any(references(old.dataset) & own.keys() for old in results)


def test_what_came_back_can_be_taken_back_again(results: tuple[ResultObject, ...]) -> None:
    first = uids(results)
    second = uids(renew(results, set(first)))
    third = uids(renew(results, {*first, *second}))
    assert set(third).isdisjoint({*first, *second})
    assert uids(renew(results, set(first))) == second, "and does so in the same way every time"


def test_renewed_results_are_written_with_their_new_identifier(
    results: tuple[ResultObject, ...], tmp_path: Path
) -> None:
    (path := tmp_path / "one.dcm").write_bytes(to_bytes(renew(results, set(uids(results)))[0]))
    assert uids(results)[0].encode() not in path.read_bytes()
