"""One result: the same digits for any number of threads, any batch, any order of the voxels."""

from collections.abc import Iterator
from dataclasses import fields, replace

import pytest
import torch
from torch import Tensor

from pipeline.evaluation.flow.curves import CurveSet, draw_curves
from pipeline.parameters import FermiBounds
from pipeline.perfusion.fit import FlowFit, fit
from pipeline.types import FlowModel

N_VOXELS = 150


@pytest.fixture(scope="module")
def curves() -> CurveSet:
    return draw_curves(5000, N_VOXELS, signal_to_noise=15.0, heart_rate_bpm=75.0)


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def _fit(curves: CurveSet, model: FlowModel) -> FlowFit:
    return fit(
        curves.tissue_mmol_l.float(),
        time_s=curves.time_s,
        arterial_input=curves.arterial_input,
        bounds=FermiBounds(max_flow_ml_min_g=8.0, max_delay_s=3.0),
        density_g_ml=1.05,
        regional_mmol_l=curves.noise_free_mmol_l.float(),
        model=model,
    )


def _chosen(curves: CurveSet, order: Tensor) -> CurveSet:
    return replace(
        curves,
        tissue_mmol_l=curves.tissue_mmol_l[order],
        noise_free_mmol_l=curves.noise_free_mmol_l[order],
    )


def _assert_same(first: FlowFit, second: FlowFit) -> None:
    for field in fields(FlowFit):
        left, right = getattr(first, field.name), getattr(second, field.name)
        if left is None:
            assert right is None
        else:
            assert torch.equal(left.double().nan_to_num(-1.0), right.double().nan_to_num(-1.0)), (
                field.name
            )


def _part(found: FlowFit, order: Tensor) -> FlowFit:
    return replace(
        found,
        **{
            field.name: value[order]
            for field in fields(FlowFit)
            if (value := getattr(found, field.name)) is not None
        },
    )


@pytest.mark.parametrize("model", FlowModel)
def test_two_threads_find_what_one_finds(
    curves: CurveSet, model: FlowModel, request: pytest.FixtureRequest
) -> None:
    """To the last bit, in every plane of the answer."""
    one = _fit(curves, model)
    request.getfixturevalue("two_threads")
    assert torch.get_num_threads() == 2
    _assert_same(one, _fit(curves, model))


@pytest.mark.parametrize("model", FlowModel)
def test_order_of_voxels_does_not_matter(curves: CurveSet, model: FlowModel) -> None:
    """A voxel finds the same wherever it stands."""
    order = torch.randperm(N_VOXELS, generator=torch.Generator().manual_seed(3))
    _assert_same(_part(_fit(curves, model), order), _fit(_chosen(curves, order), model))


@pytest.mark.parametrize("model", FlowModel)
@pytest.mark.parametrize("size", [1, 7, 64])
def test_batches_do_not_matter(curves: CurveSet, model: FlowModel, size: int) -> None:
    """A voxel finds the same alone, in company and in a crowd."""
    whole = _fit(curves, model)
    some = torch.arange(40, 40 + size)
    _assert_same(_part(whole, some), _fit(_chosen(curves, some), model))
