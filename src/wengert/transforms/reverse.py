"""Reverse mode as a transformation of functions: `grad`, `value_and_grad`, `vjp`.

Each application opens a level of its own, so that they nest: the inner one's tape holds the outer one's tensors as
its values, and the outer one records what the inner backward pass does.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import alias, checked_cotangent, plain, unbox
from wengert.cotangents import is_window
from wengert.errors import ArgumentError, DTypeError, LostGradientError, RuleError, ShapeError
from wengert.protocol import Wrapper, everything, new_level, spec_of
from wengert.tensor import Tensor
from wengert.transforms.containers import flatten, peel, peeled, rebuild

__all__ = ["grad", "value_and_grad", "vjp"]

Argnums = int | str | tuple[int | str, ...] | list[int | str]


# Inputs and outputs of a level -----------------------------------------------------------------------------------


def _open(value: Any, level: int, name: str) -> Tensor:
    """An input of a transformation as a leaf of its level."""
    if value is None:
        raise DTypeError(f"[grad] {name} must hold numbers; received None; choose other arguments with argnums=")
    inner = alias(unbox(value))
    if isinstance(inner, Wrapper):
        inner = inner._as_numpys()
    else:
        inner = plain(inner)
        inner = inner if inner.ndim else inner[()]
    spec = spec_of(inner)
    if spec.dtype.kind not in "fciub":
        raise DTypeError(
            f"[grad] {name} must hold numbers; received {type(value).__name__}, which NumPy makes an array of dtype "
            f"{spec.dtype}; choose other arguments with argnums="
        )
    if not spec.inexact:
        raise DTypeError(
            f"[grad] a float or complex {name} was required; received {type(value).__name__} of "
            f"{spec!r}; pass {_as_float(value)}, or choose other arguments with argnums="
        )
    return (value if isinstance(value, Tensor) else Tensor)._box(inner, level, tape.new_leaf(spec))


def _as_float(value: Any) -> str:
    return f"{value}.0" if isinstance(value, int) and not isinstance(value, bool) else "x.astype(float)"


def positions(f: Callable, argnums: Argnums, args: tuple, kwargs: dict, operation: str) -> list[int | str]:
    """Where the chosen arguments are: numbers of positional ones, names of keyword ones; each once."""
    found: list[int | str] = []
    for which in argnums if isinstance(argnums, (tuple, list)) else (argnums,):
        key = _position(f, which, args, kwargs, operation)
        if key in found:
            raise ArgumentError(f"[{operation}] different arguments were required; {argnums} names {key!r} twice")
        found.append(key)
    return found


def _position(f: Callable, which: int | str, args: tuple, kwargs: dict, operation: str) -> int | str:
    if isinstance(which, str):
        if which in kwargs:
            return which
        names = list(inspect.signature(f).parameters)
        if which not in names or names.index(which) >= len(args):
            raise ArgumentError(
                f"[{operation}] an argument named '{which}' was required; {called(f)} received "
                f"{len(args)} positional arguments and {sorted(kwargs)}"
            )
        which = names.index(which)
    if not isinstance(which, (int, np.integer)) or isinstance(which, bool) or not -len(args) <= which < len(args):
        raise ArgumentError(
            f"[{operation}] argument number {which} was required; {called(f)} received "
            f"{len(args)} positional arguments; choose others with argnums="
        )
    return int(which) % len(args)


class _Inputs:
    """The differentiated arguments of one call: their leaves, and where they go."""

    def __init__(self, function: Callable, argnums: Argnums, args: tuple, kwargs: dict, level: int):
        self.single, self.level = not isinstance(argnums, (tuple, list)), level
        self.args, self.kwargs = list(args), dict(kwargs)
        self.nodes: list[tape.Leaf | None] = []
        self.structures: list[tuple[Any, int]] = []
        for key in positions(function, argnums, args, kwargs, "grad"):
            holder: Any = self.kwargs if isinstance(key, str) else self.args
            leaves, structure = flatten(holder[key])
            name = f"argument '{key}'" if isinstance(key, str) else f"argument {key}"
            # None in a container is a place that is left empty, in the gradient as well.
            tensors = [None if x is None and structure else _open(x, level, name) for x in leaves]
            holder[key] = rebuild(structure, tensors)
            # Taken now: the function may write into its arguments, which then have another node.
            self.nodes += [None if t is None else t._node for t in tensors]
            self.structures.append((structure, len(tensors)))

    def gradients(self, cotangents: dict) -> Any:
        """What arrived at the leaves (zeros where nothing did), in the arguments' own containers."""
        leaves: list = [None] * len(self.nodes)
        seen: set[int] = set()
        for k, node in enumerate(self.nodes):
            if node is not None:
                # A rule may have closed over a value of this level, which is a constant to the level's own gradient.
                leaves[k] = _settled(peeled(cotangents.get(node), self.level), node, seen)
        result, start = [], 0
        for structure, n in self.structures:
            result.append(rebuild(structure, leaves[start : start + n]))
            start += n
        return result[0] if self.single else tuple(result)


