"""Synthetic references: each frame rebuilt from the leading components of the others.

The leading principal components of a series over time carry the passage of contrast; motion,
which comes and goes, is spread over many and is left out. A rebuilt frame has the contrast of the
frame it stands for and the common position of all, so it can be registered to by a plain
difference (Melbourne 2007, "Progressive principal component registration"; Scannell 2019, "Robust
non-rigid motion compensation of free-breathing myocardial perfusion MRI data"). By default a frame
takes no part in the components of its own reference: its own motion cannot hide in there.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

NEGLIGIBLE = 1e-7
"""Components with less than this fraction of the largest variance are rounding noise."""


def pca_reference(
    frames: Float[Tensor, "time row column"],
    n_components: int,
    *,
    weight: Float[Tensor, "row column"] | None = None,
    teachers: Bool[Tensor, " time"] | None = None,
    is_own_teacher: bool = False,
) -> Float[Tensor, "time row column"]:
    """Rebuild every frame from the components of the series; the input stays unchanged.

    The spatial mean of each frame is taken off first and added back at the end.

    Parameters
    ----------
    frames
        Images in any unit. Shape `(time, row, column)`.
    n_components
        How many components are used for each frame.
    weight
        How much each pixel counts; all alike when None. Shape `(row, column)`.
    teachers
        Frames that the components come from; all when None. Shape `(time,)`.
    is_own_teacher
        Whether a frame takes part in the components of its own reference, as published.

    """
    if weight is None:
        weight = torch.ones_like(frames[0])
    share = (weight / weight.sum()).flatten()
    level = (frames.flatten(1) @ share)[:, None]
    rows = frames.flatten(1) - level
    gram = ((rows * share) @ rows.T).double()
    mixing = _mixing(gram, n_components, _lessons(gram, teachers, is_own_teacher=is_own_teacher))
    return (mixing.to(rows.dtype) @ rows + level).reshape(frames.shape)


def _lessons(
    gram: Float[Tensor, "time time"],
    teachers: Bool[Tensor, " time"] | None,
    *,
    is_own_teacher: bool,
) -> Bool[Tensor, "reference time"]:
    """Tell which frames the components of each reference come from; one row when all agree."""
    n_frames = gram.shape[0]
    everyone = torch.ones(n_frames, dtype=torch.bool, device=gram.device)
    use = (everyone if teachers is None else teachers)[None, :]
    if is_own_teacher:
        return use
    return use & ~torch.eye(n_frames, dtype=torch.bool, device=gram.device)


def _mixing(
    gram: Float[Tensor, "time time"], n_components: int, use: Bool[Tensor, "reference time"]
) -> Float[Tensor, "time time"]:
    """Return B such that frame t, projected on the components of its teachers, is B[t] @ rows.

    With eigenpairs (l, v) of the Gram matrix G of the teachers, B[t] = G[t] sum(v v' / l).
    """
    values, vectors = torch.linalg.eigh(gram * (use[:, :, None] & use[:, None, :]))
    values, vectors = values[:, -n_components:], vectors[:, :, -n_components:]
    floor = NEGLIGIBLE * values[:, -1:].clamp_min(1e-300)
    inverse = torch.where(values > floor, 1 / values.clamp_min(1e-300), 0.0)
    vectors = vectors.expand(gram.shape[0], -1, -1)
    scores = torch.einsum("ts,tsk->tk", gram, vectors)
    return torch.einsum("tk,tsk->ts", scores * inverse, vectors)
