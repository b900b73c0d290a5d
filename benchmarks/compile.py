"""What `compile` reaches: programs and their gradients as native code, beside JAX, PyTorch, and C written by hand.

    python -m benchmarks.compile                        everything, and renew the stored results and the chart
    python -m benchmarks.compile --quick                short turns, without torch.compile
    python -m benchmarks.compile --only chain lstm      some programs
    python -m benchmarks.compile --part first memory    first calls and memory alone

Each system lives in a process of its own, with the same number of threads. Its results are compared with those of the
others before anything is timed; one that is wrong gets no time, but says so in its place. Then all take turns, and the
figure is the median over the rounds. Ours is written with ordinary loops; JAX gets its `lax.scan` where the loop runs
over time. First calls (recording and compiling included) and peaks of memory are taken in fresh processes, in the same
alternation. The C code is compiled when the benchmark starts, and left out where there is no compiler. It shows what
the machine could do, and binds nobody.

The programs are in `benchmarks/compiled`.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from . import chart, machine, report, results
from .__main__ import limit_threads, positive
from .compiled import floor
from .compiled.busy import slowed
from .compiled.catalogue import NAMES, WORKLOADS
from .compiled.rounds import Settings, fresh, running
from .compiled.systems import SUBJECT, SYSTEMS
from .compiled.table import print_lines, print_summary

RESULTS = Path(__file__).parent / "results" / "compile.json"
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "compile.png"
PARTS = {
    "run": "Time of a call",
    "first": "Time of the first call: recording and compiling",
    "memory": "Peak of memory beyond the inputs",
    "busy": "Time of a call beside a program that keeps one core, over the time without it",
}
QUICK = Settings(rounds=3, block=0.03, quick=True, timeout=90, processes=1)
LEGEND = (
    "In the last column: wengert's value over the best of those that bind it, and the budget for that. "
    "~ marks rounds that differ by more than a quarter."
)
WIDTH = 170  # of tables that go to a file or a pipe


def arguments(argv=None) -> argparse.Namespace:
    rivals = [name for name in SYSTEMS if name != SUBJECT]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compile",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS), help="what to measure")
    parser.add_argument("--peers", nargs="+", choices=rivals, default=None, help="beside whom")
    parser.add_argument("--rounds", type=positive, metavar="N", help="turns of each system")
    parser.add_argument("--threads", type=positive, metavar="N", default=machine.cores(), help="for each system")
    parser.add_argument("--quick", action="store_true", help="few and short turns, without torch.compile")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to this file, too")
    return parser.parse_args(argv)


def present(console: Console, chosen: argparse.Namespace, folder: Path) -> list[str]:
    """Those that were asked for and can run; a note on the others."""
    missing = floor.build(folder)
    if missing:
        console.print(f"C by hand is left out: {missing}.", style="yellow")
    wanted = chosen.peers or [name for name in SYSTEMS if not (chosen.quick and name == "torch.compile")]
    names = [name for name in SYSTEMS if name == SUBJECT or name in wanted]
    for name in names:
        if not SYSTEMS[name].is_present() and name != "floor":
            console.print(f"{SYSTEMS[name].module} is not installed: {name} is left out.", style="yellow")
    return [name for name in names if SYSTEMS[name].is_present()]


def measure(console: Console, chosen: argparse.Namespace, names: list[str], settings: Settings) -> dict:
    """Take the parts that were asked for, each with its table as soon as it is known."""
    workloads = [workload for workload in WORKLOADS if workload.name in chosen.only]
    tables = {}
    with console.status("") as status:
        if "run" in chosen.part:
            tables[PARTS["run"]] = running(workloads, names, settings, status.update)
            print_lines(console, PARTS["run"], tables[PARTS["run"]])
        if "first" in chosen.part or "memory" in chosen.part:
            for quantity, lines in fresh(workloads, names, settings, status.update).items():
                part = next(part for part in PARTS if quantity.startswith(part))
                if part in chosen.part and any(line.samples for line in lines):
                    title = PARTS[part] + quantity.removeprefix("memory").removeprefix("first call")
                    tables[title] = lines
                    print_lines(console, title, lines)
        if "busy" in chosen.part:
            tables[PARTS["busy"]] = slowed(workloads, names, settings, status.update)
            print_lines(console, PARTS["busy"], tables[PARTS["busy"]])
    return tables


def main(argv=None) -> int:
    """Measure and report; 1 if ours was wrong or failed, a missed budget is no failure."""
    chosen = arguments(argv)
    limit_threads(chosen.threads)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    settings = QUICK if chosen.quick else Settings()
    settings = replace(settings, rounds=chosen.rounds or settings.rounds)
    with TemporaryDirectory() as folder:
        names = present(console, chosen, Path(folder))
        facts = machine.facts([name for name in names if name in machine.PEERS], chosen.threads)
        facts["versions"]["llvmlite"] = machine.version("llvmlite")
        report.print_facts(console, facts, LEGEND)
        tables = measure(console, chosen, names, settings)
    print_summary(console, tables)
    content = results.document(facts, settings, tables)
    if chosen.json:
        results.write(chosen.json, content)
    is_full = set(chosen.part) == set(PARTS) and set(names) == set(SYSTEMS) and set(chosen.only) == set(NAMES)
    if is_full and not chosen.quick:
        results.write(RESULTS, content)
        chart.draw(tables[PARTS["run"]], PICTURE, chart.COMPILED)
    else:
        console.print("Not everything was measured: the stored results and the chart stay as they were.", style="dim")
    return int(any(SUBJECT in line.remarks for lines in tables.values() for line in lines))


if __name__ == "__main__":
    sys.exit(main())
