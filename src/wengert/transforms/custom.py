"""Functions with derivative rules of the user's own: `custom_vjp` and `custom_jvp`."""

import functools
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.errors import ArgumentError, LostGradientError, RuleError
from wengert.protocol import Wrapper
from wengert.transforms.batching import Batch
from wengert.transforms.calls import Call, Results, apply, inexact_spec
from wengert.transforms.containers import flatten, rebuild
from wengert.transforms.lifted import opened

__all__ = ["CustomFunction", "custom_jvp", "custom_vjp"]

Names = int | str | Sequence[int | str]


class CustomFunction:
    """A function whose derivative is told by rules instead of being found from what it does.

    Made by `custom_vjp` and `custom_jvp`; the rules are given by `defvjp` and `defjvp`. One of the two is enough for
    both modes and for derivatives of any order; with both, each mode uses its own.
    """

    def __init__(self, function: Callable, nondiff_argnums: Names = (), nondiff_argnames: Names = ()):
        self.function = function
        functools.update_wrapper(self, function)
        self.name: str = getattr(function, "__name__", type(function).__name__)
        self._signature = _signature(function)
        self.constant = _positions(
            self.name, self._signature, (*_several(nondiff_argnums), *_several(nondiff_argnames))
        )
        self.forward_rule: Callable | None = None
        self.backward_rule: Callable | None = None
        self.tangent_rule: Callable | None = None

    def defvjp(self, fwd: Callable, bwd: Callable) -> None:
        """Give the rule for cotangents.

        Parameters
        ----------
        fwd : callable
            Takes the function's arguments and returns ``(value, residuals)``: what the function returns, and what
            `bwd` needs, in any containers. Where it calls the function itself for the value, derivatives of
            derivatives use the rule too.
        bwd : callable
            ``bwd(residuals, cotangent)``, with the cotangent in the containers of the value; returns a tuple with a
            cotangent for each differentiable argument, in the containers of the argument, with its shapes. `None`
            stands for zero. The values of arguments named by ``nondiff_argnums`` come first.
        """
        self.forward_rule, self.backward_rule = _callable(self.name, fwd), _callable(self.name, bwd)

    def defjvp(self, jvp: Callable) -> Callable:
        """Give the rule for tangents; may be used as a decorator.

        Parameters
        ----------
        jvp : callable
            ``jvp(primals, tangents)``, two tuples with an entry for each differentiable argument; returns
            ``(value, tangent)``. It has to be linear in the tangents. The values of arguments named by
            ``nondiff_argnums`` come first.
        """
        self.tangent_rule = _callable(self.name, jvp)
        return jvp

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function, with its rules for derivatives."""
        bound = self._signature.bind(*args, **kwargs)
        given = set(bound.kwargs)
        bound.apply_defaults()
        kwargs = {name: value for name, value in bound.kwargs.items() if name in given}
        return _BoundCall(self, bound.args, kwargs).result(bound.args)

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else types.MethodType(self, owner)

    def __repr__(self) -> str:
        return f"<{self.name} with rules of its own>"


def _has_a_derivative(x: Any) -> bool:
    """Whether a value is recorded or has a tangent, be it in a batch."""
    x = opened(x) if isinstance(x, Wrapper) else x
    while isinstance(x, Batch):
        x = opened(x._value)
    return isinstance(x, Wrapper)


class _BoundCall(Call):
    """A call of a custom function with certain arguments."""

    replaces = True

    def __init__(self, custom: CustomFunction, args: tuple, kwargs: dict):
        self.custom, self.kwargs, self.name = custom, kwargs, custom.name
        self.chosen = [i for i in range(len(args)) if i not in custom.constant]
        self.constants = {i: args[i] for i in sorted(custom.constant) if i < len(args)}
        self.n = len(args)
        self.pulls, self.pushes = custom.backward_rule is not None, custom.tangent_rule is not None

    def result(self, args: tuple) -> Any:
        """The value of the call. The arguments are not kept: a rule may keep less than them."""
        for which, x in [*self.constants.items(), *self.kwargs.items()]:
            self._check_constant(which, x)
        leaves, self.structure = flatten(tuple(args[i] for i in self.chosen))
        if not (self.pulls or self.pushes) and any(map(_has_a_derivative, leaves)):
            raise RuleError(
                f"[{self.name}] a derivative rule was required, as the function is called on recorded values; none was "
                f"given; call {self.name}.defvjp(fwd, bwd) or {self.name}.defjvp(rule) first"
            )
        return apply(self, leaves)

    def _check_constant(self, which: int | str, x: Any) -> None:
        for leaf in flatten(x)[0]:
            if isinstance(leaf, Wrapper) and leaf._carries_gradient():
                raise LostGradientError(
                    f"[{self.name}] a constant was required for {self._argument(which)}, which the rule gives no "
                    f"derivative by; received a recorded value, {leaf._spec!r}; leave it out of nondiff_argnums, or "
                    f"pass wg.stop_gradient of it"
                )

    def _argument(self, which: int | str) -> str:
        names = list(self.custom._signature.parameters)
        return f"argument '{names[which] if isinstance(which, int) and which < len(names) else which}'"

    def operand(self, i: int) -> str:
        """The argument that a leaf is in, and where."""
        path = self.structure.paths()[i]
        inside = "".join(f"[{key!r}]" for key in path[1:])
        return self._argument(self.chosen[path[0]]) + (f" at {inside}" if inside else "")

    def _arguments(self, leaves: list) -> list:
        args = self.constants | dict(zip(self.chosen, rebuild(self.structure, leaves), strict=True))
        return [args[i] for i in range(self.n)]

    def run(self, leaves: list) -> Any:
        """The function itself."""
        return self.custom.function(*self._arguments(leaves), **self.kwargs)

    def forward(self, leaves: list) -> tuple[Any, Any]:
        """The user's `fwd`."""
        rule: Any = self.custom.forward_rule
        return _pair(self.name, "fwd", "(value, residuals)", rule(*self._arguments(leaves), **self.kwargs))

    def pull(self, state: Any, results: Results, given: list) -> list:
        """The user's `bwd`."""
        rule: Any = self.custom.backward_rule
        cotangents = rule(*self.constants.values(), state, results.filled(given))
        if not isinstance(cotangents, (tuple, list)) or len(cotangents) != len(self.chosen):
            received = f"{len(cotangents)}" if isinstance(cotangents, (tuple, list)) else type(cotangents).__name__
            raise RuleError(
                f"[{self.name}] a tuple of {len(self.chosen)} cotangents, one for each argument, was required from "
                f"bwd; received {received}; return None for those that are zero, and (g,) for one argument"
            )
        found = []
        places = rebuild(self.structure, list(range(self.structure.num_leaves)))
        for which, c, place in zip(self.chosen, cotangents, places, strict=True):
            found += self._leaves_of(which, c, place)
        return found

    def _leaves_of(self, which: int, c: Any, like: Any) -> list:
        """The leaves of the cotangent of one argument."""
        wanted, structure = flatten(like)
        if c is None:
            return [None] * len(wanted)
        leaves, given = flatten(c)
        if given != structure:
            raise RuleError(
                f"[{self.name}] a cotangent with the containers of {self._argument(which)}, "
                f"{structure or 'a single array'}, was required from bwd; received {given or type(c).__name__}; return "
                f"None for zero"
            )
        return leaves

    def push(self, leaves: list, tangents: list) -> tuple[Any, Any]:
        """The user's rule for tangents."""
        rule: Any = self.custom.tangent_rule
        if self.kwargs:
            raise ArgumentError(
                f"[{self.name}] positional arguments were required, as a rule for tangents takes no others; received "
                f"keyword-only {sorted(self.kwargs)}"
            )
        moved = [zero_tangent(x) if t is None else t for x, t in zip(leaves, tangents, strict=True)]
        out = rule(*self.constants.values(), rebuild(self.structure, leaves), rebuild(self.structure, moved))
        return _pair(self.name, "the rule of defjvp", "(value, tangent)", out)


