"""Elementary functions of fewer numbers than a register holds, by what does it for whole registers.

Libraries have one function for a single number and others for registers of each size, which differ in the last place.
But a number that is computed twice, alone (outside of a loop) and among others, must be the same number, and so must
``np.exp(x[0])`` and ``np.exp(x)[0]``: programs rely on differences that are exactly 0. So what is narrower than the
machine's registers is put into all lanes of one, or twice side by side, and goes the same way.
"""

import re
from collections.abc import Callable

from wengert.compiler.mathlibrary import OF_TWO
from wengert.compiler.textkinds import kind_of, lanes_of, shuffle
from wengert.compiler.vectormath import ALONE, Target, declarations, function_call, host

__all__ = ["completed", "module"]

SCALARS = {"f64": "double", "f32": "float"}


def module(text: str, target: Target | None = None) -> str:
    """A whole module: definitions, such functions that they call, and declarations of the others."""
    text = completed(text, target)
    return f"{text}\n\n{declarations(text)}"


def completed(text: str, target: Target | None = None) -> str:
    """Definitions, with those functions that they call."""
    target = target or host()
    called = sorted(set(re.findall(rf"@{re.escape(ALONE)}(\w+)\.(?:v(\d+))?(\w+)\(", text)))
    return "\n\n".join([text, *[_function(name, int(n or 0), kind, target) for name, n, kind in called]])


def _function(name: str, lanes: int, short: str, target: Target) -> str:
    """The definition of a function of so many numbers, 0 for one alone."""
    scalar = SCALARS[short]
    kind, wide = kind_of(scalar, lanes), kind_of(scalar, target.lanes(int(short[1:]) // 8))
    lines: list[str] = []

    def op(text: str) -> str:
        lines.append(f"  %v{len(lines)} = {text}")
        return f"%v{len(lines) - 1}"

    given = [f"%x{i}" for i in range(2 if name in OF_TWO else 1)]
    result = op(function_call(target, name, [(wide, _widened(x, kind, wide, op)) for x in given], wide, op))
    narrow = shuffle(wide, result, result, range(lanes)) if lanes else f"extractelement {wide} {result}, i64 0"
    taken = ", ".join(f"{kind} {x}" for x in given)
    result = op(narrow)
    head = f"define internal {kind} @{ALONE}{name}.{f'v{lanes}' if lanes else ''}{short}({taken}) {{"
    return "\n".join([head, "entry:", *lines, f"  ret {kind} {result}", "}"])


def _widened(x: str, kind: str, wide: str, op: Callable[[str], str]) -> str:
    """A register that holds a number, or a shorter vector, again and again."""
    if lanes_of(kind):
        return op(shuffle(kind, x, x, [i % lanes_of(kind) for i in range(lanes_of(wide))]))
    first = op(f"insertelement {wide} poison, {kind} {x}, i64 0")
    return op(shuffle(wide, first, first, [0] * lanes_of(wide)))
