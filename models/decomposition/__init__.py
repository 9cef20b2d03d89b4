"""A series of images taken apart: low rank and sparse, leading components and the rest.

Both are mathematics of matrices that know no heart. Registration uses them to get images in
which contrast does not change (`split_low_rank`) or motion does not show (`pca_reference`).
"""

from models.decomposition.pca_reference import pca_reference
from models.decomposition.robust_pca import split_low_rank

__all__ = ["pca_reference", "split_low_rank"]
