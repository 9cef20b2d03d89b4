"""Blood flow from concentration: arterial input, tissue models fitted to pixels, flow map.

`find_arterial_input` reads the left ventricle in the low-resolution series; `fit` fits a tissue
model to curves; `flow_map` does so for the heart region of one slice. The default model is
plug-flow exchange: `btex` with its bounds and priors, `exchange_table` for its curves, `noise` for
the weights of samples, `solver` for the descent, `btex_start` for where it begins, `btex_fit` for
all of it together, `delay_profile` for what a whole heart tells. The second is a Fermi
function (`fermi`, `projection`, `fermi_fit`), the third needs no model (`deconvolution`).
"""

from pipeline.perfusion.arterial_input import find_arterial_input
from pipeline.perfusion.btex import Belief
from pipeline.perfusion.fit import FlowFit, fit
from pipeline.perfusion.flow_map import flow_map, heart_belief

__all__ = ["Belief", "FlowFit", "find_arterial_input", "fit", "flow_map", "heart_belief"]
