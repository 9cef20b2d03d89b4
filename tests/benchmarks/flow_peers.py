"""scipy and dcmri on a sample of the pixels of the flow benchmark."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import dcmri
import numpy as np
import torch
from scipy.optimize import least_squares
from torch import Tensor

from models.kinetics import BloodTissueExchange, convolve_uniform, interpolate
from pipeline.perfusion.btex import Belief
from pipeline.perfusion.btex_fit import fit_exchange
from pipeline.perfusion.btex_start import Problem
from pipeline.perfusion.exchange_table import STEP_S
from pipeline.perfusion.fit import _inside, _problem
from pipeline.perfusion.interpolation import monotone_cubic
from pipeline.perfusion.window import arriving_bolus
from pipeline.types import ArterialInput
from tests.benchmarks.flow_pixels import HEMATOCRIT, N_PIXELS, N_TISSUES, Pixels
from tests.pipeline.perfusion.curves import BOUNDS, DENSITY_G_ML

N_FOR_SCIPY = 40
N_FOR_SCIPY_DIRECT = 6
N_FOR_DCMRI = 10


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


def the_problem(given: Pixels) -> tuple[Problem, Tensor]:
    time_s = given.when.tissue_s
    problem = _problem([time_s], given.artery, BOUNDS, DENSITY_G_ML, HEMATOCRIT, Belief())
    assert problem is not None
    return problem, given.curves[:, _inside(time_s, given.artery, BOUNDS)]


class Objective:
    """What our fit minimises, for one pixel, as scipy wants it."""

    def __init__(
        self, problem: Problem, curve: Tensor, variance: float, artery: ArterialInput
    ) -> None:
        self.problem, self.curve = problem, curve
        concentration, arterial_s = arriving_bolus(artery)
        self.fine_s = torch.arange(
            float(arterial_s[0]), float(problem.at_s[-1]), STEP_S, dtype=torch.float64
        )
        self.blood = monotone_cubic(concentration, arterial_s, self.fine_s)
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
        return self.descended(self.residual, self.jacobian)

    def by_scipy_directly(self) -> np.ndarray:
        return self.descended(self.direct_residual, "2-point")

    def direct_residual(self, parameters: np.ndarray) -> np.ndarray:
        """Compute plug-flow exchange for this pixel alone."""
        flow, volume, surface, interstitium = torch.from_numpy(parameters[:4]).exp()
        plasma = 1.0 - HEMATOCRIT
        response = BloodTissueExchange(
            flow_1_s=flow,
            blood_volume=volume,
            interstitial_volume=interstitium / plasma,
            permeability_surface_1_s=surface / plasma,
        )
        fine = convolve_uniform(response, self.blood, STEP_S)
        late_s = self.problem.at_s - float(parameters[4])
        curve = interpolate(fine, self.fine_s, late_s).numpy() - self.curve.double().numpy()
        return np.append(curve @ self.root, self.per_sd * (parameters - self.centre))

    def descended(self, residual: Callable[..., np.ndarray], jacobian: object) -> np.ndarray:
        start = self.centre.copy()
        start[0] = np.log(1.0 * DENSITY_G_ML / 60.0)
        found = least_squares(
            residual, start, jac=jacobian, bounds=(self.lower, self.upper), x_scale="jac"
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


def beside_scipy(given: Pixels, n_pixels: int, *, is_direct: bool) -> Beside:
    problem, curves = the_problem(given)
    sample = torch.linspace(0, N_TISSUES - 1, n_pixels).long()
    found = fit_exchange(problem, curves[sample], None)
    variance = found.residual / (curves.shape[1] - 3)
    objectives = [
        Objective(problem, curve, float(each), given.artery)
        for curve, each in zip(curves[sample], variance, strict=True)
    ]
    theirs: list[np.ndarray] = []
    solve = Objective.by_scipy_directly if is_direct else Objective.by_scipy
    needed = spent(lambda: theirs.extend(solve(objective) for objective in objectives))
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
        spent=needed.times(N_PIXELS / n_pixels),
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
