"""Seconds to fit flow to every pixel of an exam, beside scipy and dcmri on a sample of the same.

Three slices of 128 x 128 pixels with 70 beats, each pixel tissue with flow, volumes, exchange and
delay of its own and noise of SNR 20. The peers are timed on a few pixels and extrapolated:

- scipy `least_squares` minimises the same objective (tabulated model, analytic derivatives, bounds,
  prior, weights) from the usual tissue, one pixel after another;
- dcmri fits its two-compartment exchange to the signals of the same pixels, as it comes.

Run with `pytest -m benchmark -s tests/benchmarks/test_flow.py`.
"""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

import dcmri
import numpy as np
import pytest
import torch
from scipy.optimize import least_squares
from torch import Tensor

from models.kinetics import BloodTissueExchange, convolve_uniform, interpolate
from pipeline.perfusion import FlowFit, fit
from pipeline.perfusion.btex import Belief
from pipeline.perfusion.btex_fit import Problem, fit_exchange
from pipeline.perfusion.fit import _inside, _problem
from pipeline.types import ArterialInput, FlowModel
from tests.pipeline.perfusion.curves import BOUNDS, DENSITY_G_ML, Beats, arterial_input, beats

pytestmark = pytest.mark.benchmark

N_PIXELS = 3 * 128 * 128
N_BEATS = 70
N_TISSUES = 1024
NOISE_MMOL_L = 0.035
N_FOR_SCIPY = 40
N_FOR_DCMRI = 10
HEMATOCRIT = 0.42
FINE_S = 0.02


@dataclass(frozen=True)
class Pixels:
    when: Beats
    artery: ArterialInput
    curves: Tensor
    flow_ml_min_g: Tensor


