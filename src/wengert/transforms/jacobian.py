"""All derivatives at once: `linearize`, `jacobian`, `hessian`, `hvp`, `vhp`, `laplacian`, `elementwise_grad`.

None of them knows an operator: they are reverse mode, forward mode and batching, put together. A Jacobian is one
pullback (or one push) of a batch of unit vectors.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import ArgumentError, DTypeError
from wengert.protocol import Spec, everything, new_level, spec_of
from wengert.transforms.batching import Batch
from wengert.transforms.calls import inexact_spec
from wengert.transforms.containers import flatten, rebuild
from wengert.transforms.forward import check_tuples, jvp
from wengert.transforms.reverse import independent, positions, value_and_grad, vjp
from wengert.transforms.vmap import check_chunk_size, from_outside

__all__ = ["elementwise_grad", "hessian", "hvp", "jacobian", "laplacian", "linearize", "vhp"]

Argnums = int | str | tuple[int | str, ...]

_ELEMENTS_AT_ONCE = 1 << 23
"""How many elements the unit vectors of one chunk, and what becomes of them, may have (64 MiB of doubles)."""


# One run, many tangents ------------------------------------------------------------------------------------------


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
        called any number of times: ``f`` is not run again, save where its derivative is infinite or undefined.

    Notes
    -----
    The pullback of ``f`` is a linear function of its cotangent; recorded once, its own pullback is the push.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> value, push = wg.linearize(lambda x: x**2, np.array([1.0, 3.0]))
    >>> print(push(np.array([1.0, 0.5])))
    [2. 3.]
    """
    # What the pullback does to infinite partials depends on whether a cotangent is zero: none is here, nor becomes it.
    kept = independent(primals)
    value, pullback, *aux = vjp(f, *primals, has_aux=has_aux)
    leaves, structure = flatten(value)
    places = [i for i, y in enumerate(leaves) if inexact_spec(y) is not None]

    def filled(parts: Any) -> Any:
        """The value's containers with these parts, and zeros for what is no float or complex number."""
        whole = [None if y is None else np.zeros(np.shape(y))[()] for y in leaves]
        for i, part in zip(places, parts, strict=True):
            whole[i] = part
        return rebuild(structure, whole)

    _, transposed = vjp(lambda parts: pullback(filled(parts)), [_irregular(leaves[i]) for i in places])

    def push(*tangents: Any) -> Any:
        if len(tangents) != len(primals):
            raise ArgumentError(
                f"[linearize] a tangent for each of the {len(primals)} arguments was required; received {len(tangents)}"
            )
        (parts,) = transposed(tangents)
        if all(np.isfinite(everything(t)).all() for t in parts):
            return filled(parts)
        # At a singular point the products with zero tangents are undefined: dual numbers know what is meant.
        return jvp(f, kept, tangents, has_aux=has_aux)[1]

    return value, push, *aux


def _zeros(like: Any) -> Any:
    spec = spec_of(like)
    return np.zeros(spec.shape, spec.dtype)[()]


def _irregular(like: Any) -> Any:
    """Numbers near one, of which no small multiples add up to zero."""
    spec = spec_of(like)
    values = np.random.default_rng(0).uniform(1.0, 2.0, spec.shape)
    return np.asarray(values, spec.dtype)[()]


# Jacobians and Hessians ------------------------------------------------------------------------------------------


