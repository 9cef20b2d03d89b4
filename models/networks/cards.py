"""The card of a network: what it is, what it learned from, and the hash of its weights.

Each `<name>.safetensors` has a `<name>.toml` beside it. The card is enough to build the module
again and to tell whether the weights are the ones it speaks of.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.networks.errors import WeightsError

Argument = int | float | str | tuple[int, ...]
REMEDY = "install perfnode again, or train it with `perfnode train`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Everything that must be known of one trained network."""

    name: str
    """Name of the files."""
    architecture: str
    """Class of the module, see `models.networks.loading.ARCHITECTURES`."""
    arguments: Mapping[str, Argument]
    """What the class is constructed with."""
    data: str
    """What it was trained on."""
    recipe: str
    """How it was trained."""
    seeds: tuple[int, ...]
    date: str
    """Year-month-day."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Measured on examples that took no part in training; the name ends in the unit."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """Networks whose answers it learned to read: name, and hash of their weights."""
    licence: str = "Apache-2.0"
    sha256: str = ""
    """Of the weights file; filled in when it is written."""

    def __post_init__(self) -> None:
        """Refuse a card that says nothing."""
        if not self.name or not self.architecture:
            raise ValueError("a card needs a name and an architecture")


def read_card(path: Path) -> Card:
    """Read a card.

    Raises
    ------
    WeightsError
        When the file is not a card.

    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
        entries["arguments"] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in entries["arguments"].items()
        }
        return Card(**(entries | {"seeds": tuple(entries["seeds"])}))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path} cannot be read ({error}); {REMEDY}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WeightsError(f"{path} is not the card of a network ({error!r}); {REMEDY}") from error


def write_card(card: Card, path: Path) -> None:
    """Write a card as TOML."""
    lines = [
        f"{name} = {_toml(getattr(card, name))}"
        for name in ("name", "architecture", "data", "recipe", "seeds", "date", "licence", "sha256")
    ]
    for table in ("arguments", "metrics", "beside"):
        if table == "beside" and not card.beside:
            continue
        lines += ["", f"[{table}]"]
        lines += [f"{key} = {_toml(value)}" for key, value in getattr(card, table).items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: Any) -> str:
    """Write one value; a text of several lines stays readable."""
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(entry) for entry in value) + "]"
    if isinstance(value, str) and "\n" in value:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"""\n{escaped}"""'
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return repr(value)  # nan and inf are TOML too
    return json.dumps(value)
