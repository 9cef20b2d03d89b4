"""Motion correction: put every frame of a series onto one of them.

`correct` is all that the analysis needs. Inside, the heart is cut out (`series`, `crop`), frames
are aligned step by step (`learned` by our networks, `published` by those of the publication,
`iterative` without: `translation`, `affine`, `deformable`), the fields are joined (`compose`),
carried to full resolution, and the original is resampled once. `quality` measures the result
without labels and `gate` decides whether it is used.
"""

from pipeline.motion.beats import displacement_of_beats
from pipeline.motion.compose import compose, warp
from pipeline.motion.correction import correct, identity
from pipeline.motion.methods import Method

__all__ = ["Method", "compose", "correct", "displacement_of_beats", "identity", "warp"]
