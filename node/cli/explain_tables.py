"""The explanation of a study as tables and a drawn grid of slices x beats."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from node.translate.account import ExamAccount, Fact, Origin, StackAccount
from node.translate.beats import Cell, Grid
from node.translate.clock_evidence import ClockEvidence
from node.translate.explain import Explanation
from pipeline.findings import Grade

_BEATS_PER_LINE = 75
_NAME_WIDTH = 16
_LEVELS = "▁▂▃▄▅▆▇█"
_USUAL_LEVEL = 3
"""Height of a usual interval: twice as long is the highest."""
_STYLES = {Grade.NOTE: "dim", Grade.REVIEW: "yellow", Grade.FAIL: "red"}
_CELL_STYLES = {Cell.LACKS: "red", Cell.MISSED: "red", Cell.PROTON_DENSITY: "cyan"}
_ORIGIN_STYLES = {Origin.ASSUMED: "yellow", Origin.MISSING: "red"}


def print_explanation(console: Console, title: str, explanation: Explanation) -> None:
    """Print how one study was read.

    Parameters
    ----------
    console
        Where to.
    title
        What the study is called here; no identity.
    explanation
        What was recognised.

    """
    console.rule(title, align="left")
    _print_series(console, explanation)
    for number in range(1, len(explanation.account.exams) + 1):
        _print_exam(console, explanation, number)
    if explanation.clocks:
        _print_clocks(console, explanation.clocks)
    _print_findings(console, explanation)
    console.print()


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.title_style = "bold"
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print_series(console: Console, explanation: Explanation) -> None:
    table = _table("Series", "no.", "taken for", "images", "matrix", "places", "why")
    for column in (0, 2, 3, 4):
        table.columns[column].justify = "right"
        table.columns[column].no_wrap = True
    table.columns[1].min_width = 14
    for series, words in zip(explanation.account.series, explanation.words, strict=True):
        images = str(series.n_images)
        if series.n_files != series.n_images:
            images += f" in {series.n_files}"
        why = Text(series.reason)
        why.append(f"\nnames: {words or 'no known words'}", style="dim")
        why.append(f"\n{series.vendor}, {series.encoding}, {series.transfer_syntax}", style="dim")
        rows, columns = series.shape
        table.add_row(
            str(series.number),
            str(series.role),
            images,
            f"{rows}x{columns}",
            str(series.n_positions),
            why,
        )
    console.print(table)


def _print_exam(console: Console, explanation: Explanation, number: int) -> None:
    exam, grid = explanation.account.exams[number - 1], explanation.grids[number - 1]
    told = exam.state_origin
    heading = f"Bolus run {number}: {exam.state.upper()}"
    console.print(f"{heading} ({told.origin}: {told.detail})", markup=False, style="bold")
    console.print(f"Clock: {exam.clock}; {_beats(grid)}\n", markup=False)
    _draw_grid(console, exam.stacks, grid)
    _print_stacks(console, exam.stacks)
    earlier = [item.facts for item in explanation.account.exams[: number - 1]]
    if exam.facts in earlier:
        console.print(f"Parameters as in bolus run {earlier.index(exam.facts) + 1}.\n")
    else:
        _print_facts(console, exam.facts)


def _beats(grid: Grid) -> str:
    return (
        f"{grid.n_beats} beats, usually {grid.usual_interval_s:.2f} s apart; "
        f"missed triggers: {grid.n_missed or 'none'}"
    )


def _draw_grid(console: Console, stacks: Sequence[StackAccount], grid: Grid) -> None:
    width = len(grid.interval_s)
    for start in range(0, width, _BEATS_PER_LINE):
        part = slice(start, start + _BEATS_PER_LINE)
        console.print(_label("beat") + _scale(grid)[part], markup=False, style="dim")
        for stack, row in zip(stacks, grid.rows, strict=True):
            line = Text(_label(stack.name))
            for cell in row[part]:
                line.append(str(cell), style=_CELL_STYLES.get(cell, ""))
            console.print(line)
        console.print(_label("interval") + _strip(grid)[part], markup=False, style="dim")
    legend = "■ image   P proton density   ○ lacks this beat   · missed trigger   ▄ usual interval"
    console.print(_label("") + legend + "\n", markup=False, style="dim")


def _label(name: str) -> str:
    return f"{name:<{_NAME_WIDTH}}"


def _scale(grid: Grid) -> str:
    """Return the number of every tenth beat, written where the beat is."""
    n_density = max(row.count(Cell.PROTON_DENSITY) for row in grid.rows)
    scale = [" "] * len(grid.interval_s)
    for beat in (1, *range(10, len(scale) - n_density + 1, 10)):
        position = n_density + beat - 1
        scale[position : position + len(str(beat))] = str(beat)
    return "".join(scale)


def _strip(grid: Grid) -> str:
    """Return the intervals between beats as a strip of bars."""
    return "".join(
        " " if interval is None else _LEVELS[_level(interval / grid.usual_interval_s)]
        for interval in grid.interval_s
    )


def _level(ratio: float) -> int:
    return min(max(round(_USUAL_LEVEL + (ratio - 1) * (len(_LEVELS) - 1 - _USUAL_LEVEL)), 0), 7)


def _print_stacks(console: Console, stacks: Sequence[StackAccount]) -> None:
    table = _table(
        "Slices", "name", "series", "matrix", "pixel mm", "place mm", "images", "PD", "lacks"
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for stack in stacks:
        rows, columns = stack.shape
        table.add_row(
            stack.name,
            str(stack.series_number),
            f"{rows}x{columns}",
            " x ".join(f"{spacing:.2f}" for spacing in stack.spacing_mm),
            f"{round(stack.position_mm, 1) + 0.0:.1f}",  # no minus before zero
            str(len(stack.time_s)),
            str(stack.n_proton_density),
            str(stack.n_missing or ""),
        )
    console.print(table)


def _print_facts(console: Console, facts: Sequence[Fact]) -> None:
    """Print every parameter once, for the slices and for the arterial input."""
    table = _table("Parameters", "parameter", "slices", "arterial input", "from")
    for column, width in zip(table.columns, (25, 16, 16, 34), strict=True):
        column.width = width
    by_name: dict[str, dict[str, list[Fact]]] = {}
    for fact in facts:
        role, _, name = fact.name.rpartition(": ")
        by_name.setdefault(name, {}).setdefault(role, []).append(fact)
    for name, roles in by_name.items():
        common = roles.get("", [])
        table.add_row(
            name,
            _values(common + roles.get("perfusion", [])),
            _values(common + roles.get("arterial input", [])),
            _sources([fact for own in roles.values() for fact in own]),
        )
    console.print(table)


def _values(facts: Sequence[Fact]) -> Text:
    """Return the values of one parameter; slices may differ."""
    return Text("; ").join(
        Text(
            f"{fact.value} {fact.unit}".strip() if fact.value else "unknown",
            style=_ORIGIN_STYLES.get(fact.origin, ""),
        )
        for fact in facts
    )


def _sources(facts: Sequence[Fact]) -> Text:
    """Return where the values came from, each place once."""
    origins = dict.fromkeys(fact.origin for fact in facts)
    lines = []
    for origin in origins:
        # Which shipped entry it is stands in config.yaml, and in the JSON.
        details = dict.fromkeys(
            fact.detail.partition(" '")[0] if origin is Origin.ASSUMED else fact.detail
            for fact in facts
            if fact.origin is origin
        )
        lines.append(Text(str(origin), style=_ORIGIN_STYLES.get(origin, "")))
        lines[-1].append(": " + "; ".join(details), style="default")
    return Text("\n").join(lines)


def _print_clocks(console: Console, clocks: Sequence[ClockEvidence]) -> None:
    table = _table(
        "Fields that may count beats, in the first slice",
        "field", "images with it", "distinct", "usual step", "counts beats",
    )  # fmt: skip
    for clock in clocks:
        if clock.n_values:
            table.add_row(
                str(clock.source),
                f"{clock.n_values} of {clock.n_images}",
                str(clock.n_distinct),
                "" if clock.step_s is None else f"{clock.step_s:.3f} s",
                "yes" if clock.counts_beats else "no",
            )
    if table.row_count:
        console.print(table)
    absent = ", ".join(str(clock.source) for clock in clocks if not clock.n_values)
    console.print(f"In no image of the first slice: {absent or 'none'}.\n", style="dim")


def _print_findings(console: Console, explanation: Explanation) -> None:
    problem = explanation.problem
    findings = (*explanation.findings, *(() if problem is None else (problem,)))
    if findings:
        table = _table("Findings", "code", "grade", "what", "what to do")
        for finding in sorted(findings, key=lambda finding: -finding.grade):
            table.add_row(
                str(finding.code),
                Text(finding.grade.name, style=_STYLES[finding.grade]),
                Text(finding.sentence),
                Text(finding.action if finding.grade is not Grade.NOTE else "", style="dim"),
            )
        console.print(table)
    console.print(_verdict(explanation), markup=False, style="bold")


def _verdict(explanation: Explanation) -> str:
    if explanation.problem is not None:
        return f"No exam can be made of this study: {explanation.problem.code}."
    exams = explanation.account.exams
    failed = [finding for finding in explanation.findings if finding.grade is Grade.FAIL]
    sentences = ["Nothing here stands against computing flow."]
    if failed:
        sentences = [f"Flow is not computed, or not of every run: {failed[0].code}."]
    if not all(_has_input(exam) for exam in exams):
        sentences.append("An arterial input series is missing: the cavity of a slice has to do.")
    unknown = dict.fromkeys(
        fact.name.rpartition(": ")[2]
        for exam in exams
        for fact in exam.facts
        if fact.origin is Origin.MISSING
    )
    if unknown:
        sentences.append(f"Not known: {', '.join(unknown)}.")
    return " ".join(sentences)


def _has_input(exam: ExamAccount) -> bool:
    return any(stack.name == "arterial input" for stack in exam.stacks)
