"""Pictures come out, and small enough for a repository."""

import io
import math

import torch
from PIL import Image

from pipeline.evaluation.pictures import failures_picture, movie
from pipeline.evaluation.scenes import Scene


def scene(*, has_cavity: bool) -> Scene:
    generator = torch.Generator().manual_seed(0)
    angle = torch.linspace(0, 2 * math.pi, 49)[:-1]
    ring = torch.stack([angle.cos(), angle.sin()], dim=1)
    frames = torch.rand(50, 60, 64, generator=generator)
    return Scene(
        title="noise",
        before=frames,
        after=frames.flip(0),
        inner_px=30 + (9 if has_cavity else 0) * ring[: None if has_cavity else 0],
        outer_px=30 + 15 * ring,
        n_proton_density=2,
    )


def test_a_movie_of_noise_stays_below_the_limit_and_moves() -> None:
    content = movie(scene(has_cavity=True))
    assert len(content) < 400_000
    picture = Image.open(io.BytesIO(content))
    assert picture.n_frames > 5


def test_a_slice_without_cavity_can_be_shown() -> None:
    figure = failures_picture([scene(has_cavity=True), scene(has_cavity=False)])
    file = io.BytesIO()
    figure.savefig(file)
    assert 1000 < file.tell() < 400_000
