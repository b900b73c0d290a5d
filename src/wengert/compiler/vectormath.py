"""What an elementwise operation is in LLVM's words.

One instruction or intrinsic where there is one, a few of them in NumPy's own order for functions that are made of
others (`formulas`), and a call of a library for the rest (`mathlibrary`).
"""

import functools
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from wengert.compiler.machine import multiplies_and_adds, vector_bits
from wengert.compiler.mathlibrary import (
    LIBM,
    is_library_function,
    library_call,
    load_libmvec,
    provide_scipy,
    vector_function,
)
from wengert.compiler.textkinds import (
    bits_kind,
    kind_of,
    lanes_of,
    number,
    scalar_of,
    short,
    shuffle,
    truth_kind,
    with_scalar,
)

__all__ = [
    "ALONE",
    "Operation",
    "Target",
    "declarations",
    "function_call",
    "host",
    "intrinsic",
    "is_supported",
    "provide",
]

INTRINSICS = {
    "sqrt": "sqrt", "absolute": "fabs", "fabs": "fabs", "floor": "floor", "ceil": "ceil", "trunc": "trunc",
    "rint": "roundeven", "maximum": "maximum", "minimum": "minimum", "fmax": "maxnum", "fmin": "minnum",
    "copysign": "copysign",
}  # fmt: skip
"""Of floats."""
ARITHMETIC = {"add": "fadd", "subtract": "fsub", "multiply": "fmul", "divide": "fdiv", "fmod": "frem"}
INTEGER = {"add": "add", "subtract": "sub", "multiply": "mul", "bitwise_and": "and", "bitwise_or": "or",
           "bitwise_xor": "xor"}  # fmt: skip
BOOLEAN = {"add": "or", "multiply": "and", "maximum": "or", "minimum": "and", "bitwise_and": "and",
           "bitwise_or": "or", "bitwise_xor": "xor"}  # fmt: skip
COMPARE = {"less": ("olt", "lt"), "less_equal": ("ole", "le"), "equal": ("oeq", "eq"), "not_equal": ("une", "ne"),
           "greater": ("ogt", "gt"), "greater_equal": ("oge", "ge")}  # fmt: skip
ARM = ("aarch64", "arm64")
"""Where the larger one of two zeros is 0.0, for NumPy as for LLVM."""
ALONE = "wengert.alone."
"""Begins the names of functions of fewer numbers than a register holds, see `alone`."""
LOGICAL = {"logical_and": "and", "logical_or": "or", "logical_xor": "xor"}


@dataclass
class Target:
    """The machine that kernels are made for: the bits of its registers, and whether glibc's vector functions serve."""

    bits: int
    vector_library: bool
    machine: str = "x86_64"
    fused: bool = False
    """Whether it multiplies and adds in one instruction."""
    texts: dict[tuple, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)
    """The lines of operations that have been put down, see `function_call`."""

    @property
    def letters(self) -> dict[int, str]:
        """How glibc names the registers of each size."""
        if self.machine in ARM:
            return {128: "n"}
        sizes = {128: "b", 256: "d", 512: "e"}
        return {bits: letter for bits, letter in sizes.items() if bits <= max(self.bits, 128)}

    def lanes(self, size: int) -> int:
        """How many numbers of a size in bytes a register holds."""
        return self.bits // (8 * size)


@functools.cache
def host() -> Target:
    """The machine it is, as far as it may be used (`wengert.compiler.machine`)."""
    return Target(vector_bits(), load_libmvec(), platform.machine(), multiplies_and_adds())


@dataclass(slots=True)
class Operation:
    """An elementwise operation to be put down: operands with their types, the result's type, and where lines go."""

    target: Target
    name: str
    operands: list[tuple[str, str]]
    kind: str
    op: Callable[[str], str]
    signed: bool

    @property
    def a(self) -> str:
        """The first operand."""
        return self.operands[0][1]

    @property
    def b(self) -> str:
        """The last operand."""
        return self.operands[-1][1]

    @property
    def operand_kind(self) -> str:
        """The first operand's type."""
        return self.operands[0][0]

    @property
    def floats(self) -> bool:
        """Whether the operands are floats."""
        return scalar_of(self.operand_kind) in ("float", "double")

    @property
    def booleans(self) -> bool:
        """Whether the operands are truth values."""
        return scalar_of(self.operand_kind) == "i1"

    @property
    def is_beyond_registers(self) -> bool:
        """Whether there are more floats than a register has lanes."""
        if not self.floats:  # of which there are no long functions
            return False
        size = 4 if scalar_of(self.operand_kind) == "float" else 8
        return lanes_of(self.kind) > max(self.target.lanes(size), 1)

    def call(self, name: str, *operands: str, kind: str | None = None) -> str:
        """Put down another operation on operands of the same type."""
        given = [(self.operand_kind, x) for x in operands]
        return self.op(function_call(self.target, name, given, kind or self.kind, self.op, self.signed))

    def test(self, name: str, a: str, b: str) -> str:
        """Put down a comparison."""
        return self.call(name, a, b, kind=truth_kind(self.operand_kind))

    def choose(self, condition: str, yes: str, no: str) -> str:
        """Put down a choice between two values of the result's type."""
        return self.op(self.choice(condition, yes, no))

    def choice(self, condition: str, yes: str, no: str) -> str:
        """The text of a choice."""
        return f"select {truth_kind(self.kind)} {condition}, {self.kind} {yes}, {self.kind} {no}"

    def number(self, value: float) -> str:
        """A constant of the operands' type."""
        return number(self.operand_kind, value)


