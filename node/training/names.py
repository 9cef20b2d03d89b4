"""The networks that can be trained, by name."""

from enum import StrEnum


class Target(StrEnum):
    """Networks by the name that the command has for them."""

    ANATOMY = "anatomy"
    MATCHING = "matching"
    REFINING = "refining"
    AFFINE = "affine"
    AFFINE_REFINE = "affine-refine"
    DEFORMABLE = "deformable"
    SEGMENTATION = "segmentation"

    @property
    def file_name(self) -> str:
        """Name of the weights."""
        return self.value.replace("-", "_")


LEARNED_FROM_SCENES = frozenset(
    {Target.ANATOMY, Target.MATCHING, Target.REFINING, Target.SEGMENTATION}
)
"""Targets that need to know where the heart is, which only virtual patients tell."""
