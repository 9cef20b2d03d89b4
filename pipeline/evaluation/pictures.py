"""Strips over time of the worst cases, and a movie of a typical one."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn.functional import interpolate

from pipeline.evaluation.scenes import Scene

_MOVIE_SIDE = 130
_N_GREYS = 16
_FRAME_MS = 160
_MAX_FRAMES = 44
_MAX_BYTES = 390_000
_CONTOUR = (255, 196, 60)


def failures_picture(scenes: Sequence[Scene]) -> Canvas:
    """Return rows over time through the cavity, before and after, one line per scene."""
    figure = Canvas(figsize=(9.0, 2.1 * len(scenes)), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    for line, scene in enumerate(scenes):
        first, second = (figure.add_subplot(len(scenes), 2, 2 * line + side) for side in (1, 2))
        _strip(first, scene.before, scene, "acquired")
        _strip(second, scene.after, scene, scene.title)
    return figure


def _strip(axes: Axes, frames: Float[Tensor, "time row column"], scene: Scene, title: str) -> None:
    """Draw one column of pixels over time, with the wall of the reference frame as lines."""
    middle = float(scene.outer_px[:, 1].mean())
    column = min(max(round(middle), 0), frames.shape[2] - 1)
    strip = _levelled(frames, scene.n_proton_density)[:, :, column].T
    axes.imshow(strip.numpy(), cmap="gray", aspect="auto", interpolation="nearest", vmin=0, vmax=1)
    for points in (scene.outer_px, scene.inner_px):
        if len(points):
            near = points[(points[:, 1] - middle).abs() < 2.0, 0]
            for edge in (near.min(), near.max()) if len(near) else ():
                axes.axhline(float(edge), color="#ffc43c", linewidth=0.7)
    axes.set_title(title, fontsize=7, loc="left")
    axes.set_axis_off()


def movie(scene: Scene) -> bytes:
    """Return an endless GIF: acquired on the left, corrected on the right.

    The contours are those of the reference frame and stand still in both halves. Later frames are
    left out until the file is small enough.
    """
    frames = _halves(scene)
    for n_frames in range(len(frames), 0, -4):
        file = BytesIO()
        frames[0].save(
            file,
            format="GIF",
            save_all=True,
            append_images=frames[1:n_frames],
            duration=_FRAME_MS,
            loop=0,
            optimize=True,
        )
        if file.tell() < _MAX_BYTES:
            break
    return file.getvalue()


def _halves(scene: Scene) -> list[Image.Image]:
    first = scene.n_proton_density
    halves = [
        _enlarged(_levelled(frames, first)[first : first + _MAX_FRAMES], scene)
        for frames in (scene.before, scene.after)
    ]
    return [
        Image.fromarray(np.concatenate([left, right], axis=1)).quantize(_N_GREYS + 8)
        for left, right in zip(*halves, strict=True)
    ]


def _levelled(
    frames: Float[Tensor, "time row column"], n_proton_density: int
) -> Float[Tensor, "time row column"]:
    """Bring grey values to 0-1, proton-density frames by themselves."""
    parts = [part for part in (frames[:n_proton_density], frames[n_proton_density:]) if len(part)]
    result = frames.clone()
    start = 0
    for part in parts:
        top = part.flatten().quantile(0.995) if part.numel() < 2**24 else part.amax()
        result[start : start + len(part)] = (part / top.clamp_min(1e-12)).clamp(0, 1)
        start += len(part)
    return result


def _enlarged(
    frames: Float[Tensor, "time row column"], scene: Scene
) -> UInt8[np.ndarray, "time height width 3"]:
    """Enlarge, reduce to few grey levels (noise does not compress), and draw the contours."""
    scale = _MOVIE_SIDE / max(frames.shape[1:])
    size = (round(frames.shape[1] * scale), round(frames.shape[2] * scale))
    large = interpolate(frames[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]
    grey = ((large.clamp(0, 1) * _N_GREYS).round() * (255 / _N_GREYS)).byte().numpy()
    return np.stack([_drawn(image, scene, scale) for image in grey])


def _drawn(
    grey: UInt8[np.ndarray, "height width"], scene: Scene, scale: float
) -> UInt8[np.ndarray, "height width 3"]:
    image = Image.fromarray(grey).convert("RGB")
    pen = ImageDraw.Draw(image)
    for points in (scene.inner_px, scene.outer_px):
        if len(points):
            corners = [((x + 0.5) * scale, (y + 0.5) * scale) for y, x in points.tolist()]
            pen.line([*corners, corners[0]], fill=_CONTOUR, width=1)
    return np.asarray(image, dtype=np.uint8)