def zero_tangent(x: Any) -> Any:
    """The tangent of a constant: zero of its shape, `None` of what is no number."""
    spec = inexact_spec(x)
    if spec is not None:
        return np.zeros(spec.shape, spec.dtype)[()]
    return np.zeros(np.shape(x))[()] if isinstance(x, (np.ndarray, np.generic, int)) else None


def _pair(name: str, rule: str, what: str, result: Any) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        received = f"a tuple of {len(result)}" if isinstance(result, tuple) else type(result).__name__
        raise RuleError(f"[{name}] a pair {what} was required from {rule}; received {received}")
    return result


def _signature(function: Callable) -> inspect.Signature:
    """The function's parameters; of a ufunc only its operands."""
    if isinstance(function, np.ufunc):
        kind = inspect.Parameter.POSITIONAL_ONLY
        return inspect.Signature([inspect.Parameter(f"x{i}", kind) for i in range(function.nin)])
    return inspect.signature(function)


def _callable(name: str, rule: Any) -> Callable:
    if not callable(rule):
        raise RuleError(f"[{name}] a function was required as a rule; received {type(rule).__name__} {rule!r}")
    return rule


def _several(names: Names) -> tuple:
    return (names,) if isinstance(names, (int, str)) else tuple(names)


def _positions(name: str, signature: inspect.Signature, chosen: tuple) -> frozenset[int]:
    """The positions of arguments that are given by number or name."""
    names = list(signature.parameters)
    found = set()
    for which in chosen:
        if (isinstance(which, str) and which not in names) or (
            isinstance(which, int) and not -len(names) <= which < len(names)
        ):
            raise ArgumentError(f"[{name}] an argument {which!r} was required; the function has {names}")
        found.add(names.index(which) if isinstance(which, str) else which % len(names))
    return frozenset(found)


