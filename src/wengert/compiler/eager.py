"""Kernels for single large elementwise operations outside of compiled functions, forward and backward.

What an operation computes is found out once: its declaration, a NumPy function or a rule, runs on `Symbol`, which
writes down the elementwise functions that it meets. Of that a loop is made which does everything in one pass: the
backward step of ``np.sin`` is ``g * cos(x)``, or what waits at the operand plus that, without a temporary array.

A declaration that does anything else (looks at values, calls what has no kernel) has none, and runs as always.
Results are those of NumPy within a few units in the last place.
"""

import ctypes
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import large
from wengert.compiler import native, threads
from wengert.compiler.alone import module
from wengert.compiler.assembly import FIELDS, spelled
from wengert.compiler.code import Code, bind
from wengert.compiler.locks import made_once
from wengert.compiler.program import Program
from wengert.compiler.replay import Mismatch
from wengert.compiler.run import Plan
from wengert.compiler.textkinds import kind_of, lanes_of, number, short
from wengert.compiler.trace import Trace
from wengert.compiler.vectormath import COMPARE, LOGICAL, function_call, host, is_supported, provide

__all__ = ["SCALARS", "Kernel", "backward_kernels", "entry_text", "forward_kernel", "prepared", "program_of"]

REFUSED = 2
"""What a kernel answers if an array is not as required; 0 if the result is there, 1 if not all of it is finite."""
SHARED = 1 << 16
"""From so many elements a loop is shared among threads."""
DTYPES = (np.dtype("d"), np.dtype("f"))
"""What kernels are made for."""
PARTS, GRAIN = 8, 8192
"""How many parts a shared loop has, and how small they may be."""
SCALARS = {"d": "double", "f": "float"}
TRUTHS = {*COMPARE, *LOGICAL, "logical_not", "isnan", "isinf", "isfinite", "signbit"}
ARITHMETIC = {
    "add", "subtract", "multiply", "divide", "negative", "positive", "absolute", "fabs", "square", "maximum of two",
    "minimum of two", "fmax of two", "fmin of two", "floor", "ceil", "trunc", "rint",
}  # fmt: skip
"""Operations that NumPy alone does as fast as a kernel: threads have to make the difference."""
VECTORS = {
    "d": {
        "exp2", "log10", "cbrt", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
    },
    "f": {
        "tan", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "arcsin", "arccos", "arctan", "sinh", "cosh",
        "tanh", "arcsinh", "arccosh", "arctanh", "arctan2",
    },
}  # fmt: skip
"""Functions of which the same holds: NumPy has vector functions for them where there is AVX-512."""
SLOW = {"power"}
"""Functions that take a kernel so much longer than NumPy that threads do not make up for it."""


class Untraceable(Exception):
    """A declaration is not made of elementwise functions alone."""


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """Stands for an array in a declaration, and records what is done with it."""

    def __init__(self, name: str, operands: tuple, dtype: np.dtype):
        self.name, self.operands, self.dtype = name, operands, dtype

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, **keywords: Any) -> "Symbol":
        name = ufunc.__name__
        if method != "__call__" or keywords or not is_supported(name, "d"):
            raise Untraceable(name)
        if name == "power" and isinstance(operands[1], (int, float)) and operands[1] in POWERS:
            return POWERS[operands[1]](operands[0])
        return self._made(name, operands, np.dtype(bool) if name in TRUTHS else None)

    def __array_function__(self, function: Any, types: Any, operands: Any, keywords: Any) -> "Symbol":
        if function is np.where and len(operands) == 3 and not keywords:
            return self._made("where", operands, None)
        if function in (np.zeros_like, np.ones_like) and len(operands) == 1:
            return Symbol("constant", (float(function is np.ones_like),), operands[0].dtype)
        if function in (np.any, np.all) and len(operands) == 1:
            return function is np.any  # type: ignore[return-value]  # what rules do for a special case, for all cases
        raise Untraceable(function.__name__)

    @staticmethod
    def _made(name: str, operands: tuple, dtype: np.dtype | None) -> "Symbol":
        given = operands[1:] if name == "where" else operands
        floats = {a.dtype for a in given if isinstance(a, Symbol) and a.dtype.kind == "f"}
        strong = [a for a in operands if not isinstance(a, (Symbol, float, int, bool))]
        if len(floats) > 1 or strong:
            raise Untraceable(name)
        if dtype is None:
            dtype = floats.pop() if floats else np.dtype(bool)
            if dtype.kind == "b" and name not in ("invert", "bitwise_and", "bitwise_or", "bitwise_xor"):
                raise Untraceable(name)
        return Symbol(name, operands, dtype)

    def __bool__(self) -> bool:
        raise Untraceable("bool")


