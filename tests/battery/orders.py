"""Which derivatives of each public function the battery's samples have, and what is compiled: for the coverage page.

``python -m tests.battery.orders`` writes them anew. A sample counts where the derivative is there and the ways to it
agree; that it is right is for the battery's other files.
"""

import json
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from tests.battery.samples import SMOOTH, Sample
from tests.battery.variants import key_of

from wengert import coverage
from wengert.box import unbox
from wengert.compiler.lower import lower
from wengert.compiler.program import Program
from wengert.compiler.trace import Trace
from wengert.errors import WengertError
from wengert.tensor import Tensor
from wengert.testing.calls import Call, along, backward_twice, pulled_back
from wengert.transforms.containers import flatten
from wengert.transforms.forward import jvp
from wengert.transforms.reverse import vjp


def _reverse(call: Any) -> bool:
    pulled_back(call, call.inputs, call.cotangents)
    return True


def _forward(call: Any) -> bool:
    """Forward and reverse derivatives are each other's transposes."""
    there = jvp(lambda *xs: _numbers(call.result(*xs)), tuple(call.inputs), tuple(call.tangents))[1]
    back = pulled_back(call, call.inputs, call.cotangents)
    tolerance = 1e-2 if call.single else 1e-6
    return np.allclose(along(call.cotangents, there), along(call.tangents, back), rtol=tolerance, atol=tolerance)


def _numbers(result: Any) -> list:
    """The float and complex numbers of a result, as whatever they are in."""
    if isinstance(result, (list, tuple)):
        return [y for item in result for y in _numbers(item)]
    result = np.float64(result) if type(result) is float else result
    return [result] if getattr(getattr(result, "dtype", None), "kind", "") in ("f", "c") else []


def _second(call: Any) -> bool:
    backward_twice(call)
    return True


WAYS = {"reverse": _reverse, "forward": _forward, "second": _second}


def _native(call: Any) -> set[bool]:
    """Whether the function itself, and its reverse derivative, are compiled without a call of NumPy's that is left."""
    if any(x.dtype.kind == "c" for x in (*call.inputs, *call.cotangents)):
        return set()
    found = set()
    for way in (lambda *xs: call.result(*xs), lambda *xs: vjp(call, *xs)[1](list(call.cotangents))):
        program = Program()
        results = way(*[Tensor._box(Trace._of(x, program.input(x), program)) for x in call.inputs])
        traces = [unbox(y) for y in flatten(results)[0]]
        program.results = [y._node for y in traces if isinstance(y, Trace)]
        if program.results:
            found.add(not any(value.kind == "call" for value in lower(program).values))
    return found


def shown(function: Any, given: list[Sample]) -> dict[str, str]:
    """For each way to a derivative, and for being compiled, whether the samples have it.

    The answers are ``"yes"``, ``"no"``, and ``"in part"`` where only some samples do; ``"-"`` where none tells.
    """
    found: dict[str, set[bool]] = {way: set() for way in (*WAYS, "compiled")}
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        for sample in given:
            call = Call(function, sample.args, sample.kwargs)
            if call.inputs and call.cotangents:
                for way, has in WAYS.items():
                    found[way].add(_try(has, call, False))
                found["compiled"] |= _try(_native, call, set())
    compiled = found.pop("compiled")
    answers = {way: _in_a_word(seen) for way, seen in found.items()}
    return answers | {"compiled": _in_a_word(compiled) if compiled else "-"}


def _in_a_word(seen: set[bool]) -> str:
    return "in part" if len(seen) > 1 else "yes" if True in seen else "no"


def _try(has: Any, call: Any, otherwise: Any) -> Any:
    try:
        return has(call)
    except (WengertError, TypeError, ValueError):
        return otherwise


def sampled() -> Iterator[tuple[str, Any]]:
    """The differentiable public functions that have samples: full name, key in the samples."""
    keys = {key_of(function): function for function in SMOOTH}
    for name in coverage.public_functions():
        function = coverage.function_of(name)
        if coverage.status(name) == "differentiable" and getattr(function, "__hash__", None) and function in keys:
            yield name, keys[function]


def measured() -> dict[str, str]:
    """From the name of each sampled function to the first letters of what `shown` says: ``"yyny"``."""
    seen: dict[Any, str] = {}
    found = {}
    for name, function in sampled():
        if function not in seen:
            seen[function] = "".join(answer[0] for answer in shown(function, SMOOTH[function]).values())
        found[name] = seen[function]
    return found


def stored() -> dict[str, list[str]]:
    """What the page is made of: the names with each answer."""
    return json.loads(coverage.SHOWN_FILE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    groups: dict[str, list[str]] = {}
    for name, letters in sorted(measured().items()):
        groups.setdefault(letters, []).append(name)
    coverage.SHOWN_FILE.write_text(json.dumps(groups, indent=0) + "\n", encoding="utf-8")
