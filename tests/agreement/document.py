"""Write docs/evidence/agreement.md: `python -m tests.agreement.document [folder]`."""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.agreement import against_dcmri, myo_pinn, osipi
from tests.agreement.row import Row

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "docs" / "evidence" / "agreement.md"
REFERENCE_DATA = ROOT.parent / "shared" / "reference_data"
OSIPI = (
    osipi.exchange_leaves_the_stated_noise,
    osipi.exchange_is_fitted,
    osipi.exchange_fit_explains_as_much,
    osipi.tofts_curves,
    osipi.noisy_tofts_curves,
    osipi.parker_curves,
    osipi.steady_state_concentration,
)
DCMRI = (
    against_dcmri.exchange,
    against_dcmri.uptake,
    against_dcmri.extended_tofts,
    against_dcmri.plug_flow,
    against_dcmri.parker,
    against_dcmri.saturation_recovery,
)
MYO_PINN = (
    myo_pinn.same_rule,
    myo_pinn.exact_rule,
    myo_pinn.exact_rule_typically,
    *myo_pinn.FLOW_ROWS,
)
HEAD = """# What agrees to what

Our equations and fits against numbers that nobody here produced. Do not edit the table: run
`python -m tests.agreement.document`. A test keeps it true and holds every row to what it allows.

| what of ours | whose numbers | cases | measure | found | allowed |
|---|---|---|---|---|---|
"""
TAIL = """
## Reading
- *OSIPI 2CXM*: our curve at their parameters leaves their stated noise of 0.001 mmol/l, at no
  delay and at 5 s, so units, delay and equation are theirs. Plasma flow there is 5 to 40
  ml/100ml/min, below that of heart muscle. The fit (the solver of our flow maps, on this model)
  is outside their tolerance once: PS 0.178 for 0.15 /min, and its residual is below that of the
  true parameters, so that curve does not tell better.
- *Extended Tofts* is checked for its algebra only. It has no flow.
- *OSIPI SI to concentration* is a steady-state sequence without saturation. It checks our
  recursion in its limit of many pulses, not the conversion of perfusion images. They skip the
  first point of the baseline, which is followed here.
- *dcmri*: two-compartment models, extended Tofts, saturation-recovery signal. It has no plug flow
  with exchange; our plug-flow model meets it where exchange vanishes and is otherwise held to its
  differential equations and its Laplace transform (`tests/models/kinetics/test_models.py`).
- *myo_pinn* convolves by a sum of rectangles at 1.2 s. With their rule we reproduce all 144
  curves; the exact convolution differs by up to a tenth of the peak. The rule is an error of
  theirs of that size at one sample per beat, and it moves flow.
- *Flow on their tissue*: well-mixed blood and interstitium, which none of our flow models
  assumes, at 0.5 to 2 ml/min/ml without noise. Its response falls at once, faster than a sample of
  1.2 s shows, so all read low on the exact curves; their rule raises the curves and flow by a
  quarter and more. Read it as the price of a wrong tissue model and of a wrong convolution.
- No third party has numbers for saturation-recovery bSSFP or plug flow with exchange. For those
  there are independent integrators in the tests, written here.
"""


@cache
def row(check: Callable[[Path], Row], folder: Path) -> Row:
    """Return one row, computed once."""
    return check(folder)


def render(folder: Path) -> str:
    """Return the whole document."""
    lines = [row(check, folder).cells() for check in (*OSIPI, *DCMRI, *MYO_PINN)]
    return HEAD + "\n".join(lines) + "\n" + TAIL


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else REFERENCE_DATA
    TARGET.write_text(render(given), encoding="utf-8")
