"""What all parts of config.yaml share: strict reading and a few kinds of values."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_AE_TITLE = re.compile(r"[\x21-\x5b\x5d-\x7e](?:[\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?")

Port = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[float, Field(gt=0)]


def checked_ae_title(value: str) -> str:
    """Return the title, or raise ValueError with the rule of PS3.5 (VR AE)."""
    if not _AE_TITLE.fullmatch(value):
        raise ValueError(
            "an AE title has 1 to 16 printable ASCII characters, no backslash, "
            "no leading or trailing space"
        )
    return value


def checked_pattern(value: str) -> str:
    """Return a regular expression, or raise ValueError with what is wrong in it."""
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return value


class Section(BaseModel):
    """A part of the file: unknown keys are errors, values never change after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=False, allow_inf_nan=False, validate_default=True
    )
