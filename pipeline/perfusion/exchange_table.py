"""An arterial input convolved with plug-flow exchange, ready to be looked up for any parameters.

The response of `models.kinetics.BloodTissueExchange` is h(t) = F [1 - W(t - T)], with the transit
time T = vb/F, and W the fraction washed out a time u after the transit, which depends on
g = PS/F and k = PS/vi only. So tissue is

    c(t) = F [A(t - t0) - B(t - t0 - T; g, k)],   A = integral of ca,   B = W * ca

where delay and transit time are mere shifts. B is tabulated over (log g, log k, time); all
derivatives are differences of neighbours in the table.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from models.kinetics import BloodTissueExchange
from pipeline.perfusion.interpolation import monotone_cubic

STEP_S = 0.1
LONGEST_S = 150.0
"""Longest series that is fitted as a whole."""
EXCHANGE_RANGE = (0.04, 12.0)
"""g = PS/F; beyond 12 next to nothing passes without a visit to the interstitium."""
RATE_RANGE_1_S = (0.005, 1.4)
"""k = PS/vi, 1/s."""
N_EXCHANGES = 60
N_RATES = 52
_TINY = 1e-9
_GRID_BLOCK = 300
"""Grids are kept in this many lengths, so that exams of like duration share one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeTable:
    """A and B on an even grid of `STEP_S` from `start_s`, zero before it; float32."""

    start_s: float
    supply: Float[Tensor, " grid"]
    """A, mmol s/l."""
    washout: Float[Tensor, "exchange rate grid"]
    """B, mmol s/l."""

    @property
    def log_exchange(self) -> tuple[float, float]:
        """First value and step of log g."""
        return _axis(EXCHANGE_RANGE, N_EXCHANGES)

    @property
    def log_rate(self) -> tuple[float, float]:
        """First value and step of log k."""
        return _axis(RATE_RANGE_1_S, N_RATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """Looked-up values and derivatives, `(voxel, time)`."""

    supply: Tensor
    supply_rate: Tensor
    """dA/dt."""
    washout: Tensor
    washout_rate: Tensor
    """dB/dt."""
    by_exchange: Tensor
    """dB/dlog g."""
    by_rate: Tensor
    """dB/dlog k."""


def exchange_table(
    concentration_mmol_l: Float[Tensor, " time"], time_s: Float[Tensor, " time"], *, end_s: float
) -> ExchangeTable:
    """Tabulate an arterial input up to `end_s`.

    Parameters
    ----------
    concentration_mmol_l
        Whole-blood concentration; zero before the first sample.
    time_s
        Its sample times, s.
    end_s
        Last time that will be looked up, s; at most `LONGEST_S` after the first sample.

    """
    start_s = float(time_s[0])
    n_grid = min(int((end_s - start_s) / STEP_S) + 3, round(LONGEST_S / STEP_S))
    elapsed_s = STEP_S * torch.arange(n_grid, dtype=torch.float64, device=time_s.device)
    arterial = monotone_cubic(concentration_mmol_l.double(), time_s.double(), start_s + elapsed_s)
    bends = torch.zeros_like(arterial)
    slope = arterial.diff() / STEP_S
    bends[0], bends[1:-1] = slope[0], slope.diff()
    n_stored = math.ceil(n_grid / _GRID_BLOCK) * _GRID_BLOCK
    ramp = _washed_out(n_stored, str(time_s.device))[..., :n_grid]
    supply = torch.cat([arterial.new_zeros(1), (arterial[1:] + arterial[:-1]).cumsum(0)])
    spectrum = torch.fft.rfft(ramp, n=2 * n_grid) * torch.fft.rfft(bends, n=2 * n_grid)
    washout: Tensor = torch.fft.irfft(spectrum, n=2 * n_grid)[..., :n_grid]
    step = ramp.diff(dim=-1, prepend=torch.zeros_like(ramp[..., :1])) / STEP_S
    washout = washout + arterial[0] * step
    washout[..., 0] = 0.0
    return ExchangeTable(
        start_s=start_s,
        supply=(0.5 * STEP_S * supply[:n_grid]).float(),
        washout=washout.float().contiguous(),
    )


def look_up(
    table: ExchangeTable,
    at_s: Float[Tensor, " time"],
    *,
    delay_s: Float[Tensor, " voxel"],
    transit_s: Float[Tensor, " voxel"],
    log_exchange: Float[Tensor, " voxel"],
    log_rate: Float[Tensor, " voxel"],
) -> Curves:
    """Read A and B with their derivatives at all sample times of all voxels; float32."""
    since = (at_s - table.start_s).to(torch.float32)[None, :] - delay_s[:, None]
    low, high, along = _neighbours(table.supply, since)
    supply_rate = (high - low) / STEP_S
    supply = low + along * (high - low)
    after = since - transit_s[:, None]
    n_grid = table.supply.shape[0]
    place, along = _place(after, n_grid)
    first_g, step_g = table.log_exchange
    first_k, step_k = table.log_rate
    row, across = _cell((log_exchange - first_g) / step_g, N_EXCHANGES)
    column, down = _cell((log_rate - first_k) / step_k, N_RATES)
    flat = table.washout.view(-1)
    corner = ((row * N_RATES + column) * n_grid)[:, None] + place
    here, below = _pair(flat, corner), _pair(flat, corner + n_grid)
    right = _pair(flat, corner + N_RATES * n_grid)
    both = _pair(flat, corner + (N_RATES + 1) * n_grid)
    across, down = across[:, None], down[:, None]
    near = [torch.lerp(here[side], below[side], down) for side in (0, 1)]
    far = [torch.lerp(right[side], both[side], down) for side in (0, 1)]
    early, late = (torch.lerp(near[side], far[side], across) for side in (0, 1))
    by_exchange = torch.lerp(far[0] - near[0], far[1] - near[1], along) / step_g
    fall = [
        torch.lerp(below[side] - here[side], both[side] - right[side], across) for side in (0, 1)
    ]
    return Curves(
        supply=supply,
        supply_rate=supply_rate,
        washout=torch.lerp(early, late, along),
        washout_rate=(late - early) / STEP_S,
        by_exchange=by_exchange,
        by_rate=torch.lerp(fall[0], fall[1], along) / step_k,
    )


def _pair(flat: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    return flat[index], flat[index + 1]


def _neighbours(values: Tensor, since_s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    place, along = _place(since_s, values.shape[0])
    return values[place], values[place + 1], along


def _place(since_s: Tensor, n_grid: int) -> tuple[Tensor, Tensor]:
    """Return the grid sample before each time and the share of the way to the next."""
    place = (since_s / STEP_S).clamp(0.0, n_grid - 1.001)
    before = place.floor()
    return before.long(), place - before


def _cell(place: Tensor, n_nodes: int) -> tuple[Tensor, Tensor]:
    place = place.clamp(0.0, n_nodes - 1.001)
    before = place.floor()
    return before.long(), place - before


def _axis(limits: tuple[float, float], n_nodes: int) -> tuple[float, float]:
    first, last = math.log(limits[0]), math.log(limits[1])
    return first, (last - first) / (n_nodes - 1)


@lru_cache(maxsize=4)
def _washed_out(n_grid: int, device: str) -> Float[Tensor, "exchange rate grid"]:
    """Return the double integral of W over a grid of times, s²; no patient in it."""
    elapsed_s = STEP_S * torch.arange(n_grid, dtype=torch.float64)
    first_k, step_k = _axis(RATE_RANGE_1_S, N_RATES)
    rate = torch.exp(first_k + step_k * torch.arange(N_RATES, dtype=torch.float64))
    first_g, step_g = _axis(EXCHANGE_RANGE, N_EXCHANGES)
    rows = []
    for index in range(N_EXCHANGES):
        exchange = torch.full_like(rate, math.exp(first_g + step_g * index))
        kept = BloodTissueExchange(
            flow_1_s=torch.ones_like(rate),
            blood_volume=torch.full_like(rate, _TINY),
            interstitial_volume=exchange / rate,
            permeability_surface_1_s=exchange,
        )
        rows.append(elapsed_s.square() / 2.0 - kept.ramp(elapsed_s))
    return torch.stack(rows).to(device)
