"""What each rule costs: forward and backward of every function that has a gradient, over NumPy's own forward.

    python -m benchmarks.rules                   everything, in some minutes
    python -m benchmarks.rules linalg            functions with this in their name
    python -m benchmarks.rules numpy.prod --every-sample
    python -m benchmarks.rules --quick

The arguments are those of the battery of tests, made large: axes grow by one common factor (so that equal lengths stay
equal), numbers are drawn anew from between those of the sample. The factor is doubled until the plain function has
`ELEMENTS` elements to read or to write, or takes `LONG` seconds.

A backward pass has to write the gradients, whatever the function does. Where it takes more than `LIMIT` times the
forward time, but not more than `LIMIT` times as long as writing those gradients, the function is a view, or as fast as
memory: it is listed apart, as are the functions that cannot be made large.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

if __name__ == "__main__":  # NumPy's and SciPy's BLAS have threads each, which wait for each other on a busy machine
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np
from rich.console import Console
from rich.table import Table

import wengert as wg
from wengert.primitive import REGISTRY, Plain

from .by_hand import BY_HAND
from .report import WIDTH, digits, quantity, ratio

LIMIT = 6  # times the forward pass of NumPy
ELEMENTS = 300_000
LONG = 5e-3  # seconds
HOPELESS = 50  # times: the ratio at which nothing is made larger any more
LEAST = 1e-4  # seconds that a forward pass, or writing the gradients, must take to be compared


class Settings(NamedTuple):
    """How much to measure."""

    rounds: int = 9
    elements: int = ELEMENTS
    long: float = LONG


class Row(NamedTuple):
    """Seconds of one call and of what belongs to it, one figure per round."""

    name: str
    arguments: str
    times: dict[str, list[float]]
    floor: float | None = None
    """Seconds that gradients take which are written by hand (`BY_HAND`)."""

    def over(self, part: str, other: str) -> float:
        return median(a / b for a, b in zip(self.times[part], self.times[other], strict=True))

    @property
    def verdict(self) -> str:
        if self.over("backward", "plain") <= LIMIT:
            return "good"
        return "fast" if self.over("backward", "writing") <= LIMIT else "slow"


class NotMeasured(Exception):
    """Why a function is not in the table."""


# ---------------------------------------------------------------------------------------------------------------
# Large arguments
# ---------------------------------------------------------------------------------------------------------------


def draw(*shape: int, low: float = 0.3, high: float = 2.3) -> np.ndarray:
    return np.random.default_rng(0).uniform(low, high, shape)


def knots(n: int) -> np.ndarray:
    return np.linspace(0.9, 2.4, n) + draw(n, low=-0.1, high=0.1) / n


def sections(n: int) -> np.ndarray:
    """Filters of second order, which are stable."""
    return np.concatenate([draw(n, 3), np.ones((n, 1)), draw(n, 2, low=-0.4, high=0.4)], axis=1)


def image(n: int) -> np.ndarray:
    return draw(4, 3, n, n)


LARGE: dict[str, Callable] = {
    "numpy.cross": lambda k: ((draw(k, 3), draw(k, 3)), {}),  # three components
    "numpy.linalg.cross": lambda k: ((draw(k, 3), draw(k, 3)), {}),
    "numpy.insert": lambda k: ((draw(k, 3), 1, draw(3)), {"axis": 0}),
    "numpy.broadcast_to": lambda k: ((draw(k, 1), (k, 200)), {}),
    "scipy.linalg.leslie": lambda k: ((draw(k), draw(k - 1)), {}),
    "scipy.linalg.eigh_tridiagonal": lambda k: ((np.arange(k) + draw(k), draw(k - 1)), {}),
    "scipy.linalg.eigvalsh_tridiagonal": lambda k: ((np.arange(k) + draw(k), draw(k - 1)), {}),
    "scipy.linalg.solveh_banded": lambda k: ((np.stack([draw(k), 9 + draw(k)]), draw(k)), {}),
    "scipy.signal.sosfilt": lambda k: ((sections(4), draw(2, k)), {}),
    "scipy.signal.sosfilt_zi": lambda k: ((sections(k),), {}),
    "scipy.signal.sosfiltfilt": lambda k: ((sections(4), draw(2, 40 + k)), {}),
    "scipy.spatial.distance.squareform": lambda k: ((draw(k * (2 * k - 1)),), {}),
    "scipy.interpolate.interpn": lambda k: (((knots(k), knots(k)), draw(k, k), draw(k * k, 2, low=1)), {}),
    "numpy.linalg.tensorinv": lambda k: ((draw(k, 2, 2, k) + 9 * np.eye(2 * k).reshape(k, 2, 2, k),), {}),
    "wengert.conv1d": lambda k: ((draw(4, 3, 8 * k), draw(8, 3, 5)), {}),  # the kernel stays small
    "wengert.conv2d": lambda k: ((image(8 * k), draw(8, 3, 3, 3)), {}),
    "wengert.conv3d": lambda k: ((draw(2, 2, 8 * k, 8, 8), draw(4, 2, 3, 3, 3)), {}),
    "wengert.conv_transpose1d": lambda k: ((draw(4, 3, 8 * k), draw(3, 8, 5)), {}),
    "wengert.conv_transpose2d": lambda k: ((image(8 * k), draw(3, 8, 3, 3)), {}),
    "wengert.conv_transpose3d": lambda k: ((draw(2, 2, 8 * k, 8, 8), draw(2, 4, 3, 3, 3)), {}),
}
"""Arguments, by a factor, of functions whose samples say too little; by the name that the table has."""


TRANSPOSED = "a view; its gradient is copied into the order of the operand, which takes longer than to write it"
STEPS = "NumPy's loop runs once over the elements; the way back, a linear recurrence, takes several passes"
SECTIONS = "SciPy's one loop has all sections; the way back has four passes over the signal for each"
LU = "two triangular systems and two products of triangles have five times the operations of the factorisation"
EXPLAINED = {
    "numpy.transpose": TRANSPOSED,
    "numpy.matrix_transpose": TRANSPOSED,
    "numpy.linalg.matrix_transpose": TRANSPOSED,
    "numpy.rollaxis": TRANSPOSED,
    "numpy.rot90": TRANSPOSED,
    **{f"numpy.{f}.{method}": STEPS for f in ("power", "float_power") for method in ("reduce", "accumulate")},
    "numpy.broadcast_arrays": "a view; its gradient is a sum over all of the cotangent",
    "numpy.unstack": "views; each is a step of the way back",
    "scipy.linalg.eigh_tridiagonal": "its way back takes two products of n * n matrices, which forward does not",
    "scipy.linalg.expm_frechet": "its own derivative is that of a matrix of twice the size, eight times the operations",
    "scipy.linalg.lu": LU,
    "scipy.signal.sosfilt": SECTIONS,
    "scipy.signal.sosfiltfilt": SECTIONS,
    "scipy.linalg.lu_factor": LU,
}
"""What is known of functions that are beyond the limit."""


def enlarged(name: str, sample: Any, factor: int) -> tuple[tuple, dict]:
    """Return the arguments of a sample with every axis but those of length one `factor` times as long."""
    if name in LARGE:
        return LARGE[name](factor)
    grow = partial(grown, factor=factor, random=np.random.default_rng(0), matrices="linalg" in name)
    return mapped((sample.args, sample.kwargs), grow)


def mapped(value: Any, change: Callable) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)([mapped(item, change) for item in value])
    if isinstance(value, dict):
        return {key: mapped(item, change) for key, item in value.items()}
    return change(value) if isinstance(value, np.ndarray) else value


def grown(x: np.ndarray, factor: int, random: np.random.Generator, matrices: bool) -> np.ndarray:
    shape = tuple(n * factor if n > 1 else n for n in x.shape)
    if factor == 1 or shape == x.shape:
        return x
    if x.dtype.kind not in "fc" or not np.all(np.isfinite(x)):
        return np.tile(x, [n // m if m else 1 for n, m in zip(shape, x.shape, strict=True)])
    values = drawn(x.real, shape, random).astype(x.dtype)
    if x.dtype.kind == "c":
        values = values + 1j * drawn(x.imag, shape, random)
    if x.ndim == 1 and x.size > 3 and np.all(np.diff(x) > 0):
        return np.sort(values)  # edges, positions
    if matrices and x.ndim > 1 and shape[-1] == shape[-2]:
        size = shape[-1]  # as far from singular as the sample's
        return values / size + np.diag(np.diagonal(x).real.max() + 1.5 * np.arange(size))
    return values


def drawn(x: np.ndarray, shape: tuple, random: np.random.Generator) -> np.ndarray:
    """Return numbers that lie between those of `x`."""
    return np.interp(random.uniform(size=shape), np.linspace(0, 1, x.size), np.sort(x, axis=None))


def arrays(value: Any) -> list[np.ndarray]:
    """Return all arrays in nested containers, of tensors their values."""
    if isinstance(value, (list, tuple)):
        return [x for item in value for x in arrays(item)]
    if isinstance(value, dict):
        return arrays(list(value.values()))
    return [np.asarray(value)] if isinstance(value, (np.ndarray, np.generic)) else []


def written(shape: tuple[int, ...]) -> str:
    """The shape of an array, as the table has it."""
    return "(" + ", ".join(str(n) for n in shape) + ")"


# ---------------------------------------------------------------------------------------------------------------
# Measuring
# ---------------------------------------------------------------------------------------------------------------


def clock(run: Callable) -> tuple[float, Any]:
    start = perf_counter()
    result = run()
    return perf_counter() - start, result


def turn(function: Callable, args: tuple, kwargs: dict) -> dict[str, float]:
    """Take each time once, one directly after the other."""
    from tests.battery.samples import Sample
    from tests.battery.variants import as_tensors

    plain, _ = clock(lambda: function(*args, **kwargs))
    recorded = as_tensors(Sample(args, kwargs))
    forward, result = clock(lambda: function(*recorded[0], **recorded[1]))
    heads = [t for t in tensors(result) if t.requires_grad]
    if not heads:
        raise NotMeasured("nothing is recorded")
    cotangents = [np.ones(t.shape, t.dtype) for t in heads]
    backward, _ = clock(lambda: wg.backward(heads, cotangents))
    leaves = [t for t in tensors(recorded) if t.grad is not None]
    if not leaves:
        raise NotMeasured("no gradient arrives")
    writing, _ = clock(lambda: [np.array(t.data) for t in leaves])
    return {"plain": plain, "forward": forward, "backward": backward, "writing": writing}


def tensors(value: Any) -> list[wg.Tensor]:
    if isinstance(value, (list, tuple)):
        return [t for item in value for t in tensors(item)]
    if isinstance(value, dict):
        return tensors(list(value.values()))
    return [value] if isinstance(value, wg.Tensor) else []


def measure(name: str, function: Callable, sample: Any, settings: Settings) -> Row:
    """Enlarge the arguments until a call is long enough, and then take turns."""
    factor, chosen = 1, None
    while chosen is None:
        args, kwargs = enlarged(name, sample, max(factor, 4) if name in LARGE else factor)
        turns = [turn(function, args, kwargs) for _ in range(2)]
        times = {part: min(t[part] for t in turns) for part in turns[0]}
        sizes = [x.size for x in arrays([args, kwargs, function(*args, **kwargs)])]
        is_hopeless = times["plain"] > LEAST and times["backward"] > HOPELESS * times["plain"]
        if max(sizes) >= settings.elements or times["plain"] >= settings.long or is_hopeless:
            chosen = args, kwargs
        elif factor > 2 * settings.elements or sum(x.ndim for x in arrays([args, kwargs])) == 0:
            raise NotMeasured("its samples do not grow")
        factor *= 2
    found: dict[str, list[float]] = {}
    for _ in range(settings.rounds):
        for part, seconds in turn(function, *chosen).items():
            found.setdefault(part, []).append(seconds)
    if max(median(found["plain"]), median(found["writing"])) < LEAST / 10:
        raise NotMeasured("too short a time, however large the arguments")
    return Row(name, described(*chosen), found, floor_of(name, *chosen, settings))


def floor_of(name: str, args: tuple, kwargs: dict, settings: Settings) -> float | None:
    """What a gradient by hand takes with these arguments."""
    if name not in BY_HAND or kwargs:
        return None
    back = BY_HAND[name](*args)
    return median(clock(back)[0] for _ in range(settings.rounds))


def described(args: tuple, kwargs: dict) -> str:
    """Shapes of arrays and what else there is, in a line."""

    def one(value: Any) -> str:
        if isinstance(value, np.ndarray):
            return written(value.shape)
        if isinstance(value, (list, tuple)) and arrays(value):
            return "[" + ", ".join(map(one, islice(value, 3))) + "]"
        return getattr(value, "__name__", None) or str(value)

    return ", ".join([*map(one, args), *(f"{key}={one(value)}" for key, value in kwargs.items())])


# ---------------------------------------------------------------------------------------------------------------
# Functions
# ---------------------------------------------------------------------------------------------------------------


def label(function: Any) -> str:
    """The name of a function with that of the module in which users find it."""
    from tests.battery.variants import key_of, name_of

    key, name = key_of(function), name_of(function)
    owner = key[0] if isinstance(key, tuple) else key
    last = name.rpartition(".")[2] if not isinstance(key, tuple) else key[0].__name__
    for module in ("numpy", "numpy.linalg", "numpy.fft", "scipy.special", "wengert", "wengert.nn"):
        if getattr(sys.modules[module], last, None) is owner:
            return f"{module}.{name if isinstance(key, tuple) else last}"
    module = getattr(owner, "__module__", None) or "scipy.special"
    return f"{module.removeprefix('wengert.').replace('tests.battery.samples_', 'of ')}.{last}"


def functions(parts: list[str]) -> Iterator[tuple[str, Callable, list]]:
    """The functions that have a gradient and one of the parts in their names, and their samples."""
    from tests.battery.samples import SMOOTH
    from tests.battery.variants import key_of

    for function, given in SMOOTH.items():
        if not isinstance(REGISTRY.get(key_of(function)), Plain):
            name = label(function)
            if not parts or any(part in name for part in parts):
                yield name, function, [s for s in given if sum(x.size for x in arrays([s.args, s.kwargs])) > 1]


def rows_of(name: str, function: Callable, given: list, every: bool, settings: Settings) -> Iterator[Row | str]:
    """The first sample that can be made large, or each; where there is none, the reason of the last."""
    reason = "no sample has arrays"
    measured = False
    for sample in given:
        try:
            yield measure(name, function, sample, settings)
            measured = True
            if not every or name in LARGE:
                return
        except Exception as error:  # whatever a function says to arguments that are too large for it
            kind = "" if isinstance(error, NotMeasured) else f"{type(error).__name__}: "
            reason = f"{kind}{error}".partition("\n")[0][:90]
    if not measured:
        yield reason


# ---------------------------------------------------------------------------------------------------------------
# The table
# ---------------------------------------------------------------------------------------------------------------

MARKS = {"good": "[green]✓[/]", "fast": "[yellow]f[/]", "slow": "[bold red]✗[/]"}


def table_of(rows: list[Row], title: str) -> Table:
    table = Table(title=title)
    for column in ("", "arguments", "plain", "forward", "backward", "backward / writing", ""):
        table.add_column(column, justify="left" if column in ("", "arguments") else "right")
    for row in rows:
        ratios = row.over("forward", "plain"), row.over("backward", "plain"), row.over("backward", "writing")
        plain = quantity(median(row.times["plain"]), "s")
        table.add_row(row.name, row.arguments[:60], plain, *map(ratio, ratios), MARKS[row.verdict])
    return table


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rules", description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="of names of functions (default: all)")
    parser.add_argument("--every-sample", action="store_true", help="measure all samples, not one of each function")
    parser.add_argument("--quick", action="store_true", help="smaller arrays, and few turns")
    chosen = parser.parse_args(argv)
    settings = Settings(3, ELEMENTS // 10, LONG / 5) if chosen.quick else Settings()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    rows, reasons = [], {}
    with console.status("") as status, warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        for name, function, given in functions(chosen.parts):
            status.update(name)
            for found in rows_of(name, function, given, chosen.every_sample, settings):
                if isinstance(found, Row):
                    rows.append(found)
                else:
                    reasons[name] = found
    report(console, rows, reasons)
    return 0


def report(console: Console, rows: list[Row], reasons: dict[str, str]) -> None:
    console.print(table_of(rows, "Times NumPy's forward pass"))
    slow = sorted((r for r in rows if r.verdict == "slow"), key=lambda r: -r.over("backward", "plain"))
    fast = [r for r in rows if r.verdict == "fast"]
    if slow:
        console.print(table_of(slow, f"More than {LIMIT} times"))
        for name, reason in {r.name: EXPLAINED[r.name] for r in slow if r.name in EXPLAINED}.items():
            console.print(f"  {name}: {reason}.", style="dim", markup=False)
    if fast:
        console.print(f"\nViews, or as fast as memory: within {LIMIT} times of writing the gradients, but not of these")
        console.print(", ".join(f"{r.name} {digits(r.over('backward', 'plain'))}" for r in fast))
    floors = [r for r in (*slow, *fast) if r.floor]
    if floors:
        console.print(
            "\nThe same gradients written in NumPy by hand, in the times of the forward pass, and backward beside:"
        )
        for r in floors:
            by_hand = r.floor / median(r.times["plain"])
            console.print(f"  {r.name}: {digits(by_hand)}, {digits(r.over('backward', 'plain'))}", markup=False)
    if reasons:
        console.print("\nNot measured:")
        for name, reason in reasons.items():
            console.print(f"  {name}: {reason}", markup=False)
    good = len(rows) - len(slow) - len(fast)
    console.print(
        f"\n{len(rows)} calls: {good} within {LIMIT} times, {len(fast)} as fast as memory, {len(slow)} beyond."
    )


if __name__ == "__main__":
    sys.exit(main())
