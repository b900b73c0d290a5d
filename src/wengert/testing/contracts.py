"""What the library expects of a function with a rule: contracts, each of which reports how it is broken, or `None`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.creation import asarray
from wengert.errors import LostGradientError
from wengert.primitive import REGISTRY, Primitive
from wengert.tape import no_grad
from wengert.tensor import Tensor
from wengert.testing.calls import (
    Call,
    along,
    backward_of,
    backward_twice,
    gradients_of,
    inexact,
    part_along_tangents,
    plain,
    pulled_back,
    pulled_back_twice,
    pushed,
    random_like,
    recorded,
    run_backward,
)
from wengert.testing.orders import first_order, names_of, second_order
from wengert.testing.reports import approximate, exact, rounds, same_result, text, worst

__all__ = ["CONTRACTS", "SINGULAR_CONTRACTS", "VALUE_CONTRACTS", "known"]


def known(function: Any) -> Any:
    """The registry's entry of a function, or of a ufunc's method (``np.add.reduce``)."""
    owner = getattr(function, "__self__", None)
    key = (owner, function.__name__) if isinstance(owner, np.ufunc) else function
    return REGISTRY.get(key)


def _results_are_numpys(call: Call) -> str | None:
    return same_result(call.result(*recorded(call.inputs)), call.expected, exact(call))


def _all_arrays_as_tensors(call: Call) -> str | None:
    """Integer and boolean ones too, which say where to look and how often."""
    return same_result(call.all_as_tensors(), call.expected, exact(call), "of tensors, the result")


def _records_only_when_asked(call: Call) -> str | None:
    with no_grad():
        results = {"under no_grad": call.result(*recorded(call.inputs))}
    results["of tensors that require none"] = call.result(*map(asarray, call.inputs))
    for when, result in results.items():
        report = same_result(result, call.expected, exact(call), f"{when}, the result")
        if report:
            return report
        if any(isinstance(y, Tensor) and y.grad_fn is not None for y in inexact(result)):
            return f"{when}, the result is recorded"
    return None


def _agrees_with_differences(call: Call) -> str | None:
    return first_order(call, **approximate(call))


def _cotangents_fit(call: Call) -> str | None:
    for way in (backward_of, pulled_back):
        for name, x, g in zip(call.names, call.inputs, way(call, call.inputs, call.cotangents), strict=True):
            if g.shape != x.shape or g.dtype != x.dtype:
                return f"the gradient of {name}, {text(x)}, is {text(plain(g))}"
    return None


def _ways_agree(call: Call) -> str | None:
    """`backward` and `vjp`, and each input recorded alone."""
    together = backward_of(call, call.inputs, call.cotangents)
    report = worst(
        "backward and vjp", call.names, together, pulled_back(call, call.inputs, call.cotangents), **exact(call)
    )
    for k, name in enumerate(call.names if len(call.names) > 1 else ()):

        def alone(x, k=k):
            return call(*call.inputs[:k], x, *call.inputs[k + 1 :])

        try:
            gradient = backward_of(alone, [call.inputs[k]], call.cotangents)
        except LostGradientError:
            continue  # NumPy does not look at this argument and would drop the gradient: refused, not lost
        report = report or worst(
            "recorded with the other inputs and alone", [name], together[k : k + 1], gradient, **exact(call)
        )
    return report


def _linear_in_the_cotangent(call: Call) -> str | None:
    """Also where the cotangent is zero, which a rule might take for a reason to stop."""
    others = [random_like(g, seed) for seed, g in enumerate(call.cotangents, 50)]
    first, second, both = (
        backward_of(call, call.inputs, cotangents)
        for cotangents in (call.cotangents, others, _twice_less(call.cotangents, others))
    )
    report = worst(
        "gradient for 2g - h, and twice that for g less that for h",
        call.names,
        both,
        _twice_less(first, second),
        **exact(call),
    )
    n = len(call.inputs)
    at_zero, elsewhere = (pulled_back_twice(call, cotangents)[n:] for cotangents in (_zeros(call), call.cotangents))
    return report or worst(
        "derivative of the gradient by a cotangent of zero, and by another",
        names_of(call)[n:],
        at_zero,
        elsewhere,
        **exact(call),
    )


def _twice_less(first: Sequence, second: Sequence) -> list:
    return [2 * a - b for a, b in zip(first, second, strict=True)]


def _zeros(call: Call) -> list:
    return [np.zeros_like(g)[()] for g in call.cotangents]


def _writes_to_nothing(call: Call) -> str | None:
    """Inputs, and the cotangents as the rule sees them, keep their values; gradients have memory of their own."""
    before = [np.array(x) for x in call.inputs]
    seen: list[tuple[Tensor, np.ndarray]] = []
    tensors = recorded(call.inputs)
    results = call(*tensors)
    for y in results:
        if isinstance(y, Tensor) and y.requires_grad:
            y.register_hook(lambda g: seen.append((g, g.numpy())))
    run_backward(results, call.cotangents, create_graph=False)
    gradients = [plain(g) for g in gradients_of(tensors)]
    for name, old, x in zip(call.names, before, call.inputs, strict=True):
        if not np.array_equal(old, x, equal_nan=True):
            return f"{name} was written to"
    if any(not np.array_equal(g.data, old, equal_nan=True) for g, old in seen):
        return "the cotangent of the result was written to"
    others = [*call.inputs, *(g.data for g, _ in seen), *(plain(y) for y in results)]
    return _shared(call.names, gradients, others) or _shared(
        call.names, pulled_back(call, call.inputs, call.cotangents), [*call.inputs, *call.cotangents]
    )


def _shared(names: Sequence[str], gradients: Sequence, others: Sequence) -> str | None:
    for k, (name, g) in enumerate(zip(names, gradients, strict=True)):
        if any(np.may_share_memory(g, other) for other in (*others, *gradients[:k])):
            return f"the gradient of {name} shares memory with an input, a cotangent, a result or another gradient"
    return None


def _second_derivatives_agree(call: Call) -> str | None:
    return worst(
        "derivatives of the gradient by create_graph and by nested vjp",
        names_of(call),
        backward_twice(call),
        pulled_back_twice(call, call.cotangents),
        **exact(call),
    ) or _second_order_beside_differences(call)


def _second_order_beside_differences(call: Call) -> str | None:
    if rounds(call):
        return None  # differences of what has few digits
    within = approximate(call)
    return second_order(call, **(within | {"rtol": 1e-2, "atol": 1e-2} if call.single else within))


def _zero_gives_zero(call: Call) -> str | None:
    zeros = _zeros(call)
    for way in (backward_of, pulled_back):
        for name, g in zip(call.names, way(call, call.inputs, zeros), strict=True):
            if np.any(plain(g) != 0):
                return f"for a zero cotangent the gradient of {name} is {plain(g)}"
    for name, g in zip(call.names, pulled_back_twice(call, zeros), strict=False):
        if np.any(g != 0):
            return f"for a zero cotangent the derivative of the gradient by {name} is {g}"
    return None


def _adjoint_of_itself(call: Call) -> str | None:
    """Of a function declared linear (or linear in each operand) the tangent rule is the function itself."""
    declared = known(call.function)
    if not isinstance(declared, Primitive) or declared.kind not in ("linear", "bilinear"):
        return None
    gradients = backward_of(call, call.inputs, call.cotangents)
    each = range(len(call.inputs))
    for moved in [each] if declared.kind == "linear" else [[k] for k in each]:
        # Of constants among the operands, which are in both, the difference is free.
        ends = ([scale * call.tangents[k] if k in moved else x for k, x in enumerate(call.inputs)] for scale in (1, 0))
        there, origin = (along(call.cotangents, call(*values)) for values in ends)
        forward = there - origin
        reverse = along([call.tangents[k] for k in moved], [plain(gradients[k]) for k in moved])
        tolerance = 1e-4 if call.single else 1e-12
        if abs(forward - reverse) > tolerance * max(1.0, abs(forward)):
            return f"declared {declared.kind}, but <g, J t> = {forward} and <J^T g, t> = {reverse}"
    return None


def _forward_mode_agrees(call: Call) -> str | None:
    """Tangents have their results' shapes and dtypes, are linear in those of the inputs, and agree with gradients."""
    first = pushed(call, call.inputs, call.tangents)
    for i, (y, t) in enumerate(zip(call(*call.inputs), first, strict=True)):
        if np.shape(t) != np.shape(y) or t.dtype != y.dtype:
            return f"the tangent of result {i}, {text(plain(y))}, is {text(plain(t))}"
    others = [random_like(x, seed) for seed, x in enumerate(call.inputs, 150)]
    second, both = (pushed(call, call.inputs, t) for t in (others, _twice_less(call.tangents, others)))
    names = [f"result {i}" for i in range(len(first))]
    return worst(
        "tangent for 2t - s, and twice that for t less that for s",
        names,
        both,
        _twice_less(first, second),
        **_near(call),
    ) or _same_number(
        call,
        "tangents by jvp and gradients by vjp, along each other",
        along(call.cotangents, first),
        along(call.tangents, pulled_back(call, call.inputs, call.cotangents)),
    )