def function_call(
    target: Target, name: str, operands: list[tuple[str, str]], kind: str, op: Callable[[str], str], signed: bool = True
) -> str:
    """The text of one instruction or call that does an elementwise operation; more are put down by `op`.

    Parameters
    ----------
    target : Target
        The machine.
    name : str
        NumPy's or SciPy's name of the function, ``"where"`` or ``"cast"``.
    operands : list
        Type and text of each operand.
    kind : str
        The result's type, with as many lanes.
    op : callable
        Puts down an instruction, and gives the name of its result.
    signed : bool
        Whether integer operands, or the integers that floats are cast to, have signs.
    """
    names = [x for _, x in operands]
    key = (name, *[k for k, _ in operands], kind, signed)
    lines = target.texts.get(key)
    if lines is None:
        lines = target.texts[key] = _lines(target, name, [k for k, _ in operands], kind, signed)
    for line in lines[:-1]:
        names.append(op(line.format(*names)))
    return lines[-1].format(*names)


def _lines(target: Target, name: str, kinds: list[str], kind: str, signed: bool) -> tuple[str, ...]:
    """The lines of an operation, in which the numbers in braces count the operands, and then what each line gives.

    So an operation's own text has no braces, as structures have in LLVM's language.
    """
    lines: list[str] = []

    def op(text: str) -> str:
        lines.append(text)
        return f"{{{len(kinds) + len(lines) - 1}}}"

    operands = [(k, f"{{{i}}}") for i, k in enumerate(kinds)]
    last = _last_line(Operation(target, name, operands, kind, op, signed))
    return (*lines, last)


def _last_line(o: Operation) -> str:
    """The text of the last instruction of an operation; the others are put down."""
    text = _instruction(o)
    if text is None and o.is_beyond_registers:
        return _in_halves(o)
    alike = o.floats and all(k == o.kind for k, _ in o.operands)
    if text is None and alike and _is_alone(o):
        given = ", ".join(f"{k} {x}" for k, x in o.operands)
        return f"call {o.kind} @{ALONE}{o.name}.{short(o.kind)}({given})"
    if text is None and o.name in _formulas():
        text = _formulas()[o.name](o)
    if text is None and alike and is_library_function(o.name, len(o.operands)):
        text = library_call(o.target, o.name, o.operands, o.kind, o.op)
    if text is None:
        raise NotImplementedError(f"{o.name} of {o.operand_kind}")
    return text


def _is_alone(o: Operation) -> bool:
    """Whether there are fewer numbers than a register holds of which a function has its own way for whole registers."""
    lanes = o.target.lanes(4 if scalar_of(o.kind) == "float" else 8)
    if o.name not in LIBM or max(lanes_of(o.kind), 1) >= lanes:
        return False
    wide = kind_of(scalar_of(o.kind), lanes)
    whole = Operation(o.target, o.name, [(wide, "x") for _ in o.operands], wide, lambda _: "x", o.signed)
    approximation = _formulas()[o.name](whole) if o.name in _formulas() else None
    return approximation is not None or vector_function(o.target, o.name, len(o.operands), wide) is not None


