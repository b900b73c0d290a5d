"""The lessons of ``examples/seeds``: every spelling runs, and all come to the same numbers."""

import subprocess
import sys
from pathlib import Path

import pytest

LESSONS = Path(__file__).parents[2] / "examples" / "seeds"
PICTURES = {"lesson_09_a_linear_layer": "linear_layer.png", "lesson_12_sine_and_its_derivative": "sine.png"}


@pytest.mark.parametrize("lesson", sorted(path.stem for path in LESSONS.glob("lesson_*.py")))
def test_lesson(lesson, tmp_path, monkeypatch):
    monkeypatch.setenv("SEEDS_OUT", str(tmp_path))
    done = subprocess.run([sys.executable, LESSONS, lesson], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "the same numbers." in done.stdout
    drawn = [path.name for path in tmp_path.iterdir()]
    assert drawn == ([PICTURES[lesson]] if lesson in PICTURES else [])
