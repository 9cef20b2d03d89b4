"""One line of the table of agreement."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was compared, in how many cases, by which measure, and how it came out."""

    what: str
    whose: str
    n_cases: int
    measure: str
    found: float
    allowed: float | None
    """Largest value that counts as agreement; None where a difference is told, not judged."""

    @property
    def agrees(self) -> bool:
        """Whether the value found is allowed."""
        return self.allowed is None or self.found <= self.allowed

    def cells(self) -> str:
        """Return the row in Markdown."""
        allowed = "told only" if self.allowed is None else f"{self.allowed:.2g}"
        values = (
            self.what,
            self.whose,
            str(self.n_cases),
            self.measure,
            number(self.found),
            allowed,
        )
        return f"| {' | '.join(values)} |"


def number(value: float) -> str:
    """Return two digits; rounding of the last bits differs between machines and is not shown."""
    return "< 1e-9" if abs(value) < 1e-9 else f"{value:.2g}"
