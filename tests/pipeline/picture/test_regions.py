"""Bull's-eye, table and contours: each number and colour stands where a reader looks for it."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Wedge

from pipeline.measure import measure
from pipeline.motion import identity
from pipeline.picture.bullseye import Look, draw_bullseye
from pipeline.picture.canvas import PAGE_SHAPE, new_page, place_px
from pipeline.picture.colour import NO_NUMBER, TERRITORY_COLOURS, TERRITORY_NAMES
from pipeline.picture.contours import draw_contours
from pipeline.picture.paint import colour_of, ink_on
from pipeline.picture.scale import FLOW_SCALE, RESERVE_SCALE, ColourTable
from pipeline.picture.table import (
    Column,
    Table,
    draw_table,
    flow_cells,
    ratio_cells,
    valid_cells,
)
from pipeline.picture.window import Window
from pipeline.regions import (
    SEGMENT_NAMES,
    FlowStatistics,
    Layer,
    RegionFlow,
    SliceLevel,
    Territory,
    territory_of,
)
from pipeline.segment.sectors import divide
from pipeline.types import FlowMap, SliceAnalysis
from tests.pipeline.segment.ring import SIZE, SPACING_MM, cut


def flow_of(mean: float, valid_fraction: float = 1.0) -> FlowStatistics:
    return FlowStatistics(
        mean_ml_min_g=mean,
        median_ml_min_g=mean,
        sd_ml_min_g=0.2,
        standard_error_ml_min_g=0.1 if math.isfinite(mean) else math.nan,
        n_pixels=40,
        valid_fraction=valid_fraction,
    )


def regions() -> tuple[RegionFlow, ...]:
    """Return segments whose flow is their number over ten, 8 without a number."""
    return tuple(
        RegionFlow(
            name=SEGMENT_NAMES[number],
            layer=layer,
            flow=flow_of(math.nan, 0.3) if number == 8 else flow_of(factor * 0.1 * number),
            segment=number,
        )
        for number in range(1, 17)
        for layer, factor in zip(Layer, (1.0, 0.8, 1.25), strict=True)
    )


LOOK = Look(scale=FLOW_SCALE, table=ColourTable.PERFUSION, letters_pt=11.0)
PLAIN = Look(scale=RESERVE_SCALE, table=ColourTable.UNIFORM, letters_pt=9.0, is_plain=True)


def bullseye(look: Look = LOOK) -> Figure:
    figure = new_page()
    segments = {
        one.segment: one.flow.mean_ml_min_g for one in regions() if one.layer is Layer.WHOLE
    }
    draw_bullseye(figure.add_axes(place_px(100, 100, 400, 400)), segments, look)
    return figure


def wedge_at(figure: Figure, radius: float, degrees: float) -> tuple[Wedge, list[str]]:
    """Return the wedge at a place of the bull's-eye and what is written on it."""
    point = (radius * math.cos(math.radians(degrees)), radius * math.sin(math.radians(degrees)))
    (wedge,) = (
        one
        for one in figure.axes[0].patches
        if one.get_path().contains_point(one.get_patch_transform().inverted().transform(point))
    )
    texts = [
        text.get_text()
        for text in figure.axes[0].texts
        if math.dist(text.get_position(), point) < 0.1
    ]
    return wedge, texts


@pytest.mark.parametrize(
    ("radius", "degrees", "number"),
    [
        (0.86, 90, 1),
        (0.86, 150, 2),
        (0.86, 210, 3),
        (0.86, 270, 4),
        (0.86, 330, 5),
        (0.86, 30, 6),
        (0.57, 90, 7),
        (0.57, 30, 12),
        (0.28, 90, 13),
        (0.28, 180, 14),
        (0.28, 270, 15),
        (0.28, 0, 16),
    ],
)
def test_segments_lie_as_seen_from_the_apex(radius: float, degrees: float, number: int) -> None:
    wedge, texts = wedge_at(bullseye(), radius, degrees)
    assert set(texts) == {str(number), f"{0.1 * number:.2f}"}
    expected = colour_of(0.1 * number, FLOW_SCALE, ColourTable.PERFUSION)
    assert to_hex(wedge.get_facecolor()) == to_hex(expected)
    assert to_hex(wedge.get_edgecolor()) == TERRITORY_COLOURS[territory_of(number)]


