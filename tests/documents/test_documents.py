"""What the documents claim is what the code is."""

import re
from pathlib import Path

import pytest

from node.cli.main import app
from node.receive.contexts import supported_contexts
from node.receive.status import StoreStatus
from pipeline.findings import Code
from tests.documents.code_map import PACKAGES, ROOT, TARGET, first_line, render

DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


def test_code_map_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == render(), "run: python -m tests.documents.code_map"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_is(package: str) -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / package).rglob("*.py")
        if not first_line(path)
    ]
    assert silent == []


def test_readme_names_every_room() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rooms = [
        path.parent.relative_to(ROOT).as_posix()
        for package in ("node", "pipeline", "models")
        for path in (ROOT / package).glob("*/__init__.py")
    ]
    assert [room for room in rooms if f"`{room}`" not in text] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = [
        target
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text)
        if not target.startswith("http")
    ]
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_documents_exist(document: Path) -> None:
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    known |= {group.name for group in app.registered_groups}
    text = document.read_text(encoding="utf-8")
    used = set(
        re.findall(
            r"perfnode ([a-z]+)", " ".join(re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL))
        )
    )
    assert used <= known


def test_every_reason_code_is_explained() -> None:
    text = (ROOT / "docs" / "administrator.md").read_text(encoding="utf-8")
    assert [code for code in Code if f"| {code.value} |" not in text] == []


def test_make_targets_in_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_conformance_statement_lists_what_is_accepted_and_answered() -> None:
    text = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    missing = [
        str(context.abstract_syntax)
        for context in supported_contexts(())
        if f"| {context.abstract_syntax} |" not in text
    ]
    missing += [status.name for status in StoreStatus if f"| 0x{status:04X} |" not in text]
    assert missing == []
