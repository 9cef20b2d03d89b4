import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.smoothing import gaussian_matrix, read_smooth, smooth


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


def test_reading_on_the_pixels_is_smoothing() -> None:
    images = torch.rand(3, 9, 7)
    found = read_smooth(images, (1.5, 0.0), row=torch.arange(9.0), column=torch.arange(7.0))
    torch.testing.assert_close(found, smooth(images, (1.5, 0.0)))


def test_between_pixels_and_beyond_the_border_it_reads_as_torch_does() -> None:
    images = torch.rand(2, 6, 5)
    row, column = torch.tensor([-2.0, 0.3, 2.75, 5.0, 9.0]), torch.tensor([-0.5, 1.2, 3.99, 4.5])
    place = torch.stack(torch.meshgrid(column / 2 - 1, row / 2.5 - 1, indexing="xy"), dim=-1)
    expected = torch.nn.functional.grid_sample(
        images[None], place[None], padding_mode="border", align_corners=True
    )[0]
    torch.testing.assert_close(read_smooth(images, (0.0, 0.0), row=row, column=column), expected)


@pytest.mark.parametrize(("shape", "level"), [((4, 1, 3), 2.0), ((4, 0, 3), 0.0), ((4, 3, 0), 0.0)])
def test_one_row_reads_as_itself_and_none_as_zero(shape: tuple[int, ...], level: float) -> None:
    line = torch.linspace(-3.0, 5.0, 6)
    found = read_smooth(torch.full(shape, 2.0), (1.0, 1.0), row=line, column=line)
    torch.testing.assert_close(found, torch.full((4, 6, 6), level))