def test_a_segment_without_number_is_grey() -> None:
    wedge, texts = wedge_at(bullseye(), 0.57, 150)
    assert to_hex(wedge.get_facecolor()) == NO_NUMBER
    assert set(texts) == {"8", "-"}


def test_a_bullseye_of_nothing_is_grey_all_over() -> None:
    figure = new_page()
    draw_bullseye(figure.add_axes(place_px(0, 0, 400, 400)), {}, LOOK)
    assert len(figure.axes[0].patches) == 16
    assert {to_hex(one.get_facecolor()) for one in figure.axes[0].patches} == {NO_NUMBER}


def test_a_plain_bullseye_has_numbers_of_its_scale_and_no_names() -> None:
    wedge, texts = wedge_at(bullseye(PLAIN), 0.86, 90)
    assert texts == ["0.1"]
    expected = colour_of(0.1, RESERVE_SCALE, ColourTable.UNIFORM)
    assert to_hex(wedge.get_facecolor()) == to_hex(expected)
    written = {text.get_text() for text in bullseye(PLAIN).axes[0].texts}
    assert not written & {"LAD", "anterior", "8"}


@pytest.mark.parametrize("table", ColourTable)
def test_ink_is_readable_on_every_flow(table: ColourTable) -> None:
    for flow in np.linspace(0.0, 6.0, 61).tolist():
        colour = colour_of(flow, FLOW_SCALE, table)
        ground = float(np.array(colour) @ (0.299, 0.587, 0.114))
        ink = 1.0 if ink_on(colour) == "#ffffff" else 0.0
        assert abs(ground - ink) > 0.45


VESSELS = set(TERRITORY_NAMES.values())


def rows_of(measured: tuple[RegionFlow, ...]) -> dict[str, list[str]]:
    """Return the cells of each row of the table by its label, left to right."""
    figure = new_page()
    means = [flow_cells(measured, layer, lambda flow: flow.mean_ml_min_g) for layer in Layer]
    columns = (
        Column(heading="MBF", right_px=236, cells=means[0], is_main=True),
        Column(heading="endo", right_px=286, cells=means[1]),
        Column(heading="epi", right_px=330, cells=means[2]),
        Column(heading="ratio", right_px=374, cells=ratio_cells(measured)),
        Column(heading="%", right_px=420, cells=valid_cells(measured)),
    )
    content = Table(unit="ml/min/g", columns=columns, row_px=21, letters_pt=10.0)
    bottom = draw_table(figure, 1000, 400, content)
    assert 400 < bottom < PAGE_SHAPE[0] - 60
    lines: dict[float, list[tuple[float, str]]] = {}
    for text in figure.texts:
        x, y = text.get_position()
        lines.setdefault(round(y, 6), []).append((x, text.get_text()))
    ordered = [[cell for _, cell in sorted(line)] for line in lines.values()]
    return {
        row[1] if row[0] == "territory" else row[0]: row[2:] if row[1] in VESSELS else row[1:]
        for row in ordered
    }


def test_the_table_has_a_row_per_region() -> None:
    rows = rows_of(regions())
    assert rows["ml/min/g"] == ["MBF", "endo", "epi", "ratio", "%"]
    assert rows["10 mid inferior"] == ["1.00", "0.80", "1.25", "0.64", "100"]
    assert rows["8 mid anteroseptal"] == ["-", "-", "-", "-", "30"]
    assert rows["GLOBAL"] == ["-"] * 5
    assert len(rows) == 1 + 1 + 3 + 3 + 16


