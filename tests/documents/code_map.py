"""Write docs/code_map.md from the first line of every module."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("node", "pipeline", "storage", "models")
TARGET = ROOT / "docs" / "code_map.md"
HEAD = """# Code map

One line per file, taken from the files themselves. Do not edit: run
`python -m tests.documents.code_map`. A test keeps it true.
"""


def first_line(path: Path) -> str:
    """Return the first line of the docstring of a module."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def render() -> str:
    """Return the whole document."""
    parts = [HEAD]
    for package in PACKAGES:
        for folder in sorted({path.parent for path in (ROOT / package).rglob("*.py")}):
            if folder.name == "versions":
                continue
            name = folder.relative_to(ROOT).as_posix()
            parts.append(f"\n## {name}\n{first_line(folder / '__init__.py')}\n\n")
            parts.append("| file | what |\n|---|---|")
            parts += [
                f"\n| `{path.name}` | {first_line(path).replace('|', '/')} |"
                for path in sorted(folder.glob("*.py"))
                if path.name != "__init__.py"
            ]
            parts.append("\n")
    return "".join(parts)


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
