import dataclasses

import pytest
import torch
from torch.nn import functional

from models.networks import shipped_networks
from models.phantom import Breathing, Protocol
from pipeline.evaluation.cases import Split, Subject
from pipeline.evaluation.delivery import measure as measuring
from pipeline.evaluation.delivery.measure import DeliveryTask, carry_out, measure, slice_of
from pipeline.evaluation.delivery.records import from_line, to_line
from pipeline.evaluation.delivery.sheet import contact_sheet
from pipeline.evaluation.delivery.tables import document
from pipeline.evaluation.delivery.ways import Way, deliver
from pipeline.evaluation.summary import reading_of

PROTOCOL = Protocol(
    n_slices=1,
    matrix=(96, 80),
    spacing_mm=2.6,
    arterial_matrix=(32, 32),
    n_saturation_recovery=40,
    breathing=Breathing.FREE,
)
SUBJECT = Subject(split=Split.DEVELOPMENT, seed=5, protocol=PROTOCOL)


@pytest.fixture(scope="module")
def case():
    return slice_of(SUBJECT)


@pytest.fixture(scope="module")
def records(case):
    networks = shipped_networks("cpu")
    return [measure(case, way, networks) for way in (Way.AS_IS, Way.CROPPED, Way.NO_DENSITY)]


@pytest.mark.parametrize("way", list(Way))
def test_every_way_gives_a_series(case, way):
    series = deliver(case, way)
    assert bool(series.frames.isfinite().all())
    assert float(series.frames.min()) >= 0
    assert len(series.kept) == len(series.frames)
    assert series.n_proton_density == int((series.kept < PROTOCOL.n_proton_density).sum())
    again = deliver(case, way)
    assert torch.equal(series.frames, again.frames)
    if way is not Way.AS_IS:
        assert series.frames.shape != case.frames.shape or not torch.equal(
            series.frames, case.frames
        )


def _read(frame, points):
    size = points.new_tensor(frame.shape)
    grid = (2 * (points + 0.5) / size - 1).flip(1)[None, None]
    return functional.grid_sample(frame[None, None], grid, align_corners=False)[0, 0, 0]


@pytest.mark.parametrize("way", [Way.FINER, Way.CROPPED, Way.NO_BASELINE])
def test_contours_lie_on_the_same_heart(case, way):
    series = deliver(case, way)
    contours = series.contours(case.contours)
    frame = len(series.kept) // 2
    acquired = case.contours.outer_px[series.kept[frame]]
    before = _read(case.frames[series.kept[frame]], acquired)
    after = _read(series.frames[frame], contours.outer_px[frame])
    off = _read(series.frames[frame], contours.outer_px[frame] + series.zoom)
    span = float(before.max() - before.min())
    assert float((after - before).abs().mean()) < 0.05 * span
    assert float((off - before).abs().mean()) > 0.08 * span
    assert contours.spacing_mm[0] * series.zoom == pytest.approx(case.contours.spacing_mm[0])


def test_short_series_are_what_they_are_called(case):
    assert len(deliver(case, Way.SHORT).frames) == 30 + PROTOCOL.n_proton_density
    assert deliver(case, Way.NO_DENSITY).n_proton_density == 0
    begun = deliver(case, Way.NO_BASELINE).kept
    assert int((case.phases[0] | case.phases[1])[begun].sum()) == 1


def test_registration_helps_however_a_series_comes(records):
    for row in records:
        assert row.chosen == "learned"
        assert row.dice > row.dice_before + 0.02, row.way
        assert row.error_mm < 0.6 * row.error_before_mm, row.way
        assert row.off_mm < 15


def test_what_is_done_is_not_done_again(records, monkeypatch):
    keys = frozenset((SUBJECT.split.value, SUBJECT.seed, way.value) for way in Way)
    monkeypatch.delattr(Subject, "draw")
    assert carry_out(DeliveryTask(subject=SUBJECT, done=keys), records.append) == 0


def test_what_is_missing_is_done(case, records, monkeypatch):
    monkeypatch.setattr(measuring, "slice_of", lambda _: case)
    keys = frozenset(
        (SUBJECT.split.value, SUBJECT.seed, way.value) for way in Way if way is not Way.AS_IS
    )
    found = []
    assert carry_out(DeliveryTask(subject=SUBJECT, done=keys), found.append) == 1
    assert found == records[:1]


def test_results_survive_the_file(records):
    for row in records:
        again = from_line(to_line(row))
        assert again.key == row.key
        assert again.error_mm == pytest.approx(row.error_mm, abs=1e-8)
    with pytest.raises(ValueError, match="version"):
        from_line("{}")


def test_the_document_counts_what_was_lost_and_keeps_the_reading(records):
    lost = dataclasses.replace(
        records[1], dice=0.5, dice_before=0.8, off_mm=30.0, chosen="identity"
    )
    text = document([records[0], lost], reading="What it means.", pictures=("![a](b.png)",))
    assert reading_of(text) == "What it means."
    row = next(line for line in text.splitlines() if line.startswith(f"| {Way.CROPPED} "))
    assert row.endswith("| 1 | 1 | 1 |")
    assert "0.500 (0.500)" in row


def test_the_sheet_shows_every_way(case):
    ways = (Way.AS_IS, Way.CROPPED)
    figure = contact_sheet(case, shipped_networks("cpu"), ways=ways)
    assert [axes.get_title() for axes in figure.axes] == [way.value for way in ways]
