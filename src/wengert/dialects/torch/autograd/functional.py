"""`torch.autograd.functional`: derivatives of functions of tensors, or of tuples of tensors."""

from collections.abc import Callable
from typing import Any

from wengert.dialects.torch import creation
from wengert.dialects.torch.backward import grad
from wengert.dialects.torch.errors import TorchError, TypeMismatchError
from wengert.dialects.torch.func.transforms import boxed
from wengert.dialects.torch.tensor import Tensor
from wengert.tape import enable_grad, no_grad
from wengert.transforms import jacobian as jacobians
from wengert.transforms import reverse

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _run(operation: str, transform: Callable, func: Callable, inputs: Any, v: Any, create_graph: bool) -> Any:
    """A transformation of a function of all inputs, run on them; without `create_graph` detached from their history."""
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    for t in given:
        if not isinstance(t, Tensor):
            raise TypeMismatchError(
                f"[{operation}] The inputs given to {operation} must be Tensors; got {type(t).__name__}"
            )
    if create_graph:
        return boxed(transform(func, given, v))
    given = tuple(t.detach() for t in given)
    with no_grad():
        return boxed(transform(func, given, v))


def _check_dependence(operation: str, func: Callable, inputs: Any, second: bool = False) -> None:
    """What ``strict=True`` asks for: every output depends on every input, and so does each (or its gradient)."""
    with enable_grad():
        given = [t.detach().requires_grad_() for t in (inputs if isinstance(inputs, tuple) else (inputs,))]
        outputs = func(*given)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        found = [_slopes(operation, "output", y, given, True) for y in outputs]
        if second:
            for g in found[0]:
                _slopes(operation, "gradient", g, given, False)


def _slopes(operation: str, what: str, y: Any, given: list, create_graph: bool) -> tuple:
    """The gradients of a tensor, none of which may be missing."""
    slopes = (None,) if y._node is None else grad(y.sum(), given, create_graph=create_graph, allow_unused=True)
    if any(g is None for g in slopes):
        raise TorchError(
            f"[{operation}] The {what} of the user-provided function is independent of an input, which is not allowed "
            f"in strict mode; received {y._spec!r}; pass strict=False to get zeros"
        )
    return slopes


def _vector(operation: str, v: Any, like: Any) -> tuple:
    """The given vector as a tuple, or ones where the value has one element."""
    expected = like if isinstance(like, tuple) else (like,)
    if v is None:
        if len(expected) != 1 or expected[0].size != 1:
            raise TorchError(
                f"[{operation}] The vector v can only be None if the user-provided function returns a single Tensor "
                f"with a single element"
            )
        return (creation.ones_like(Tensor._box(expected[0])),)
    given = v if isinstance(v, tuple) else (v,)
    shapes, wanted = [tuple(t.shape) for t in given], [tuple(t.shape) for t in expected]
    if shapes != wanted:
        raise TorchError(f"[{operation}] v of shapes {wanted} was required; received {shapes}; v has invalid size")
    return given


def _as_given(result: tuple, inputs: Any) -> Any:
    """One result for inputs that were no tuple."""
    return result if isinstance(inputs, tuple) else result[0]


def jacobian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """All partial derivatives: a tensor for one output and one input, else tuples, outputs first."""
    if strict:
        _check_dependence("jacobian", func, inputs)

    def transform(func: Callable, given: tuple, v: Any) -> Any:
        return jacobians.jacobian(func, tuple(range(len(given))), mode="reverse")(*given)

    result = _run("jacobian", transform, func, inputs, None, create_graph)
    if isinstance(inputs, tuple):
        return result
    return tuple(row[0] for row in result) if isinstance(result[0], tuple) else result[0]


def hessian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """All second partial derivatives of a function with one number as its value."""
    if strict:
        _check_dependence("hessian", func, inputs, True)

    def transform(func: Callable, given: tuple, v: Any) -> Any:
        everywhere = tuple(range(len(given)))
        return jacobians.jacobian(reverse.grad(_of_one(func), everywhere), everywhere, mode="reverse")(*given)

    result = _run("hessian", transform, func, inputs, None, create_graph)
    return result if isinstance(inputs, tuple) else result[0][0]


def _of_one(func: Callable) -> Callable:
    def checked(*inputs: Tensor) -> Tensor:
        y = func(*inputs)
        if not isinstance(y, Tensor) or y._spec.size != 1:
            raise TorchError("[functional] The function given must return a single Tensor with a single element")
        return y.reshape(())

    return checked


def vjp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """The value of the function, and the vector `v` times its Jacobian."""
    if strict:
        _check_dependence("vjp", func, inputs)

    def transform(func: Callable, given: tuple, v: Any) -> tuple:
        value, pullback = reverse.vjp(func, *given)
        vector = _vector("vjp", v, value)
        return value, pullback(vector if isinstance(value, tuple) else vector[0])

    value, product = _run("vjp", transform, func, inputs, v, create_graph)
    return value, _as_given(product, inputs)


def jvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """The value of the function, and its Jacobian times the vector `v`."""
    if strict:
        _check_dependence("jvp", func, inputs)

    def transform(func: Callable, given: tuple, v: Any) -> tuple:
        value, push = jacobians.linearize(func, *given)
        return value, push(*_vector("jvp", v, given))

    return _run("jvp", transform, func, inputs, v, create_graph)


def vhp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """The value of the function, and the vector `v` times its Hessian."""
    if strict:
        _check_dependence("vhp", func, inputs, True)

    def transform(func: Callable, given: tuple, v: Any) -> tuple:
        return jacobians.vhp(_of_one(func), given, _vector("vhp", v, given))

    value, product = _run("vhp", transform, func, inputs, v, create_graph)
    return value, _as_given(product, inputs)


def hvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """The value of the function, and its Hessian times the vector `v`."""
    if strict:
        _check_dependence("hvp", func, inputs, True)

    def transform(func: Callable, given: tuple, v: Any) -> tuple:
        return jacobians.vhp(_of_one(func), given, _vector("hvp", v, given))

    value, product = _run("hvp", transform, func, inputs, v, create_graph)
    return value, _as_given(product, inputs)
