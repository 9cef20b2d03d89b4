import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from models.training.loop import LoopSettings, Step, optimise


class _Cut(Exception):  # noqa: N818 - a power cut is no error
    """The power fails."""


def small_module() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))


def toy_loss(module: nn.Module):
    def draw(generator: torch.Generator) -> Tensor:
        x = torch.randn(16, 3, generator=generator)
        return (module(x)[:, 0] - x[:, 0]).square().mean()

    return draw


def settings(*, n_steps: int = 30, is_resumed: bool = False) -> LoopSettings:
    return LoopSettings(
        seed=4,
        learning_rate=0.02,
        n_steps=n_steps,
        n_between_checkpoints=10,
        is_resumed=is_resumed,
    )


def test_loss_falls_and_every_step_is_told(tmp_path: Path) -> None:
    module, steps = small_module(), list[Step]()
    assert (
        optimise(module, toy_loss(module), settings(), folder=tmp_path, on_step=steps.append) == 30
    )
    assert [step.number for step in steps] == list(range(1, 31))
    assert steps[-1].fraction == 1
    assert sum(step.loss for step in steps[-5:]) < 0.7 * sum(step.loss for step in steps[:5])
    assert not module.training


def test_a_run_cut_off_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole = small_module()
    optimise(whole, toy_loss(whole), settings(), folder=tmp_path / "whole", on_step=lambda _: None)

    def cut(step: Step) -> None:
        if step.number == 17:
            raise _Cut

    first = small_module()
    with pytest.raises(_Cut):
        optimise(first, toy_loss(first), settings(), folder=tmp_path / "cut", on_step=cut)
    second, steps = small_module(), list[Step]()
    resumed = settings(is_resumed=True)
    optimise(second, toy_loss(second), resumed, folder=tmp_path / "cut", on_step=steps.append)
    assert steps[0].number == 11
    for key, value in whole.state_dict().items():
        assert torch.equal(second.state_dict()[key], value), key


def test_a_finished_run_is_not_begun_again(tmp_path: Path) -> None:
    module = small_module()
    optimise(module, toy_loss(module), settings(), folder=tmp_path, on_step=lambda _: None)
    steps = list[Step]()
    again = settings(is_resumed=True)
    assert optimise(module, toy_loss(module), again, folder=tmp_path, on_step=steps.append) == 30
    assert steps == []


def test_a_loss_that_is_not_finite_changes_nothing(tmp_path: Path) -> None:
    module = nn.Linear(2, 1)
    kept = module.weight.detach().clone()
    optimise(
        module,
        lambda _: module(torch.full((1, 2), math.nan)).sum(),
        settings(n_steps=3),
        folder=tmp_path,
        on_step=lambda _: None,
    )
    assert torch.equal(module.weight, kept)


@pytest.mark.parametrize("length", [{}, {"n_steps": 3, "minutes": 1.0}])
def test_a_run_has_one_end(length: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="either"):
        LoopSettings(seed=1, learning_rate=1e-3, **length)


def test_minutes_end_a_run(tmp_path: Path) -> None:
    module = small_module()
    limit = LoopSettings(seed=1, learning_rate=1e-3, minutes=0.005)
    steps = list[Step]()
    optimise(module, toy_loss(module), limit, folder=tmp_path, on_step=steps.append)
    assert steps[0].fraction > 0
    assert steps[-1].fraction == 1
