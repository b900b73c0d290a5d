"""The transformations of `torch.func`: wengert's, with tensors for what they give."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import Box
from wengert.dialects.torch import random
from wengert.dialects.torch.errors import OptionError, TorchError
from wengert.dialects.torch.tensor import Tensor
from wengert.errors import ArgumentError, DTypeError, ShapeError
from wengert.protocol import is_recorded
from wengert.transforms import jacobian, reverse
from wengert.transforms.vmap import loop_map

__all__ = [
    "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp", "vmap",
]  # fmt: skip

Argnums = int | tuple[int, ...]


def boxed(value: Any) -> Any:
    """Containers of arrays as containers of tensors."""
    leaves, structure = reverse.flatten(value)
    return reverse.rebuild(structure, [_tensor(leaf) for leaf in leaves])


def _tensor(leaf: Any) -> Any:
    if isinstance(leaf, Box):
        return Tensor._adopt(leaf)
    return Tensor._box(leaf) if isinstance(leaf, (np.ndarray, np.generic)) or is_recorded(leaf) else leaf


def _spoken(transformed: Callable, like: Callable) -> Callable:
    """The transformed function, whose results are tensors and whose errors are PyTorch's."""

    @functools.wraps(like, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return boxed(transformed(*args, **kwargs))
        except (ShapeError, DTypeError) as error:
            raise TorchError(str(error)) from error
        except ArgumentError as error:
            raise OptionError(str(error)) from error

    return call


def grad(func: Callable, argnums: Argnums = 0, has_aux: bool = False) -> Callable:
    """The gradient of a function whose value is a tensor of one element; see `wengert.grad`."""
    return _spoken(reverse.grad(_of_one_element(func, has_aux), argnums, has_aux), func)


def grad_and_value(func: Callable, argnums: Argnums = 0, has_aux: bool = False) -> Callable:
    """The gradient and the value of a function; see `wengert.value_and_grad`."""
    both = reverse.value_and_grad(_of_one_element(func, has_aux), argnums, has_aux)

    def swapped(*args: Any, **kwargs: Any) -> tuple:
        value, gradient = both(*args, **kwargs)
        return gradient, value

    return _spoken(swapped, func)


def _of_one_element(func: Callable, has_aux: bool) -> Callable:
    def checked(*args: Any, **kwargs: Any) -> Any:
        result = func(*args, **kwargs)
        value = result[0] if has_aux and isinstance(result, tuple) else result
        if not isinstance(value, Tensor):
            raise TorchError(f"[grad] Expected to be able to compute grad of a Tensor; received {type(value).__name__}")
        if value._spec.ndim:
            raise TorchError(
                f"[grad] Expected f(*args) to return a scalar tensor, got tensor with {value.ndim} dims; received "
                f"{value._spec!r}; reduce it"
            )
        return result

    return checked


def vjp(func: Callable, *primals: Any, has_aux: bool = False) -> tuple:
    """The value of a function, and the function that pulls cotangents of it back; see `wengert.vjp`."""
    value, pullback, *aux = reverse.vjp(func, *primals, has_aux=has_aux)

    def pull(*cotangents: Any, **options: Any) -> Any:
        return pullback(*cotangents)

    return boxed(value), _spoken(pull, func), *boxed(aux)


def jvp(func: Callable, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> tuple:
    """The value of a function, and its derivative in a direction."""
    return tuple(_spoken(_push, func)(func, tuple(primals), tuple(tangents), has_aux))


def _push(func: Callable, primals: tuple, tangents: tuple, has_aux: bool) -> tuple:
    """By linearizing: the function sees tensors, and not the dual numbers that it knows nothing of."""
    value, push, *aux = jacobian.linearize(func, *primals, has_aux=has_aux)
    return value, push(*tangents), *aux


def linearize(func: Callable, *primals: Any) -> tuple:
    """The value of a function, and its derivative there as a linear function of tangents."""
    value, push = jacobian.linearize(func, *primals)
    return boxed(value), _spoken(push, func)


def jacrev(
    func: Callable,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable:
    """All partial derivatives of a function, in shape ``output.shape + input.shape``."""
    return _spoken(jacobian.jacobian(func, argnums, has_aux, "reverse", chunk_size), func)


def jacfwd(func: Callable, argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error") -> Callable:
    """The same as `jacrev`."""
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Callable, argnums: Argnums = 0) -> Callable:
    """All second partial derivatives of a function."""
    return _spoken(jacobian.hessian(func, argnums, mode="reverse"), func)


def vmap(
    func: Callable,
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable:
    """A function that runs `func` on each element along a dimension of its arguments, and stacks the results.

    With ``randomness="same"`` all runs draw the same random numbers, with ``"different"`` each its own; by default they
    may draw none.
    """
    if randomness not in ("error", "different", "same"):
        raise OptionError(
            f"[vmap] Only allowed values for randomness are 'error', 'different', or 'same'; got {randomness}"
        )

    @functools.wraps(func, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
    def vmap_f(*args: Any, **kwargs: Any) -> Any:
        each = {"same": _repeating, "different": lambda f: f, "error": _without_randomness}[randomness](func)
        try:
            return boxed(loop_map(each, in_dims, out_dims)(*args, **kwargs))
        except (ShapeError, DTypeError) as error:
            about_arguments = str(error).startswith("[vmap]")
            raise (OptionError if about_arguments else TorchError)(str(error)) from error

    return vmap_f


def _without_randomness(func: Callable) -> Callable:
    """A function that may not draw random numbers."""

    def checked(*args: Any, **kwargs: Any) -> Any:
        token = random.forbidden.set(True)
        try:
            return func(*args, **kwargs)
        finally:
            random.forbidden.reset(token)

    return checked


def _repeating(func: Callable) -> Callable:
    """A function that draws the same random numbers in each call."""
    state = random.get_rng_state()

    def repeated(*args: Any, **kwargs: Any) -> Any:
        random.set_rng_state(state)
        return func(*args, **kwargs)

    return repeated


def functionalize(func: Callable, *, remove: str = "mutations") -> Callable:
    """The function itself: writes in place are recorded like everything else."""
    return func