def pixels() -> Pixels:
    """Return noisy curves of tissue drawn at random."""
    when = beats(3, interval_s=0.8, n_beats=N_BEATS)
    generator = torch.Generator().manual_seed(1)

    def drawn(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(N_TISSUES, generator=generator, dtype=torch.float64)

    flow = drawn(0.3, 5.0)
    response = BloodTissueExchange(
        flow_1_s=flow * DENSITY_G_ML / 60.0,
        blood_volume=drawn(0.06, 0.16),
        interstitial_volume=drawn(0.2, 0.5),
        permeability_surface_1_s=drawn(1.0, 4.0) / 60.0,
    )
    fine = convolve_uniform(response, when.fine_mmol_l, FINE_S)
    delay_s = drawn(0.0, 2.0)
    clean = torch.cat(
        [
            interpolate(each, when.fine_s, when.tissue_s - late)
            for each, late in zip(fine.split(1), delay_s, strict=True)
        ]
    )
    n_repeats = -(-N_PIXELS // N_TISSUES)
    curves = clean.repeat(n_repeats, 1)[:N_PIXELS]
    noise = torch.randn(curves.shape, generator=generator, dtype=torch.float64)
    return Pixels(
        when=when,
        artery=arterial_input(when),
        curves=(curves + NOISE_MMOL_L * noise).float(),
        flow_ml_min_g=flow.repeat(n_repeats)[:N_PIXELS],
    )


@dataclass(frozen=True)
class Spent:
    """Seconds on the wall and of the processor; the latter tell less of other work."""

    wall_s: float
    processor_s: float

    def times(self, factor: float) -> "Spent":
        return Spent(factor * self.wall_s, factor * self.processor_s)

    def over(self, other: "Spent", device: str) -> float:
        """Return how many times longer this takes; a GPU is judged by the wall."""
        if device == "cuda":
            return self.wall_s / other.wall_s
        return self.processor_s / other.processor_s


def spent(action: Callable[[], object], *, n_runs: int = 1, device: str = "cpu") -> Spent:
    """Return the shortest of some runs; the first of two also fills tables that are kept."""
    runs = []
    for _ in range(n_runs):
        wall_s, processor_s = time.perf_counter(), time.process_time()
        action()
        if device == "cuda":
            torch.cuda.synchronize()
        runs.append((time.perf_counter() - wall_s, time.process_time() - processor_s))
    return Spent(*min(runs))


def moved(given: Pixels, device: str) -> tuple[Tensor, Tensor, ArterialInput]:
    artery = given.artery
    there = ArterialInput(
        time_s=artery.time_s.to(device),
        concentration_mmol_l=artery.concentration_mmol_l.to(device),
        mask=artery.mask.to(device),
        source=artery.source,
        foot=artery.foot,
        peak=artery.peak,
        valley=artery.valley,
    )
    return given.curves.to(device), given.when.tissue_s.to(device), there


def ours(given: Pixels, device: str, model: FlowModel) -> tuple[Spent, FlowFit]:
    curves, time_s, artery = moved(given, device)

    def run() -> FlowFit:
        return fit(
            curves,
            time_s=time_s,
            arterial_input=artery,
            bounds=BOUNDS,
            density_g_ml=DENSITY_G_ML,
            model=model,
        )

    return spent(run, n_runs=2, device=device), run()


def the_problem(given: Pixels) -> tuple[Problem, Tensor]:
    time_s = given.when.tissue_s
    problem = _problem([time_s], given.artery, BOUNDS, DENSITY_G_ML, HEMATOCRIT, Belief())
    assert problem is not None
    return problem, given.curves[:, _inside(time_s, given.artery, BOUNDS)]


class Objective:
    """What our fit minimises, for one pixel, as scipy wants it."""

    def __init__(self, problem: Problem, curve: Tensor, variance: float) -> None:
        self.problem, self.curve = problem, curve
        lost = problem.weights.lost.double()
        power, axes = torch.linalg.eigh(torch.eye(len(lost), dtype=torch.float64) - lost @ lost.T)
        root = (axes * power.clamp(min=0.0).sqrt()) @ axes.T / variance**0.5
        self.root = root.numpy()
        self.centre = np.array(problem.belief.centre)
        self.per_sd = 1.0 / np.array(problem.belief.sd)
        self.lower, self.upper = (
            each.double().numpy() for each in (problem.bounds.lower, problem.bounds.upper)
        )

    def seen(self, parameters: np.ndarray) -> np.ndarray:
        given = torch.from_numpy(parameters.astype(np.float32))[None]
        curves = self.problem.curves(given)[0]
        curves[-1] -= self.curve
        return curves.numpy() @ self.root

    def residual(self, parameters: np.ndarray) -> np.ndarray:
        return np.append(self.seen(parameters)[-1], self.per_sd * (parameters - self.centre))

    def jacobian(self, parameters: np.ndarray) -> np.ndarray:
        return np.vstack([self.seen(parameters)[:-1].T, np.diag(self.per_sd)])

    def cost(self, parameters: np.ndarray) -> float:
        return float((self.residual(parameters) ** 2).sum())

    def by_scipy(self) -> np.ndarray:
        start = self.centre.copy()
        start[0] = np.log(1.0 * DENSITY_G_ML / 60.0)
        found = least_squares(
            self.residual, start, jac=self.jacobian, bounds=(self.lower, self.upper), x_scale="jac"
        )
        return np.asarray(found.x)


@dataclass(frozen=True)
class Beside:
    """A peer on a sample: its time for all pixels, and both residuals."""

    spent: Spent
    objective_ratio: np.ndarray
    """Our objective over that of the peer."""
    left_mmol_l: float
    """Median rms that the peer leaves of a curve."""
    left_by_ours_mmol_l: float


def beside_scipy(given: Pixels) -> Beside:
    problem, curves = the_problem(given)
    sample = torch.linspace(0, N_TISSUES - 1, N_FOR_SCIPY).long()
    found = fit_exchange(problem, curves[sample], None)
    variance = found.residual / (curves.shape[1] - 3)
    objectives = [
        Objective(problem, curve, float(each))
        for curve, each in zip(curves[sample], variance, strict=True)
    ]
    theirs: list[np.ndarray] = []
    needed = spent(lambda: theirs.extend(objective.by_scipy() for objective in objectives))
    mine = found.parameters.double().numpy()
    costs = [
        (objective.cost(our), objective.cost(their))
        for objective, our, their in zip(objectives, mine, theirs, strict=True)
    ]
    both = (torch.from_numpy(np.array(theirs)).float(), found.parameters)
    left, left_by_ours = (
        float((problem.curves(each)[:, -1] - curves[sample]).square().mean(1).sqrt().median())
        for each in both
    )
    return Beside(
        spent=needed.times(N_PIXELS / N_FOR_SCIPY),
        objective_ratio=np.array([our / their for our, their in costs]),
        left_mmol_l=left,
        left_by_ours_mmol_l=left_by_ours,
    )


def beside_dcmri(given: Pixels) -> Beside:
    time_s = given.when.tissue_s.numpy() - float(given.when.tissue_s[0])
    blood = interpolate(
        given.artery.concentration_mmol_l, given.artery.time_s, given.when.tissue_s
    ).clamp(min=0.0)
    scan = {"TR": 0.002, "FA": 12.0, "TP": 0.06, "TC": 0.1, "S0": 1000.0}
    free = {"vb": [0.02, 0.3], "vi": [0.05, 0.6], "Fb": [0.001, 0.14], "PS": [0.003, 0.09]}
    sample = torch.linspace(0, N_TISSUES - 1, N_FOR_DCMRI).long()
    curves = given.curves[sample].double().numpy()
    signals = [
        dcmri.signal_spgr(
            *(scan["S0"], 1.0 / 1.2 + 4.5 * curve, scan["TC"], scan["TR"], scan["FA"]),
            TP=scan["TP"],
        )
        for curve in curves
    ]
    made = {"H": HEMATOCRIT, "R10": 1.0 / 1.2, "r1": 4500.0, "ca": blood.numpy() / 1000.0}
    tissues = [
        dcmri.Tissue(kinetics="2CX", sequence="SR", t=time_s, free=dict(free), **scan, **made)
        for _ in curves
    ]
    needed = spent(
        lambda: [
            tissue.train(time_s, signal, init_s0=False)
            for tissue, signal in zip(tissues, signals, strict=True)
        ]
    )
    problem, cut = the_problem(given)
    own = problem.curves(fit_exchange(problem, cut[sample], None).parameters)[:, -1]
    window = _inside(given.when.tissue_s, given.artery, BOUNDS).numpy()
    modelled = np.array([1000.0 * tissue.conc() for tissue in tissues])
    left = np.sqrt(((modelled - curves)[:, window] ** 2).mean(1))
    return Beside(
        spent=needed.times(N_PIXELS / N_FOR_DCMRI),
        objective_ratio=np.array([]),
        left_mmol_l=float(np.median(left)),
        left_by_ours_mmol_l=float((own - cut[sample]).square().mean(1).sqrt().median()),
    )


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_seconds_per_exam(device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device in this machine")
    given = pixels()
    name = torch.cuda.get_device_name() if device == "cuda" else f"CPU of {os.cpu_count()} cores"
    print(
        f"\n{N_PIXELS} pixels x {N_BEATS} beats, {name}, {torch.get_num_threads()} thread(s), "
        f"torch {torch.__version__}, Python {platform.python_version()}"
    )
    needed = {}
    for model in FlowModel:
        needed[model], found = ours(given, device, model)
        error = 100.0 * (found.flow_ml_min_g.cpu() / given.flow_ml_min_g - 1.0)
        print(
            f"  {model.value:<9} {needed[model].wall_s:7.2f} s, processor "
            f"{needed[model].processor_s:7.2f} s; a pixel on its own: median error of flow "
            f"{float(error.median()):+.0f} %, of its size {float(error.abs().median()):.0f} %"
        )
    scipy = beside_scipy(given)
    ratio = scipy.objective_ratio
    say("scipy", N_FOR_SCIPY, scipy, scipy.spent.over(needed[FlowModel.BTEX], device))
    print(
        f"            our objective over theirs: median {np.median(ratio):.5f}, 90th percentile "
        f"{np.quantile(ratio, 0.9):.5f}, smallest {ratio.min():.4f}, largest {ratio.max():.4f}"
    )
    peer = beside_dcmri(given)
    say("dcmri", N_FOR_DCMRI, peer, peer.spent.over(needed[FlowModel.BTEX], device))


def say(name: str, n_pixels: int, peer: Beside, ratio: float) -> None:
    print(
        f"  {name:<9} {peer.spent.wall_s:7.0f} s, processor {peer.spent.processor_s:7.0f} s from "
        f"{n_pixels} pixels: {ratio:.0f} times ours; rms left {peer.left_mmol_l:.4f} mmol/l, "
        f"by ours {peer.left_by_ours_mmol_l:.4f}"
    )
