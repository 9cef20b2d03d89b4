import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.decomposition import pca_reference


def still_series(seed: int, n_tissues: int = 3) -> torch.Tensor:
    """A motion-free series: each pixel mixes a few curves, so its rank is known."""
    generator = torch.Generator().manual_seed(seed)
    curves = torch.rand(30, n_tissues, generator=generator)
    maps = torch.rand(n_tissues, 16, 16, generator=generator)
    return torch.einsum("tk,kij->tij", curves, maps)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_motion_free_series_is_its_own_reference(seed: int) -> None:
    series = still_series(seed)
    torch.testing.assert_close(pca_reference(series, 3), series, atol=1e-3, rtol=0)


def test_input_is_not_changed_and_means_are_kept() -> None:
    series = still_series(1) + 5
    kept = series.clone()
    reference = pca_reference(series, 1)
    assert torch.equal(series, kept)
    torch.testing.assert_close(reference.mean(dim=(1, 2)), series.mean(dim=(1, 2)))


def test_an_odd_frame_is_rebuilt_from_the_others_alone() -> None:
    series = still_series(2)
    odd = series.clone()
    odd[7] = torch.rand(16, 16, generator=torch.Generator().manual_seed(0))
    reference = pca_reference(odd, 3)[7]
    others = torch.cat([series[:7], series[8:]]).flatten(1)
    others = others - others.mean(dim=1, keepdim=True)
    wanted = (reference - reference.mean()).flatten()
    span = torch.linalg.svd(others, full_matrices=False).Vh[:3]
    torch.testing.assert_close(span.T @ (span @ wanted), wanted, atol=1e-3, rtol=0)


def test_only_teachers_shape_the_components() -> None:
    series = still_series(3)
    teachers = torch.arange(30) >= 10
    spoiled = series.clone()
    spoiled[4] = torch.rand(16, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        pca_reference(series, 3, teachers=teachers)[10:],
        pca_reference(spoiled, 3, teachers=teachers)[10:],
    )


def test_a_blank_series_stays_finite() -> None:
    assert bool(torch.isfinite(pca_reference(torch.zeros(5, 8, 8), 3)).all())


def test_with_itself_as_teacher_it_is_plain_pca() -> None:
    series = torch.rand(12, 9, 9, generator=torch.Generator().manual_seed(5))
    columns = series.flatten(1).T
    centred = columns - columns.mean(dim=0)
    left, values, right = torch.linalg.svd(centred, full_matrices=False)
    plain = left[:, :3] * values[:3] @ right[:3] + columns.mean(dim=0)
    found = pca_reference(series, 3, is_own_teacher=True)
    torch.testing.assert_close(found.flatten(1).T, plain, atol=1e-5, rtol=0)