POWERS: dict[Any, Callable[[Symbol], Symbol]] = {
    0: lambda x: Symbol("constant", (1.0,), x.dtype),
    0.5: np.sqrt,
    1: lambda x: x,
    2: lambda x: x * x,
    3: lambda x: x * x * x,
    4: lambda x: (x * x) * (x * x),
    -1: np.reciprocal,
}
"""Powers that need no logarithm."""


class _Writer:
    """Puts an expression down as instructions on vectors of the host's width."""

    def __init__(self, char: str, lanes: int):
        self.kind = kind_of(SCALARS[char], lanes)
        self.lines: list[str] = []
        self.count = 0
        self.good = ""

    def op(self, text: str) -> str:
        self.count += 1
        self.lines.append(f"  %v{self.count} = {text}")
        return f"%v{self.count}"

    def value(self, x: Any, known: dict[int, str]) -> str:
        """The text of a value; each is computed once."""
        if not isinstance(x, Symbol):
            return number(self.kind, float(x))
        if id(x) not in known:
            known[id(x)] = self._computed(x, known)
        return known[id(x)]

    def _computed(self, x: Symbol, known: dict[int, str]) -> str:
        if x.name == "constant":
            return number(self.kind, x.operands[0])
        if x.name == "where":
            condition, yes, no = (self.value(o, known) for o in x.operands)
            truth = kind_of("i1", lanes_of(self.kind))
            operands = [(truth, condition), (self.kind, yes), (self.kind, no)]
            return self.op(function_call(host(), "where", operands, self.kind, self.op))
        truths = all(isinstance(o, Symbol) and o.dtype.kind == "b" for o in x.operands)
        kind = kind_of("i1", lanes_of(self.kind)) if truths else self.kind
        operands = [(kind, self._as_number(o, known, truths)) for o in x.operands]
        result = kind_of("i1", lanes_of(self.kind)) if x.dtype.kind == "b" else self.kind
        return self.op(function_call(host(), x.name, operands, result, self.op))

    def _as_number(self, x: Any, known: dict[int, str], truths: bool) -> str:
        text = self.value(x, known)
        if truths or not isinstance(x, Symbol) or x.dtype.kind != "b":
            return text
        return self.op(f"uitofp {kind_of('i1', lanes_of(self.kind))} {text} to {self.kind}")


def _least(expression: Symbol, char: str) -> int:
    """From how many elements on a kernel is used: a rule that asks no clock, so that the same is done in each run."""
    names = _operations(expression, {})
    if SLOW & set(names):
        return large.NEVER
    alone = len(names) < 2 and (ARITHMETIC | VECTORS[char]).issuperset(names)
    if not alone:
        return large.LEAST
    return SHARED if threads.cores() > 1 else large.NEVER


def _operations(x: Any, seen: dict[int, str]) -> list[str]:
    """The names of what is computed for a value, each once."""
    if isinstance(x, Symbol) and x.operands and x.name != "constant" and id(x) not in seen:
        is_choice = x.name in ("maximum", "minimum", "fmax", "fmin")  # slow in NumPy if one of the two is a number
        of_two = is_choice and all(isinstance(operand, Symbol) for operand in x.operands)
        seen[id(x)] = f"{x.name} of two" if of_two else x.name
        for operand in x.operands:
            _operations(operand, seen)
    return list(seen.values())


