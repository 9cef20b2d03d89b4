"""The response that deconvolution is constrained to, and its fixed search range.

    h(t) = F [(1 - e) f(t) + e],   f(t) = (1 + b) / (1 + b exp(k t)), b = exp(-k w)

f is the Fermi function (Jerosch-Herold 1998, doi 10.1118/1.598163) for the agent that stays in the
vessels: it leaves after the transit time w. The fraction e has crossed into the interstitium and
is retained over the first pass. A plain Fermi function (e = 0, k free) must bend itself over both
parts; on plug-flow exchange tissue of stress flow that moves h(0) by 10 to 25 %.

The search range is physiology, set before any image was fitted:

- relative dispersion of vascular transit about 0.3, between plug flow (0) and a well-mixed
  compartment (1): k w = 6, since the transit density -df/dt has SD/mean = pi / (sqrt(3) k w);
- blood volume F w from 0.03 to 0.25 ml/ml with a weak log-normal prior of median 0.1 and factor
  1.5 (published 0.07 to 0.17 whole blood); no lower bound where transit outlasts the first pass,
  because then volume is not seen;
- retained fraction 0 to 0.9: 1 - exp(-PS/F) for PS 0.3 to 4 and F 0.5 to 6 ml/min/g.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.kinetics import TabulatedResponse, convolve_uniform, fermi_response
from pipeline.perfusion.interpolation import monotone_cubic

SHARPNESS = 6.0
"""k w."""
VOLUME_RANGE = (0.03, 0.25)
"""Vascular distribution volume F w, ml/ml."""
VOLUME_MEDIAN = 0.1
VOLUME_LOG_SD = 0.4
MAX_RETAINED = 0.9
_GRID_STEP_S = 0.05
_N_WIDTHS = 25
_SHORTEST_WIDTH_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class FermiTable:
    """Arterial input convolved with the vascular part for all widths, and with a constant.

    Both on an even grid of `_GRID_STEP_S` from `start_s`, float64, per unit flow (1/s).
    """

    start_s: float
    log_width: Float[Tensor, " width"]
    vascular: Float[Tensor, "width grid"]
    retained: Float[Tensor, " grid"]

    def basis(
        self,
        at_s: Float[Tensor, " time"],
        delay_s: Float[Tensor, " candidate"],
        width_index: Float[Tensor, " candidate"],
    ) -> tuple[Float[Tensor, "candidate time"], Float[Tensor, "candidate time"]]:
        """Return the vascular and the retained curve of candidates at the sample times.

        Parameters
        ----------
        at_s
            Sample times, s.
        delay_s
            Arrival after the arterial input, s.
        width_index
            Place in `log_width`, between entries too.

        """
        place = (at_s[None, :] - delay_s[:, None] - self.start_s) / _GRID_STEP_S
        n_grid = self.retained.shape[0]
        left = place.floor().clamp(0, n_grid - 2).long()
        weight = (place - left).clamp(0.0, 1.0)
        row = width_index.floor().clamp(0, self.log_width.shape[0] - 2).long()
        blend = (width_index - row)[:, None]
        flat, start = self.vascular.flatten(), row[:, None] * n_grid + left
        narrow = torch.lerp(flat[start], flat[start + 1], weight)
        wide = torch.lerp(flat[start + n_grid], flat[start + n_grid + 1], weight)
        retained = torch.lerp(self.retained[left], self.retained[left + 1], weight)
        return torch.lerp(narrow, wide, blend.expand_as(narrow)), retained

    def width_s(self, width_index: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Return the transit time w of places in the table, s."""
        step = self.log_width[1] - self.log_width[0]
        return torch.exp(self.log_width[0] + step * width_index)


def fermi_table(
    concentration_mmol_l: Float[Tensor, " time"],
    time_s: Float[Tensor, " time"],
    *,
    end_s: float,
) -> FermiTable:
    """Convolve an arterial input with the response model up to `end_s`.

    Parameters
    ----------
    concentration_mmol_l
        Arterial concentration; taken as zero before the first sample.
    time_s
        Its sample times, s.
    end_s
        End of the first pass, s; transit times up to its length are distinguished.

    """
    start_s = float(time_s[0])
    n_grid = int((end_s - start_s) / _GRID_STEP_S) + 2
    elapsed_s = _GRID_STEP_S * torch.arange(n_grid, dtype=torch.float64, device=time_s.device)
    arterial = monotone_cubic(concentration_mmol_l.double(), time_s.double(), start_s + elapsed_s)
    longest = math.log(max(end_s - start_s, 2.0 * _SHORTEST_WIDTH_S))
    log_width = torch.linspace(
        math.log(_SHORTEST_WIDTH_S), longest, _N_WIDTHS, dtype=torch.float64, device=time_s.device
    )
    width_s = log_width.exp()
    shape = fermi_response(
        elapsed_s,
        flow_1_s=torch.ones_like(width_s),
        decay_1_s=SHARPNESS / width_s,
        width_s=width_s,
    )
    both = torch.cat([shape, torch.ones_like(shape[:1])])
    curves = convolve_uniform(
        TabulatedResponse(knot_s=elapsed_s, value_1_s=both), arterial, _GRID_STEP_S
    )
    return FermiTable(
        start_s=start_s, log_width=log_width, vascular=curves[:-1], retained=curves[-1]
    )
