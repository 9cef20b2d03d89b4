import torch

from models.decomposition import matched


def test_a_frame_that_differs_by_gain_and_offset_equals_its_reference():
    generator = torch.Generator().manual_seed(0)
    references = torch.rand(3, 12, 12, generator=generator)
    weight = torch.rand(12, 12, generator=generator)
    image, target = matched(40 * references + 7, references, weight)
    assert torch.allclose(image, target, atol=1e-4)
    share = weight / weight.sum()
    assert torch.allclose((target.square() * share).sum(dim=(1, 2)), torch.ones(3), atol=1e-4)


def test_a_constant_frame_becomes_zero():
    image, target = matched(torch.ones(2, 8, 8), torch.zeros(2, 8, 8), torch.ones(8, 8))
    assert not bool(image.any())
    assert not bool(target.any())