class Kernel:
    """A loop over arrays of one size, the first of which is written. Call it with the size and the arrays' ids."""

    def __init__(self, leaves: list[Symbol], expression: Symbol, char: str, finite: bool):
        context = prepared()
        text = _loop_text(leaves, expression, char, finite) + entry_text(["%n"] * (1 + len(leaves)), char)
        self.text = module(text)
        provide(self.text)
        self.code = Code(self.text, level=2)
        kind = ctypes.CFUNCTYPE(ctypes.c_long, *[ctypes.c_void_p] * (3 + len(leaves)))
        self.run = functools.partial(kind(self.code.address("run")), context.ctypes.data)
        self.run.code = self.code  # type: ignore[attr-defined]  # which must live as long
        self.least = _least(expression, char)


@made_once
def prepared() -> np.ndarray:
    """Have helping threads and the functions that loops call; gives the addresses that they need of this process."""
    if not native.probe():
        raise NotImplementedError("arrays are laid out otherwise here")
    loops = Code(spelled("loops"), level=1)
    _kept.append(loops)
    bind("wengert.numbers", loops.address("numbers"))
    bind("wengert.share", native.runtime().address("share"))
    native.start_helpers()
    pool = threads.pool()
    if pool is None:  # one without helpers
        pool = np.zeros(len(FIELDS["pool"]), np.uint64)
        _kept.append(pool)
    return np.array([id(np.ndarray), pool.ctypes.data, *map(id, DTYPES)], np.uint64)


_kept: list[Any] = []


def forward_kernel(function: Callable, operands: int, char: str) -> Kernel | None:
    """A kernel for a function, called with the result and the operands; `None` if the function has none.

    It answers 1 where NumPy might have a warning to give.
    """
    if char not in SCALARS:
        return None
    leaves = [Symbol(f"x{i}", (), np.dtype(char)) for i in range(operands)]
    try:
        return Kernel(leaves, function(*leaves), char, finite=True)
    except Exception:  # whatever a declaration does that symbols do not know: NumPy knows
        return None


def backward_kernels(step: Callable, saved: int, char: str, singular: bool) -> tuple[Kernel, Kernel] | None:
    """Kernels for a backward step of a cotangent and saved values: one that gives it, and one that adds it.

    They are called with the result, for the second with what it is added to, with the cotangent and what was saved.
    """
    if char not in SCALARS:
        return None
    g, waiting, *rest = [Symbol(f"x{i}", (), np.dtype(char)) for i in range(2 + saved)]
    try:
        c = step(g, *rest)
        if singular:  # a zero cotangent wins over an infinite partial
            c = np.where(np.logical_and(g == 0, ~np.isfinite(c)), 0.0, c)
        fresh = Kernel([g, *rest], c, char, finite=False)
        return fresh, Kernel([waiting, g, *rest], waiting + c, char, finite=False)
    except Exception:
        return None


def program_of(function: Callable, inputs: list, finite: bool, memory: int) -> Callable | None:
    """A compiled program of a function of arrays and numbers, which is called like it; `None` if there is none.

    It gives `None` where the function has to be called itself: if a decision by a value comes out otherwise, or, where
    that is asked, if not all of the result is finite.
    """
    program = Program()
    try:
        with np.errstate(all="ignore"):
            y = function(*[Trace._of(x, program.input(x), program) for x in inputs])
            results: list[Any] = [y, np.all(np.isfinite(y))] if finite else [y]
        program.results = [result._node for result in results]
        plan = Plan(program, level=2, passes=True)
    except Exception:
        return None
    if not plan.native or plan.layout.arena > memory or any(launch.name is None for launch, *_ in plan.launches):
        return None

    def run(*given: Any) -> Any:
        try:
            found = plan(*given)
        except Mismatch:
            return None
        return found[0] if len(found) == 1 or found[1] else None

    return run