def jacobian(
    f: Callable,
    argnums: Argnums = 0,
    has_aux: bool = False,
    mode: str = "auto",
    chunk_size: int | None = None,
    holomorphic: bool = False,
) -> Callable:
    """A function that returns all partial derivatives of ``f``.

    Parameters
    ----------
    f : callable
        A function of arrays, scalars or nested containers of them, with such a value.
    argnums : int, str or tuple of these
        The arguments to differentiate; a tuple gives a tuple of Jacobians.
    has_aux : bool
        ``f`` returns ``(value, aux)``.
    mode : {"auto", "reverse", "forward"}
        Reverse costs a pass for each element of the value, forward one for each element of the arguments;
        ``"auto"`` takes what has fewer. All passes of a chunk are made at once.
    chunk_size : int, optional
        How many passes are made at once; by default as many as keep the unit vectors within 64 MiB.
    holomorphic : bool
        ``f`` is complex-differentiable in complex arguments, and the complex derivative is asked for.

    Returns
    -------
    callable
        With ``f``'s arguments; returns an array of shape ``value.shape + argument.shape``, or, of a value and an
        argument that are containers, such arrays in the value's container of the argument's. With `has_aux` the pair
        ``(jacobian, aux)``.

    Raises
    ------
    DTypeError
        If an argument holds integers, or complex numbers go to complex numbers and `holomorphic` is not said.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> print(wg.jacobian(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0])))
    [[3. 0. 1.]
     [0. 3. 2.]]
    """
    if mode not in ("auto", "reverse", "forward"):
        raise ArgumentError(f"[jacobian] mode 'auto', 'reverse' or 'forward' was required; received {mode!r}")
    check_chunk_size("jacobian", chunk_size)

    @functools.wraps(f, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
    def jacobian_f(*args: Any, **kwargs: Any) -> Any:
        chosen, of_chosen = _of_chosen(f, argnums, args, kwargs)
        inputs, containers = flatten(chosen)
        specs = [spec_of(x) for x in inputs]
        way, blocks, aux = mode, None, []
        if mode != "forward":
            value, pullback, *aux = vjp(of_chosen, *chosen, has_aux=has_aux)
            outputs, structure = flatten(value)
            way = _mode(mode, specs, [spec_of(y) for y in outputs], holomorphic)
        if way == "reverse":
            blocks = _by_rows(pullback, outputs, structure, specs, chunk_size)
        else:
            blocks, structure, aux = _by_columns(of_chosen, chosen, specs, has_aux, chunk_size, holomorphic)
        single = not isinstance(argnums, (tuple, list))
        parts = [rebuild(containers, block) for block in blocks]
        result = rebuild(structure, [part[0] if single else part for part in parts])
        return (result, *aux) if has_aux else result

    return jacobian_f


def _of_chosen(f: Callable, argnums: Argnums, args: tuple, kwargs: dict) -> tuple[tuple, Callable]:
    """The chosen arguments, and `f` as a function of these only."""
    places = positions(f, argnums, args, kwargs, "jacobian")

    def of_chosen(*some: Any) -> Any:
        everything, named = list(args), dict(kwargs)
        for place, x in zip(places, some, strict=True):
            if isinstance(place, str):
                named[place] = x
            else:
                everything[place] = x
        return f(*everything, **named)

    return tuple(kwargs[place] if isinstance(place, str) else args[place] for place in places), of_chosen


def _mode(mode: str, inputs: list[Spec], outputs: list[Spec], holomorphic: bool) -> str:
    """Whether rows or columns are computed."""
    complex_in, complex_out = (any(spec.is_complex for spec in specs) for specs in (inputs, outputs))
    if complex_out:
        if complex_in:
            _check_holomorphic(holomorphic)
        return "forward"
    if mode != "auto":
        return mode
    fewer_inputs = sum(spec.size for spec in inputs) < sum(spec.size for spec in outputs)
    return "forward" if fewer_inputs and not complex_in else "reverse"


def _check_holomorphic(holomorphic: bool) -> None:
    if not holomorphic:
        raise DTypeError(
            "[jacobian] a real value, or holomorphic=True, was required for complex arguments; received a complex "
            "value; say holomorphic=True if the function has a complex derivative, else differentiate its real and "
            "imaginary part"
        )


def _by_rows(pullback: Callable, outputs: list, structure: Any, inputs: list[Spec], chunk_size: int | None) -> list:
    """For each output the blocks of all inputs, from one pullback of a batch of unit cotangents."""
    if len(outputs) == 1 and not spec_of(outputs[0]).ndim:
        return [flatten(pullback(rebuild(structure, [spec_of(outputs[0]).dtype.type(1)])))[0]]
    total = sum(spec.size for spec in inputs)
    blocks = []
    for k, y in enumerate(outputs):
        spec = spec_of(y)

        def row(g: Any, k: int = k) -> list:
            seeds = [g if i == k else _zeros(z) for i, z in enumerate(outputs)]
            return flatten(pullback(rebuild(structure, seeds)))[0]

        rows = _passes(row, spec, total, chunk_size)
        parts = rows or [np.zeros((0, *x.shape), x.dtype) for x in inputs]
        blocks.append([np.reshape(c, spec.shape + x.shape) for c, x in zip(parts, inputs, strict=True)])
    return blocks


def _passes(one: Callable, spec: Spec, other_size: int, chunk_size: int | None) -> list:
    """What becomes of all unit vectors of a shape, stacked along axis 0."""
    if not spec.size:
        return []
    if spec.size == 1:
        return [np.expand_dims(c, 0) for c in one(_units(spec)[0])]
    size = chunk_size or max(1, _ELEMENTS_AT_ONCE // max(spec.size, other_size))
    units = _units(spec)
    chunks = [_at_once(one, units[start : start + size]) for start in range(0, spec.size, size)]
    return chunks[0] if len(chunks) == 1 else [np.concatenate(parts) for parts in zip(*chunks, strict=True)]


def _at_once(one: Callable, units: np.ndarray) -> list:
    """What becomes of a batch of vectors: `vmap` without its containers and axes."""
    with new_level() as level:
        results = one(Batch._of(units, level))
        return [from_outside(y, level, len(units), 0) for y in results]


def _units(spec: Spec) -> np.ndarray:
    """The unit vectors of a shape."""
    return np.eye(spec.size, dtype=spec.dtype if spec.inexact else float).reshape((spec.size, *spec.shape))


def _by_columns(
    f: Callable, primals: tuple, inputs: list[Spec], has_aux: bool, chunk_size: int | None, holomorphic: bool
) -> tuple[list, Any, list]:
    """For each output the blocks of all inputs, from one push of a batch of unit tangents; the value's structure."""
    leaves, containers = flatten(primals)
    seen: dict[str, Any] = {}
    columns = []
    for k, spec in enumerate(inputs):

        def column(t: Any, k: int = k, spec: Spec = spec) -> list:
            tangents = rebuild(containers, [t if i == k else None for i in range(len(leaves))])
            value, tangent, *aux = jvp(f, primals, tangents, has_aux=has_aux)
            outputs, seen["structure"] = flatten(value)
            seen["outputs"], seen["aux"] = [spec_of(y) for y in outputs], aux
            if spec.is_complex and any(y.is_complex for y in seen["outputs"]):
                _check_holomorphic(holomorphic)
            return flatten(tangent)[0]

        columns.append(_passes(column, spec, spec.size, chunk_size) if spec.size else None)
    if "outputs" not in seen:
        column(_zeros(leaves[-1]))
    blocks = [[_block(c, j, y, x) for c, x in zip(columns, inputs, strict=True)] for j, y in enumerate(seen["outputs"])]
    return blocks, seen["structure"], seen["aux"]


def _block(columns: list | None, j: int, y: Spec, x: Spec) -> Any:
    """The Jacobian of one output by one input, whose pushed unit tangents are stacked in front."""
    if columns is None:
        return np.zeros(y.shape + x.shape, y.dtype)
    return np.reshape(np.moveaxis(columns[j], 0, -1), y.shape + x.shape)


def hessian(
    f: Callable,
    argnums: Argnums = 0,
    has_aux: bool = False,
    mode: str = "auto",
    chunk_size: int | None = None,
    holomorphic: bool = False,
) -> Callable:
    """A function that returns all second partial derivatives of ``f``: the `jacobian` of the `jacobian`.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> print(wg.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0])))
    [[6. 2.]
     [2. 0.]]
    """
    first = jacobian(f, argnums, has_aux, mode, chunk_size, holomorphic)
    return jacobian(first, argnums, has_aux, mode, chunk_size, holomorphic)


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
    >>> import wengert as wg
    >>> _, (product,) = wg.vhp(lambda x: x[0] ** 2 * x[1], (np.array([1.0, 3.0]),), (np.array([1.0, 0.0]),))
    >>> print(product)
    [6. 2.]
    """
    check_tuples("vhp", primals, cotangents)
    everywhere = tuple(range(len(primals)))

    def gradient(*args: Any) -> tuple:
        value, gradients = value_and_grad(f, everywhere)(*args)
        return gradients, value

    _, pullback, value = vjp(gradient, *primals, has_aux=True)
    return value, pullback(tuple(cotangents))


def hvp(f: Callable, primals: tuple, tangents: tuple) -> tuple:
    """The value of a real function, and its Hessian times a vector: a tangent pushed through its gradient.

    Takes and gives what `vhp` does; a Hessian is symmetric, so both give the same numbers. This one keeps no tape of
    the gradient.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> _, (product,) = wg.hvp(lambda x: np.sum(x**3), (np.array([1.0, 2.0]),), (np.array([1.0, 1.0]),))
    >>> print(product)
    [ 6. 12.]
    """
    check_tuples("hvp", primals, tangents)
    everywhere = tuple(range(len(primals)))
    (value, _), (_, products) = jvp(value_and_grad(f, everywhere), tuple(primals), tuple(tangents))
    return value, products


def laplacian(f: Callable, argnums: int | str = 0, chunk_size: int | None = None) -> Callable:
    """A function that returns the sum of the second derivatives of ``f`` by each element of an argument.

    Parameters
    ----------
    f : callable
        A function of arrays, with an array of any shape as its value.
    argnums : int or str
        The argument.
    chunk_size : int, optional
        How many second derivatives are computed at once.

    Returns
    -------
    callable
        With ``f``'s arguments; returns an array of the value's shape.

    Notes
    -----
    Forward over forward, a batch of unit directions at once: the Hessian is not formed.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> float(wg.laplacian(lambda x: np.sum(x**4))(np.array([1.0, 2.0])))
    60.0
    """
    check_chunk_size("laplacian", chunk_size)
    if not isinstance(argnums, (int, np.integer, str)):
        raise ArgumentError(f"[laplacian] one argument, by position or name, was required; received {argnums!r}")

    @functools.wraps(f, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
    def laplacian_f(*args: Any, **kwargs: Any) -> Any:
        (x,), of_x = _of_chosen(f, argnums, args, kwargs)
        leaves, containers = flatten(x)
        total: Any = 0.0
        for k, leaf in enumerate(leaves):

            def second(t: Any, k: int = k) -> list:
                def along(z: Any) -> Any:
                    whole = rebuild(containers, [z if i == k else other for i, other in enumerate(leaves)])
                    return of_x(whole)

                return [_one_array(jvp(lambda z: jvp(along, (z,), (t,))[1], (leaves[k],), (t,))[1])]

            spec = spec_of(leaf)
            if spec.is_complex:
                raise DTypeError(
                    f"[laplacian] a real argument was required; received {spec!r}; differentiate by its real and "
                    f"imaginary part as arguments of their own"
                )
            if spec.size:
                (parts,) = _passes(second, spec, spec.size, chunk_size)
                total = total + np.sum(parts, axis=0)
        return total

    return laplacian_f


def _one_array(value: Any) -> Any:
    if isinstance(value, (tuple, list, dict)):
        raise ArgumentError(
            f"[laplacian] a function whose value is one array was required; it returned a {type(value).__name__}; "
            f"stack its parts"
        )
    return value


def elementwise_grad(f: Callable, argnums: Argnums = 0) -> Callable:
    """The derivatives of a function that works on each element for itself: ``f`` of an array gives such an array.

    Each element of the value must depend on the elements at its own place only; then the sum of each column of the
    Jacobian is the derivative. The value may have a broadcast shape, and be complex where the arguments are real.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> print(wg.elementwise_grad(np.sin)(np.array([0.0, np.pi])))
    [ 1. -1.]
    """

    @functools.wraps(f, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
    def elementwise_grad_f(*args: Any, **kwargs: Any) -> Any:
        chosen, of_chosen = _of_chosen(f, argnums, args, kwargs)
        value, pullback = vjp(of_chosen, *chosen)
        outputs, structure = flatten(value)
        specs = [spec_of(y) for y in outputs]
        gradients = pullback(rebuild(structure, [np.ones(s.shape, s.dtype)[()] for s in specs]))
        if any(s.is_complex for s in specs):
            if any(spec_of(x).is_complex for x in flatten(chosen)[0]):
                raise DTypeError(
                    "[elementwise_grad] a real value was required for complex arguments; received a complex value; "
                    "differentiate its real and imaginary part, or use wg.jacobian with holomorphic=True"
                )
            # Of real arguments a cotangent of 1 gives the real part of the derivative, one of 1j the imaginary part.
            seeds = [np.full(s.shape, 1j if s.is_complex else 0, s.dtype)[()] for s in specs]
            turned = pullback(rebuild(structure, seeds))
            gradients = tuple(_complex_parts(a, b) for a, b in zip(gradients, turned, strict=True))
        return gradients if isinstance(argnums, (tuple, list)) else gradients[0]

    return elementwise_grad_f


def _complex_parts(real: Any, imaginary: Any) -> Any:
    """Containers of real arrays and of others as containers of complex ones."""
    leaves, structure = flatten(real)
    return rebuild(structure, [a + 1j * b for a, b in zip(leaves, flatten(imaginary)[0], strict=True)])
