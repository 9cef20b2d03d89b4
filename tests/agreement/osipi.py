"""Numbers of the OSIPI code collection (Apache-2.0), read in place."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.kinetics import (
    ExtendedTofts,
    Response,
    convolve,
    convolve_uniform,
    parker_bolus,
    two_compartment_exchange,
)
from models.physics import SpoiledGradientEcho
from pipeline.perfusion.solver import Prior, minimise
from tests.agreement.row import Row

csv.field_size_limit(10**7)
NOISE_MMOL_L = 0.001
STEP = 1e-6
EXCHANGE_FILES = ("2cxm_sd_0.001_delay_0.csv", "2cxm_sd_0.001_delay_5.csv")


def read(folder: Path, *path: str) -> list[dict[str, str]]:
    with folder.joinpath("osipi", *path).open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def vector(cell: str) -> Tensor:
    return torch.tensor([float(word) for word in cell.split()], dtype=torch.float64)


def column(rows: list[dict[str, str]], name: str) -> Tensor:
    return torch.tensor([float(row[name]) for row in rows], dtype=torch.float64)


@dataclass(frozen=True)
class Delayed:
    """A response that comes later by a time of its own for each member of the batch."""

    response: Response
    delay_s: Tensor

    def step(self, elapsed_s: Tensor) -> Tensor:
        return self.response.step((elapsed_s - self.delay_s[:, None]).clamp(min=0.0))

    def ramp(self, elapsed_s: Tensor) -> Tensor:
        return self.response.ramp((elapsed_s - self.delay_s[:, None]).clamp(min=0.0))


@dataclass(frozen=True)
class ExchangeCases:
    """The 48 curves of two-compartment exchange: one arterial input, one even grid."""

    truth: Tensor
    """Columns vp, ve, fp (1/s), ps (1/s), delay (s)."""
    curves: Tensor
    arterial: Tensor
    step_s: float

    def model(self, parameters: Tensor) -> Tensor:
        plasma, interstitium, flow, surface, delay_s = parameters.unbind(1)
        response = two_compartment_exchange(
            flow_1_s=flow,
            blood_volume=plasma,
            interstitial_volume=interstitium,
            permeability_surface_1_s=surface,
        )
        return convolve_uniform(Delayed(response, delay_s), self.arterial, self.step_s)


def exchange_cases(folder: Path) -> ExchangeCases:
    rows = [row for name in EXCHANGE_FILES for row in read(folder, "DCEmodels", name)]
    time_s, arterial = vector(rows[0]["t"]), vector(rows[0]["cp_aif"])
    assert all(row["cp_aif"] == rows[0]["cp_aif"] for row in rows)
    truth = [
        column(rows, "vp"),
        column(rows, "ve"),
        column(rows, "fp") / 6000.0,
        column(rows, "ps") / 60.0,
        column(rows, "arterial_delay"),
    ]
    curves = torch.stack([vector(row["C_t"]) for row in rows])
    return ExchangeCases(torch.stack(truth, 1), curves, arterial, float(time_s[1] - time_s[0]))


def exchange_leaves_the_stated_noise(folder: Path) -> Row:
    cases = exchange_cases(folder)
    noise = (cases.model(cases.truth) - cases.curves).square().mean(1).sqrt()
    return Row(
        what="two-compartment exchange, curve",
        whose="OSIPI 2CXM, delay 0 and 5 s",
        n_cases=len(noise),
        measure="scatter left over the stated noise, largest difference from 1",
        found=float((noise / NOISE_MMOL_L - 1.0).abs().max()),
        allowed=0.1,
    )


def fitted(cases: ExchangeCases) -> Tensor:
    """Fit all curves with the solver of the flow maps; derivatives by finite differences."""

    def evaluate(parameters: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        def curves(given: Tensor) -> Tensor:
            return cases.model(torch.cat([given[:, :4].exp(), given[:, 4:]], 1))

        nudges = STEP * torch.eye(5, dtype=parameters.dtype)
        now = curves(parameters)
        jacobian = torch.stack([(curves(parameters + each) - now) / STEP for each in nudges], 1)
        residual = now - cases.curves[chosen]
        inner = jacobian @ jacobian.transpose(1, 2)
        return inner, (jacobian @ residual[..., None])[..., 0], residual.square().sum(1)

    start = torch.tensor(
        [math.log(0.05), math.log(0.15), math.log(0.2 / 60), math.log(0.1 / 60), 2]
    )
    start = start.double().expand(len(cases.curves), 5)
    found = minimise(
        evaluate,
        start,
        lower=torch.tensor([-7.0, -5.0, -9.0, -10.0, 0.0], dtype=torch.float64),
        upper=torch.tensor([0.0, 0.0, -2.0, -2.0, 10.0], dtype=torch.float64),
        prior=Prior(centre=start, precision=torch.zeros_like(start)),
        n_iterations=100,
    ).parameters
    return torch.cat([found[:, :4].exp(), found[:, 4:]], 1)


def exchange_is_fitted(folder: Path) -> Row:
    """Judge by the absolute and relative tolerances of OSIPI's own tests."""
    cases = exchange_cases(folder)
    absolute = torch.tensor([0.025, 0.05, 5 / 6000, 0.005 / 60, 1.0], dtype=torch.float64)
    relative = torch.tensor([0.0, 0.0, 0.1, 0.1, 0.0], dtype=torch.float64)
    is_off = (fitted(cases) - cases.truth).abs() > absolute + relative * cases.truth
    return Row(
        what="two-compartment exchange, vp, ve, fp, PS and delay fitted",
        whose="OSIPI 2CXM, delay 0 and 5 s",
        n_cases=is_off.numel(),
        measure="parameters outside OSIPI's own tolerance",
        found=float(is_off.sum()),
        allowed=1.0,
    )


