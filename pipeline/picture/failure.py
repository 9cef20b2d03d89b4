"""The page that says in PACS why there is no result."""

import textwrap

import numpy as np
from jaxtyping import UInt8

from pipeline.findings import ACTIONS, Code
from pipeline.picture.canvas import GRADE_COLOURS, INK, QUIET_INK, new_page, to_rgb


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
    figure.text(
        0.07, 0.84, "Perfusion result NOT available", color=GRADE_COLOURS["FAIL"], fontsize=25
    )
    rows = (
        ("Reason", f"{code}  {text}"),
        ("Delivered", delivered),
        ("What to do", ACTIONS[code]),
        ("Reference", reference),
    )
    top = 0.72
    for label, content in rows:
        lines = textwrap.wrap(content, 62) or ["-"]
        figure.text(0.07, top, label, color=QUIET_INK, fontsize=13, va="top")
        figure.text(0.24, top, "\n".join(lines), color=INK, fontsize=15, va="top")
        top -= 0.055 + 0.047 * len(lines)
    figure.text(0.07, 0.05, footer, color=QUIET_INK, fontsize=9)
    return to_rgb(figure)
