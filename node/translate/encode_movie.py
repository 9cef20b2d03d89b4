"""The movie as one multi-frame colour object, compressed: uncompressed it has over 100 MB.

JPEG Baseline is what every viewer plays and nearly every archive takes; `node.send` decompresses
for one that does not. It is a picture to look at: nothing is measured in it.
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor

from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import JPEGBaseline8Bit, MultiFrameTrueColorSecondaryCaptureImageStorage

from node.translate.capture import Picture, derive_capture, describe_colour_pixels
from node.translate.codes import DEFORMED
from node.translate.context import ResultContext
from node.translate.derived import add_sources, describe_series
from node.translate.results import ResultObject
from node.translate.uids import make_uid
from pipeline.picture.movie import MOVIE_SHAPE, Movie

MOVIE_OFFSET = 14
SHOWN_PER_S = 10
"""Frames per second that a viewer is advised to play: beats come slower than one can watch."""
QUALITY = 75
"""Of the JPEG; no difference is seen at full size."""
_THREADS = 2


def encode_movie(context: ResultContext, movie: Movie) -> ResultObject:
    """Return the movie of one exam.

    Parameters
    ----------
    context
        The exam.
    movie
        Its frames, one per beat.

    """
    analysis, run, settings = context.analysis, context.run, context.settings
    key = run.key(context.key, *(repr(finding) for finding in analysis.findings))
    target = derive_capture(context.numbering, MOVIE_OFFSET, run=run, settings=settings)
    target.SOPClassUID = MultiFrameTrueColorSecondaryCaptureImageStorage
    target.ImageType = ["DERIVED", "SECONDARY", "OTHER", "PERFUSION", "MOVIE"]
    target.SeriesInstanceUID = make_uid("movie series", key)
    target.SOPInstanceUID = make_uid("movie", key)
    target.SeriesDescription = describe_series("movie", settings=settings, state=analysis.state)
    methods = sorted({result.motion.method for result in analysis.slices})
    described = "; ".join(run.describe_motion(method) for method in methods)
    target.DerivationDescription = f"Original beside corrected images ({described})."
    sources = context.decoded.sources.slices
    images = [header for position in movie.positions for header in sources[position]]
    add_sources(target, images, DEFORMED, preserved=False)
    _set_times(target, movie)
    _set_frames(target, movie)
    return ResultObject(kind="movie", dataset=target, transfer_syntax_uid=str(JPEGBaseline8Bit))


def _set_times(target: Dataset, movie: Movie) -> None:
    """Say when each frame was acquired, and how fast to play them (C.7.6.5)."""
    target.NumberOfFrames = movie.n_frames
    target.FrameIncrementPointer = Tag("FrameTimeVector")
    target.FrameTimeVector = [f"{1000 * interval_s:.3f}" for interval_s in movie.intervals_s]
    target.RecommendedDisplayFrameRate = target.CineRate = SHOWN_PER_S
    target.PreferredPlaybackSequencing = 0  # from the first frame again


def _set_frames(target: Dataset, movie: Movie) -> None:
    """Write the frames (PS3.5 8.2.1, A.4.1) and by how much they were compressed (C.7.6.1.1.5)."""
    with ThreadPoolExecutor(_THREADS) as threads:
        files = list(threads.map(lambda index: _to_jpeg(movie.frame(index)), range(movie.n_frames)))
    n_rows, n_columns = MOVIE_SHAPE
    describe_colour_pixels(target, n_rows, n_columns, "YBR_FULL_422")
    target.PixelData = encapsulate(files)
    target["PixelData"].VR = "OB"
    target["PixelData"].is_undefined_length = True
    n_bytes = 3 * n_rows * n_columns * movie.n_frames
    target.LossyImageCompression = "01"
    target.LossyImageCompressionRatio = f"{n_bytes / sum(map(len, files)):.2f}"
    target.LossyImageCompressionMethod = "ISO_10918_1"


def _to_jpeg(picture: Picture) -> bytes:
    # Into a real file Pillow compresses without holding the interpreter, so that threads help.
    with tempfile.TemporaryFile() as file:
        # Half the colour resolution along rows, as the photometric interpretation says.
        Image.fromarray(picture).save(file, "JPEG", quality=QUALITY, subsampling="4:2:2")
        file.seek(0)
        return file.read()
