"""All lessons in order: ``make seeds``, or ``python examples/seeds [part of a name]``."""

import runpy
import sys
from pathlib import Path

from rich.console import Console

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))
console = Console(width=112, highlight=False)
for lesson in sorted(here.glob("lesson_*.py")):
    if not sys.argv[1:] or any(part in lesson.name for part in sys.argv[1:]):
        console.rule(lesson.stem.replace("_", " "))
        console.print(lesson.read_text(encoding="utf-8").split('"""')[1], style="italic")
        runpy.run_path(str(lesson), run_name="__main__")
