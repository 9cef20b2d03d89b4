"""Seconds to fit flow to every pixel of an exam, beside scipy and dcmri on a sample of the same.

Three slices of 128 x 128 pixels with 70 beats, each pixel tissue with flow, volumes, exchange and
delay of its own and noise of SNR 20. The peers are timed on a few pixels and extrapolated:

- scipy `least_squares` minimises the same objective (bounds, prior, weights) from the usual tissue,
  one pixel after another: once with our tabulated model and its analytic derivatives, once with the
  model computed directly and derivatives by differences, as it is written without such a table;
- dcmri fits its two-compartment exchange to the signals of the same pixels, as it comes.

Run with `pytest -m benchmark -s tests/benchmarks/test_flow.py`.
"""

import dataclasses
import os
import platform

import numpy as np
import pytest
import torch

from pipeline.perfusion import FlowFit, fit
from pipeline.types import FlowModel
from tests.benchmarks.flow_peers import (
    N_FOR_DCMRI,
    N_FOR_SCIPY,
    N_FOR_SCIPY_DIRECT,
    Beside,
    Spent,
    beside_dcmri,
    beside_scipy,
    spent,
)
from tests.benchmarks.flow_pixels import N_BEATS, N_PIXELS, Pixels, pixels
from tests.pipeline.perfusion.curves import BOUNDS, DENSITY_G_ML

pytestmark = pytest.mark.benchmark


def ours(given: Pixels, device: str, model: FlowModel) -> tuple[Spent, FlowFit]:
    artery = given.artery
    there = dataclasses.replace(
        artery,
        time_s=artery.time_s.to(device),
        concentration_mmol_l=artery.concentration_mmol_l.to(device),
        mask=artery.mask.to(device),
    )
    curves, time_s = given.curves.to(device), given.when.tissue_s.to(device)

    def run() -> FlowFit:
        return fit(
            curves,
            time_s=time_s,
            arterial_input=there,
            bounds=BOUNDS,
            density_g_ml=DENSITY_G_ML,
            model=model,
        )

    return spent(run, n_runs=2, device=device), run()


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
    for name, n_pixels, is_direct in (
        ("scipy", N_FOR_SCIPY, False),
        ("direct", N_FOR_SCIPY_DIRECT, True),
    ):
        peer = beside_scipy(given, n_pixels, is_direct=is_direct)
        say(name, n_pixels, peer, peer.spent.over(needed[FlowModel.BTEX], device))
        ratio = peer.objective_ratio
        print(
            f"            our objective over theirs: median {np.median(ratio):.5f}, "
            f"smallest {ratio.min():.4f}, largest {ratio.max():.4f}"
        )
    peer = beside_dcmri(given)
    say("dcmri", N_FOR_DCMRI, peer, peer.spent.over(needed[FlowModel.BTEX], device))


def say(name: str, n_pixels: int, peer: Beside, ratio: float) -> None:
    print(
        f"  {name:<9} {peer.spent.wall_s:7.0f} s, processor {peer.spent.processor_s:7.0f} s from "
        f"{n_pixels} pixels: {ratio:.0f} times ours; rms left {peer.left_mmol_l:.4f} mmol/l, "
        f"by ours {peer.left_by_ours_mmol_l:.4f}"
    )
