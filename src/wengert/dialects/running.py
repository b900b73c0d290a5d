"""Running somebody's script or notebook under a dialect, unmodified."""

import ast
import builtins
import json
import linecache
import runpy
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from wengert.dialects.imports import install, real_installation
from wengert.errors import ArgumentError

__all__ = ["run"]


def run(path: str | Path, arguments: Sequence[str] = (), dialects: Sequence[str] = ()) -> None:
    """Run a Python script or a notebook (its cells in order) as ``__main__``, with dialects installed.

    A dialect takes the place of a real installation of the original; this is said on stderr.

    Parameters
    ----------
    path : path
        A Python script, or a notebook (``.ipynb``), of which the value of a cell's last line is printed, as notebooks
        show it, and lines that are no Python (``%matplotlib inline``, ``!pip …``) are left out.
    arguments : sequence of str
        The script's ``sys.argv[1:]``.
    dialects : sequence of str
        Names that `wengert.dialects.install` knows.

    Raises
    ------
    ArgumentError
        If there is no such file or dialect, or the notebook is not one of Python. Whatever the script raises.
    """
    path = Path(path)
    if not path.is_file():
        raise ArgumentError(f"[run] a script or a notebook was required; received {path}, which is no file")
    for dialect in dialects:
        real = real_installation(dialect)
        module = install(dialect, shadow=True)
        if real:
            print(f"wengert: {module.__name__} stands in for the one in {real}", file=sys.stderr)
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.resolve().parent))
    if path.suffix == ".ipynb":
        _run_notebook(path)
    else:
        runpy.run_path(str(path), run_name="__main__")


def _run_notebook(path: Path) -> None:
    main = ModuleType("__main__")
    main.__file__ = str(path)
    main.__dict__["display"] = print
    previous, sys.modules["__main__"] = sys.modules["__main__"], main
    try:
        for number, source in enumerate(_cells(path), 1):
            _run_cell(source, f"{path}, cell {number}", main.__dict__)
    finally:
        sys.modules["__main__"] = previous
        builtins.__dict__.pop("_", None)  # where sys.displayhook keeps the last value


def _cells(path: Path) -> Iterator[str]:
    """The sources of a notebook's code cells."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        language = notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python")
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArgumentError(f"[run] a notebook (JSON with cells) was required; {path} is none: {error!r}") from None
    if language.lower() != "python":
        raise ArgumentError(f"[run] a notebook in Python was required; {path} is one in {language}")
    for cell in cells:
        source = cell["source"]
        yield _without_magics(source if isinstance(source, str) else "".join(source))


def _without_magics(source: str) -> str:
    """The Python of a cell: lines for the notebook or the shell become comments, so that line numbers stay."""
    if source.startswith("%%") and not source.startswith(("%%time", "%%timeit", "%%capture")):
        return ""
    lines = source.split("\n")
    return "\n".join(
        f"{line[: len(line) - len(line.lstrip())]}pass  # {line.strip()}" if _is_magic(line) else line for line in lines
    )


def _is_magic(line: str) -> bool:
    return line.lstrip().startswith(("%", "!", "?")) or line.rstrip().endswith("?")


def _run_cell(source: str, name: str, namespace: dict) -> None:
    """Execute a cell, and show the value of its last line."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    tree = ast.parse(source, name)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(";"):
        last = ast.Expression(tree.body.pop().value)
    exec(compile(tree, name, "exec"), namespace)
    if last is not None:
        sys.displayhook(eval(compile(last, name, "eval"), namespace))
