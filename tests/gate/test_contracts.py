"""Every import contract of pyproject.toml fails on a planted violation."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("node", "pipeline", "storage", "models")
PLANTS = {
    "Node knows everyone; storage and pipeline never meet; models know nobody": (
        ("storage/planted.py", "import pipeline.types\n"),
        ("models/planted.py", "import pipeline.findings\n"),
        ("pipeline/planted.py", "import node.errors\n"),
    ),
    "Storage holds rows and bytes, not physics": (
        ("storage/planted.py", "import torch\n"),
        ("storage/planted.py", "import pydicom\n"),
    ),
    "Names never touch tensors, and computing has no side effects": (
        ("pipeline/planted.py", "import pydicom\n"),
        ("models/planted.py", "import logging\n"),
        ("pipeline/planted.py", "import socket\n"),
    ),
    "Only storage speaks SQL": (("node/planted.py", "import sqlalchemy\n"),),
    "The job engine lives in one module": (("node/planted.py", "import dbos\n"),),
    "Only the configuration reader knows YAML": (("node/planted.py", "import yaml\n"),),
    "Rooms have no cycles": (("pipeline/signal/planted.py", "import pipeline.picture.planted\n"),),
}
COMPANIONS = {
    "pipeline/signal/planted.py": (
        ("pipeline/picture/planted.py", "import pipeline.signal.planted\n"),
    )
}


def _lint(tree: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [str(program), "--no-cache"], cwd=tree, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the packages that may be spoiled."""
    folder = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_every_contract_has_a_plant() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = {contract["name"] for contract in project["tool"]["importlinter"]["contracts"]}
    assert names == set(PLANTS)


@pytest.mark.parametrize(
    ("name", "file", "text"),
    [(name, file, text) for name, plants in PLANTS.items() for file, text in plants],
)
def test_planted_violation_breaks_its_contract(tree: Path, name: str, file: str, text: str) -> None:
    planted = [(file, text), *COMPANIONS.get(file, ())]
    try:
        for path, content in planted:
            (tree / path).write_text(content, encoding="utf-8")
        done = _lint(tree)
    finally:
        for path, _ in planted:
            (tree / path).unlink()
    assert done.returncode != 0
    assert f"{name} BROKEN" in " ".join(done.stdout.split()), done.stdout


def test_tree_itself_keeps_every_contract(tree: Path) -> None:
    done = _lint(tree)
    assert done.returncode == 0, done.stdout
