"""Stress, rest and reserve on one page: complete, in fixed colours, nothing over anything."""

import dataclasses
from itertools import combinations

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text

from pipeline.findings import Code, Finding, Grade
from pipeline.picture import PAGE_SHAPE, draw_pair_page
from pipeline.picture.canvas import to_rgb
from pipeline.picture.page import compose_page
from pipeline.picture.paint import colour_of
from pipeline.picture.pair_page import compose_pair_page
from pipeline.picture.provenance import Provenance
from pipeline.picture.scale import RESERVE_SCALE, ColourTable
from pipeline.quality import AnalysedExam
from pipeline.reserve import Reserve, compare_states
from pipeline.types import ArterialInput, ArterialInputSource, PatientState, SliceAnalysis
from tests.pipeline.reserve.pair import cuts_of, exam_of

PROVENANCE = Provenance(
    software="perfnode test config 1a2b3c4d",
    created="2026-01-01 10:00:00",
    label="RESEARCH ONLY",
    motion="learned: anatomy sha256 1a2b3c4d, affine sha256 1a2b3c4d, deformable sha256 1a2b3c4d",
    assumptions=tuple(f"saturation delay {n} ms (assumed: a long reason)" for n in range(8)),
)
TIME_S = torch.linspace(0.0, 1.0, 2, dtype=torch.float64)


def full(one: AnalysedExam, n_findings: int = 12) -> AnalysedExam:
    """Return an exam with curves and more findings than fit."""
    slices = tuple(
        dataclasses.replace(each, tissue_time_s=TIME_S, tissue_mmol_l=0.5 * TIME_S)
        for each in one.analysis.slices
    )
    blood = ArterialInput(
        time_s=TIME_S,
        concentration_mmol_l=4.0 * TIME_S,
        mask=torch.ones(3, 3, dtype=torch.bool),
        source=ArterialInputSource.DUAL_SEQUENCE,
        foot=0,
        peak=1,
        valley=1,
    )
    findings = tuple(
        Finding(code=Code.RESIDUAL_MOTION, grade=Grade.REVIEW, text=f"number {n} " + "moves " * 12)
        for n in range(n_findings)
    )
    return dataclasses.replace(
        one,
        analysis=dataclasses.replace(
            one.analysis, slices=slices, arterial_input=blood, findings=findings
        ),
    )


STRESS = full(exam_of(PatientState.STRESS, cuts_of()))
REST = full(exam_of(PatientState.REST, cuts_of()))


@pytest.fixture(scope="module")
def reserve() -> Reserve:
    return compare_states(stress=STRESS, rest=REST)


def compose(stress: AnalysedExam, rest: AnalysedExam, reserve: Reserve) -> Figure:
    return compose_pair_page(
        stress=stress,
        rest=rest,
        reserve=reserve,
        provenance=PROVENANCE,
        table=ColourTable.PERFUSION,
    )


def texts_of(figure: Figure) -> list[Text]:
    """Return every text of a page that does not stand within a map."""
    left_out = {text for axes in figure.axes if axes.images for text in axes.texts}
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if not axes.axison or not low <= tick.get_loc() <= high:
                    left_out |= {tick.label1, tick.label2}
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in left_out
    ]


def test_no_text_lies_over_another_or_leaves_a_page(reserve: Reserve) -> None:
    pages = (
        compose(STRESS, REST, reserve),
        compose_page(STRESS.exam, STRESS.analysis, PROVENANCE, ColourTable.PERFUSION),
    )
    for figure in pages:
        to_rgb(figure)
        rows, columns = PAGE_SHAPE
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts_of(figure)]
        assert len(boxes) > 150
        for name, box in boxes:
            assert box.x0 >= 8, name
            assert box.x1 <= columns - 8, name
            assert box.y0 >= 4, name
            assert box.y1 <= rows, name
        for (name, one), (other_name, other) in combinations(boxes, 2):
            across = min(one.x1, other.x1) - max(one.x0, other.x0)
            along = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert across <= 1.0 or along <= 4.0, (name, other_name)


def test_letters_are_readable_at_two_thirds_of_the_size(reserve: Reserve) -> None:
    """A page of 1536 columns is shown on 1024: letters of 8.5 points have 8 pixels there."""
    figure = compose(STRESS, REST, reserve)
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 8.5


def test_the_numbers_of_both_exams_and_their_ratio_stand_on_the_page(reserve: Reserve) -> None:
    written = [text.get_text() for text in texts_of(compose(STRESS, REST, reserve))]
    ratio = next(one for one in reserve.regions if one.name == "9 mid inferoseptal")
    assert f"{ratio.reserve:.2f}" in written
    assert any(f"{ratio.reserve:.1f}" == text for text in written)
    assert written.count("STRESS") == 2  # bull's-eye and table
    assert any("assumed: saturation delay 0 ms" in text for text in written)
    assert any("RESEARCH ONLY" in text for text in written)


def test_the_page_has_its_size_and_the_colours_of_the_reserve_map(reserve: Reserve) -> None:
    page = draw_pair_page(stress=STRESS, rest=REST, reserve=reserve, provenance=PROVENANCE)
    assert page.shape == (*PAGE_SHAPE, 3)
    found = reserve.maps[1]
    assert found is not None
    value = float(found.reserve.nanmedian())
    expected = 255 * np.array(colour_of(value, RESERVE_SCALE, ColourTable.PERFUSION))
    lower = page[584:822, 268:506].astype(float)
    assert (np.abs(lower - expected).max(axis=-1) <= 2).sum() > 30


def test_a_pair_without_reserve_says_so_and_shows_both() -> None:
    far = exam_of(PatientState.REST, cuts_of()[:2], along_mm=12.0)
    nothing = compare_states(stress=STRESS, rest=far)
    figure = compose(STRESS, far, nothing)
    in_maps = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert in_maps.count("no MPR map") == 3
    assert in_maps.count("no slice at rest") == 1
    assert any("MPR not available" in text.get_text() for text in figure.texts)
    assert any(text.get_text() == "REVIEW" for text in figure.texts)


@pytest.mark.parametrize("n_slices", [1, 5])
def test_any_number_of_slices_is_drawn(n_slices: int) -> None:
    offsets = np.linspace(5.0, 45.0, n_slices).tolist()
    stress, rest = (
        exam_of(state, cuts_of(offsets)) for state in (PatientState.STRESS, PatientState.REST)
    )
    found = compare_states(stress=stress, rest=rest)
    maps = [axes for axes in compose(stress, rest, found).axes if axes.images]
    assert len(maps) == 3 * min(n_slices, 3)


def test_a_pair_of_which_nothing_is_known_is_drawn() -> None:
    def bare(one: AnalysedExam) -> AnalysedExam:
        slices: tuple[SliceAnalysis, ...] = tuple(
            dataclasses.replace(each, masks=None, flow=None, sectors=None)
            for each in one.analysis.slices
        )
        analysis = dataclasses.replace(
            one.analysis, slices=slices, regions=(), arterial_input=None, findings=()
        )
        return dataclasses.replace(one, analysis=analysis)

    stress, rest = bare(STRESS), bare(REST)
    figure = compose(stress, rest, compare_states(stress=stress, rest=rest))
    assert any("rest -" in text.get_text() for text in figure.texts)
