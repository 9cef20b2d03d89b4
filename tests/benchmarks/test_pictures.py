"""Milliseconds per picture, beside the same frame drawn with matplotlib in the same run."""

import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from node.translate import to_bytes
from node.translate.encode_movie import encode_movie
from pipeline.picture.colour_map import draw_flow_maps
from pipeline.picture.movie import MOVIE_SHAPE, Movie, draw_movie
from pipeline.picture.scale import ColourTable
from tests.fakes.pictures import PROVENANCE, encode_pictures

pytestmark = pytest.mark.benchmark


def cpu_ms(work: Callable[[], object], n_times: int = 3) -> float:
    """Return the least processor time of some runs, ms."""
    taken = []
    for _ in range(n_times):
        began = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - began))
    return min(taken)


def plot_frame(movie: Movie, index: int) -> np.ndarray:
    """Draw the six images of a frame and its head with a plotting library."""
    rows, columns = MOVIE_SHAPE
    figure = Figure(figsize=(columns / 100, rows / 100), dpi=100)
    for column, place in enumerate(movie.columns):
        for row, frames in enumerate((place.before, place.after)):
            axes = figure.add_axes((0.02 + 0.33 * column, 0.58 - 0.33 * row, 0.31, 0.32))
            axes.imshow(frames[index], cmap="gray", interpolation="bicubic")
            axes.set_axis_off()
    figure.text(0.02, 0.95, f"{index + 1} / {movie.n_frames}")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def test_pictures(tmp_path: Path) -> None:
    pictures = encode_pictures(tmp_path)
    exam, analysis = pictures.context.decoded.exam, pictures.context.analysis
    movie = draw_movie(exam, analysis, PROVENANCE)
    n_frames, frame = movie.n_frames, movie.frame(5)
    prepared = cpu_ms(lambda: draw_movie(exam, analysis, PROVENANCE))
    composed = cpu_ms(lambda: [movie.frame(index) for index in range(n_frames)]) / n_frames
    plotted = cpu_ms(lambda: [plot_frame(movie, index) for index in range(5)]) / 5
    packed = cpu_ms(lambda: Image.fromarray(frame).save(io.BytesIO(), "JPEG", quality=75))
    encoded = cpu_ms(lambda: to_bytes(encode_movie(pictures.context, movie)))
    maps = cpu_ms(lambda: draw_flow_maps(exam, analysis, PROVENANCE, ColourTable.PERFUSION))
    print(f"\n{len(exam.slices)} slices, {n_frames} beats, frames {MOVIE_SHAPE}, cpu,", end=" ")
    print(f"{torch.get_num_threads()} thread(s); processor time")
    print(f"colour map {maps / len(exam.slices):.1f} ms, movie prepared in {prepared:.0f} ms")
    print(f"frame composed {composed:.1f} ms, as JPEG {packed:.1f} ms")
    print(f"frame drawn with matplotlib {plotted:.1f} ms: {plotted / composed:.1f} times as long")
    print(f"whole object {encoded:.0f} ms")
    assert plotted > composed
