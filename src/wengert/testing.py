"""Checks for users: of the gradient of any function, and of the derivative rules of one function.

`check_grad` compares gradients with differences of values. `check_rule`, `check_singular` and `check_value` hold one
function to what the library expects of a function with a rule (the contracts below, each a function of a `_Call`);
the library's own battery of tests consists of these three, run on samples of every function.

Everywhere the *inputs* are the float and complex arrays among the arguments, those in lists, tuples and dicts
included; everything else (Python numbers, integer arrays, strings) is constant. Arrays of results are reduced to one
number by fixed random cotangents.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from wengert.creation import asarray
from wengert.errors import LostGradientError, WengertError
from wengert.primitive import REGISTRY, Plain, Primitive
from wengert.tape import no_grad
from wengert.tensor import Tensor, backward
from wengert.transforms.reverse import vjp

__all__ = ["CheckError", "check_grad", "check_rule", "check_singular", "check_value"]


class CheckError(WengertError, AssertionError):
    """A gradient is not what differences say, or a rule breaks a contract."""


# ---------------------------------------------------------------------------------------------------------------
# The checks
# ---------------------------------------------------------------------------------------------------------------


def check_grad(
    f: Callable, *args: Any, order: int = 1, rtol: float = 1e-6, atol: float = 1e-8, eps: float = 1e-3
) -> None:
    """Compare the gradient of a function with differences of its values.

    Parameters
    ----------
    f : callable
        A function of arrays, scalars or nested containers of them, with such a value.
    *args
        Its arguments. Every float or complex number among them is differentiated.
    order : {1, 2}
        With 2, derivatives of the gradient are compared as well, with differences of the gradient.
    rtol, atol : float
        How far a number may be from the differences: ``atol + rtol * abs(differences)``.
    eps : float
        Step of the differences. They are of fourth order: their error is of the size of ``eps**4``, if the function
        has five derivatives that near.

    Raises
    ------
    CheckError
        With the entry that is worst: which argument, which index, and both numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert.testing import check_grad
    >>> check_grad(lambda x, y: np.sin(x) * y, np.array([1.0, 2.0]), 3.0, order=2)
    """
    call = _Call(f, tuple(map(_as_scalar, args)), {})
    numbers = {"rtol": rtol, "atol": atol, "eps": eps}
    broken = _first_order(call, **numbers) or (_second_order(call, **numbers) if order > 1 else None)
    if broken:
        raise CheckError(f"[check_grad] {call.name}: {broken}")


def check_rule(function: Callable, *args: Any, **kwargs: Any) -> None:
    """Hold a function with a derivative rule to all contracts, at the given arguments.

    The value, shape, dtype and type of the result are those of the function on plain arrays, recorded or not; first
    and second derivatives agree with differences, by all ways to get them; cotangents have their inputs' shapes and
    dtypes; the rule is linear in the cotangent, gives zero for zero, and writes to nothing that is not its own.
    Of a function declared to be without a gradient only the result is checked. The arguments should be places where
    the function is smooth; `check_singular` is for the others.

    Parameters
    ----------
    function : callable
        A NumPy function, or one declared with `wengert.primitive`.
    *args, **kwargs
        Its arguments. A few numbers are best: the time grows with the square of their count.

    Raises
    ------
    CheckError
        Naming every contract that is broken, and how.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert.testing import check_rule
    >>> check_rule(np.arctan2, np.array([1.0, 2.0]), 0.5)
    >>> check_rule(np.sum, np.ones((2, 3)), axis=-1)
    """
    _check("check_rule", function, args, kwargs, _CONTRACTS)


def check_value(function: Callable, *args: Any, **kwargs: Any) -> None:
    """Check only that the result is the function's own on plain arrays: value, dtype, shape and type.

    Integer and boolean arrays may be among the arguments, and are given as tensors too.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert.testing import check_value
    >>> check_value(np.mean, np.array([1, 2, 4]))
    """
    _check("check_value", function, args, kwargs, _VALUE_CONTRACTS)


def check_singular(function: Callable, *args: Any, **kwargs: Any) -> None:
    """Check a rule where the derivative is infinite or undefined: the result, and that a zero cotangent gives zero.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert.testing import check_singular
    >>> check_singular(np.sqrt, np.zeros(2))
    """
    with np.errstate(all="ignore"):
        _check("check_singular", function, args, kwargs, _SINGULAR_CONTRACTS)


def _check(check: str, function: Callable, args: tuple, kwargs: dict, contracts: dict[str, Callable]) -> None:
    call = _Call(function, args, kwargs)
    if isinstance(_known(function), Plain):
        contracts = _VALUE_CONTRACTS
    broken = {name: report for name, contract in contracts.items() if (report := _verdict(contract, call))}
    if broken:
        reports = "\n".join(f"  {name}:\n    {report}" for name, report in broken.items())
        raise CheckError(f"[{check}] {call.name} breaks {len(broken)} of {len(contracts)} contracts\n{reports}")


def _verdict(contract: Callable, call: "_Call") -> str | None:
    """What a contract says of a call; an exception is a verdict too."""
    try:
        return contract(call)
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"


def _known(function: Any) -> Any:
    """The registry's entry of a function, or of a ufunc's method (``np.add.reduce``)."""
    owner = getattr(function, "__self__", None)
    key = (owner, function.__name__) if isinstance(owner, np.ufunc) else function
    return REGISTRY.get(key)


# ---------------------------------------------------------------------------------------------------------------
# A call as a function of the arrays in it
# ---------------------------------------------------------------------------------------------------------------


class _Call:
    """``function(*args, **kwargs)`` as a function of its inputs, whose value is the list of its inexact results."""

    def __init__(self, function: Callable, args: tuple, kwargs: dict):
        self.function, self.arguments = function, (args, kwargs)
        self.name = getattr(function, "__name__", None) or getattr(function, "name", None) or repr(function)
        found = [*_inputs(args, "argument "), *_inputs(kwargs, "keyword ")]
        self.names = [name for name, _ in found]
        self.inputs = [value for _, value in found]
        self.expected = self.result(*self.inputs)
        self.cotangents = [_random_like(y, seed) for seed, y in enumerate(_inexact(self.expected))]
        self.tangents = [_random_like(x, seed) for seed, x in enumerate(self.inputs, 100)]

    def result(self, *inputs: Any) -> Any:
        """The function's own result, for other inputs."""
        args, kwargs = _filled(self.arguments, iter(inputs))
        return self.function(*args, **kwargs)

    def __call__(self, *inputs: Any) -> list:
        return _inexact(self.result(*inputs))

    @property
    def single(self) -> bool:
        """Whether any number here has single precision or less."""
        return any(np.finfo(x.dtype).bits < 64 for x in (*self.inputs, *self.cotangents))


