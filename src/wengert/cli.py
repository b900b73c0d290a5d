"""The command line: ``wengert grad``, ``wengert demo``, ``wengert run`` and ``wengert coverage``.

Whatever is wrong with the arguments ends in one line on stderr and exit status 2; exit status 1 means that a check
of the demo failed, or that a script that was run raised an exception.
"""

import importlib
import os
import platform
import sys
import traceback
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import numpy as np
import typer

from wengert import demo as digits
from wengert import dialects
from wengert.errors import ArgumentError, WengertError
from wengert.expression import CONSTANTS, FUNCTIONS, Expression, read_values
from wengert.transforms.reverse import value_and_grad

__all__ = ["main"]

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def main() -> None:
    """Run the command line on ``sys.argv``."""
    try:
        status = app(prog_name="wengert", standalone_mode=False)
        sys.stdout.flush()
    except OSError as error:
        # Python flushes once more when it ends, and would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(f"cannot write: {error.strerror or error}")
    except typer.TyperException as error:
        context: typer.Context | None = getattr(error, "ctx", None)
        command = context.command_path if context else "wengert"
        _fail(f"{error.format_message().rstrip('.')}; see {command} --help")
    except ArgumentError as error:
        _fail(str(error))
    except typer.Abort:
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str) -> None:
    print("wengert:", " ".join(message.split()), file=sys.stderr)
    sys.exit(2)


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            version = metadata.version("wengert")
        except metadata.PackageNotFoundError:
            version = "(not installed)"
        print(f"wengert {version}, NumPy {np.__version__}, Python {platform.python_version()}")
        raise typer.Exit


@app.callback(
    invoke_without_command=True,
    epilog="""
    [bold]Examples[/bold]

      wengert grad "sin(x)*exp(-y)" x=1 y=2

      wengert demo --out digits

      wengert run --dialect mxnet script.py
    """,
)
def wengert(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the versions in use and exit."),
    ] = False,
) -> None:
    """Gradients for ordinary NumPy programs."""
    if context.invoked_subcommand is None:
        print(context.get_help())


# A formula may start with a minus sign, which is no option.
@app.command(
    context_settings={"ignore_unknown_options": True},
    epilog=f"""
    [bold]Functions[/bold] {" ".join(FUNCTIONS)}

    [bold]Constants[/bold] {" ".join(CONSTANTS)}

    [bold]Examples[/bold]

      wengert grad "sin(x)*exp(-y)" x=1 y=2

      wengert grad "x**2" x=pi/2

      wengert grad "sum(exp(-x*x) * w)" "x=[0, 0.5, 1]" "w=[1, 2, 1]"
    """,
)
def grad(
    formula: Annotated[
        str, typer.Argument(metavar="FORMULA", help="Variables, numbers, operators and NumPy functions, in quotes.")
    ],
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME=VALUE", help="A number or a list of numbers for each variable."),
    ] = None,
) -> None:
    """Print the value of a formula and its derivative by each variable."""
    expression = Expression(formula)
    given = read_values(values or [])
    _check_names(expression, given)
    value, gradients = _differentiate(expression, [given[name] for name in expression.variables])
    labels = [f"d/d{name}" for name in expression.variables]
    width = max(map(len, ["value", *labels]))
    for label, number in zip(["value", *labels], [value, *gradients], strict=True):
        print(f"{label:<{width}}  {_text(number, indent=width + 2)}")


@app.command(
    epilog="""
    [bold]Examples[/bold]

      wengert demo

      wengert demo --epochs 10 --seed 3 --out digits
    """,
)
def demo(
    epochs: Annotated[int, typer.Option(min=1, help="How often to go through the training images.")] = digits.EPOCHS,
    seed: Annotated[int, typer.Option(min=0, help="Fixes split, first weights and distortions.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for the picture and the weights.")] = Path("wengert-demo"),
) -> None:
    """Train a small network on real handwritten digits, and check it.

    The 1,797 scans come with scikit-learn, so nothing is downloaded.

    Writes digits.png (loss curve, misread digits) and digits.safetensors.
    """
    if not digits.run(epochs, seed, out):
        raise typer.Exit(1)


