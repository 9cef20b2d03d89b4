"""Training on a site's own machine: what is learned from (`data`), and what is trained (`targets`).

`perfnode train` draws virtual patients, or decodes the exams of a folder, and hands their heart
regions to the loops of `models.training`. Exams are used without labels and without identity:
only the pixels around the heart are kept in memory, nothing of them is written.
"""

from node.training.data import Data, phantom_series, scene_seeds, study_series
from node.training.job import Job
from node.training.names import LEARNED_FROM_SCENES, Target
from node.training.targets import TARGETS, train_target

__all__ = [
    "LEARNED_FROM_SCENES",
    "TARGETS",
    "Data",
    "Job",
    "Target",
    "phantom_series",
    "scene_seeds",
    "study_series",
    "train_target",
]
