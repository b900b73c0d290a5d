"""The command line: `python -m benchmarks`."""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from . import chart, machine, memory, report, results, runner, workloads
from .peers import PEERS, SUBJECTS, THREADS

RESULTS = Path(__file__).parent / "results" / "latest.json"
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "benchmarks.png"

QUICK = runner.Settings(rounds=3, block=0.03, quick=True)

EXAMPLES = """
examples:
  python -m benchmarks                         everything, and renew the stored results and the chart
  python -m benchmarks --quick                 everything small, in a minute or two
  python -m benchmarks elementwise digits      two workloads
  python -m benchmarks scalars --peers torch   against PyTorch alone
"""


def arguments(argv=None) -> argparse.Namespace:
    others = [name for name in PEERS if name not in SUBJECTS]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure wengert beside other automatic differentiation libraries. "
        "Their gradients are compared first; then they take turns.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "workloads", nargs="*", metavar="WORKLOAD", help=f"all, or some of: {', '.join(workloads.NAMES)}"
    )
    parser.add_argument(
        "--peers", nargs="+", choices=others, metavar="PEER", help=f"all, or some of: {', '.join(others)}"
    )
    parser.add_argument("--rounds", type=positive, metavar="N", help="turns of each peer (default: 7; quick: 3)")
    parser.add_argument(
        "--threads", type=positive, metavar="N", default=machine.cores(), help="for each peer (default: one per core)"
    )
    parser.add_argument("--quick", action="store_true", help="leave out the long cases, and take short turns")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to this file, too")
    parser.add_argument("--no-chart", action="store_true", help="do not renew the chart")
    chosen = parser.parse_args(argv)
    for name in chosen.workloads:
        if name not in workloads.NAMES:
            parser.error(f"there is no workload {name!r}; there are {', '.join(workloads.NAMES)}")
    return chosen


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def limit_threads(threads: int) -> None:
    """Give everybody the same number; the libraries read it when a worker imports them."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", THREADS):
        os.environ[name] = str(threads)


def present_peers(console: Console, chosen: argparse.Namespace) -> list[str]:
    """Those that were asked for and are installed, wengert among them; a note on the others."""
    wanted = [name for name in PEERS if name in SUBJECTS or not chosen.peers or name in chosen.peers]
    missing = [name for name in wanted if not PEERS[name].is_present()]
    for name in missing:
        console.print(f"{PEERS[name].module} is not installed: left out.", style="yellow")
    return [name for name in wanted if name not in missing]


def measure(console: Console, names, peers, settings) -> dict:
    """Run the workloads one after another, each with its table as soon as it is known."""
    found = {}
    for name in names:
        workload = workloads.load(name)
        if workload.needs_proc and not memory.is_known():
            console.print(f"{name} needs Linux's /proc: left out.\n", style="yellow")
            continue
        with console.status(name) as status:
            found[name] = runner.run(workload, peers, settings, lambda now, name=name: status.update(f"{name}, {now}"))
        report.print_workload(console, workload, found[name])
    return found


def main(argv=None) -> int:
    """Measure and report; 1 if a gradient was wrong or wengert failed, a missed budget is no failure."""
    chosen = arguments(argv)
    limit_threads(chosen.threads)
    console = Console(width=None if sys.stdout.isatty() else report.WIDTH)
    peers = present_peers(console, chosen)
    settings = QUICK if chosen.quick else runner.Settings()
    settings = replace(settings, rounds=chosen.rounds or settings.rounds)
    facts = machine.facts(peers, chosen.threads)
    report.print_facts(console, facts)

    found = measure(console, chosen.workloads or workloads.NAMES, peers, settings)
    report.print_summary(console, found)

    content = results.document(facts, settings, found)
    if chosen.json:
        results.write(chosen.json, content)
    is_full = not (chosen.workloads or chosen.peers or chosen.quick) and set(peers) == set(PEERS)
    if is_full:
        results.write(RESULTS, content)
        if not chosen.no_chart:
            chart.draw([row for rows in found.values() for row in rows], PICTURE)
    else:
        console.print("Not everything was measured: the stored results and the chart stay as they were.", style="dim")
    return int(any(row.wrong or row.remarks.keys() & set(SUBJECTS) for rows in found.values() for row in rows))


if __name__ == "__main__":
    sys.exit(main())