# Text ----------------------------------------------------------------------------------------------------------------


def _loop_text(leaves: list[Symbol], expression: Any, char: str, finite: bool) -> str:
    """``range(pointers, answer, begin, end)``: whole vectors first, then the rest under a mask.

    The answer becomes 1 if not all is finite and that is asked.
    """
    lanes = host().lanes(np.dtype(char).itemsize)
    truth = f"<{lanes} x i1>"
    all_true = number(truth, 1)
    writer = _Writer(char, lanes)
    lines = ["define void @range(ptr %pointers, ptr %answer, i64 %begin, i64 %end) {", "entry:"]
    for k in range(1 + len(leaves)):
        lines.append(f"  %at{k} = getelementptr ptr, ptr %pointers, i64 {k}")
        lines.append(f"  %array{k} = load ptr, ptr %at{k}")
    lines += [
        "  %count = sub i64 %end, %begin",
        f"  %whole = and i64 %count, {-lanes}",
        "  %last = add i64 %begin, %whole",
        "  %some = icmp ugt i64 %last, %begin",
        "  br i1 %some, label %loop, label %rest",
        "loop:",
        "  %i = phi i64 [%begin, %entry], [%i.next, %loop]",
        f"  %good = phi {truth} [{all_true}, %entry], [%good.next, %loop]",
        *_body(writer, leaves, expression, "%i", None),
        f"  %good.next = and {truth} %good, {_finite(writer, finite, None)}",
        f"  %i.next = add i64 %i, {lanes}",
        "  %more = icmp ult i64 %i.next, %last",
        "  br i1 %more, label %loop, label %rest",
        "rest:",
        f"  %good.rest = phi {truth} [{all_true}, %entry], [%good.next, %loop]",
        "  %left = sub i64 %end, %last",
        "  %any = icmp ne i64 %left, 0",
        "  br i1 %any, label %tail, label %done",
        "tail:",
        f"  %one = insertelement <{lanes} x i64> poison, i64 %left, i64 0",
        f"  %lefts = shufflevector <{lanes} x i64> %one, <{lanes} x i64> poison, <{lanes} x i32> zeroinitializer",
        f"  %mask = icmp ugt <{lanes} x i64> %lefts, <{', '.join(f'i64 {i}' for i in range(lanes))}>",
    ]
    lines += _body(writer, leaves, expression, "%last", "%mask")
    return "\n".join(
        [
            *lines,
            f"  %good.tail = and {truth} %good.rest, {_finite(writer, finite, '%mask')}",
            "  br label %done",
            "done:",
            f"  %good.all = phi {truth} [%good.rest, %rest], [%good.tail, %tail]",
            f"  %fine = call i1 @llvm.vector.reduce.and.v{lanes}i1({truth} %good.all)",
            "  %bad = xor i1 %fine, true",
            "  br i1 %bad, label %tell, label %over",
            "tell:",
            "  %before = atomicrmw or ptr %answer, i64 1 monotonic",
            "  br label %over",
            "over:",
            "  ret void",
            "}",
        ]
    )


def _body(writer: _Writer, leaves: list[Symbol], expression: Any, index: str, mask: str | None) -> list[str]:
    """Load, compute, test and store one vector."""
    writer.lines = lines = []
    kind, known = writer.kind, {}
    truth = kind_of("i1", lanes_of(kind))
    size = 8 if "double" in kind else 4
    scalar = "double" if size == 8 else "float"
    for k, leaf in enumerate(leaves, 1):
        place = writer.op(f"getelementptr {scalar}, ptr %array{k}, i64 {index}")
        if mask is None:
            known[id(leaf)] = writer.op(f"load {kind}, ptr {place}, align {size}")
        else:
            known[id(leaf)] = writer.op(
                f"call {kind} @llvm.masked.load.{short(kind)}.p0(ptr {place}, i32 {size}, {truth} {mask}, "
                f"{kind} zeroinitializer)"
            )
    result = writer.value(expression, known)
    place = writer.op(f"getelementptr {scalar}, ptr %array0, i64 {index}")
    if mask is None:
        lines.append(f"  store {kind} {result}, ptr {place}, align {size}")
    else:
        lines.append(
            f"  call void @llvm.masked.store.{short(kind)}.p0({kind} {result}, ptr {place}, i32 {size}, {truth} {mask})"
        )
    size_ = writer.op(f"call {kind} @llvm.fabs.{short(kind)}({kind} {result})")
    good = writer.op(f"fcmp olt {kind} {size_}, {number(kind, float('inf'))}")
    if mask is not None:
        outside = writer.op(f"xor {truth} {mask}, {number(truth, 1)}")
        good = writer.op(f"or {truth} {good}, {outside}")
    writer.good = good
    return lines


