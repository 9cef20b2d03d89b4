"""The page that says in PACS why there is no result."""

import textwrap

import numpy as np
from jaxtyping import UInt8

from pipeline.findings import ACTIONS, Code
from pipeline.picture.canvas import GRADE_COLOURS, QUIET_INK, new_page, to_rgb, write

_LEFT_PX = 108


def draw_failure_page(
    *,
    code: Code,
    text: str,
    reference: str,
    delivered: str,
    footer: str,
) -> UInt8[np.ndarray, "row column 3"]:
    """Draw "perfusion not available": what happened, what was still delivered, what to do.

    Parameters
    ----------
    code
        Reason code.
    text
        One sentence.
    reference
        Short study reference for a call to support; carries no identity.
    delivered
        What still went out, one sentence.
    footer
        Research wording, software and time.

    """
    figure = new_page()
    title = "Perfusion result NOT available"
    write(figure, _LEFT_PX, 130, title, size=36.0, color=GRADE_COLOURS["FAIL"])
    rows = (
        ("Reason", f"{code}  {text}"),
        ("Delivered", delivered),
        ("What to do", ACTIONS[code]),
        ("Reference", reference),
    )
    top = 300
    for label, content in rows:
        lines = textwrap.wrap(content, 62) or ["-"]
        write(figure, _LEFT_PX, top, label, size=19.0, color=QUIET_INK)
        write(figure, _LEFT_PX + 270, top, "\n".join(lines), size=22.0)
        top += 58 + 50 * len(lines)
    write(figure, _LEFT_PX, 1020, footer, size=12.0, color=QUIET_INK)
    return to_rgb(figure)
