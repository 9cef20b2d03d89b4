"""Zero-filled k-space shows in the noise of an image."""

import pytest
import torch
from torch import Tensor

from pipeline.findings import Code, Grade
from pipeline.quality.resolution import check_resolution, interpolation_factors
from tests.pipeline.quality.test_checks import series


def magnitude_images(row_fraction: float, column_fraction: float) -> Tensor:
    """Return frames of which only part of k-space was measured."""
    generator = torch.Generator().manual_seed(3)
    noise = torch.complex(
        *(torch.randn(12, 64, 80, generator=generator, dtype=torch.float64) for _ in range(2))
    )
    spectrum = torch.fft.fft2(100.0 + 5 * noise)
    for axis, fraction in ((1, row_fraction), (2, column_fraction)):
        size = spectrum.shape[axis]
        kept = torch.fft.fftfreq(size).abs() * 2 <= fraction
        spectrum = spectrum * (kept[:, None] if axis == 1 else kept)
    return torch.fft.ifft2(spectrum).abs().float()


@pytest.mark.parametrize("fractions", [(1.0, 1.0), (0.5, 1.0), (1.0, 0.5), (0.5, 0.4)])
def test_the_measured_part_is_found(fractions: tuple[float, float]) -> None:
    found = interpolation_factors(magnitude_images(*fractions))
    assert found == pytest.approx([1 / fraction for fraction in fractions], rel=0.15)


@pytest.mark.parametrize(("fraction", "n_findings"), [(1.0, 0), (0.8, 0), (0.5, 1)])
def test_doubled_pixels_are_noted(fraction: float, n_findings: int) -> None:
    made = series(12, frames=magnitude_images(fraction, fraction), n_proton_density=0)
    found = check_resolution(made)
    assert [(entry.code, entry.grade) for entry in found] == n_findings * [
        (Code.IMAGE_PITFALL, Grade.NOTE)
    ]
    assert all("4.0 x 4.0 mm" in entry.text for entry in found)


def test_images_that_show_nothing_tell_nothing() -> None:
    assert interpolation_factors(torch.ones(12, 64, 80)) is None
    assert interpolation_factors(torch.ones(2, 64, 80)) is None
    assert interpolation_factors(torch.ones(12, 8, 80)) is None