def _finite(writer: _Writer, finite: bool, mask: str | None) -> str:
    """The truth of all results of the last body being finite, where that is asked."""
    return writer.good if finite else number(kind_of("i1", lanes_of(writer.kind)), 1)


def entry_text(sizes: list[str], char: str, unit: str = "1024", before: str = "") -> str:
    """``run(context, n, objects...)``: looks at the arrays and runs the loop, a long one with more threads.

    Parameters
    ----------
    sizes : list of str
        How many elements each array has.
    char : str
        Their dtype.
    unit : str
        What threads get is a multiple of so many elements. If that is ``%unit`` it is given as well, after `n`, and
        the loop finds it behind the pointers.
    before : str
        What computes the sizes.
    """
    arrays, is_given = len(sizes), unit == "%unit"
    objects = ", ".join(["i64 %unit"] * is_given + [f"ptr %o{k}" for k in range(arrays)])
    lines = [f"define i64 @run(ptr %context, i64 %n, {objects}) {{", "entry:", *before.splitlines()]
    places = {"ndarray": 0, "pool": 1, "descr": 2 + DTYPES.index(np.dtype(char))}
    for name, word in places.items():
        lines += [
            f"  %{name}.at = getelementptr ptr, ptr %context, i64 {word}",
            f"  %{name} = load ptr, ptr %{name}.at",
        ]
    lines += [
        f"  %pointers = alloca [{arrays + 1} x ptr]",
        "  %answer = alloca i64",
        "  store i64 0, ptr %answer",
    ]
    for k, size in enumerate(sizes):
        lines += [
            f"  %d{k} = call ptr @wengert.numbers(ptr %o{k}, i64 {size}, ptr %ndarray, ptr %descr)",
            f"  %none{k} = icmp eq ptr %d{k}, null",
            f"  br i1 %none{k}, label %refused, label %ok{k}",
            f"ok{k}:",
            f"  %to{k} = getelementptr ptr, ptr %pointers, i64 {k}",
            f"  store ptr %d{k}, ptr %to{k}",
        ]
    lines += [
        f"  %behind = getelementptr ptr, ptr %pointers, i64 {arrays}",
        f"  store i64 {unit}, ptr %behind",
        f"  %many = icmp uge i64 %n, {SHARED}",
        "  br i1 %many, label %share, label %alone",
        "share:",
        f"  %part = udiv i64 %n, {PARTS}",
        f"  %least = call i64 @llvm.umax.i64(i64 %part, i64 {GRAIN})",
        f"  %units = udiv i64 %least, {unit}",
        "  %one.more = add i64 %units, 1",
        f"  %grain = mul i64 %one.more, {unit}",
        "  call void @wengert.share(ptr %pool, ptr @range, ptr %pointers, ptr %answer, i64 %n, i64 %grain)",
        "  br label %done",
        "alone:",
        "  call void @range(ptr %pointers, ptr %answer, i64 0, i64 %n)",
        "  br label %done",
        "done:",
        "  %result = load i64, ptr %answer",
        "  ret i64 %result",
        "refused:",
        f"  ret i64 {REFUSED}",
        "}",
    ]
    return "\n\n" + "\n".join(lines)
