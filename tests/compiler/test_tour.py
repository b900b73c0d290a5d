"""The tour in ``examples/compile.py`` runs; it compares its own results."""

import subprocess
import sys
from pathlib import Path

TOUR = Path(__file__).parents[2] / "examples" / "compile.py"


def test_tour():
    done = subprocess.run([sys.executable, TOUR], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for heading in ("A gradient", "Values that decide", "A training step", "Beyond gradients"):
        assert heading in done.stdout
