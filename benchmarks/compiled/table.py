"""The report: a table for each quantity, and below it what could not be said in a cell."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..report import quantity, ratio
from .rounds import WARM, Line
from .systems import SUBJECT, SYSTEMS

LABELS = {name: system.label for name, system in SYSTEMS.items()} | {WARM: "with a warm cache"}
ORDER = (SUBJECT, WARM, "eager", "jax", "torch", "torch.compile", "floor")


def print_lines(console: Console, title: str, lines: Sequence[Line]) -> None:
    """Print a line for each workload: all systems, ours over the best of the rivals, and the budget."""
    columns = [name for name in ORDER if any(name in line.samples or name in line.remarks for line in lines)]
    table = Table(title=title, title_justify="left", show_lines=True)
    table.add_column("")
    for name in columns:
        table.add_column(LABELS[name], justify="right")
    table.add_column("times the best, and the budget", justify="right")
    for line in lines:
        table.add_row(Text(line.name), *(cell(line, name) for name in columns), judgement(line))
    console.print(table)
    for line in lines:
        for name, remark in line.remarks.items():
            style = "red" if name in (SUBJECT, WARM) else "dim"
            console.print(Text(f"{line.name}, {LABELS[name]}: {remark}", style=style))
        for note in line.notes:
            console.print(Text(f"{line.name}: {note}", style="dim"))
    console.print()


def cell(line: Line, name: str) -> Text:
    value = line.value(name)
    if value is not None:
        return Text(quantity(value, line.unit) + ("~" if line.is_noisy(name) else ""))
    remark = line.remarks.get(name, "")
    if remark.startswith(("WRONG", "failed")):
        return Text(remark.partition(":")[0], style="bold red")
    return Text("-", style="dim")


def judgement(line: Line) -> Text:
    """Say for each demand what was measured, the limit and whether it was met."""
    text = Text()
    for demand in line.demands:
        if text:
            text.append("\n")
        measured = demand.measured(line)
        if measured is None:
            missing = demand.subject in line.remarks
            text.append("not met" if missing else "-", style="bold red" if missing else "dim")
            continue
        met = measured <= demand.limit
        if demand.is_difference:
            said = f"{quantity(measured, line.unit)} more than C ≤ {quantity(demand.limit, line.unit)}"
        elif not demand.rivals:
            said = f"{quantity(measured, line.unit)} ≤ {quantity(demand.limit, line.unit)}"
        else:
            said = f"{ratio(measured)} x {LABELS[demand.best(line)]} ≤ {demand.limit:g}"
        text.append(f"{said} {'✓' if met else '✗'}", style="green" if met else "bold red")
    return text


def print_summary(console: Console, tables: dict[str, list[Line]]) -> None:
    """How many demands were met, and which were not."""
    demands = [(title, line, demand) for title, lines in tables.items() for line in lines for demand in line.demands]
    measured = [(title, line, demand, demand.measured(line)) for title, line, demand in demands]
    failed = [entry for entry in measured if entry[3] is None and entry[2].subject in entry[1].remarks]
    absent = [entry for entry in measured if entry[3] is None and entry[2].subject not in entry[1].remarks]
    missed = [entry for entry in measured if entry[3] is not None and entry[3] > entry[2].limit]
    met = len(measured) - len(missed) - len(failed) - len(absent)
    said = f"Budgets: {met} met, {len(missed)} missed, {len(failed)} failed, {len(absent)} not judged."
    console.print(said, style="bold")
    for title, line, demand, found in missed + failed:
        what = line.remarks.get(demand.subject) or (
            quantity(found, line.unit) if demand.is_difference else ratio(found) + f", budget {demand.limit:g}"
        )
        console.print(Text(f"  {title}, {line.name}, {LABELS[demand.subject]}: {what}"))