def _settled(g: Any, node: tape.Leaf, seen: set[int]) -> Any:
    """A gradient that shares no memory with another, zeros if there is none."""
    if g is None:
        zero = np.zeros(node.spec.shape, node.spec.dtype)
        return zero if node.spec.ndim else zero[()]
    if g.__class__ is not np.ndarray:
        return g
    if is_window(g) or id(g) in seen:
        g = np.array(g)
    seen.add(id(g))
    return g if g.ndim else g[()]


def called(function: Callable) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _scalar_head(y: Any, level: int, holomorphic: bool) -> tuple[tape.Node | None, Any]:
    """Node and starting cotangent of a function's value, which must be one number: a real one if not `holomorphic`."""
    if y is None:
        raise ShapeError(
            "[grad] a function with one number as its value was required; it returned None; is a return missing?"
        )
    if isinstance(y, (tuple, list, dict)):
        raise ShapeError(
            f"[grad] a function with one number as its value was required; received a {type(y).__name__}; "
            f"return (value, aux) with has_aux=True, or use wg.vjp"
        )
    spec = spec_of(y) if isinstance(y, Wrapper) or np.ndim(y) or np.isscalar(y) else spec_of(np.asarray(y))
    if holomorphic and not spec.is_complex:
        raise DTypeError(
            f"[grad] a function with a complex value was required by holomorphic=True; received {spec!r}; leave "
            f"holomorphic= out: of a real function the gradient is that of steepest ascent"
        )
    if not holomorphic and spec.dtype.kind not in "fiub":
        raise DTypeError(
            f"[grad] a function with a real value was required; received {spec!r}; differentiate its "
            f"real part or absolute value, use wg.vjp, or say holomorphic=True if it has a complex derivative"
        )
    if spec.shape != ():
        raise ShapeError(
            f"[grad] a function with one number as its value was required; received {spec!r}; reduce it "
            f"(np.sum), or use wg.vjp with a cotangent of that shape"
        )
    if not isinstance(y, Tensor) or y._level != level or y._node is None:
        return None, None
    return y._node, spec.dtype.type(1)


def _run(f: Callable, inputs: _Inputs) -> Any:
    """Call the function. Where NumPy hides why a value could not be stored behind words of its own, tell why."""
    try:
        return f(*inputs.args, **inputs.kwargs)
    except ValueError as error:
        lost = error.__cause__
        if not isinstance(lost, LostGradientError):
            raise
    raise lost


# The transformations ---------------------------------------------------------------------------------------------


