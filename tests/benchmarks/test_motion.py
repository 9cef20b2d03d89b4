"""How long the motion of a whole exam takes, per method, against the iterative one.

Three slices of 70 beats with proton-density frames at 192 x 192, and the arterial-input series.
Each method runs twice, in turn, and the faster run counts: the first one also loads libraries.
Processor seconds are those of all threads; they tell less of other work on the machine.
"""

import os
import platform
import time

import pytest
import torch

from models.networks.loading import shipped_networks
from models.phantom import Breathing, Protocol, make_exam
from pipeline.motion import Method
from pipeline.register import register_exam
from pipeline.transfer import move_exam
from pipeline.types import Exam
from tests.pipeline.exams import exam_of

pytestmark = pytest.mark.benchmark

N_ROUNDS = 2
METHODS = (Method.ITERATIVE, Method.PUBLISHED, Method.LEARNED, Method.AUTO)


def whole_exam() -> Exam:
    protocol = Protocol(
        matrix=(192, 192),
        spacing_mm=1.6,
        arterial_matrix=(64, 64),
        n_saturation_recovery=70,
        breathing=Breathing.FREE,
    )
    return exam_of(make_exam(5003, protocol=protocol), motion=True)


def is_at_hand(method: Method, device: str) -> bool:
    networks = shipped_networks(device)
    needed = {Method.LEARNED: networks.anatomy, Method.PUBLISHED: networks.published}
    return needed.get(method, networks) is not None


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("device", "n_parallel"), [("cpu", 1), ("cpu", 2), ("cuda", 1)])
def test_seconds_per_exam(device: str, n_parallel: int) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device in this machine")
    exam = move_exam(whole_exam(), torch.device(device))
    at_hand = [method for method in METHODS if is_at_hand(method, device)]
    runs = {method: Runs() for method in at_hand}
    for _ in range(N_ROUNDS):
        for method in at_hand:
            runs[method].add(exam, method, device, n_parallel)
    print(headline(exam, device, n_parallel))
    peer = runs[Method.ITERATIVE]
    for method, found in runs.items():
        print(
            f"  {method:<10} {found.wall_s:7.2f} s, ratio {peer.wall_s / found.wall_s:5.1f}; "
            f"processor {found.cpu_s:7.2f} s, ratio {peer.cpu_s / found.cpu_s:5.1f}; "
            f"took {found.taken}"
        )


class Runs:
    """The best time of one method, and what it took for each series."""

    def __init__(self) -> None:
        self.wall_s = float("inf")
        self.cpu_s = float("inf")
        self.taken = ""

    def add(self, exam: Exam, method: Method, device: str, n_parallel: int) -> None:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        found = register_exam(
            exam,
            method=method,
            networks=shipped_networks(device),
            progress=lambda *_: None,
            n_parallel=n_parallel,
        )
        if device == "cuda":
            torch.cuda.synchronize()
        self.wall_s = min(self.wall_s, time.perf_counter() - wall_s)
        self.cpu_s = min(self.cpu_s, time.process_time() - cpu_s)
        self.taken = " ".join(motion.method for motion in found)


def headline(exam: Exam, device: str, n_parallel: int) -> str:
    shapes = [tuple(series.frames.shape) for series in exam.slices]
    arterial = None if exam.arterial_input is None else tuple(exam.arterial_input.frames.shape)
    name = torch.cuda.get_device_name() if device == "cuda" else f"CPU of {os.cpu_count()} cores"
    return (
        f"\n{len(shapes)} slices of {shapes[0]}, arterial input {arterial}, {name}, "
        f"{n_parallel} series side by side, {torch.get_num_threads()} thread(s) each, "
        f"torch {torch.__version__}, Python {platform.python_version()}; "
        f"ratio to the iterative method"
    )
