"""Transformations made of reverse mode alone: `jvp`, `linearize`, `jacobian`, `hessian`, `hvp`, `vhp`, `vmap`.

None of them knows an operator. A forward derivative is the transpose of the transpose: the pullback of ``f`` is a
linear function of its cotangent, and pulling a tangent back through *that* function pushes it forward through ``f``.
A batched function is a loop whose results are stacked; the loop is recorded like any other program, so that gradients
flow through it, and random numbers and control flow work inside.

They take plain arrays and tensors of any family, in nested containers, and give what `vjp` gives: plain values, or
values of the transformation around them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import ArgumentError, ShapeError
from wengert.protocol import spec_of
from wengert.transforms.reverse import _called, flatten, grad, rebuild, vjp

__all__ = ["hessian", "hvp", "jacobian", "jvp", "linearize", "vhp", "vmap"]

Argnums = int | tuple[int, ...]


# Forward derivatives ---------------------------------------------------------------------------------------------


def linearize(f: Callable, *primals: Any, has_aux: bool = False) -> tuple:
    """The value of ``f``, and its derivative there as a linear function of tangents.

    Parameters
    ----------
    f : callable
        A function of arrays, scalars or nested containers of them, with such a value.
    *primals
        Its arguments, all of which are differentiated.
    has_aux : bool
        ``f`` returns ``(value, aux)``; ``aux`` comes as a third result.

    Returns
    -------
    value : the value of ``f``
    push : callable
        Takes a tangent for each argument, with its containers and shapes; returns the tangent of the value. May be
        called any number of times: ``f`` is not run again.

    Examples
    --------
    >>> import numpy as np
    >>> value, push = linearize(lambda x: x**2, np.array([1.0, 3.0]))
    >>> print(push(np.array([1.0, 0.5])))
    [2. 3.]
    """
    value, pullback, *aux = vjp(f, *primals, has_aux=has_aux)
    leaves, structure = flatten(value)
    _, transposed = vjp(pullback, rebuild(structure, [_zeros(leaf) for leaf in leaves]))
    return value, lambda *tangents: transposed(tangents)[0], *aux


def jvp(f: Callable, primals: tuple, tangents: tuple, has_aux: bool = False) -> tuple:
    """The value of ``f`` at `primals`, and its derivative in the direction `tangents`.

    Parameters
    ----------
    f, has_aux
        See `linearize`.
    primals, tangents : tuples with an entry for each argument

    Returns
    -------
    value, tangent
        Both with the containers and shapes of the value of ``f``.
    aux : only with `has_aux`

    Examples
    --------
    >>> import numpy as np
    >>> value, tangent = jvp(np.sin, (0.0,), (2.0,))
    >>> float(value), float(tangent)
    (0.0, 2.0)
    """
    value, push, *aux = linearize(f, *primals, has_aux=has_aux)
    return value, push(*tangents), *aux


# Jacobians and Hessians ------------------------------------------------------------------------------------------


def jacobian(f: Callable, argnums: Argnums = 0, has_aux: bool = False) -> Callable:
    """A function that returns all partial derivatives of ``f``.

    Parameters
    ----------
    f : callable
        A function of arrays, scalars or nested containers of them, with such a value.
    argnums : int or tuple of int
        The arguments to differentiate; a tuple gives a tuple of Jacobians.
    has_aux : bool
        ``f`` returns ``(value, aux)``.

    Returns
    -------
    callable
        With ``f``'s arguments; returns an array of shape ``value.shape + argument.shape``, or, of a value and an
        argument that are containers, such arrays in the value's container of the argument's. With `has_aux` the pair
        ``(jacobian, aux)``.

    Notes
    -----
    ``f`` runs once; then one unit cotangent for each element of its value is pulled back.

    Examples
    --------
    >>> import numpy as np
    >>> print(jacobian(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0])))
    [[3. 0. 1.]
     [0. 3. 2.]]
    """

    def jacobian_f(*args, **kwargs):
        chosen = _positions(f, argnums, len(args))
        value, pullback, *aux = vjp(_of(f, chosen, args, kwargs), *(args[k] for k in chosen), has_aux=has_aux)
        outputs, structure = flatten(value)
        units = [[_unit(outputs, structure, k, i) for i in np.ndindex(np.shape(y))] for k, y in enumerate(outputs)]
        inputs, containers = flatten(tuple(args[k] for k in chosen))
        blocks = []
        for y, ones in zip(outputs, units, strict=True):
            rows = [flatten(pullback(one))[0] for one in ones]
            parts = [_stacked([row[j] for row in rows], y, x) for j, x in enumerate(inputs)]
            block = rebuild(containers, parts)
            blocks.append(block if isinstance(argnums, tuple) else block[0])
        result = rebuild(structure, blocks)
        return (result, *aux) if has_aux else result

    return jacobian_f


def hessian(f: Callable, argnums: Argnums = 0) -> Callable:
    """A function that returns all second partial derivatives of ``f``: the `jacobian` of the `jacobian`.

    Examples
    --------
    >>> import numpy as np
    >>> print(hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0])))
    [[6. 2.]
     [2. 0.]]
    """
    return jacobian(jacobian(f, argnums), argnums)


def vhp(f: Callable, primals: tuple, cotangents: tuple) -> tuple:
    """The value of a real function, and a vector times its Hessian: the pullback of its gradient.

    Parameters
    ----------
    f : callable
        A function with one real number as its value.
    primals, cotangents : tuples with an entry for each argument

    Returns
    -------
    value : the value of ``f``
    products : tuple with an entry for each argument

    Examples
    --------
    >>> import numpy as np
    >>> _, (product,) = vhp(lambda x: x[0] ** 2 * x[1], (np.array([1.0, 3.0]),), (np.array([1.0, 0.0]),))
    >>> print(product)
    [6. 2.]
    """
    everywhere = tuple(range(len(primals)))
    _, pullback = vjp(grad(f, everywhere), *primals)
    return f(*primals), pullback(tuple(cotangents))


def hvp(f: Callable, primals: tuple, tangents: tuple) -> tuple:
    """The value of a real function, and its Hessian times a vector.

    A Hessian is symmetric, so this is `vhp`, which costs one reverse pass less than pushing a tangent through the
    gradient.

    Examples
    --------
    >>> import numpy as np
    >>> _, (product,) = hvp(lambda x: np.sum(x**3), (np.array([1.0, 2.0]),), (np.array([1.0, 1.0]),))
    >>> print(product)
    [ 6. 12.]
    """
    return vhp(f, primals, tangents)


# Batches ---------------------------------------------------------------------------------------------------------


def vmap(f: Callable, in_axes: Any = 0, out_axes: Any = 0) -> Callable:
    """A function that runs ``f`` on each element along an axis of its arguments, and stacks the results.

    Parameters
    ----------
    f : callable
        A function of arrays, scalars or nested containers of them, with such a value.
    in_axes : int, None, or a sequence with an entry for each argument
        The axis that is taken apart; `None` gives the whole argument to every call. An entry may be a container like
        its argument. Keyword arguments are taken apart along axis 0.
    out_axes : int, or a container like the value of ``f``
        Where the results' new axis goes.

    Returns
    -------
    callable

    Raises
    ------
    ShapeError
        If there is nothing to take apart, or the sizes along the axes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import grad
    >>> print(vmap(grad(lambda x: np.sum(x**2)))(np.array([[1.0, 2.0], [3.0, 4.0]])))
    [[2. 4.]
     [6. 8.]]
    >>> print(vmap(lambda x, y: x * y, in_axes=(0, None))(np.arange(3.0), 2.0))
    [0. 2. 4.]
    """

    def vmap_f(*args, **kwargs):
        leaves, structure = flatten((args, kwargs))
        per_argument = tuple(in_axes) if isinstance(in_axes, (tuple, list)) else (in_axes,) * len(args)
        axes = _spread((per_argument, dict.fromkeys(kwargs, 0)), (args, kwargs))
        results = []
        for i in range(_batch_size(f, leaves, axes)):
            some = [x if axis is None else _slice(x, axis, i) for x, axis in zip(leaves, axes, strict=True)]
            args_i, kwargs_i = rebuild(structure, some)
            results.append(f(*args_i, **kwargs_i))
        columns = list(zip(*(flatten(result)[0] for result in results), strict=True))
        out = _spread(out_axes, results[0])
        stacked = [np.stack(column, axis=axis) for column, axis in zip(columns, out, strict=True)]
        return rebuild(flatten(results[0])[1], stacked)

    return vmap_f


# Parts -----------------------------------------------------------------------------------------------------------


def _positions(f: Callable, argnums: Argnums, n: int) -> tuple[int, ...]:
    chosen = argnums if isinstance(argnums, tuple) else (argnums,)
    if any(not isinstance(k, int) or not -n <= k < n for k in chosen):
        raise ArgumentError(
            f"[jacobian] positions of arguments were required; received argnums={argnums!r}, and {_called(f)} was "
            f"called with {n} positional arguments"
        )
    return tuple(k % n for k in chosen)


def _of(f: Callable, chosen: tuple[int, ...], args: tuple, kwargs: dict) -> Callable:
    """`f` as a function of the chosen arguments only."""

    def of_chosen(*some):
        everything = list(args)
        for k, x in zip(chosen, some, strict=True):
            everything[k] = x
        return f(*everything, **kwargs)

    return of_chosen


def _zeros(like: Any) -> Any:
    spec = spec_of(like)
    return np.zeros(spec.shape, spec.dtype)


def _unit(outputs: list, structure: Any, k: int, index: tuple) -> Any:
    """The cotangent that is 1 at one element of one output."""
    cotangents = [_zeros(y) for y in outputs]
    cotangents[k][index] = 1
    return rebuild(structure, cotangents)


def _stacked(rows: list, y: Any, x: Any) -> Any:
    """The rows of a Jacobian as an array with the output's axes first."""
    shape = np.shape(y) + np.shape(x)
    return np.reshape(np.stack(rows), shape) if rows else np.zeros(shape, spec_of(x).dtype)


