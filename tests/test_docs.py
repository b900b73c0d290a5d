"""Every Python block of the README and the documents runs; outputs shown beside ``>>>`` are the real ones."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import wengert

ROOT = Path(__file__).resolve().parent.parent
PAGES = [p for p in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))) if p.name != "design.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def python_blocks(page: Path) -> list[str]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [p for p in PAGES if python_blocks(p)], ids=lambda p: p.name)
def test_blocks_run_in_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scope: dict = {"__name__": "__main__"}
    for block in python_blocks(page):
        if ">>>" in block:
            examples = doctest.DocTestParser().get_doctest(block, scope, page.name, str(page), 0)
            examples.globs = scope
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
            assert runner.run(examples, clear_globs=False).failed == 0
        else:
            exec(compile(block, str(page), "exec"), scope)


def modules():
    names = [m.name for m in pkgutil.walk_packages(wengert.__path__, "wengert.")]
    return ["wengert", *(name for name in names if name != "wengert.__main__")]


def own_examples(module):
    """The examples in a module's docstrings, but for functions that show the docstring of NumPy's or SciPy's own."""
    original = module.__name__.removeprefix("wengert.")
    borrowed = set()
    if original == "numpy" or (original.startswith("scipy.") and original.count(".") == 1):
        borrowed = {getattr(value, "__doc__", None) for value in vars(importlib.import_module(original)).values()}
    return [test for test in doctest.DocTestFinder().find(module) if test.docstring not in borrowed]


@pytest.mark.parametrize("name", modules())
def test_docstring_examples_run(name):
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for examples in own_examples(importlib.import_module(name)):
        assert runner.run(examples).failed == 0, examples.name


def test_public_names_are_listed():
    missing = [name for name in wengert.__all__ if not hasattr(wengert, name)]
    assert missing == []
    undocumented = [name for name in wengert.__all__ if not getattr(wengert, name).__doc__]
    assert undocumented == []
