"""One call as a function of the arrays in it, and its derivatives by every way there is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from wengert.creation import asarray
from wengert.passes import backward
from wengert.protocol import Wrapper, spec_of
from wengert.tensor import Tensor
from wengert.transforms.containers import flatten, rebuild
from wengert.transforms.forward import jvp
from wengert.transforms.reverse import vjp

__all__ = ["Call", "along", "pulled_back", "pushed"]


# A call as a function of the arrays in it ------------------------------------------------------------------------


class Call:
    """``function(*args, **kwargs)`` as a function of its inputs, whose value is the list of its inexact results.

    The inputs are the float and complex arrays and NumPy scalars among the arguments, in whatever containers.
    """

    def __init__(self, function: Callable, args: tuple, kwargs: dict):
        self.function, self.arguments = function, (args, kwargs)
        self.name: str = getattr(function, "__name__", None) or getattr(function, "name", None) or repr(function)
        leaves, self._structure = flatten((args, kwargs))
        self._leaves = leaves
        self._places = [i for i, leaf in enumerate(leaves) if is_input(leaf)]
        paths = self._structure.paths()
        self.names = [_name_of(paths[i]) for i in self._places]
        self.inputs = [leaves[i] for i in self._places]
        self.expected = self.result(*self.inputs)
        self.cotangents = [random_like(y, seed) for seed, y in enumerate(inexact(self.expected))]
        self.tangents = [random_like(x, seed) for seed, x in enumerate(self.inputs, 100)]

    def result(self, *inputs: Any) -> Any:
        """The function's own result, for other inputs."""
        return self.call(dict(zip(self._places, inputs, strict=True)))

    def call(self, others: dict[int, Any]) -> Any:
        """The function's own result, for other leaves at these places."""
        leaves = [others.get(i, leaf) for i, leaf in enumerate(self._leaves)]
        args, kwargs = rebuild(self._structure, leaves)
        return self.function(*args, **kwargs)

    def all_as_tensors(self) -> Any:
        """The result with all arrays as tensors, those of integers and booleans too."""
        arrays = {i: asarray(leaf) for i, leaf in enumerate(self._leaves) if isinstance(leaf, np.ndarray)}
        return self.call(arrays)

    def __call__(self, *inputs: Any) -> list:
        """The inexact results, for other inputs."""
        return inexact(self.result(*inputs))

    @property
    def single(self) -> bool:
        """Whether any number here has single precision or less."""
        return any(np.finfo(x.dtype).bits < 64 for x in (*self.inputs, *self.cotangents))


def is_input(value: Any) -> bool:
    """Whether a value is an array (or NumPy scalar, tensor, dual number …) of floats or complex numbers."""
    return isinstance(value, (np.ndarray, np.inexact, Wrapper)) and spec_of(value).inexact


def _name_of(path: tuple) -> str:
    """How an input is called in reports: which argument, and where in its containers."""
    kind, which, *inside = path
    return f"{'keyword' if kind else 'argument'} {which}" + "".join(f"[{key}]" for key in inside)


def inexact(result: Any) -> list:
    """The float and complex numbers of a result, arrays and Python's own."""
    leaves = flatten(result)[0]
    return [as_scalar(y) for y in leaves if isinstance(y, (float, complex)) or is_input(y)]


def as_scalar(value: Any) -> Any:
    """Python's floats and complex numbers as NumPy's, which are inputs."""
    return np.asarray(value)[()] if type(value) in (float, complex) else value


def double(x: Any) -> Any:
    """In double precision."""
    return x.astype(np.result_type(x.dtype, np.float64))


def random_like(x: Any, seed: int) -> Any:
    """Numbers of both signs, none near zero, in the shape and dtype of `x`."""
    random = np.random.default_rng(seed)

    def draw() -> Any:
        return random.uniform(0.5, 1.5, x.shape) * random.choice([-1, 1], x.shape)

    values = draw() + 1j * draw() if x.dtype.kind == "c" else draw()
    return np.asarray(values, x.dtype)[()]


def plain(value: Any) -> Any:
    """The array or scalar of a tensor."""
    return value.data if isinstance(value, Tensor) else value


