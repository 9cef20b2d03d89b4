"""Read config.yaml: every mistake is reported with its line, its key and a remedy.

The file is parsed to nodes first (safe loader, no aliases, no duplicate keys) so that a message
of the value check can be put back to the line it came from.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from node.errors import ConfigurationError
from node.settings import Settings

_MAX_BYTES = 1 << 20
Location = tuple[int | str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong in the file."""

    line: int
    key: str
    problem: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.key}: {self.problem}"


class InvalidSettingsError(ConfigurationError):
    """The file was read and found wrong; lists every mistake."""

    def __init__(self, path: Path, mistakes: tuple[Mistake, ...]) -> None:
        lines = "\n".join(f"  {mistake}" for mistake in mistakes)
        super().__init__(f"{path} is not valid:\n{lines}")
        self.path = path
        self.mistakes = mistakes


def load_settings(path: Path) -> Settings:
    """Read and check a configuration file.

    Relative paths in the file are taken relative to the file.

    Raises
    ------
    ConfigurationError
        The file cannot be read, is not YAML, or has wrong values (`InvalidSettingsError`).

    """
    text = _read(path)
    root = _compose(path, text)
    _refuse_duplicates(path, root)
    values: Any = yaml.safe_load(text) or {}
    if not isinstance(values, dict):
        raise InvalidSettingsError(
            path, (Mistake(line=1, key="file", problem="expected sections such as 'node:'"),)
        )
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        mistakes = tuple(_mistake(root, detail) for detail in error.errors())
        raise InvalidSettingsError(path, tuple(sorted(mistakes, key=lambda m: m.line))) from error
    return _with_absolute_paths(settings, path.resolve().parent)


def save_settings(settings: Settings, path: Path) -> None:
    """Write a configuration that `load_settings` reads back to the same values."""
    text = yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")


def _with_absolute_paths(settings: Settings, folder: Path) -> Settings:
    node = settings.node.model_copy(update={"data": (folder / settings.node.data).resolve()})
    weights = settings.motion.weights
    absolute = None if weights is None else (folder / weights).resolve()
    motion = settings.motion.model_copy(update={"weights": absolute})
    return settings.model_copy(update={"node": node, "motion": motion})


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {path}: {error.strerror}; give the file with --config"
        ) from error
    if len(content) > _MAX_BYTES:
        raise ConfigurationError(f"{path} is larger than {_MAX_BYTES} bytes; is it the right file?")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text; save it as UTF-8") from error


def _compose(path: Path, text: str) -> yaml.Node | None:
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.AliasToken | yaml.TagToken):
                raise InvalidSettingsError(
                    path,
                    (
                        Mistake(
                            line=token.start_mark.line + 1,
                            key="file",
                            problem="aliases (*name) and tags (!name) are not allowed; "
                            "write the value out",
                        ),
                    ),
                )
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = f"not YAML: {error.problem}; check indentation and colons here"
        raise InvalidSettingsError(
            path, (Mistake(line=line, key="file", problem=problem),)
        ) from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not YAML: {error}") from error


def _refuse_duplicates(path: Path, root: yaml.Node | None) -> None:
    mistakes = tuple(
        Mistake(line=key.start_mark.line + 1, key=key.value, problem="given twice; remove one")
        for mapping in _mappings(root)
        for position, (key, _) in enumerate(mapping.value)
        if key.value in [earlier.value for earlier, _ in mapping.value[:position]]
    )
    if mistakes:
        raise InvalidSettingsError(path, mistakes)


def _mappings(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _mappings(item)


def _mistake(root: yaml.Node | None, detail: Any) -> Mistake:
    location: Location = detail["loc"]
    key = ".".join(str(part) for part in location) or "file"
    return Mistake(line=_line_of(root, location), key=key, problem=_problem(location, detail))


def _line_of(root: yaml.Node | None, location: Location) -> int:
    """Return the line of the deepest part of the location that stands in the file."""
    node, line = root, 1
    for part in location:
        found = _child(node, part)
        if found is None:
            break
        node, line = found
    return line


def _child(node: yaml.Node | None, part: int | str) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part].start_mark.line + 1
    return None


def _problem(location: Location, detail: Any) -> str:
    if detail["type"] == "extra_forbidden":
        return _unknown_key(location)
    if detail["type"] == "missing":
        return "is missing; add it"
    message = str(detail["msg"]).removeprefix("Value error, ")
    given = detail.get("input")
    if isinstance(given, str | int | float | bool):
        return f"{message} (found {given!r})"
    return message


def _unknown_key(location: Location) -> str:
    known = _known_keys(location[:-1])
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known keys here: {', '.join(known)}"
    return f"unknown key; {hint}"


def _known_keys(section: Location) -> list[str]:
    model: type[BaseModel] = Settings
    for part in section:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        inner = [
            candidate
            for candidate in (annotation, *getattr(annotation, "__args__", ()))
            if isinstance(candidate, type) and issubclass(candidate, BaseModel)
        ]
        if not inner:
            return []
        model = inner[0]
    return list(model.model_fields)
