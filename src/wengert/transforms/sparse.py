"""Sparse Jacobians and Hessians.

The pattern is found by running the function, columns are coloured, and a few products with vectors give all entries.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import plain, unbox
from wengert.errors import ArgumentError, DTypeError, GradientError, ShapeError
from wengert.protocol import Wrapper, new_level, spec_of
from wengert.transforms.coloring import Plan, hessian_plan, jacobian_plan
from wengert.transforms.forward import jvp
from wengert.transforms.lifted import opened
from wengert.transforms.pattern import Pattern, Sets
from wengert.transforms.reverse import grad, positions, vjp
from wengert.transforms.vmap import vmap

__all__ = ["hessian_pattern", "jacobian_pattern", "sparse_hessian", "sparse_jacobian"]


def jacobian_pattern(f: Callable, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Where the Jacobian of ``f`` by its first argument can have entries.

    ``f`` runs once at `x`, with arrays that know on which inputs each element depends.

    Parameters
    ----------
    f : callable
        A function of an array, with an array as its value.
    x : array
        Of any shape; its elements are the columns, in C order.
    *args, **kwargs
        Further arguments of ``f``.

    Returns
    -------
    scipy.sparse.csr_array of bool, shape (value.size, x.size)
        It holds wherever ``f`` takes the same branches, and sorts into the same order, as at `x`.

    Raises
    ------
    ArgumentError
        If the pattern has so many entries that it is no sparse one.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> print(wg.jacobian_pattern(lambda x: x[1:] * x[:-1], np.ones(4)).toarray().astype(int))
    [[1 1 0 0]
     [0 1 1 0]
     [0 0 1 1]]
    """
    from scipy import sparse

    x = _array("jacobian_pattern", x)
    size = spec_of(x).size
    with new_level() as level:
        sets = Sets(size)
        numbers = np.arange(1, size + 1).reshape(x.shape)
        y = f(Pattern._of(x, numbers if x.ndim else numbers[()], sets, level), *args, **kwargs)
        y = y if isinstance(y, (tuple, list)) else opened(y)
        if not isinstance(y, (Wrapper, np.ndarray, np.generic, float, int)):
            raise ArgumentError(
                f"[jacobian_pattern] a function whose value is one array was required; it returned {type(y).__name__}"
            )
        if not isinstance(y, Pattern) or y._level != level:
            return sparse.csr_array((spec_of(y).size, size), dtype=bool)
        pattern = sets.rows(np.ravel(unbox(y._numbers))).tocsr()
    pattern.sort_indices()
    return pattern