# Reverse mode ----------------------------------------------------------------------------------------------------


def recorded(values: Iterable) -> list[Tensor]:
    """Leaves that require grad."""
    return [asarray(x).requires_grad_() for x in values]


def gradients_of(tensors: Iterable[Tensor]) -> list:
    """What backward left at leaves, zeros where nothing arrived; each forgets it."""
    gradients = []
    for t in tensors:
        gradients.append(np.zeros_like(t) if t.grad is None else t.grad)
        t.zero_grad()
    return gradients


def backward_of(call: Callable, inputs: Sequence, cotangents: Sequence, create_graph: bool = False) -> list:
    """Gradients by `Tensor.backward`."""
    tensors = recorded(inputs)
    run_backward(call(*tensors), cotangents, create_graph)
    return gradients_of(tensors)


def run_backward(results: Sequence, cotangents: Sequence, create_graph: bool) -> None:
    heads = [(y, g) for y, g in zip(results, cotangents, strict=True) if isinstance(y, Tensor) and y.requires_grad]
    if heads:
        backward([y for y, _ in heads], [g for _, g in heads], create_graph=create_graph)


def pulled_back(call: Callable, inputs: Sequence, cotangents: Sequence) -> list:
    """Gradients by `vjp`."""
    return list(vjp(call, *inputs)[1](list(cotangents)))


def along(tangents: Sequence, gradients: Sequence) -> Any:
    """Real inner product, of which the gradient of a real function is made: the sum of Re(conj(t) * g)."""
    total = 0.0
    for t, g in zip(tangents, gradients, strict=True):
        both = np.real(t) * np.real(g) + np.imag(t) * np.imag(g) if g.dtype.kind == "c" else np.real(t) * g
        total = total + np.sum(both)
    return total


def backward_twice(call: "Call") -> list:
    """Derivative of the gradient's part along the tangents, by `create_graph`: for inputs, then for cotangents."""
    inputs, cotangents = recorded(call.inputs), recorded(call.cotangents)
    run_backward(call(*inputs), cotangents, create_graph=True)
    gradients = gradients_of(inputs)
    gradients_of(cotangents)
    run_backward([along(call.tangents, gradients)], [1.0], create_graph=False)
    return gradients_of([*inputs, *cotangents])


def pulled_back_twice(call: "Call", cotangents: Sequence) -> list:
    """The same by `vjp` inside `vjp`."""
    return pulled_back(part_along_tangents(call, pulled_back), [*call.inputs, *cotangents], [1.0])


def part_along_tangents(call: "Call", gradients: Callable) -> Callable:
    """The gradient's part along the tangents, as a function of inputs and cotangents."""
    n = len(call.inputs)
    return lambda *values: [along(call.tangents, gradients(call, values[:n], values[n:]))]


# Forward mode ----------------------------------------------------------------------------------------------------


def pushed(f: Callable, inputs: Sequence, tangents: Sequence) -> list:
    """Tangents of the results by `jvp`."""
    return list(jvp(f, tuple(inputs), tuple(tangents))[1])


def gradient_by_jvp(f: Callable, values: Sequence) -> list:
    """Gradient of the real function `f` (the one item of a list) by one `jvp` for each number in its arguments."""
    slopes = [np.zeros(np.shape(x), x.dtype) for x in values]
    for k, index, unit in units(values):
        tangents = [np.zeros_like(x)[()] for x in values]
        tangents[k] = np.zeros(np.shape(values[k]), values[k].dtype)
        tangents[k][index] = unit
        tangents[k] = tangents[k][()]
        slopes[k][index] += unit * float(plain(pushed(f, values, tangents)[0]))
    return slopes


def units(values: Sequence) -> Iterator[tuple[int, tuple, Any]]:
    """Each number in some arrays (which array, which index) and the steps to take from there: 1, and 1j."""
    for k, x in enumerate(values):
        for index in np.ndindex(np.shape(x)):
            for unit in (1, 1j) if x.dtype.kind == "c" else (1,):
                yield k, index, unit
