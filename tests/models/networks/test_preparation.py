import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.networks.preparation import N_BINS, equalise, rescale


def reference_equalisation(image: np.ndarray) -> np.ndarray:
    """Global histogram equalisation as its textbook has it, in another library."""
    histogram, edges = np.histogram(image.ravel(), bins=N_BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    return np.interp(image, centres, histogram.cumsum() / image.size)


@given(seed=st.integers(0, 1000), power=st.floats(0.5, 4))
def test_equalisation_is_the_textbook_one(seed: int, power: float) -> None:
    frames = 800 * torch.rand(2, 20, 24, generator=torch.Generator().manual_seed(seed)) ** power
    wanted = np.stack([reference_equalisation(frame.double().numpy()) for frame in frames])
    # A value on the edge of two bins may fall to either side in single precision.
    np.testing.assert_allclose(equalise(frames).numpy(), wanted, atol=2.5 / 480)


@given(gain=st.floats(0.1, 100), offset=st.floats(-50, 50))
def test_gain_and_offset_of_a_frame_do_not_matter(gain: float, offset: float) -> None:
    frames = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1)).double()
    torch.testing.assert_close(
        equalise(gain * frames + offset), equalise(frames), atol=0.02, rtol=0
    )
    torch.testing.assert_close(rescale(gain * frames + offset), rescale(frames))


def test_blank_and_broken_frames_become_finite() -> None:
    frames = torch.rand(4, 8, 8)
    frames[1], frames[2], frames[3, 0, 0] = 7.0, float("nan"), float("inf")
    for prepared in (rescale(frames), equalise(frames)):
        assert bool(prepared.isfinite().all())
        assert not bool(prepared[1:3].any())
        assert bool((prepared >= 0).all())
        assert bool((prepared <= 1).all())
