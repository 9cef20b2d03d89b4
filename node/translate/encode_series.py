"""The motion-corrected series: one MR image per source image, on the source's grey scale."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from torch import Tensor

from node.settings import ResultsSettings
from node.translate.codes import DEFORMED, RESAMPLED
from node.translate.derived import (
    add_sources,
    derive_image,
    describe_series,
    put,
    result_series_number,
    set_grey_pixels,
)
from node.translate.results import ResultObject, RunStamp
from node.translate.uids import make_uid
from node.translate.values import number_of, source_key, text_of
from pipeline.types import MotionCorrection

SLICE_OFFSET = 1
ARTERIAL_INPUT_OFFSET = 8
_MAX_STORED = 65535


def encode_corrected(
    sources: Sequence[Dataset],
    motion: MotionCorrection,
    *,
    offset: int,
    key: str,
    run: RunStamp,
    settings: ResultsSettings,
) -> tuple[ResultObject, ...]:
    """Return the corrected frames of one slice, partitioned into series as the source is.

    Parameters
    ----------
    sources
        Headers of the source images, in order of time.
    motion
        The correction; its frames are in the same order.
    offset
        What is added to the series number.
    key
        Digest of everything the exam was made from.
    run
        Identity of the computation.
    settings
        Labels and numbering.

    """
    slope, intercept = _scale(sources, motion.frames)
    images = np.asarray(motion.frames, dtype=np.float64)
    results = []
    for source, image in zip(sources, images, strict=True):
        target = derive_image(source, run=run, settings=settings)
        _describe(target, source, run.describe_motion(motion.method), offset, key, settings)
        set_grey_pixels(target, _to_stored(image, slope, intercept))
        if "RescaleSlope" in source:
            _set_rescale(target, source, slope, intercept)
        _copy_window(target, source)
        results.append(ResultObject(kind="moco", dataset=target))
    return tuple(results)


def _describe(
    target: Dataset,
    source: Dataset,
    method: str,
    offset: int,
    key: str,
    settings: ResultsSettings,
) -> None:
    title = describe_series("moco", settings=settings, source=text_of(source, "SeriesDescription"))
    series_uid = make_uid("moco series", key, text_of(source, "SeriesInstanceUID"), str(offset))
    # Value 3 is a defined term of C.8.3.1.1.1; what follows is free.
    put(target, "ImageType", ("DERIVED", "SECONDARY", "OTHER", "PERFUSION", "MOCO"))
    put(target, "SeriesInstanceUID", series_uid)
    put(target, "SOPInstanceUID", make_uid("moco", key, source_key(source)))
    put(target, "SeriesNumber", result_series_number(source, offset, settings=settings))
    put(target, "SeriesDescription", title)
    put(
        target,
        "DerivationDescription",
        f"In-plane motion correction ({method}), resampled once from the source image; "
        f"source inversion time {text_of(source, 'InversionTime') or 'unknown'} ms.",
    )
    add_sources(target, [source], DEFORMED, RESAMPLED, preserved=True)


def _scale(
    sources: Sequence[Dataset], frames: Float[Tensor, "time row column"]
) -> tuple[float, float]:
    """Return slope and intercept of the stored values: the source's, if it has one for all frames.

    Slopes that change from frame to frame are replaced by one that holds the whole series.
    """
    pairs = {
        (number_of(source, "RescaleSlope") or 1.0, number_of(source, "RescaleIntercept") or 0.0)
        for source in sources
    }
    if len(pairs) == 1:
        return pairs.pop()
    peak = float(frames.nan_to_num(0.0).max())
    # Six digits fit into a decimal string; the margin is wider than what rounding takes away.
    return float(f"{(peak or 1.0) * 1.00001 / _MAX_STORED:.6g}"), 0.0


def _to_stored(image: NDArray[np.float64], slope: float, intercept: float) -> NDArray[np.uint16]:
    stored = np.rint((np.nan_to_num(image, nan=0.0) - intercept) / slope)
    return np.clip(stored, 0, _MAX_STORED).astype(np.uint16)


def _set_rescale(target: Dataset, source: Dataset, slope: float, intercept: float) -> None:
    put(target, "RescaleIntercept", f"{intercept:.10g}")
    put(target, "RescaleSlope", f"{slope:.10g}")
    put(target, "RescaleType", text_of(source, "RescaleType") or "US")


def _copy_window(target: Dataset, source: Dataset) -> None:
    """Keep the window of the source: the grey scale is the same."""
    centre, width = number_of(source, "WindowCenter"), number_of(source, "WindowWidth")
    if centre is not None and width is not None and width >= 1:
        put(target, "WindowCenter", f"{centre:.10g}")
        put(target, "WindowWidth", f"{width:.10g}")