def _spread(axes: Any, values: Any) -> list:
    """The axis of each leaf of `values`, for axes given for whole containers or for their parts."""
    import optree

    try:
        return optree.broadcast_prefix(axes, values, none_is_leaf=True)
    except ValueError as error:
        raise ArgumentError(
            f"[vmap] an axis, or axes in a container like that of the values, was required; received {axes!r} for "
            f"{type(values).__name__}: {error}"
        ) from None


def _batch_size(f: Callable, leaves: list, axes: list) -> int:
    for x, axis in zip(leaves, axes, strict=True):
        if axis is not None and not -np.ndim(x) <= axis < np.ndim(x):
            raise ShapeError(f"[vmap] an argument with an axis {axis} was required; received {spec_of(x)!r}")
    sizes = {np.shape(x)[axis] for x, axis in zip(leaves, axes, strict=True) if axis is not None}
    if len(sizes) != 1 or 0 in sizes:
        raise ShapeError(
            f"[vmap] arguments with one size along the mapped axes, at least 1, were required; {_called(f)} received "
            f"sizes {sorted(sizes) or 'of none'}; see in_axes"
        )
    return sizes.pop()


def _slice(x: Any, axis: int, i: int) -> Any:
    return x[(slice(None),) * (axis % np.ndim(x)) + (i,)]