def _second_derivatives_in_forward_mode(call: Call) -> str | None:
    """Forward over reverse, reverse over forward, forward over forward: as reverse over reverse."""
    n = len(call.inputs)
    values = [*call.inputs, *call.cotangents]
    others = [random_like(x, seed) for seed, x in enumerate(values, 200)]
    twice = pulled_back_twice(call, call.cotangents)
    expected = along(others, twice)

    def part_by_jvp(*values: Any) -> list:
        return [along(values[n:], pushed(call, values[:n], call.tangents))]

    ways = {
        "forward over reverse": lambda: pushed(part_along_tangents(call, pulled_back), values, others)[0],
        "reverse over forward": lambda: along(others, pulled_back(part_by_jvp, values, [1.0])),
        "forward over forward": lambda: pushed(part_by_jvp, values, others)[0],
    }
    reports = (_same_number(call, f"{way} and reverse over reverse", got(), expected) for way, got in ways.items())
    return next(filter(None, reports), None)


def _near(call: Call) -> dict[str, Any]:
    """Tolerances for numbers that were computed in different ways."""
    return {"rtol": 1e-2, "atol": 1e-2} if call.single else {"rtol": 1e-8, "atol": 1e-8}


def _same_number(call: Call, what: str, got: Any, expected: Any) -> str | None:
    got, expected = float(plain(got)), float(plain(expected))
    if np.allclose(got, expected, **_near(call), equal_nan=False):
        return None
    return f"{what}: got {got}, expected {expected}"


VALUE_CONTRACTS = {
    "results are NumPy's": _results_are_numpys,
    "all arrays as tensors": _all_arrays_as_tensors,
}
SINGULAR_CONTRACTS = {
    **VALUE_CONTRACTS,
    "records only when asked": _records_only_when_asked,
    "cotangents fit their inputs": _cotangents_fit,
    "a zero cotangent gives zero": _zero_gives_zero,
    "writes to nothing": _writes_to_nothing,
}
CONTRACTS = {
    **SINGULAR_CONTRACTS,
    "agrees with differences": _agrees_with_differences,
    "all ways agree": _ways_agree,
    "linear in the cotangent": _linear_in_the_cotangent,
    "second derivatives": _second_derivatives_agree,
    "forward mode": _forward_mode_agrees,
    "second derivatives in forward mode": _second_derivatives_in_forward_mode,
    "adjoint of itself": _adjoint_of_itself,
}