@app.command(
    epilog="""
    [bold]Examples[/bold]

      wengert coverage cumprod linalg.eigh scipy.special.betainc

      wengert coverage --page > coverage.md
    """,
)
def coverage(
    names: Annotated[
        list[str] | None, typer.Argument(help="Functions, as numpy.linalg.det, linalg.det or det.")
    ] = None,
    page: Annotated[bool, typer.Option("--page", help="Print the whole page, in Markdown.")] = False,
) -> None:
    """Tell which functions of NumPy and SciPy have gradients, and of which order."""
    from_registry = importlib.import_module("wengert.coverage")  # loads SciPy, which the other commands do without
    if page or not names:
        print(from_registry.page() if page else from_registry.summary(), end="")
        return
    public = list(from_registry.public_functions())
    for wanted in names:
        found = [name for name in public if name == wanted or name.endswith(f".{wanted}")]
        if not found:
            raise ArgumentError(f"[coverage] a public function of NumPy or SciPy was required; received {wanted}")
        for name in found:
            why = from_registry.reason(name)
            columns = from_registry.orders(name) if from_registry.status(name) == "differentiable" else {}
            why = why or ", ".join(f"{column}: {answer}" for column, answer in columns.items())
            print(f"{name}: {from_registry.status(name)}{f' ({why})' if why else ''}")


# What follows the script is the script's.
@app.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="""
    [bold]Examples[/bold]

      wengert run --dialect mxnet script.py

      wengert run --dialect torch notebook.ipynb

      wengert run -d torch train.py --epochs 5
    """,
)
def run(
    script: Annotated[Path, typer.Argument(help="A Python script, or a notebook (.ipynb), whose cells run in order.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="Handed to the script.")] = None,
    dialect: Annotated[
        list[str] | None, typer.Option("--dialect", "-d", help=f"What to speak: {', '.join(dialects.ORIGINALS)}.")
    ] = None,
) -> None:
    """Run a script written for MXNet, PyTorch or DJL, unmodified.

    The dialect answers to the original's name, also where the original itself is installed.
    """
    if not dialect:
        raise ArgumentError(f"[run] a dialect to speak was required; add --dialect {' or '.join(dialects.ORIGINALS)}")
    try:
        dialects.run(script, arguments or [], dialect)
    except Exception as error:
        own = _frames_of(script, error.__traceback__)
        if own is None and isinstance(error, ArgumentError):
            raise
        sys.stdout.flush()
        traceback.print_exception(type(error), error, own or error.__traceback__)
        raise typer.Exit(1) from None


def _frames_of(script: Path, tb: TracebackType | None) -> TracebackType | None:
    """A traceback from the script's own first line on."""
    while tb is not None and not tb.tb_frame.f_code.co_filename.startswith(str(script)):
        tb = tb.tb_next
    return tb


def _check_names(expression: Expression, given: dict[str, Any]) -> None:
    if not expression.variables:
        raise ArgumentError(f'[grad] a formula with a variable was required; received "{expression.text}"')
    for name in expression.variables:
        if name not in given:
            raise ArgumentError(f"[grad] every variable needs a value; {name} has none; add {name}=1.0")
    for name in given:
        if name not in expression.variables:
            raise ArgumentError(f"[grad] {name} has a value but does not occur in the formula; leave it out")


def _differentiate(expression: Expression, values: list[Any]) -> tuple[Any, tuple[Any, ...]]:
    """Value and gradients; what NumPy or wengert has against the formula is the user's error."""
    try:
        with np.errstate(all="ignore"):
            shape = np.shape(expression(*values))
            if shape:
                raise ArgumentError(
                    f"[grad] only a single number has a gradient; the formula gives an array of shape {shape}; "
                    f"write sum({expression.text})"
                )
            return value_and_grad(expression, argnums=tuple(range(len(values))))(*values)
    except ArgumentError:
        raise
    except (WengertError, ArithmeticError, LookupError, MemoryError, TypeError, ValueError) as error:
        raise ArgumentError(f"[grad] {expression.text} cannot be evaluated: {error}") from None


def _text(number: Any, indent: int) -> str:
    """All digits, the rows of an array one below the other."""
    return np.array2string(
        np.asarray(number, float),
        separator=", ",
        prefix=" " * indent,
        threshold=sys.maxsize,
        formatter={"float_kind": lambda x: repr(float(x))},
    )


if __name__ == "__main__":
    main()
