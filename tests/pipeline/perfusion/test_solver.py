"""The solver against closed forms and against scipy, problem by problem."""

import math

import pytest
import torch
from scipy.optimize import least_squares

from pipeline.perfusion.solver import Prior, Solution, minimise, solve_positive, variance_of

TIME_S = torch.linspace(0.0, 6.0, 25, dtype=torch.float64)


def decays(parameters: torch.Tensor) -> torch.Tensor:
    """Return amplitude times a decay: the smallest problem that is not linear."""
    return parameters[:, :1] * torch.exp(-parameters[:, 1:] * TIME_S)


def fitted(
    data: torch.Tensor, start: tuple[float, float], limits: tuple[float, float], **changes: float
) -> Solution:
    def evaluate(parameters, voxels):
        curve = decays(parameters)
        slopes = torch.stack([curve / parameters[:, :1], -TIME_S * curve], dim=2)
        left = curve - data[voxels]
        return (
            slopes.transpose(1, 2) @ slopes,
            (slopes * left[:, :, None]).sum(1),
            left.square().sum(1),
        )

    n_voxels = data.shape[0]
    first = torch.tensor(start, dtype=torch.float64).expand(n_voxels, -1).clone()
    return minimise(
        evaluate,
        first,
        lower=torch.full((2,), limits[0], dtype=torch.float64),
        upper=torch.full((2,), limits[1], dtype=torch.float64),
        prior=Prior(
            centre=torch.full_like(first, changes.get("centre", 0.0)),
            precision=torch.full_like(first, changes.get("precision", 0.0)),
        ),
        n_iterations=60,
    )


def noisy_decays(n_voxels: int, sd: float = 0.1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    truth = 0.3 + 2.0 * torch.rand(n_voxels, 2, generator=generator, dtype=torch.float64)
    noise = torch.randn(n_voxels, len(TIME_S), generator=generator, dtype=torch.float64)
    return decays(truth) + sd * noise


def test_small_systems_are_solved():
    generator = torch.Generator().manual_seed(0)
    half = torch.randn(40, 5, 5, generator=generator, dtype=torch.float64)
    matrix = half @ half.transpose(1, 2) + 0.1 * torch.eye(5, dtype=torch.float64)
    right = torch.randn(40, 5, generator=generator, dtype=torch.float64)
    assert torch.allclose(solve_positive(matrix, right), torch.linalg.solve(matrix, right))
    inverse = torch.linalg.inv(matrix)
    assert torch.allclose(variance_of(matrix, 3), inverse[:, 3, 3])


@pytest.mark.parametrize("limits", [(0.05, 5.0), (0.8, 1.5)])
def test_minimum_is_that_of_scipy_with_and_without_bounds_in_the_way(limits):
    data = noisy_decays(12)
    found = fitted(data, (1.0, 1.0), limits)
    for voxel in range(len(data)):
        reference = least_squares(
            lambda p, voxel=voxel: (decays(torch.tensor(p)[None])[0] - data[voxel]).numpy(),
            [1.0, 1.0],
            bounds=([limits[0]] * 2, [limits[1]] * 2),
        )
        assert float(found.residual[voxel]) <= 2.0 * reference.cost * (1 + 1e-4)


def test_a_prior_pulls_towards_its_centre():
    data = noisy_decays(6)
    free = fitted(data, (1.0, 1.0), (0.05, 5.0))
    held = fitted(data, (1.0, 1.0), (0.05, 5.0), centre=1.0, precision=1e6)
    assert float((held.parameters - 1.0).abs().max()) < 1e-3
    assert bool((held.residual >= free.residual).all())


def test_what_ends_at_a_bound_says_so():
    found = fitted(decays(torch.tensor([[3.0, 1.0]], dtype=torch.float64)), (1.0, 1.0), (0.1, 2.0))
    assert found.at_bound.tolist() == [[True, False]]
    assert float(found.parameters[0, 0]) == 2.0


def test_no_voxel_ends_worse_than_it_began():
    data = noisy_decays(30, sd=2.0)
    found = fitted(data, (4.9, 0.06), (0.05, 5.0))
    before = (decays(torch.tensor([[4.9, 0.06]], dtype=torch.float64)) - data).square().sum(1)
    assert bool((found.residual <= before).all())
    assert math.isfinite(float(found.parameters.sum()))