# Making them -----------------------------------------------------------------------------------------------------


def custom_vjp(function: Callable | None = None, nondiff_argnums: Names = (), nondiff_argnames: Names = ()) -> Any:
    """Decorator: a function whose cotangents are pulled back by a rule of your own, given by its ``defvjp``.

    Parameters
    ----------
    function : callable
        A function of arrays, scalars or nested containers of them, with such a value.
    nondiff_argnums, nondiff_argnames : int, str or sequence of these
        Arguments that are constants: the rule gets them as they are, and gives no cotangent for them.

    Returns
    -------
    CustomFunction
        To be called as the function. It works in every transformation: forward mode transposes the rule, and `vmap`
        runs it for all examples at once.

    Raises
    ------
    RuleError, ShapeError, DTypeError
        When the rule is used, if what it gives is not in the containers, shapes and kinds of the arguments.
    LostGradientError
        If the function reads a recorded value that is no argument of it, or that is said to be a constant.

    Notes
    -----
    `fwd` and `bwd` are NumPy programs and are differentiated as such for derivatives of higher order. A rule may
    write ``fwd = lambda x: (f(x), x)``: then the value has this rule at every order. ``x.backward(create_graph=True)``
    runs `fwd` once more, unless the residuals are arguments.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> @wg.custom_vjp
    ... def log1pexp(x):
    ...     return np.log1p(np.exp(x))
    >>> log1pexp.defvjp(lambda x: (log1pexp(x), x), lambda x, g: (g * (1 - 1 / (1 + np.exp(x))),))
    >>> with np.errstate(over="ignore"):
    ...     print(wg.grad(log1pexp)(1000.0))
    1.0
    """
    return _decorated(function, nondiff_argnums, nondiff_argnames)


def custom_jvp(function: Callable | None = None, nondiff_argnums: Names = (), nondiff_argnames: Names = ()) -> Any:
    """Decorator: a function whose tangents are pushed forward by a rule of your own, given by its ``defjvp``.

    Reverse mode transposes the rule, which must be linear in the tangents. See `custom_vjp` for the parameters.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> @wg.custom_jvp
    ... def product(x, y):
    ...     return x * y
    >>> @product.defjvp
    ... def product_jvp(primals, tangents):
    ...     (x, y), (dx, dy) = primals, tangents
    ...     return product(x, y), dx * y + x * dy
    >>> wg.grad(product, argnums=(0, 1))(3.0, 4.0)
    (np.float64(4.0), np.float64(3.0))
    """
    return _decorated(function, nondiff_argnums, nondiff_argnames)


def _decorated(function: Callable | None, nondiff_argnums: Names, nondiff_argnames: Names) -> Any:
    if function is None:
        return lambda f: CustomFunction(f, nondiff_argnums, nondiff_argnames)
    if not callable(function):
        raise RuleError(f"[custom] a function was required; received {type(function).__name__} {function!r}")
    return CustomFunction(function, nondiff_argnums, nondiff_argnames)
