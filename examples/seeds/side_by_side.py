"""Running one lesson in several spellings: each prints, and all must come to the same numbers."""

import inspect
import os
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax

console = Console(width=112, highlight=False)


def show(*spellings: Callable) -> None:
    """Print each function's source and what it prints; the numbers that they return must agree."""
    results = {}
    for spelling in spellings:
        name = spelling.__name__
        body = textwrap.dedent("".join(inspect.getsourcelines(spelling)[0][1:])).rstrip()
        console.print(Panel(Syntax(body, "python", background_color="default"), title=name, title_align="left"))
        results[name] = spelling()
    (first, expected), *others = results.items()
    for name, result in others:
        if not np.allclose(result, expected, rtol=1e-5, atol=1e-5):
            raise SystemExit(f"{name} came to {result}, {first} to {expected}")
    console.print(f"[bold]{', '.join(results)}: the same numbers.[/bold]\n" if others else "")


def picture(name: str) -> Path:
    """Where a lesson saves a picture: the folder named by SEEDS_OUT, or `wengert-seeds` here."""
    folder = Path(os.environ.get("SEEDS_OUT", "wengert-seeds"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name
