"""What the phantom knows, as one file of arrays."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from models.phantom import PhantomExam

_IMAGES = "frames"  # the images themselves are in the DICOM files


def save_truth(exam: PhantomExam, path: Path) -> None:
    """Write the truth of an exam as compressed `.npz`.

    Names follow the fields of the exam, joined by dots, with the index of the slice:
    `slices.0.truth.flow_ml_min_g`, `arterial_input.time_s`, `rr_interval_s`.

    Parameters
    ----------
    exam
        The phantom exam.
    path
        The file; its folder must exist.

    """
    np.savez_compressed(path, allow_pickle=False, **dict(_arrays("", exam)))


def _arrays(name: str, value: Any) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the arrays and numbers under a value, however deep."""
    if is_dataclass(value):
        for field in fields(value):
            if field.name != _IMAGES:
                yield from _arrays(_join(name, field.name), getattr(value, field.name))
    elif isinstance(value, tuple) and any(is_dataclass(item) for item in value):
        for index, item in enumerate(value):
            yield from _arrays(_join(name, str(index)), item)
    elif isinstance(value, Tensor):
        yield name, value.numpy(force=True)
    elif value is not None:
        yield name, np.asarray(value)


def _join(name: str, part: str) -> str:
    return f"{name}.{part}" if name else part
