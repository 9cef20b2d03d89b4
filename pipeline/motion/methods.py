"""The ways to correct motion that a user may choose from."""

from enum import StrEnum


class Method(StrEnum):
    """How frames are registered. Every choice but `NONE` still passes the gate."""

    AUTO = "auto"
    """The learned method; where there are no networks for it, the iterative one."""
    LEARNED = "learned"
    """Our networks."""
    PUBLISHED = "published"
    """The three networks of the published pipeline."""
    ITERATIVE = "iterative"
    """Robust PCA and PCA references without networks."""
    NONE = "none"
    """Leave every frame where it is (comparison only)."""
