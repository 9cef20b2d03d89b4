"""The movie: every beat once at its real time, both images under the same contours."""

import dataclasses

import numpy as np
import pytest
import torch

from pipeline.picture.movie import _PANEL_PX, _PANEL_TOPS_PX, MOVIE_SHAPE, Movie, draw_movie
from pipeline.picture.provenance import Provenance
from pipeline.quality import AnalysedExam
from pipeline.types import PatientState
from tests.pipeline.reserve.pair import cuts_of, exam_of

N_BEATS = 9
PROVENANCE = Provenance(
    software="perfnode test", created="2026-01-01", label="RESEARCH ONLY", motion="learned"
)


def moving(n_slices: int = 3, lacking: tuple[int, int] | None = None) -> AnalysedExam:
    """Return an exam whose original frames move and whose corrected ones do not."""
    one = exam_of(PatientState.STRESS, (cuts_of() * 2)[:n_slices])
    all_series, results = [], []
    for index, (series, result) in enumerate(
        zip(one.exam.slices, one.analysis.slices, strict=True)
    ):
        assert result.masks is not None
        still = 100 + 300 * result.masks.left_ventricle.float()
        beats = [beat for beat in range(N_BEATS) if (index, beat) != lacking]
        frames = torch.stack([still.roll(beat % 3, dims=0) for beat in beats])
        corrected = still.expand(len(beats), -1, -1).clone()
        time_s = torch.tensor([0.8 * beat + 0.2 * index + 0.1 * (beat > 4) for beat in beats])
        all_series.append(
            dataclasses.replace(series, frames=frames, time_s=time_s.double(), n_proton_density=0)
        )
        motion = dataclasses.replace(
            result.motion,
            frames=corrected,
            displacement=torch.zeros(len(beats), 2, *still.shape),
            is_unlike=torch.tensor([beat == 7 for beat in beats]),
        )
        results.append(dataclasses.replace(result, motion=motion))
    return AnalysedExam(
        exam=dataclasses.replace(one.exam, slices=tuple(all_series)),
        analysis=dataclasses.replace(one.analysis, slices=tuple(results)),
    )


def movie_of(one: AnalysedExam) -> Movie:
    return draw_movie(one.exam, one.analysis, PROVENANCE)


def panels(movie: Movie, index: int, column: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return original and corrected image of a frame, without captions at their upper edge."""
    left = movie.lefts_px[column]
    frame = movie.frame(index)
    original, corrected = (
        frame[top + 30 : top + _PANEL_PX - 24, left : left + _PANEL_PX] for top in _PANEL_TOPS_PX
    )
    return original, corrected


def test_every_beat_is_a_frame_at_its_time() -> None:
    movie = movie_of(moving())
    assert movie.n_frames == N_BEATS
    assert movie.frame(0).shape == (*MOVIE_SHAPE, 3)
    expected = [0.0, 0.8, 0.8, 0.8, 0.8, 0.9, 0.8, 0.8, 0.8]
    assert movie.intervals_s == pytest.approx(expected)


def test_the_heart_moves_above_and_stays_below() -> None:
    movie = movie_of(moving())
    first, second = panels(movie, 0), panels(movie, 1)
    assert np.abs(first[0].astype(int) - second[0]).max() > 100
    assert np.array_equal(first[1], second[1])
    # In the first frame nothing has moved yet: the same contours over the same image.
    assert np.array_equal(*first)


def test_both_images_have_one_grey_scale() -> None:
    """A correction that makes an image darker shows."""
    one = moving()
    results = tuple(
        dataclasses.replace(
            result, motion=dataclasses.replace(result.motion, frames=0.5 * result.motion.frames)
        )
        for result in one.analysis.slices
    )
    dim = AnalysedExam(exam=one.exam, analysis=dataclasses.replace(one.analysis, slices=results))
    original, corrected = panels(movie_of(dim), 0)
    middle = (slice(80, 100), slice(110, 130))
    assert corrected[middle].mean() < 0.6 * original[middle].mean()


def test_a_beat_that_a_slice_lacks_is_empty_there_and_only_there() -> None:
    movie = movie_of(moving(lacking=(1, 5)))
    assert movie.n_frames == N_BEATS
    assert movie.beats[5].frames == (5, None, 5)
    assert panels(movie, 5, 1)[0].std() < 15 < panels(movie, 5, 0)[0].std()
    assert movie.beats[6].frames == (6, 5, 6)


def test_a_beat_that_does_not_fit_is_marked() -> None:
    """The caption changes its words and its colour."""
    movie = movie_of(moving())
    captions = [
        movie.frame(index)[_PANEL_TOPS_PX[1] + _PANEL_PX - 24 :][:20, movie.lefts_px[0] :][:, :90]
        for index in (6, 7)
    ]
    is_yellow = [
        (int(caption[..., 0].max()) - int(caption[..., 2].min()) > 100)
        and (np.ptp(caption.astype(int), axis=2).max() > 100)
        for caption in captions
    ]
    assert is_yellow == [False, True]


def test_same_analysis_gives_the_same_pixels() -> None:
    first, second = movie_of(moving()), movie_of(moving())
    assert np.array_equal(first.frame(4), second.frame(4))


@pytest.mark.parametrize(("n_slices", "shown"), [(1, (0,)), (2, (0, 1)), (5, (0, 2, 4))])
def test_any_number_of_slices(n_slices: int, shown: tuple[int, ...]) -> None:
    movie = movie_of(moving(n_slices))
    assert movie.positions == shown
    assert movie.frame(0).shape == (*MOVIE_SHAPE, 3)


def test_nothing_but_frames_is_needed() -> None:
    one = moving()
    results = tuple(
        dataclasses.replace(result, masks=None, sectors=None, flow=None)
        for result in one.analysis.slices
    )
    bare = AnalysedExam(
        exam=one.exam,
        analysis=dataclasses.replace(one.analysis, slices=results, regions=()),
    )
    original, corrected = panels(movie_of(bare), 1)
    assert not np.array_equal(original, corrected)