def value_and_grad(f: Callable, argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False) -> Callable:
    """A function that returns ``f``'s value and its gradient.

    Parameters
    ----------
    f : callable
        A function of arrays, scalars or nested containers of them, with one real number as its value.
    argnums : int, str or tuple of these
        The arguments to differentiate, by position or name; a tuple gives a tuple of gradients.
    has_aux : bool
        ``f`` returns a pair ``(value, aux)``; ``aux`` is passed through.
    holomorphic : bool
        ``f`` is complex-differentiable, and its complex derivative is asked for: arguments and value are complex. That
        it has one is checked, by the Cauchy-Riemann equations, with a second backward pass.

    Returns
    -------
    callable
        With ``f``'s arguments; returns ``(value, gradient)``, or ``((value, aux), gradient)``. Each gradient has the
        container, shapes and dtypes of its argument.

    Raises
    ------
    DTypeError
        If a differentiated argument holds integers, or the value is complex and ``f`` not `holomorphic`.
    ShapeError
        If the value is not one number.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> value, gradient = wg.value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    >>> print(value, gradient)
    5.0 [2. 4.]
    """
    _callable("value_and_grad", f)

    @functools.wraps(f, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
    def value_and_grad_f(*args, **kwargs):
        with new_level() as level, tape.recording_from(level):
            inputs = _Inputs(f, argnums, args, kwargs, level)
            result = _run(f, inputs)
            y, aux = _split_aux(result) if has_aux else (result, None)
            node, g = _scalar_head(y, level, holomorphic)
            value, aux = peel(y, level), peel(aux, level)
            del y, result
            cotangents = {} if node is None else tape.backpropagate([(node, g)], retain=holomorphic)
            gradient = inputs.gradients(cotangents)
            if holomorphic:
                turned = {} if node is None else tape.backpropagate([(node, 1j * g)])
                gradient = _complex_derivative(gradient, inputs.gradients(turned))
        return ((value, aux), gradient) if has_aux else (value, gradient)

    return value_and_grad_f


def _complex_derivative(gradient: Any, turned: Any) -> Any:
    """The complex derivative, from the cotangents that 1 and i are pulled back to: conj(f') and i conj(f')."""
    leaves, structure = flatten(gradient)
    for a, b in zip(leaves, flatten(turned)[0], strict=True):
        spec, expected = spec_of(a), everything(1j * a)
        if not spec.is_complex:
            raise DTypeError(
                f"[grad] complex arguments were required by holomorphic=True; received a real one, {spec!r}; pass "
                f"x.astype(complex)"
            )
        size = np.max(np.abs(expected), initial=0.0)
        if not np.all(np.abs(everything(b) - expected) <= np.finfo(spec.dtype).eps ** 0.5 * size):
            raise DTypeError(
                "[grad] a function with a complex derivative was required by holomorphic=True; received one whose "
                "derivatives along the real and the imaginary axis do not belong together (conj, abs, real or imag in "
                "it?); differentiate its real and imaginary part, or use wg.vjp"
            )
    return rebuild(structure, [np.conjugate(a) for a in leaves])


def _callable(operation: str, f: Any) -> Callable:
    if not callable(f):
        raise RuleError(
            f"[{operation}] a function was required; received {type(f).__name__} {f!r}; pass the function "
            f"itself and call the result: wg.grad(f)(x)"
        )
    return f


def _split_aux(result: Any) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise ArgumentError(
            f"[grad] with has_aux=True a function that returns (value, aux) was required; it returned "
            f"{type(result).__name__}"
        )
    return result


def grad(f: Callable, argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False) -> Callable:
    """The gradient of a function; see `value_and_grad`.

    Returns
    -------
    callable
        With ``f``'s arguments; returns the gradient, or ``(gradient, aux)`` with `has_aux`.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> float(wg.grad(np.sin)(0.0))
    1.0
    >>> float(wg.grad(wg.grad(lambda x: x**3))(2.0))
    12.0
    """
    both = value_and_grad(_callable("grad", f), argnums, has_aux, holomorphic)

    @functools.wraps(f, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
    def grad_f(*args, **kwargs):
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return grad_f


def vjp(f: Callable, *args: Any, has_aux: bool = False) -> tuple:
    """Run ``f`` once and give its value and the function that pulls cotangents of the value back to the arguments.

    Parameters
    ----------
    f : callable
        A function of arrays, scalars or nested containers of them, with such a value.
    *args
        Its arguments, all of which are differentiated.
    has_aux : bool
        ``f`` returns ``(value, aux)``.

    Returns
    -------
    value : the value of ``f``
    pullback : callable
        Takes a cotangent with the value's containers, shapes and dtypes; returns a tuple with a cotangent for each
        argument. May be called any number of times.
    aux : only with `has_aux`

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> value, pullback = wg.vjp(lambda x: x**2, np.array([1.0, 2.0]))
    >>> print(pullback(np.array([1.0, 0.0]))[0])
    [2. 0.]
    """
    _callable("vjp", f)
    # The tape outlives this call: what the caller does to its arrays meanwhile must not reach it.
    args = independent(args)
    with new_level() as level, tape.recording_from(level):
        inputs = _Inputs(f, tuple(range(len(args))), args, {}, level)
        result = _run(f, inputs)
        y, aux = _split_aux(result) if has_aux else (result, None)
    leaves, structure = flatten(y)
    heads = [
        (leaf._node, leaf._spec)
        if isinstance(leaf, Tensor) and leaf._level == level
        else (None, None if leaf is None or isinstance(leaf, str) else spec_of(leaf))
        for leaf in leaves
    ]
    value = rebuild(structure, [_own(peeled(leaf, level)) for leaf in leaves])
    aux = independent(peel(aux, level)) if has_aux else None

    def pullback(cotangent: Any) -> tuple:
        seeds, given = flatten(cotangent)
        if given != structure:
            raise ArgumentError(
                f"[vjp] a cotangent with the value's containers, {structure or 'a single array'}, was required; "
                f"received {given or 'a single array'}"
            )
        pairs = [
            (node, checked_cotangent("vjp", _own(g), spec))
            for (node, spec), g in zip(heads, seeds, strict=True)
            if spec is not None
        ]
        with tape.recording_from(level):
            return inputs.gradients(tape.backpropagate([(n, g) for n, g in pairs if n is not None], retain=True))

    return (value, pullback, aux) if has_aux else (value, pullback)


def pulled_back(f: Callable, args: list, cotangents: list) -> list:
    """What arrives at arguments that are arrays, from cotangents (or `None`) of a list of arrays that ``f`` returns.

    `None` where nothing does, as no such result comes from the argument.
    """
    with new_level() as level, tape.recording_from(level):
        inputs = _Inputs(f, tuple(range(len(args))), tuple(args), {}, level)
        results = _run(f, inputs)
        pairs = [
            (y._node, _own(g))
            for y, g in zip(results, cotangents, strict=True)
            if g is not None and isinstance(y, Tensor) and y._level == level and y._node is not None
        ]
        del results
        arrived = tape.backpropagate(pairs)
        found = inputs.gradients(arrived)
    return [c if node in arrived else None for c, node in zip(found, inputs.nodes, strict=True)]


def reached(f: Callable, args: list, chosen: list[int]) -> list[set[int]]:
    """For each result of ``f`` the chosen arguments, all of them arrays, that it is differentiated by."""
    with new_level() as level, tape.recording_from(level):
        inputs = _Inputs(f, tuple(chosen), tuple(args), {}, level)
        results = flatten(_run(f, inputs))[0]
        heads = [y._node if isinstance(y, Tensor) and y._level == level else None for y in results]
        sources: dict[tape.Node, int] = {n: 1 << i for n, i in zip(inputs.nodes, chosen, strict=True) if n is not None}
        for node in tape.history([head for head in heads if head is not None]):
            for parent in node.next_functions:
                sources[node] = sources.get(node, 0) | sources.get(parent, 0)
    masks = [0 if head is None else sources.get(head, 0) for head in heads]
    return [{i for i in chosen if mask >> i & 1} for mask in masks]


def independent(value: Any) -> Any:
    """A result that its owner may write into while the tape keeps it too."""
    leaves, structure = flatten(value)
    return rebuild(structure, [_own(leaf) for leaf in leaves])


def _own(leaf: Any) -> Any:
    return leaf.copy(order="K") if leaf.__class__ is np.ndarray else alias(leaf)
