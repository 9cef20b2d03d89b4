"""Float map, masks and report under tools that are not ours: dicom3tools, dcmtk, dcmqi."""

import json
import math
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from node.translate import ResultObject, to_bytes
from tests.conformance.test_result_objects import bare
from tests.fakes.exams import edit, write_small_exam
from tests.fakes.structured import StructuredExam, context_of, structured, structured_pair

KNOWN_WARNINGS = ("99PERFNODE", "Coding Scheme UID", "<QUANTITY>")
"""Our own scheme, and a term that is younger than the validator."""


class Written:
    """A stress and a rest exam with everything that is made of them, as files."""

    def __init__(self, folder: Path) -> None:
        self.stress, self.rest, combined = structured_pair()
        results = (*self.stress.results, *self.rest.results, combined)
        self.maps = (*self.stress.reported.maps, *self.rest.reported.maps)
        self.paths = write(folder / "results", results)
        self.map_paths = write(folder / "maps", self.maps)
        self.report = self.paths[len(self.stress.results) - 1]
        self.combined = self.paths[-1]


def write(folder: Path, results: tuple[ResultObject, ...]) -> list[Path]:
    folder.mkdir(parents=True)
    paths = [folder / f"{index:02d}_{result.kind}.dcm" for index, result in enumerate(results)]
    for path, result in zip(paths, results, strict=True):
        path.write_bytes(to_bytes(result))
    return paths


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return Written(tmp_path_factory.mktemp("structured"))


def remarks(dciodvfy: str, path: Path) -> list[str]:
    """Return what the validator says; its exit status says nothing."""
    run = subprocess.run([dciodvfy, str(path)], capture_output=True, text=True, check=False)
    lines = (run.stdout + run.stderr).splitlines()
    assert any(line in {"ParametricMap", "Segmentation", "ComprehensiveSR"} for line in lines)
    return [line for line in lines if "Error" in line or "Warning" in line]


