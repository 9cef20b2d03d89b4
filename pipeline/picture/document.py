"""Pages as a PDF that prints: one to a sheet, every pixel as it was drawn, nothing lost."""

import io
from collections.abc import Sequence

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from pipeline.picture.canvas import PAPER
from pipeline.picture.raster import Picture

_SHEET_INCH = (297 / 25.4, 210 / 25.4)
"""A4, lying (ISO 216)."""


def write_document(pages: Sequence[Picture], title: str) -> bytes:
    """Return a PDF; the same pages always give the same bytes.

    Parameters
    ----------
    pages
        Pictures of any size, scaled to fit the sheet.
    title
        Of the document; carries no identity.

    """
    buffer = io.BytesIO()
    # Without a date of its own: the object that carries the document says when it was made.
    with PdfPages(buffer, metadata={"Title": title, "CreationDate": None}) as document:
        for page in pages:
            sheet = Figure(figsize=_SHEET_INCH, facecolor=PAPER)
            axes = sheet.add_axes((0.0, 0.0, 1.0, 1.0))
            axes.imshow(page, interpolation="none", aspect="equal")
            axes.set_axis_off()
            document.savefig(sheet, facecolor=PAPER)
    return buffer.getvalue()