def _in_halves(o: Operation) -> str:
    """The same operation on each half of the lanes; the text of the last instruction, which joins them."""
    n = lanes_of(o.kind)
    half = kind_of(scalar_of(o.kind), n // 2)

    def of(lanes: range) -> str:
        operands = [(kind_of(scalar_of(k), n // 2), o.op(shuffle(k, x, x, lanes))) for k, x in o.operands]
        return o.op(function_call(o.target, o.name, operands, half, o.op, o.signed))

    return shuffle(half, of(range(n // 2)), of(range(n // 2, n)), range(n))


@functools.cache
def is_supported(name: str, char: str = "d", count: int = 0) -> bool:
    """Whether `function_call` knows a function of so many operands of one dtype; 0: of however many."""
    if not count:
        return any(is_supported(name, char, k) for k in (1, 2, 3, 4))
    scalar = {"?": "i1", "d": "double", "f": "float"}.get(char, "i64")
    lines: list[str] = []

    def op(text: str) -> str:
        lines.append(text)
        return f"%x{len(lines)}"

    truth = name in COMPARE or name.startswith(("is", "logical_", "signbit"))
    operands = [(scalar, f"%a{i}") for i in range(count)]
    try:
        function_call(Target(64, False), name, operands, "i1" if truth else scalar, op, char not in "BHILQ")
    except (NotImplementedError, ValueError, IndexError, KeyError):
        return False
    return True


@functools.cache
def _formulas() -> dict[str, Callable[[Operation], str | None]]:
    from wengert.compiler import approximations

    return approximations.FORMULAS


def provide(text: str) -> None:
    """Have everything found that a module's text calls and that LLVM does not find by itself."""
    provide_scipy(text)
    if "@wengert.sincos." in text:
        from wengert.compiler.sines import provide_sines

        provide_sines(text)


def declarations(text: str) -> str:
    """Declarations of the functions that a module calls, or passes on, and does not define itself."""
    defined = set(re.findall(r"^(?:define [^@]*)?@([\w.]+)", text, re.M))
    found: dict[str, str] = {}
    for kind, name, arguments in re.findall(r"call ([^@\n]+) @([\w.]+)\((.*)\)$", text, re.M):
        if name not in found and name not in defined:
            found[name] = f"declare {kind} @{name}({', '.join(_kinds(arguments))})"
        for passed in re.findall(r"ptr @([\w.]+)", arguments) if "@" in arguments else ():
            if passed not in found and passed not in defined:
                found[passed] = f"declare void @{passed}()"
    return "\n".join(text for _, text in sorted(found.items()))


def _kinds(arguments: str) -> list[str]:
    """The types of the arguments of a call."""
    kinds, depth, start = [], 0, 0
    for i, c in enumerate(arguments + ","):
        depth += (c == "<") - (c == ">")
        if c == "," and not depth:
            part = arguments[start:i].strip()
            kinds.append(part[: part.index(">") + 1] if part.startswith("<") else part.split(" ")[0])
            start = i + 1
    return kinds


def intrinsic(target: Target, name: str, operands: list[tuple[str, str]], kind: str) -> str:
    """The text of a call of one of LLVM's own functions."""
    full = f"@llvm.{name}.{short(kind)}"
    return f"call {kind} {full}({', '.join(f'{k} {x}' for k, x in operands)})"


# Instructions --------------------------------------------------------------------------------------------------------


def _instruction(o: Operation) -> str | None:
    """An operation that is one instruction or intrinsic."""
    name = o.name
    if name in COMPARE:
        return _comparison(o)
    if name == "cast":
        if o.floats and not o.signed and scalar_of(o.kind) in ("i32", "i64"):
            return _to_unsigned(o)
        return _cast(o.operand_kind, o.a, o.kind, o.signed)
    if name == "where":
        condition, yes, no = o.operands
        return f"select {condition[0]} {condition[1]}, {yes[0]} {yes[1]}, {no[0]} {no[1]}"
    if name in LOGICAL or name == "logical_not":
        return _logical(o)
    if name in ("positive", "conjugate"):
        return f"bitcast {o.operand_kind} {o.a} to {o.kind}"
    if name == "invert":
        return f"xor {o.kind} {o.a}, {number(o.kind, 1 if o.booleans else -1)}"
    if o.floats:
        return _of_floats(o)
    if o.booleans:
        return f"{BOOLEAN[name]} {o.kind} {o.a}, {o.b}" if name in BOOLEAN else None
    return _of_integers(o)


def _comparison(o: Operation) -> str:
    float_test, test = COMPARE[o.name]
    if o.floats:
        return f"fcmp {float_test} {o.operand_kind} {o.a}, {o.b}"
    prefix = "" if test in ("eq", "ne") else "s" if o.signed and not o.booleans else "u"
    return f"icmp {prefix}{test} {o.operand_kind} {o.a}, {o.b}"


def _logical(o: Operation) -> str:
    kind = truth_kind(o.operand_kind)
    truths = [x if scalar_of(k) == "i1" else o.op(_cast(k, x, kind, o.signed)) for k, x in o.operands]
    if o.name == "logical_not":
        return f"xor {kind} {truths[0]}, {number(kind, 1)}"
    return f"{LOGICAL[o.name]} {kind} {truths[0]}, {truths[1]}"


def _of_floats(o: Operation) -> str | None:
    name, kind = o.name, o.kind
    if name in ARITHMETIC:
        return f"{ARITHMETIC[name]} {kind} {o.a}, {o.b}"
    if name == "negative":
        return f"fneg {kind} {o.a}"
    if name in ("maximum", "minimum") and o.target.machine not in ARM:
        return _extremum(o)
    if name in INTRINSICS:
        return intrinsic(o.target, INTRINSICS[name], o.operands, kind)
    if name == "isnan":
        return f"fcmp uno {o.operand_kind} {o.a}, {o.a}"
    if name in ("isfinite", "isinf"):
        size = o.op(intrinsic(o.target, "fabs", o.operands, o.operand_kind))
        return f"fcmp {'olt' if name == 'isfinite' else 'oeq'} {o.operand_kind} {size}, {o.number(float('inf'))}"
    if name == "signbit":
        bits = bits_kind(o.operand_kind)
        return f"icmp slt {bits} {o.op(f'bitcast {o.operand_kind} {o.a} to {bits}')}, {number(bits, 0)}"
    return None


def _extremum(o: Operation) -> str:
    """As NumPy has it on these machines: not-a-number where there is one, and of two zeros the second."""
    first = o.op(f"fcmp {'ogt' if o.name == 'maximum' else 'olt'} {o.operand_kind} {o.a}, {o.b}")
    chosen = o.choose(first, o.a, o.b)
    return o.choice(o.op(f"fcmp uno {o.operand_kind} {o.a}, {o.a}"), o.a, chosen)


def _of_integers(o: Operation) -> str | None:
    name, kind = o.name, o.kind
    if name in INTEGER:
        return f"{INTEGER[name]} {kind} {o.a}, {o.b}"
    if name in ("maximum", "minimum", "fmax", "fmin"):
        size = "max" if "max" in name else "min"
        return intrinsic(o.target, f"{'s' if o.signed else 'u'}{size}", o.operands, kind)
    if name == "negative":
        return f"sub {kind} {number(kind, 0)}, {o.a}"
    if name in ("absolute", "fabs") and o.signed:
        return intrinsic(o.target, "abs", [*o.operands, ("i1", "false")], kind)
    if name in ("absolute", "floor", "ceil", "trunc", "rint"):
        return f"bitcast {kind} {o.a} to {kind}"
    if name in ("isnan", "isinf"):
        return f"icmp ne {o.operand_kind} {o.a}, {o.a}"
    if name == "isfinite":
        return f"icmp eq {o.operand_kind} {o.a}, {o.a}"
    if name == "signbit":
        return f"icmp slt {o.operand_kind} {o.a}, {number(o.operand_kind, 0)}"
    return None


def _to_unsigned(o: Operation) -> str:
    """Floats as whole numbers without signs, which may be as large as no number with one is."""
    wide = with_scalar(o.kind, "i64")
    if wide != o.kind:
        return f"trunc {wide} {o.op(_cast(o.operand_kind, o.a, wide, True))} to {o.kind}"
    half, top = o.number(2.0**63), number(wide, -(2**63))
    small = o.op(_cast(o.operand_kind, o.a, wide, True))
    rest = o.op(f"fsub {o.operand_kind} {o.a}, {half}")
    large = o.op(f"xor {wide} {o.op(_cast(o.operand_kind, rest, wide, True))}, {top}")
    return o.choice(o.op(f"fcmp oge {o.operand_kind} {o.a}, {half}"), large, small)


def _cast(source: str, a: str, kind: str, signed: bool) -> str:
    """A conversion as C does it; truth is what is not zero."""
    old, new = scalar_of(source), scalar_of(kind)
    if old == new:
        return f"bitcast {source} {a} to {kind}"
    if new == "i1":
        test = "fcmp une" if old in ("float", "double") else "icmp ne"
        return f"{test} {source} {a}, {number(source, 0)}"
    if old in ("float", "double"):
        if new in ("float", "double"):
            return f"{'fpext' if new == 'double' else 'fptrunc'} {source} {a} to {kind}"
        return f"fptosi {source} {a} to {kind}"
    signed = signed and old != "i1"
    if new in ("float", "double"):
        return f"{'sitofp' if signed else 'uitofp'} {source} {a} to {kind}"
    if int(old[1:]) > int(new[1:]):
        return f"trunc {source} {a} to {kind}"
    return f"{'sext' if signed else 'zext'} {source} {a} to {kind}"