def dcmqi(name: str, *arguments: str | Path) -> str:
    """Run a program of dcmqi, which the Python package installs beside the interpreter."""
    path = shutil.which(name, path=str(Path(sys.executable).parent))
    assert path is not None, f"{name} is missing; run: pip install dcmqi"
    run = subprocess.run([path, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_no_errors(written: Written, program: Callable[[str], str]) -> None:
    for path in written.paths:
        lines = remarks(program("dciodvfy"), path)
        assert [line for line in lines if "Error" in line] == []
        unknown = [line for line in lines if not any(part in line for part in KNOWN_WARNINGS)]
        assert unknown == []


def test_no_errors_from_a_bare_source(tmp_path: Path, program: Callable[[str], str]) -> None:
    files = write_small_exam(tmp_path / "source")
    edit(files, bare)
    for path in write(tmp_path / "results", structured(context_of(files)).results):
        lines = remarks(program("dciodvfy"), path)
        assert [line for line in lines if "Error" in line] == []


def test_objects_of_one_study_agree(written: Written, program: Callable[[str], str]) -> None:
    paths = [str(path) for path in (*written.map_paths[:3], *written.paths[:4])]
    run = subprocess.run([program("dcentvfy"), *paths], capture_output=True, text=True, check=False)
    lines = (run.stdout + run.stderr).splitlines()
    # The order of a report has an accession number too; the tool wonders where it belongs.
    assert [line for line in lines if "entities for attribute - Element=<Acc" not in line] == []


def test_dcmtk_prints_the_report(written: Written, program: Callable[[str], str]) -> None:
    run = subprocess.run(
        [program("dsrdump"), str(written.combined)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0
    assert run.stderr == ""
    assert 'NUM:(,,"Myocardial perfusion reserve")="2.5"' in run.stdout
    html = subprocess.run(
        [program("dsr2html"), str(written.report)], capture_output=True, text=True, check=False
    )
    assert (html.returncode, html.stderr) == (0, "")
    assert "left ventricle apical septal segment" in html.stdout
    assert "REVIEW: Slice 2: motion is left." in html.stdout


def read_report(path: Path, folder: Path) -> list[dict[str, Any]]:
    dcmqi("tid1500reader", "--inputDICOM", path, "--outputMetadata", folder / "report.json")
    groups: list[dict[str, Any]] = json.loads((folder / "report.json").read_text())["Measurements"]
    return groups


def test_dcmqi_reads_the_numbers_of_the_report(written: Written, tmp_path: Path) -> None:
    groups = {group["TrackingIdentifier"]: group for group in read_report(written.report, tmp_path)}
    context = written.stress.reported.context
    regions = [region for region in context.analysis.regions if region.segment is not None]
    assert len(regions) == 48
    for region in regions:
        layer = "" if region.layer == "whole" else f" {region.layer}"
        group = groups[f"AHA {region.segment}{layer}"]
        assert group["FindingSite"]["CodeMeaning"].startswith("left ventricle ")
        assert group["timePoint"] == "STRESS"
        means = [
            item
            for item in group["measurementItems"]
            if item.get("derivationModifier", {}).get("CodeMeaning") == "Mean"
        ]
        assert len(means) == 1
        assert float(means[0]["value"]) == pytest.approx(region.flow.mean_ml_min_g, abs=1e-4)
        assert means[0]["units"]["CodeValue"] == "ml/min/g"
        (error,) = means[0]["measurementNumProperties"]
        expected = region.flow.standard_error_ml_min_g
        assert float(error["numPropertyValue"]) == pytest.approx(expected, abs=1e-4)


def test_dcmqi_reads_both_exams_of_the_combined_report(written: Written, tmp_path: Path) -> None:
    groups = read_report(written.combined, tmp_path)
    counts = Counter(group.get("timePoint", "both") for group in groups)
    assert counts == {"STRESS": 70, "REST": 70, "both": 67}


def read_nrrd(path: Path) -> np.ndarray:
    """Return an uncompressed or gzip NRRD image. Shape `(slice, row, column)`."""
    import gzip

    head, _, data = path.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line[:40])
    if fields["encoding"] in {"gzip", "gz"}:
        data = gzip.decompress(data)
    kind = {"float": "<f4", "short": "<i2", "unsigned char": "u1", "double": "<f8"}[fields["type"]]
    return np.frombuffer(data, dtype=kind).reshape([int(n) for n in fields["sizes"].split()][::-1])


def test_dcmqi_reads_the_float_map(written: Written, tmp_path: Path) -> None:
    path = written.paths[0]
    dcmqi("paramap2itkimage", "--inputDICOM", path, "--outputDirectory", tmp_path, "-t", "nrrd")
    values = read_nrrd(next(tmp_path.glob("*.nrrd")))
    computed = computed_flow(written.stress)
    np.testing.assert_array_equal(values, np.nan_to_num(computed))


def computed_flow(exam: StructuredExam) -> np.ndarray:
    """Return flow in the order along the normal, in which programs lay slices."""
    analysis, maps = exam.reported.context.analysis, exam.reported.maps
    flows = [result.flow for result in analysis.slices]
    values = [flow.flow_ml_min_g.numpy() for flow in flows if flow is not None]
    normals = [
        np.cross(*np.reshape(item.dataset.ImageOrientationPatient, (2, 3)).astype(float))
        for item in maps
    ]
    heights = [
        normal @ np.array(item.dataset.ImagePositionPatient, float)
        for normal, item in zip(normals, maps, strict=True)
    ]
    assert np.argsort(heights).tolist() == [2, 1, 0]  # so that a wrong order shows
    return np.stack(values)[np.argsort(heights)]


def test_dcmqi_reads_the_masks(written: Written, tmp_path: Path) -> None:
    """The report tells mean and number of pixels of the float map inside each mask."""
    path = written.paths[2]
    dcmqi("segimage2itkimage", "--inputDICOM", path, "--outputDirectory", tmp_path, "-t", "nrrd")
    described = json.loads((tmp_path / "meta.json").read_text())["segmentAttributes"]
    labels = {part["labelID"]: part["SegmentLabel"] for group in described for part in group}
    assert len(labels) == 16
    flow = computed_flow(written.stress)
    regions = {
        region.segment: region.flow
        for region in written.stress.reported.context.analysis.regions
        if region.layer == "whole"
    }
    for label_id, label in labels.items():
        (image,) = tmp_path.glob(f"{label_id}.nrrd")
        inside = read_nrrd(image) > 0
        region = regions[int(label.split()[1])]
        known = flow[inside & np.isfinite(flow)]
        assert len(known) == region.n_pixels
        assert math.isclose(known.mean(), region.mean_ml_min_g, abs_tol=1e-5)


def test_the_segmentation_names_method_and_weights(written: Written) -> None:
    dataset: Dataset = dcmread(written.paths[1])
    for segment in dataset.SegmentSequence:
        (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
        assert algorithm.AlgorithmVersion == "perfnode 0.1.0"
        assert algorithm.AlgorithmParameters == "method=bolus"
        assert segment.SegmentAlgorithmType == "AUTOMATIC"