def _is_input(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.inexact, Tensor)) and value.dtype.kind in "fc"


def _inputs(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Names and values of the inputs in nested containers."""
    if isinstance(value, (list, tuple, dict)):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            yield from _inputs(item, f"{name}{key}" if name.endswith(" ") else f"{name}[{key}]")
    elif _is_input(value):
        yield name, value


def _filled(value: Any, inputs: Iterator) -> Any:
    """The same containers with other inputs."""
    if isinstance(value, (list, tuple)):
        return type(value)([_filled(item, inputs) for item in value])
    if isinstance(value, dict):
        return {key: _filled(item, inputs) for key, item in value.items()}
    return next(inputs) if _is_input(value) else value


def _inexact(result: Any) -> list:
    """The float and complex numbers of a result, arrays and Python's own."""
    if isinstance(result, (list, tuple)):
        return [y for item in result for y in _inexact(item)]
    return [_as_scalar(result)] if isinstance(result, (float, complex)) or _is_input(result) else []


def _as_scalar(value: Any) -> Any:
    """Python's floats and complex numbers as NumPy's, which are inputs."""
    return np.asarray(value)[()] if type(value) in (float, complex) else value


def _double(x: Any) -> Any:
    """In double precision."""
    return x.astype(np.result_type(x.dtype, np.float64))


def _random_like(x: Any, seed: int) -> Any:
    """Numbers of both signs, none near zero, in the shape and dtype of `x`."""
    random = np.random.default_rng(seed)

    def draw() -> Any:
        return random.uniform(0.5, 1.5, x.shape) * random.choice([-1, 1], x.shape)

    values = draw() + 1j * draw() if x.dtype.kind == "c" else draw()
    return np.asarray(values, x.dtype)[()]


# ---------------------------------------------------------------------------------------------------------------
# Gradients: by backward, by vjp, by differences
# ---------------------------------------------------------------------------------------------------------------


def _recorded(values: Iterable) -> list[Tensor]:
    return [asarray(x).requires_grad_() for x in values]


def _gradients(tensors: Iterable[Tensor]) -> list:
    """What backward left at leaves, zeros where nothing arrived; each forgets it."""
    gradients = []
    for t in tensors:
        gradients.append(np.zeros_like(t) if t.grad is None else t.grad)
        t.zero_grad()
    return gradients


def _backward(call: Callable, inputs: Sequence, cotangents: Sequence, create_graph: bool = False) -> list:
    """Gradients by `Tensor.backward`."""
    tensors = _recorded(inputs)
    _run_backward(call(*tensors), cotangents, create_graph)
    return _gradients(tensors)


def _run_backward(results: Sequence, cotangents: Sequence, create_graph: bool) -> None:
    heads = [(y, g) for y, g in zip(results, cotangents, strict=True) if isinstance(y, Tensor) and y.requires_grad]
    if heads:
        backward([y for y, _ in heads], [g for _, g in heads], create_graph=create_graph)


def _pulled_back(call: Callable, inputs: Sequence, cotangents: Sequence) -> list:
    """Gradients by `vjp`."""
    return list(vjp(call, *inputs)[1](list(cotangents)))


def _along(tangents: Sequence, gradients: Sequence) -> Any:
    """Real inner product, of which the gradient of a real function is made: the sum of Re(conj(t) * g)."""
    total = 0.0
    for t, g in zip(tangents, gradients, strict=True):
        both = np.real(t) * np.real(g) + np.imag(t) * np.imag(g) if g.dtype.kind == "c" else np.real(t) * g
        total = total + np.sum(both)
    return total


def _backward_twice(call: "_Call") -> list:
    """Derivative of the gradient's part along the tangents, by `create_graph`: for inputs, then for cotangents."""
    inputs, cotangents = _recorded(call.inputs), _recorded(call.cotangents)
    _run_backward(call(*inputs), cotangents, create_graph=True)
    gradients = _gradients(inputs)
    _gradients(cotangents)
    _run_backward([_along(call.tangents, gradients)], [1.0], create_graph=False)
    return _gradients([*inputs, *cotangents])


def _pulled_back_twice(call: "_Call", cotangents: Sequence) -> list:
    """The same by `vjp` inside `vjp`."""
    return _pulled_back(_part_along_tangents(call, _pulled_back), [*call.inputs, *cotangents], [1.0])


def _part_along_tangents(call: "_Call", gradients: Callable) -> Callable:
    """The gradient's part along the tangents, as a function of inputs and cotangents."""
    n = len(call.inputs)
    return lambda *values: [_along(call.tangents, gradients(call, values[:n], values[n:]))]


def _differences(f: Callable, values: Sequence, eps: float) -> list:
    """Gradient of the real function `f` by central differences of fourth order, in double precision.

    For a complex entry x + iy it is df/dx + i df/dy, the direction in which `f` grows fastest.
    """
    values = [_double(x) for x in values]
    slopes = [np.zeros(x.shape, x.dtype) for x in values]
    for k, x in enumerate(values):
        for index in np.ndindex(x.shape):
            for unit in (1, 1j) if x.dtype.kind == "c" else (1,):
                step = max(eps, 1e-6 * abs(x[index]))
                ends = [float(f(*_moved(values, k, index, n * step * unit))) for n in (1, -1, 2, -2)]
                slopes[k][index] += unit * (8 * (ends[0] - ends[1]) - (ends[2] - ends[3])) / (12 * step)
    return slopes


def _moved(values: Sequence, k: int, index: tuple, by: Any) -> list:
    """The values with one entry of one of them moved."""
    moved = list(values)
    array = np.array(values[k])
    array[index] += by
    moved[k] = array if isinstance(values[k], np.ndarray) else array[()]
    return moved


# ---------------------------------------------------------------------------------------------------------------
# Comparing
# ---------------------------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    return value.data if isinstance(value, Tensor) else value


def _worst(what: str, names: Sequence[str], got: Sequence, expected: Sequence, rtol: float, atol: float) -> str | None:
    """A report of the entry that is farthest off, `None` if all are near enough."""
    worst, off, count = None, 1.0, 0
    for name, a, b in zip(names, got, expected, strict=True):
        a, b = np.asarray(_plain(a)), np.asarray(_plain(b))
        if a.shape != b.shape:
            return f"{what}: of {name}, shape {a.shape} and shape {b.shape}"
        distance = np.asarray(np.abs(a - b) / (atol + rtol * np.abs(b)))
        distance = np.where(np.isnan(distance), np.inf, distance)
        count += int(np.sum(distance > 1))
        if distance.size and distance.max() > off:
            index = tuple(map(int, np.unravel_index(distance.argmax(), distance.shape)))
            off, worst = distance.max(), f"of {name}, index {index}: {a[index]} and {b[index]}"
    return f"{what}: {worst}; {count} entries are off (rtol={rtol}, atol={atol})" if worst else None


def _first_order(call: _Call, rtol: float, atol: float, eps: float) -> str | None:
    def part(*inputs):
        return _along(call.cotangents, call(*inputs))

    return _worst(
        "gradient and differences",
        call.names,
        _backward(call, call.inputs, call.cotangents),
        _differences(part, call.inputs, eps),
        rtol,
        atol,
    )


def _second_order(call: _Call, rtol: float, atol: float, eps: float) -> str | None:
    values = [*call.inputs, *call.cotangents]
    part = _part_along_tangents(call, _backward)
    differences = _differences(lambda *v: _plain(part(*v)[0]), values, eps)
    return _worst(
        "derivative of the gradient and differences", _names(call), _backward_twice(call), differences, rtol, atol
    )


def _names(call: _Call) -> list[str]:
    """Names of inputs and cotangents, of which derivatives of gradients are functions."""
    return [*call.names, *(f"cotangent {i}" for i in range(len(call.cotangents)))]


def _exact(call: _Call) -> dict[str, float]:
    """Tolerances for numbers that only rounding keeps apart."""
    unit = max((np.finfo(x.dtype).eps for x in (*call.inputs, *call.cotangents)), default=0.0)
    return {"rtol": 1e3 * float(unit), "atol": 1e3 * float(unit)} if unit < 1e-4 else {"rtol": 1e-2, "atol": 1e-2}


def _approximate(call: _Call) -> dict[str, float]:
    """Tolerances and step for differences, which are longer if the function itself rounds to single precision."""
    if not call.single:
        return {"rtol": 1e-7, "atol": 1e-7, "eps": 1e-3}
    rounds = any(np.finfo(y.dtype).bits < 64 for y in call(*map(_double, call.inputs)))
    return {"rtol": 1e-3, "atol": 1e-3, "eps": 1e-2 if rounds else 1e-3}


# ---------------------------------------------------------------------------------------------------------------
# Contracts: each returns a report if it is broken
# ---------------------------------------------------------------------------------------------------------------


def _same_result(got: Any, expected: Any, tolerance: dict[str, float], where: str = "the result") -> str | None:
    """Compare value, shape, dtype and type with NumPy's own."""
    if isinstance(expected, (list, tuple)):
        if type(got) is not type(expected) or len(got) != len(expected):
            return f"{where} is {_text(got)}; on plain arrays {_text(expected)}"
        reports = (
            _same_result(a, b, tolerance, f"item {i} of {where}")
            for i, (a, b) in enumerate(zip(got, expected, strict=True))
        )
        return next(filter(None, reports), None)
    value = _plain(got)
    if not isinstance(expected, (np.ndarray, np.generic)):
        same = type(value) is type(expected) and value == expected
        return None if same else f"{where} is {_text(value)}; on plain arrays {_text(expected)}"
    # A tensor without axes holds a scalar, also where NumPy makes an array without axes.
    kinds = {np.ndarray, expected.dtype.type} if isinstance(got, Tensor) and not expected.ndim else {type(expected)}
    if type(value) not in kinds or value.dtype != expected.dtype or value.shape != expected.shape:
        return f"{where} is {_text(value)}; on plain arrays {_text(expected)}"
    if not np.allclose(value, expected, **tolerance, equal_nan=True):
        return f"{where} is {value}; on plain arrays {expected}"
    return None


def _text(value: Any) -> str:
    if isinstance(value, (np.ndarray, np.generic)):
        return f"{type(value).__name__} of {value.dtype}{list(value.shape)}"
    return f"{type(value).__name__} {value!r}"


def _results_are_numpys(call: _Call) -> str | None:
    return _same_result(call.result(*_recorded(call.inputs)), call.expected, _exact(call))


def _all_arrays_as_tensors(call: _Call) -> str | None:
    """Integer and boolean ones too, which say where to look and how often."""
    args, kwargs = _tensors(call.arguments)
    return _same_result(call.function(*args, **kwargs), call.expected, _exact(call), "of tensors, the result")


def _tensors(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)([_tensors(item) for item in value])
    if isinstance(value, dict):
        return {key: _tensors(item) for key, item in value.items()}
    return asarray(value) if isinstance(value, np.ndarray) else value


def _records_only_when_asked(call: _Call) -> str | None:
    with no_grad():
        results = {"under no_grad": call.result(*_recorded(call.inputs))}
    results["of tensors that require none"] = call.result(*map(asarray, call.inputs))
    for when, result in results.items():
        report = _same_result(result, call.expected, _exact(call), f"{when}, the result")
        if report:
            return report
        if any(isinstance(y, Tensor) and y.grad_fn is not None for y in _inexact(result)):
            return f"{when}, the result is recorded"
    return None


def _agrees_with_differences(call: _Call) -> str | None:
    return _first_order(call, **_approximate(call))


def _cotangents_fit(call: _Call) -> str | None:
    for way in (_backward, _pulled_back):
        for name, x, g in zip(call.names, call.inputs, way(call, call.inputs, call.cotangents), strict=True):
            if g.shape != x.shape or g.dtype != x.dtype:
                return f"the gradient of {name}, {_text(x)}, is {_text(_plain(g))}"
    return None


def _ways_agree(call: _Call) -> str | None:
    """`backward` and `vjp`, and each input recorded alone."""
    together = _backward(call, call.inputs, call.cotangents)
    report = _worst(
        "backward and vjp", call.names, together, _pulled_back(call, call.inputs, call.cotangents), **_exact(call)
    )
    for k, name in enumerate(call.names if len(call.names) > 1 else ()):

        def alone(x, k=k):
            return call(*call.inputs[:k], x, *call.inputs[k + 1 :])

        try:
            gradient = _backward(alone, [call.inputs[k]], call.cotangents)
        except LostGradientError:
            continue  # NumPy does not look at this argument and would drop the gradient: refused, not lost
        report = report or _worst(
            "recorded with the other inputs and alone", [name], together[k : k + 1], gradient, **_exact(call)
        )
    return report


def _linear_in_the_cotangent(call: _Call) -> str | None:
    """Also where the cotangent is zero, which a rule might take for a reason to stop."""
    others = [_random_like(g, seed) for seed, g in enumerate(call.cotangents, 50)]
    first, second, both = (
        _backward(call, call.inputs, cotangents)
        for cotangents in (call.cotangents, others, _twice_less(call.cotangents, others))
    )
    report = _worst(
        "gradient for 2g - h, and twice that for g less that for h",
        call.names,
        both,
        _twice_less(first, second),
        **_exact(call),
    )
    n = len(call.inputs)
    at_zero, elsewhere = (_pulled_back_twice(call, cotangents)[n:] for cotangents in (_zeros(call), call.cotangents))
    return report or _worst(
        "derivative of the gradient by a cotangent of zero, and by another",
        _names(call)[n:],
        at_zero,
        elsewhere,
        **_exact(call),
    )


def _twice_less(first: Sequence, second: Sequence) -> list:
    return [2 * a - b for a, b in zip(first, second, strict=True)]


def _zeros(call: _Call) -> list:
    return [np.zeros_like(g)[()] for g in call.cotangents]


def _writes_to_nothing(call: _Call) -> str | None:
    """Inputs, and the cotangents as the rule sees them, keep their values; gradients have memory of their own."""
    before = [np.array(x) for x in call.inputs]
    seen: list[tuple[Tensor, np.ndarray]] = []
    tensors = _recorded(call.inputs)
    results = call(*tensors)
    for y in results:
        if isinstance(y, Tensor) and y.requires_grad:
            y.register_hook(lambda g: seen.append((g, g.numpy())))
    _run_backward(results, call.cotangents, create_graph=False)
    gradients = [_plain(g) for g in _gradients(tensors)]
    for name, old, x in zip(call.names, before, call.inputs, strict=True):
        if not np.array_equal(old, x, equal_nan=True):
            return f"{name} was written to"
    if any(not np.array_equal(g.data, old, equal_nan=True) for g, old in seen):
        return "the cotangent of the result was written to"
    others = [*call.inputs, *(g.data for g, _ in seen), *(_plain(y) for y in results)]
    return _shared(call.names, gradients, others) or _shared(
        call.names, _pulled_back(call, call.inputs, call.cotangents), [*call.inputs, *call.cotangents]
    )


def _shared(names: Sequence[str], gradients: Sequence, others: Sequence) -> str | None:
    for k, (name, g) in enumerate(zip(names, gradients, strict=True)):
        if any(np.may_share_memory(g, other) for other in (*others, *gradients[:k])):
            return f"the gradient of {name} shares memory with an input, a cotangent, a result or another gradient"
    return None


def _second_derivatives_agree(call: _Call) -> str | None:
    return _worst(
        "derivatives of the gradient by create_graph and by nested vjp",
        _names(call),
        _backward_twice(call),
        _pulled_back_twice(call, call.cotangents),
        **_exact(call),
    ) or (None if call.single else _second_order(call, **_approximate(call)))


def _zero_gives_zero(call: _Call) -> str | None:
    zeros = _zeros(call)
    for way in (_backward, _pulled_back):
        for name, g in zip(call.names, way(call, call.inputs, zeros), strict=True):
            if np.any(_plain(g) != 0):
                return f"for a zero cotangent the gradient of {name} is {_plain(g)}"
    for name, g in zip(call.names, _pulled_back_twice(call, zeros), strict=False):
        if np.any(g != 0):
            return f"for a zero cotangent the derivative of the gradient by {name} is {g}"
    return None


def _adjoint_of_itself(call: _Call) -> str | None:
    """Of a function declared linear (or linear in each operand) the tangent rule is the function itself."""
    known = _known(call.function)
    if not isinstance(known, Primitive) or known.kind not in ("linear", "bilinear"):
        return None
    gradients = _backward(call, call.inputs, call.cotangents)
    each = range(len(call.inputs))
    for moved in [each] if known.kind == "linear" else [[k] for k in each]:
        # Of constants among the operands, which are in both, the difference is free.
        ends = ([scale * call.tangents[k] if k in moved else x for k, x in enumerate(call.inputs)] for scale in (1, 0))
        there, origin = (_along(call.cotangents, call(*values)) for values in ends)
        forward = there - origin
        reverse = _along([call.tangents[k] for k in moved], [_plain(gradients[k]) for k in moved])
        tolerance = 1e-4 if call.single else 1e-12
        if abs(forward - reverse) > tolerance * max(1.0, abs(forward)):
            return f"declared {known.kind}, but <g, J t> = {forward} and <J^T g, t> = {reverse}"
    return None


_VALUE_CONTRACTS = {
    "results are NumPy's": _results_are_numpys,
    "all arrays as tensors": _all_arrays_as_tensors,
}
_SINGULAR_CONTRACTS = {
    **_VALUE_CONTRACTS,
    "records only when asked": _records_only_when_asked,
    "cotangents fit their inputs": _cotangents_fit,
    "a zero cotangent gives zero": _zero_gives_zero,
    "writes to nothing": _writes_to_nothing,
}
_CONTRACTS = {
    **_SINGULAR_CONTRACTS,
    "agrees with differences": _agrees_with_differences,
    "all ways agree": _ways_agree,
    "linear in the cotangent": _linear_in_the_cotangent,
    "second derivatives": _second_derivatives_agree,
    "adjoint of itself": _adjoint_of_itself,
}
