"""How long an exam takes from files to numbers and back, beside pydicom's plain loop over files.

Three slices of 80 beats with proton-density frames, and an arterial input of two echoes. Decoding
is told apart into headers, clock and rest, and pixels; encoding into the kinds of objects that
every viewer reads. The peer reads every file with pydicom and takes its pixels, and does nothing
else. Run with `pytest -m benchmark -s tests/benchmarks/test_translate.py`.
"""

import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pydicom import dcmread

from models.phantom import PhantomExam, Protocol, make_exam
from node.scanner import write_exam
from node.scanner.dialect import Dialect, Form, Syntax, Vendor
from node.settings import DEFAULT_ACQUISITION
from node.translate import decode_study, to_bytes
from node.translate.headers import read_headers
from node.translate.pixels import read_pixels
from tests.fakes.encoding import encode_plain
from tests.fakes.exams import unmoved_analysis

pytestmark = pytest.mark.benchmark

N_ROUNDS = 3
DIALECTS = [
    *(Dialect(vendor=Vendor.SIEMENS, form=form) for form in Form),
    Dialect(vendor=Vendor.PHILIPS),
    Dialect(vendor=Vendor.PHILIPS, form=Form.ENHANCED),
    *(
        Dialect(vendor=Vendor.SIEMENS, syntax=syntax)
        for syntax in (Syntax.RLE, Syntax.JPEG_LS, Syntax.JPEG_2000, Syntax.JPEG_LOSSLESS)
    ),
]


@pytest.fixture(scope="module")
def exam() -> PhantomExam:
    protocol = Protocol(
        matrix=(192, 144), spacing_mm=2.0, arterial_matrix=(64, 48), n_saturation_recovery=80
    )
    return make_exam(3, protocol=protocol)


def best_ms(work: Callable[[], object]) -> float:
    """Return the fastest of several rounds: the others tell of other work on the machine."""
    times = []
    for _ in range(N_ROUNDS):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times) * 1e3


def plain_loop(files: Sequence[Path]) -> None:
    for path in files:
        dataset = dcmread(path)
        if dataset.file_meta.TransferSyntaxUID.name.startswith("JPEG Lossless"):
            continue  # no codec of pydicom's own
        _ = dataset.pixel_array


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: f"{d.vendor} {d.form} {d.syntax}")
def test_milliseconds_per_exam(exam: PhantomExam, dialect: Dialect, tmp_path: Path) -> None:
    files = write_exam(exam, tmp_path, dialect=dialect)
    headers = [header for path in files for header in read_headers(path)]
    decoded = decode_study(files, rules=DEFAULT_ACQUISITION).exams[0]
    stages = {
        "headers": best_ms(lambda: [read_headers(path) for path in files]),
        "pixels": best_ms(lambda: read_pixels(headers)),
        "decode": best_ms(lambda: decode_study(files, rules=DEFAULT_ACQUISITION)),
        "pydicom": best_ms(lambda: plain_loop(files)),
    }
    if dialect == Dialect():
        analysis = unmoved_analysis(decoded.exam)
        stages["encode"] = best_ms(
            lambda: [to_bytes(item) for item in encode_plain(decoded, analysis)]
        )
    print(
        f"\n{dialect.vendor} {dialect.form} {dialect.syntax}: {len(files)} files, "
        f"{len(headers)} images; {platform.machine()}, {os.cpu_count()} CPUs\n  "
        + ", ".join(f"{name} {ms:.0f} ms" for name, ms in stages.items())
        + f"; decoding / pydicom's loop {stages['decode'] / stages['pydicom']:.2f}"
    )
