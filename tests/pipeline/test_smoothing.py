import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.smoothing import gaussian_matrix, smooth


@settings(max_examples=20, deadline=None)
@given(size=st.integers(1, 40), width=st.floats(0, 10))
def test_a_flat_image_stays_flat(size: int, width: float) -> None:
    flat = torch.full((2, size, size + 3), 7.0)
    torch.testing.assert_close(smooth(flat, width), flat)


@given(size=st.integers(1, 20))
def test_no_width_changes_nothing(size: int) -> None:
    image = torch.rand(size, size)
    assert torch.equal(smooth(image, 0.0), image)


def test_a_point_becomes_a_gaussian() -> None:
    row = gaussian_matrix(41, 3.0, like=torch.zeros(1))[20]
    place = torch.arange(41.0) - 20
    assert abs(float(row.sum()) - 1) < 1e-6
    torch.testing.assert_close((row * place**2).sum().sqrt(), torch.tensor(3.0), atol=1e-2, rtol=0)


def test_axes_have_their_own_width() -> None:
    point = torch.zeros(21, 21)
    point[10, 10] = 1
    blurred = smooth(point, (2.0, 0.0))
    assert float(blurred[10].sum()) < 0.25
    torch.testing.assert_close(blurred[:, 10].sum(), torch.tensor(1.0), atol=1e-3, rtol=0)
