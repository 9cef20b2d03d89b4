import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.slopes import slopes


@given(
    shape=st.tuples(st.integers(1, 3), st.integers(2, 9), st.integers(2, 9)),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_slopes_are_those_of_torch_to_the_last_digit(shape, seed):
    images = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    for images_ in (images, images.mT.contiguous().mT, images.double(), images[0]):
        row, column = slopes(images_)
        expected = torch.gradient(images_, dim=(-2, -1))
        assert torch.equal(row, expected[0])
        assert torch.equal(column, expected[1])
