import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.segment.polar import (
    N_ANGLES,
    Polar,
    cheapest_contour,
    outward_slope,
    radii_mm,
    smooth_contour,
)


@settings(max_examples=10, deadline=None)
@given(
    radius_mm=st.floats(10, 35),
    row=st.floats(28, 36),
    column=st.floats(28, 36),
    noise=st.floats(0, 0.2),
)
def test_the_edge_of_a_disc_is_found(
    radius_mm: float, row: float, column: float, noise: float
) -> None:
    place = torch.arange(64.0)
    y, x = torch.meshgrid(place - row, place - column, indexing="ij")
    distance_mm = torch.hypot(1.5 * y, 2.0 * x)
    disc = torch.sigmoid(radius_mm - distance_mm)
    disc = disc + noise * torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    rays = Polar(centre_row=row, centre_column=column, spacing_mm=(1.5, 2.0))
    profile = rays.sample(disc[None])[0]
    contour = smooth_contour(cheapest_contour(outward_slope(profile, width_mm=3.0)))
    assert float((contour - radius_mm).abs().mean()) < 1.0
    true_mask, mask = distance_mm < radius_mm, rays.inside(contour, (64, 64))
    assert float((mask & true_mask).sum() / (mask | true_mask).sum()) > 0.85


def test_the_contour_is_closed() -> None:
    cost = torch.rand(N_ANGLES, 100, generator=torch.Generator().manual_seed(1))
    contour = cheapest_contour(cost)
    assert float((contour - contour.roll(1)).abs().max()) <= 1.0


def test_slope_of_a_ramp_is_its_rise_over_the_width() -> None:
    ramp = (0.1 * radii_mm(torch.zeros(1))).expand(4, -1)
    slope = outward_slope(ramp, width_mm=3.0)
    torch.testing.assert_close(slope[:, 20:90], torch.full((4, 70), 0.3), atol=1e-3, rtol=0)
