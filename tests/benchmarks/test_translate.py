"""How long an exam takes from files to numbers and back, beside pydicom's plain loop over files.

Three slices of 80 beats with proton-density frames, and an arterial input. Decoding is told apart
into headers, which are a part of it, and pixels; of one dialect everything that goes back is drawn,
encoded and written too, all kinds of objects, and the sum is what a study waits for beside its
computation. The peer reads every file with pydicom and takes its pixels, and does nothing else.
Run with `pytest -m benchmark -s tests/benchmarks/test_translate.py`.
"""

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydicom import dcmread

from models.phantom import PhantomExam, Protocol, make_exam
from node.scanner import write_exam
from node.scanner.dialect import Dialect, Form, Syntax, Vendor
from node.settings import DEFAULT_ACQUISITION, ObjectKind, ResultsSettings, Settings
from node.translate import (
    DecodedExam,
    ExamPictures,
    ResultContext,
    decode_study,
    encode_exam,
    to_bytes,
)
from node.translate.headers import read_headers
from node.translate.pixels import read_pixels
from node.work.pictures import draw_exam
from tests.fakes.exams import STAMP, unmoved_analysis

pytestmark = pytest.mark.benchmark

N_ROUNDS = 3
EVERYTHING = Settings(results=ResultsSettings(objects=(*ResultsSettings().objects, "document")))
N_KINDS = 10
"""Of one exam alone."""
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


@dataclass(frozen=True, slots=True)
class Taken:
    """The fastest of several rounds, ms: the others tell of other work on the machine."""

    wall_ms: float
    processor_ms: float

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(self.wall_ms + other.wall_ms, self.processor_ms + other.processor_ms)

    def __str__(self) -> str:
        return f"{self.wall_ms:.0f} ms (processor {self.processor_ms:.0f})"


def measure(work: Callable[[], object]) -> Taken:
    rounds = []
    for _ in range(N_ROUNDS):
        begin = time.perf_counter(), time.process_time()
        work()
        rounds.append((time.perf_counter() - begin[0], time.process_time() - begin[1]))
    return Taken(*(1e3 * min(times) for times in zip(*rounds, strict=True)))


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
        "headers": measure(lambda: [read_headers(path) for path in files]),
        "pixels": measure(lambda: read_pixels(headers)),
        "decode": measure(lambda: decode_study(files, rules=DEFAULT_ACQUISITION)),
        "pydicom": measure(lambda: plain_loop(files)),
    }
    ratio = stages["decode"].processor_ms / stages["pydicom"].processor_ms
    if dialect == Dialect():
        stages |= measure_way_back(decoded)
        parts = (stages[name] for name in ("decode", "draw", "encode", "to bytes"))
        stages["decode + draw + encode + to bytes"] = sum(parts, start=Taken(0, 0))
    print(
        f"\n{dialect.vendor} {dialect.form} {dialect.syntax}: {len(files)} files, "
        f"{len(headers)} images; {platform.machine()}, {os.cpu_count()} CPUs\n  "
        + "\n  ".join(f"{name} {taken}" for name, taken in stages.items())
        + f"\n  decoding / pydicom's loop {ratio:.2f}"
    )


def measure_way_back(decoded: DecodedExam) -> dict[str, Taken]:
    """Measure drawing, encoding and writing of every kind of object."""
    analysis = unmoved_analysis(decoded.exam)
    pictures = draw_exam(decoded, analysis, STAMP, EVERYTHING)
    context = ResultContext(
        decoded=decoded, analysis=analysis, run=STAMP, settings=EVERYTHING.results
    )
    results = encode_exam(context, pictures).results
    n_objects = len(results)
    corrected = [result for result in results if result.kind == "moco"]
    assert len({result.kind for result in results}) == N_KINDS
    return {
        "draw": measure(lambda: draw_exam(decoded, analysis, STAMP, EVERYTHING)),
        "encode": measure(lambda: encode_exam(context, pictures)),
        "to bytes": measure(lambda: [to_bytes(result) for result in results]),
        f"of these {len(corrected)} of {n_objects} objects, corrected, encode": measure(
            lambda: encode_only(context, pictures, "moco")
        ),
        "corrected, to bytes": measure(lambda: [to_bytes(result) for result in corrected]),
    }


def encode_only(context: ResultContext, pictures: ExamPictures, kind: ObjectKind) -> None:
    settings = context.settings.model_copy(update={"objects": (kind,)})
    encode_exam(replace(context, settings=settings), replace(pictures, colour=(), movie=None))