def exchange_fit_explains_as_much(folder: Path) -> Row:
    cases = exchange_cases(folder)
    left, left_by_truth = (
        (cases.model(parameters) - cases.curves).square().sum(1)
        for parameters in (fitted(cases), cases.truth)
    )
    return Row(
        what="the same fits",
        whose="OSIPI 2CXM, delay 0 and 5 s",
        n_cases=len(left),
        measure="sum of squares over that of the true parameters, largest",
        found=float((left / left_by_truth).max()),
        allowed=1.0,
    )


def tofts_errors(folder: Path, *, is_clean: bool) -> list[float]:
    rows = read(folder, "DCEmodels", "dce_DRO_data_extended_tofts.csv")
    errors = []
    for row in rows:
        if row["label"].endswith("highSNR") != is_clean:
            continue
        model = ExtendedTofts(
            transfer_1_s=column([row], "Ktrans")[0] / 60.0,
            plasma_volume=column([row], "vp")[0],
            interstitial_volume=column([row], "ve")[0],
        )
        curve = vector(row["C"])
        modelled = convolve(model, vector(row["ca"]), vector(row["t"]))
        errors.append(float((modelled - curve).square().mean().sqrt() / curve.max()))
    return errors


def tofts_curves(folder: Path) -> Row:
    errors = tofts_errors(folder, is_clean=True)
    return Row(
        what="extended Tofts, curve",
        whose="OSIPI (QIBA), high SNR",
        n_cases=len(errors),
        measure="rms over peak, largest",
        found=max(errors),
        allowed=1e-3,
    )


def noisy_tofts_curves(folder: Path) -> Row:
    errors = tofts_errors(folder, is_clean=False)
    return Row(
        what="extended Tofts, curve and input with their noise",
        whose="OSIPI (QIBA), SNR 20 to 100",
        n_cases=len(errors),
        measure="rms over peak, largest",
        found=max(errors),
        allowed=None,
    )


def parker_curves(folder: Path) -> Row:
    rows = read(folder, "PopulationAIF_DCE", "ParkerAIF_ref.csv")
    rows += read(folder, "PopulationAIF_DCE", "ParkerAIF_ref_with_delay.csv")
    since_s = 60.0 * column(rows, "time") - column(rows, "delay")
    expected = column(rows, "Cb")
    # Their zero lasts until the delay, which may fall between two samples.
    is_after = expected > 0.0
    error = (parker_bolus(since_s) - expected).abs()[is_after]
    return Row(
        what="population arterial input",
        whose="OSIPI Parker, with and without delay",
        n_cases=int(is_after.sum()),
        measure="mmol/l, largest",
        found=float(error.max()),
        allowed=1e-4,
    )


def steady_state_concentration(folder: Path) -> Row:
    """Invert our readout, long enough to be steady, by bisection of the rate."""
    errors, n_samples = [], 0
    for row in read(folder, "SI_to_Conc", "SI2Conc_data.csv"):
        readout = SpoiledGradientEcho(
            repetition_time_s=float(row["TR"]),
            echo_time_s=1e-3,
            flip_angle_rad=math.radians(float(row["FA"])),
            pulses_before_centre=20000,
        )
        signal, expected = vector(row["s"]), vector(row["conc"])
        native = 1.0 / column([row], "T1base")
        baseline = signal[1 : int(row["numbaselinepts"])].mean()  # they skip the first point
        wanted = signal / baseline * readout.signal(native)
        low, high = torch.full_like(signal, 1e-3), torch.full_like(signal, 1e3)
        for _ in range(80):
            middle = (low + high) / 2.0
            is_below = readout.signal(middle) < wanted
            low, high = torch.where(is_below, middle, low), torch.where(is_below, high, middle)
        found = ((low + high) / 2.0 - native) / float(row["r1"])
        errors.append(float((found - expected).abs().max()))
        n_samples += len(signal)
    return Row(
        what="steady-state spoiled gradient echo, signal to concentration",
        whose="OSIPI SI to concentration",
        n_cases=n_samples,
        measure="mmol/l, largest",
        found=max(errors),
        allowed=1e-5,
    )
