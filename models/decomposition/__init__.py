"""A series of images taken apart: low rank and sparse, leading components and the rest.

This is mathematics of matrices that know no heart. Registration uses it to get images in which
contrast does not change (`split_low_rank`) or motion does not show (`pca_reference`), and to
compare frames with them (`matched`).
"""

from models.decomposition.gain import matched
from models.decomposition.pca_reference import pca_reference
from models.decomposition.robust_pca import split_low_rank

__all__ = ["matched", "pca_reference", "split_low_rank"]