def test_the_table_shows_what_was_measured() -> None:
    true = cut()
    sectors = divide(true.masks, true.geometry, SliceLevel.MID)
    flow = 0.1 * sectors.segment.float()
    measured = measure([slice_with(sectors, flow)])
    rows = rows_of(measured)
    assert rows["12 mid anterolateral"][0] == "1.20"
    assert rows["1 basal anterior"] == ["-"] * 5
    assert rows["LAD"][0] == f"{measured[6].flow.mean_ml_min_g:.2f}"


def slice_with(sectors, flow: torch.Tensor):
    return SliceAnalysis(
        motion=identity(torch.rand(4, *flow.shape), spacing_mm=(2.0, 2.0), n_proton_density=0),
        masks=None,
        flow=FlowMap(
            flow_ml_min_g=flow, fit_quality=torch.ones_like(flow), delay_s=torch.zeros_like(flow)
        ),
        tissue_time_s=None,
        tissue_mmol_l=None,
        sectors=sectors,
    )


EVERYWHERE = Window(rows=slice(0, SIZE[0]), columns=slice(0, SIZE[1]))


def contours(with_sectors: bool, window: Window = EVERYWHERE) -> Figure:
    true = cut(level=SliceLevel.BASAL)
    sectors = divide(true.masks, true.geometry, SliceLevel.BASAL) if with_sectors else None
    figure = new_page()
    axes = figure.add_axes(place_px(0, 0, 500, 500))
    draw_contours(axes, true.masks, sectors, SPACING_MM, window)
    return figure


def test_contours_have_the_colours_of_their_territories() -> None:
    true = cut(level=SliceLevel.BASAL)
    distance = {}
    for line in contours(with_sectors=True).axes[0].lines:
        x, y = (np.asarray(part)[len(line.get_xdata()) // 2] for part in line.get_data())
        near = true.segment[
            max(round(y) - 3, 0) : round(y) + 4, max(round(x) - 3, 0) : round(x) + 4
        ]
        owners = {territory_of(int(number)) for number in near.unique() if number}
        distance.setdefault(to_hex(line.get_color()), []).append(owners)
    for territory, colour in TERRITORY_COLOURS.items():
        assert len(distance[colour]) >= 2
        assert all(territory in owners for owners in distance[colour])


def test_territories_are_written_beside_their_arc() -> None:
    axes = contours(with_sectors=True).axes[0]
    assert sorted(text.get_text() for text in axes.texts) == ["LAD", "LCx", "RCA"]
    place = {text.get_text(): text.get_position() for text in axes.texts}
    assert place["LAD"][1] < place["RCA"][1]
    assert place["RCA"][0] < place["LCx"][0]
    assert len(Territory) == 3


def test_contours_without_segments_are_white() -> None:
    axes = contours(with_sectors=False).axes[0]
    assert {to_hex(line.get_color()) for line in axes.lines} == {"#ffffff"}
    assert len(axes.lines) == 2
    assert not axes.texts


def test_contours_follow_the_window() -> None:
    moved = Window(rows=slice(10, 90), columns=slice(5, 80))
    lines = zip(
        contours(with_sectors=True).axes[0].lines,
        contours(with_sectors=True, window=moved).axes[0].lines,
        strict=True,
    )
    for one, other in lines:
        np.testing.assert_allclose(np.asarray(one.get_xdata()) - other.get_xdata(), 5)
        np.testing.assert_allclose(np.asarray(one.get_ydata()) - other.get_ydata(), 10)


def test_an_empty_wall_is_not_drawn() -> None:
    true = cut()
    masks = dataclasses.replace(true.masks, myocardium=torch.zeros_like(true.masks.myocardium))
    figure = new_page()
    axes = figure.add_axes(place_px(0, 0, 500, 500))
    draw_contours(axes, masks, None, SPACING_MM, EVERYWHERE)
    assert not axes.lines
