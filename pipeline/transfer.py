"""Move an exam or an analysis between devices: every tensor in it, nothing else."""

import dataclasses
from typing import Any, TypeVar

import torch
from torch import Tensor

from pipeline.types import Analysis, Exam

_Value = TypeVar("_Value")


def move_exam(exam: Exam, device: torch.device) -> Exam:
    """Return the exam with its frames and times on a device."""
    return _move(exam, device)


def move_analysis(analysis: Analysis, device: torch.device) -> Analysis:
    """Return the analysis with all its maps and curves on a device."""
    return _move(analysis, device)


def _move(value: _Value, device: torch.device) -> _Value:
    """Return a copy of a tree of frozen dataclasses and tuples with its tensors moved."""
    moved: Any = value
    if isinstance(value, Tensor):
        moved = value.to(device)
    elif isinstance(value, tuple):
        moved = tuple(_move(item, device) for item in value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes = {
            field.name: _move(getattr(value, field.name), device)
            for field in dataclasses.fields(value)
        }
        moved = dataclasses.replace(value, **changes)
    return moved  # type: ignore[no-any-return]  # same type as `value` by construction
