"""Blood flow from concentration: arterial input, Fermi-constrained deconvolution, flow map.

`find_arterial_input` reads the left ventricle in the low-resolution series; `fit` deconvolves
tissue curves with it over the first pass; `flow_map` does so for the heart region of one slice.
The response model and its fixed search range are in `fermi`.
"""

from pipeline.perfusion.arterial_input import find_arterial_input
from pipeline.perfusion.fit import FlowFit, fit
from pipeline.perfusion.flow_map import flow_map

__all__ = ["FlowFit", "find_arterial_input", "fit", "flow_map"]