def hessian_pattern(f: Callable, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Where the Hessian of a real function can have entries: the `jacobian_pattern` of its gradient."""
    return jacobian_pattern(grad(f), x, *args, **kwargs)


def _array(operation: str, x: Any) -> Any:
    x = unbox(x)
    x = x if isinstance(x, Wrapper) else plain(x)
    if x.dtype == object:
        raise DTypeError(f"[{operation}] one array of real numbers was required; received Python objects")
    spec = spec_of(x)
    if not spec.real:
        raise DTypeError(
            f"[{operation}] an array of real numbers was required; received {spec!r}; pass x.astype(float), and the "
            f"leaves of containers as one array"
        )
    return x


def sparse_jacobian(
    f: Callable,
    argnums: int | str = 0,
    mode: str = "auto",
    plan: Plan | Any = None,
    check: bool = True,
) -> Callable:
    """A function that returns the Jacobian of ``f`` as a sparse matrix.

    Parameters
    ----------
    f : callable
        A function of arrays, with an array of any shape as its value.
    argnums : int or str
        The argument to differentiate, an array of any shape.
    mode : {"auto", "forward", "reverse"}
        Whether columns are computed together, or rows; ``"auto"`` takes what has the shorter longest line.
    plan : Plan or sparse matrix, optional
        The ``plan`` of an earlier call's function, or a matrix whose entries are where the Jacobian can have some.
        Without it the plan is made at the first call, and used as long as the argument keeps its shape.
    check : bool
        Compute one more product, with a random vector, and compare: an entry outside of the pattern, because ``f``
        takes another branch than when the pattern was found, raises.

    Returns
    -------
    callable
        With ``f``'s arguments; returns a ``scipy.sparse.csr_array`` of shape ``(value.size, argument.size)``. Its
        attribute ``plan`` has the pattern and the colouring.

    Raises
    ------
    GradientError
        If the Jacobian has an entry outside of the pattern (with `check`).

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> jacobian = wg.sparse_jacobian(lambda x: x[1:] * x[:-1])
    >>> print(jacobian(np.arange(4.0)).toarray())
    [[1. 0. 0. 0.]
     [0. 2. 1. 0.]
     [0. 0. 3. 2.]]
    >>> jacobian.plan.count
    2
    """
    if mode not in ("auto", "forward", "reverse"):
        raise ArgumentError(f"[sparse_jacobian] mode 'auto', 'forward' or 'reverse' was required; received {mode!r}")

    def make_plan(of_x: Callable, x: Any) -> Plan:
        return jacobian_plan(jacobian_pattern(of_x, x), mode)

    def products(of_x: Callable, x: Any, seeds: np.ndarray, plan: Plan) -> Any:
        if plan.by_rows:
            value, pullback = vjp(of_x, x)
            spec = spec_of(value)
            _check_size("sparse_jacobian", spec.size, plan)
            rows = vmap(lambda g: pullback(g.reshape(spec.shape))[0])
            # The real part of a derivative answers to a cotangent of 1, the imaginary part to one of 1j.
            return rows(seeds) + 1j * rows(1j * seeds) if spec.is_complex else rows(seeds)
        return vmap(lambda t: jvp(of_x, (x,), (t.reshape(np.shape(x)),))[1])(seeds)

    given = plan if plan is None or isinstance(plan, Plan) else jacobian_plan(_boolean(plan), mode)
    return _Sparse(f, argnums, "sparse_jacobian", given, check, make_plan, products)


def sparse_hessian(f: Callable, argnums: int | str = 0, plan: Plan | Any = None, check: bool = True) -> Callable:
    """A function that returns the Hessian of a real function as a sparse matrix.

    Takes and gives what `sparse_jacobian` does; the value of ``f`` is one real number. The symmetry halves the work:
    a star colouring needs fewer products than one of the columns alone.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> print(wg.sparse_hessian(lambda x: np.sum(x[1:] * x[:-1] ** 2))(np.ones(3)).toarray())
    [[2. 2. 0.]
     [2. 2. 2.]
     [0. 2. 0.]]
    """

    def make_plan(of_x: Callable, x: Any) -> Plan:
        return hessian_plan(hessian_pattern(of_x, x))

    def products(of_x: Callable, x: Any, seeds: np.ndarray, plan: Plan) -> Any:
        _, pullback = vjp(grad(of_x), x)
        return vmap(lambda g: pullback(g.reshape(np.shape(x)))[0])(seeds)

    given = plan if plan is None or isinstance(plan, Plan) else hessian_plan(_boolean(plan))
    return _Sparse(f, argnums, "sparse_hessian", given, check, make_plan, products)


def _check_size(name: str, size: int, plan: Plan) -> None:
    """Refuse a value that the plan was not made for."""
    if size != plan.pattern.shape[0]:
        raise ShapeError(
            f"[{name}] a value with as many elements as the plan has rows, {plan.pattern.shape[0]}, was required; the "
            f"function returned {size}; make the function anew for other arguments"
        )


def _boolean(matrix: Any) -> Any:
    from scipy import sparse

    pattern = sparse.csr_array(matrix).astype(bool)
    pattern.sort_indices()
    return pattern


class _Sparse:
    """A function that evaluates a sparse matrix of derivatives; ``plan`` is how."""

    def __init__(
        self,
        f: Callable,
        argnums: int | str,
        name: str,
        plan: Plan | None,
        check: bool,
        make_plan: Callable,
        products: Callable,
    ):
        functools.update_wrapper(self, f, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
        self.plan = plan
        self._given, self._f, self._argnums, self._name, self._check = plan is not None, f, argnums, name, check
        self._make_plan, self._products = make_plan, products

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        (place,) = positions(self._f, self._argnums, args, kwargs, self._name)
        x = _array(self._name, kwargs[place] if isinstance(place, str) else args[place])

        def of_x(z: Any) -> Any:
            if isinstance(place, str):
                return self._f(*args, **kwargs | {place: z})
            return self._f(*args[:place], z, *args[place + 1 :], **kwargs)

        plan = self._fitting_plan(of_x, x)
        seeds = plan.seeds(x.dtype)
        if self._check:
            probe = np.random.default_rng(0).standard_normal(plan.colors.size).astype(x.dtype)
            seeds = np.concatenate([seeds, probe[None]])
        compressed = self._products(of_x, x, seeds, plan)
        compressed = np.reshape(compressed, (len(seeds), math.prod(np.shape(compressed)[1:])))
        if not plan.by_rows:
            _check_size(self._name, compressed.shape[1], plan)
        matrix = plan.matrix(compressed[: plan.count])
        if self._check:
            self._compare(matrix, probe, compressed[-1], plan)
        return matrix

    def _fitting_plan(self, of_x: Callable, x: Any) -> Plan:
        plan, size = self.plan, spec_of(x).size
        if plan is None or (plan.pattern.shape[1] != size and not self._given):
            self.plan = plan = self._make_plan(of_x, x)
        if plan.pattern.shape[1] != size:
            raise ShapeError(
                f"[{self._name}] an argument with as many elements as the plan has columns, {plan.pattern.shape[1]}, "
                f"was required; received {spec_of(x)!r}; leave out plan= to have one made"
            )
        return plan

    def _compare(self, matrix: Any, probe: np.ndarray, product: np.ndarray, plan: Plan) -> None:
        expected = matrix.T @ probe if plan.by_rows else matrix @ probe
        size = abs(matrix).T @ abs(probe) if plan.by_rows else abs(matrix) @ abs(probe)
        unit = np.finfo(matrix.dtype).eps
        # Entries that cancel leave what the largest ones were rounded by.
        rounding = 1e3 * unit * (size + np.abs(product)) + 16 * unit * np.max(size[np.isfinite(size)], initial=0.0)
        wrong = ~(np.abs(expected - product) <= rounding) & np.isfinite(product)
        if np.any(wrong):
            raise GradientError(
                f"[{self._name}] a function whose derivatives stay in the pattern was required; received one with an "
                f"entry outside of it in {'column' if plan.by_rows else 'row'} {int(np.argmax(wrong))}: it takes "
                f"another branch than where the pattern was found; make the function anew, or give a plan that has all "
                f"branches' entries"
            )
