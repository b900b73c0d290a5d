"""The results as JSON: every round of every peer, so that others can compute what they like."""

import json
from dataclasses import asdict
from pathlib import Path

from .runner import Settings
from .workload import Row


def document(facts: dict, settings: Settings, results: dict[str, list[Row]]) -> dict:
    return {
        "machine": facts,
        "settings": asdict(settings),
        "units": {"s": "seconds per operation, turn or step", "B": "bytes", "×": "a plain ratio"},
        "workloads": {name: [entry(row) for row in rows] for name, rows in results.items()},
    }


def entry(row: Row) -> dict:
    return {
        "case": row.name,
        "unit": row.unit,
        "medians": {peer: significant(row.value(peer)) for peer in row.samples},
        "rounds": {peer: [significant(x) for x in samples] for peer, samples in row.samples.items()},
        "budgets": [
            {
                "subject": subject,
                "against": budget.against,
                "limit": budget.limit,
                "measured": significant(measured),
                "met": met,
            }
            for subject, budget, measured, met in row.verdicts()
        ],
        "failed": row.remarks,
        "wrong": row.wrong,
    }


def significant(number: float) -> float:
    """Five digits are more than any of these numbers has."""
    return float(f"{number:.5g}")


def write(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
