"""The tables: every peer's time, wengert's ratio to it, and the budget beside the ratio."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .peers import PEERS, SUBJECTS
from .workload import Budget, Row, Workload

WIDTH = 140  # of a table that goes to a file or a pipe

UNITS = {
    "s": ((1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
    "B": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B")),
    "×": ((1, "×"),),
}


def quantity(value: float, unit: str) -> str:
    """Three digits, and the unit that suits them."""
    factor, name = next((u for u in UNITS[unit] if abs(value) >= u[0]), UNITS[unit][-1])
    return f"{digits(value / factor)} {name}"


def digits(number: float) -> str:
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"


def ratio(number: float) -> str:
    return f"{number:.3f}" if number < 0.1 else f"{number:.2f}" if number < 10 else f"{number:,.0f}"


def print_workload(console: Console, workload: Workload, rows: list[Row]) -> None:
    """One table: a line for each case, and for each way of calling wengert in it."""
    peers = [p for p in PEERS if p not in SUBJECTS and any(p in row.samples for row in rows)]
    console.print(f"{workload.name}: {workload.title}", style="bold")
    table = Table(show_lines=True)
    table.add_column("case")
    table.add_column("wengert", justify="right")
    for peer in peers:
        table.add_column(PEERS[peer].label, justify="right")
    for row in rows:
        if row.wrong:
            table.add_row(Text(row.name), Text("WRONG GRADIENT", style="bold red"))
            continue
        several = row.samples.keys() >= set(SUBJECTS)
        for subject in SUBJECTS:
            if subject in row.samples:
                name = f"{row.name}\n{PEERS[subject].spelling}" if several else row.name
                table.add_row(Text(name), own(row, subject), *(beside(row, subject, peer) for peer in peers))
        if not row.samples.keys() & set(SUBJECTS):
            table.add_row(Text(row.name), "", *(beside(row, "", peer) for peer in peers))
    console.print(table)
    for row in rows:
        if row.wrong:
            console.print(Text(f"{row.name}: the gradients disagree, nothing counts. {row.wrong}", style="bold red"))
    for peer, remark in {peer: remark for row in rows for peer, remark in row.remarks.items()}.items():
        console.print(Text(f"{PEERS[peer].label} failed: {remark}", style="red"))
    console.print()


def value_of(row: Row, peer: str) -> Text:
    return Text(quantity(row.value(peer), row.unit) + ("~" if row.is_noisy(peer) else ""))


def own(row: Row, subject: str) -> Text:
    cell = value_of(row, subject)
    for budget in row.budgets:
        if budget.against is None:
            cell.append("\n").append(verdict(row, subject, budget))
    return cell


def beside(row: Row, subject: str, peer: str) -> Text:
    """Show the peer's own value, and below it wengert's ratio to it."""
    if row.value(peer) is None:
        return Text("-", style="dim")
    share = row.ratio(subject, peer)
    cell = value_of(row, peer)
    budget = next((b for b in row.budgets if b.against == peer), None)
    if share is not None and row.unit != "×":
        cell.append("\n").append(verdict(row, subject, budget) if budget else Text(f"{ratio(share)}×", style="dim"))
    return cell


def verdict(row: Row, subject: str, budget: Budget) -> Text:
    measured = row.measured(subject, budget)
    if measured is None:
        return Text()
    met = measured <= budget.limit
    said = f"{ratio(measured)}× ≤ {budget.limit:g}" if budget.against else f"≤ {quantity(budget.limit, row.unit)}"
    return Text(f"{said} {'✓' if met else '✗'}", style="green" if met else "bold red")


def print_summary(console: Console, results: dict[str, list[Row]]) -> None:
    """How many budgets were met, and which were not."""
    judged = [(name, row, *v) for name, rows in results.items() for row in rows for v in row.verdicts()]
    missed = [entry for entry in judged if not entry[-1]]
    console.print(f"Budgets: {len(judged) - len(missed)} met, {len(missed)} missed.", style="bold")
    for name, row, subject, budget, _, _ in missed:
        against = f"against {PEERS[budget.against].label}" if budget.against else quantity(row.value(subject), row.unit)
        line = Text(f"  {name}, {row.name} ({PEERS[subject].label}), {against}: ")
        line.append(verdict(row, subject, budget))
        if budget.against:
            line.append(f"  (the fastest rounds: {ratio(row.fastest(subject, budget.against))}×)", style="dim")
        console.print(line)


LEGEND = (
    "Below each peer's value: wengert's divided by it, and the budget for that ratio. "
    "~ marks rounds that differ by more than a quarter."
)


def print_facts(console: Console, facts: dict, legend: str = LEGEND) -> None:
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    console.print(
        f"{facts['processor']}, {facts['cores']} cores, {facts['threads per peer']} threads for each peer, "
        f"load {facts['load at the start']}; {facts['system']}, {facts['python']}; {versions}.",
        style="dim",
    )
    console.print(legend + "\n", style="dim")
