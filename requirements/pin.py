"""Write the pinned requirements: everything that the extras in pyproject.toml resolve to today.

Run by ``make pins`` with the oldest supported Python, so that the versions suit every newer one too.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

# file: the extras it serves. Every environment also gets what builds wengert itself, so that nothing but
# the pinned versions is ever fetched.
EXTRAS = {"demo": "demo", "test": "test,lint", "bench": "bench"}
BUILD = ["hatchling", "editables"]
# The release that the published measurements stand beside. On machines where its build needs GPU libraries, torch
# pins those itself.
HELD = {"bench": ["torch==2.13.0"]}


def resolve(extras: str, held: list[str]) -> list[str]:
    """Return ``name==version`` for all that ``wengert[extras]`` needs, with the ``held`` versions as they are."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-"]
    wanted = [f"{HERE.parent}[{extras}]", *BUILD, *held]
    answer = subprocess.run([*command, *wanted], check=True, stdout=subprocess.PIPE)
    packages = [item["metadata"] for item in json.loads(answer.stdout)["install"]]
    # A local version ("+cpu") names one builder's variant; the public version fits all of them.
    pins = [f"{p['name'].lower()}=={p['version'].partition('+')[0]}" for p in packages if p["name"] != "wengert"]
    return sorted(pins)


def main() -> None:
    """Resolve each file's extras and write it."""
    python = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
    for name, extras in EXTRAS.items():
        header = f"# wengert[{extras}] as it resolves with {python}; written by make pins"
        (HERE / f"{name}.txt").write_text("\n".join([header, *resolve(extras, HELD.get(name, []))]) + "\n")


if __name__ == "__main__":
    main()
