"""`Function`: an operation as a class with a forward and a backward step and a context between them."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import GradientError, LostGradientError, MissingRuleError, RuleError
from wengert.protocol import Wrapper
from wengert.transforms.barriers import stop_gradient
from wengert.transforms.calls import Call, Results, apply
from wengert.transforms.containers import flatten
from wengert.transforms.custom import zero_tangent

__all__ = ["Context", "Function", "once_differentiable"]


class Context:
    """What `Function.forward` leaves for `Function.backward`; attributes of any name may be set on it as well.

    Arrays among the attributes are kept like those of `save_for_backward`.
    """

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self._saved: tuple = ()
        self._fixed: tuple = ()
        self._materialize = True

    def save_for_backward(self, *values: Any) -> None:
        """Keep values for `backward`."""
        self._saved = values

    @property
    def saved_tensors(self) -> tuple:
        """What `save_for_backward` has kept."""
        return self._saved

    def mark_non_differentiable(self, *results: Any) -> None:
        """Say that these results carry no gradient."""
        self._fixed = results

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` gets zeros (the default) or `None` for results that no cotangent arrived at."""
        self._materialize = bool(value)


class Function:
    """Base of operations with a backward step of their own, used by ``apply``.

    A subclass defines static methods:

    - ``forward(ctx, *args)``: the result, or a tuple of results; or ``forward(*args)`` and
      ``setup_context(ctx, inputs, output)``;
    - ``backward(ctx, *cotangents)``: a cotangent for each argument (`None` for those without), given those of the
      results; with its argument's shape;
    - ``jvp(ctx, *tangents)``: the tangents of the results, given those of the arguments. If it is missing, it is
      derived from ``backward``; and the other way round.

    Arguments that are arrays, scalars or tensors are differentiated, all others are constants. `forward` and
    `backward` see what is inside a tensor: arrays, outside other transformations, which they must not write to.

    Examples
    --------
    >>> import wengert as wg
    >>> class Cube(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x**2
    >>> x = wg.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    >>> wg.jvp(Cube.apply, (2.0,), (1.0,))
    (np.float64(8.0), np.float64(12.0))
    """

    def __call__(self, *args: Any) -> Any:
        """Refused: operations are classes, used by ``apply``."""
        raise RuleError(
            f"[{type(self).__name__}] the class was required; received an instance of it; call "
            f"{type(self).__name__}.apply(...)"
        )

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """Compute the results."""
        raise MissingRuleError("[Function] a static method forward was required; the class has none; define it")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Any) -> None:
        """Keep what `backward` needs, where `forward` takes no context."""
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        """Compute the cotangents of the arguments from those of the results."""
        raise NotImplementedError

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        """Compute the tangents of the results from those of the arguments."""
        raise NotImplementedError

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run `forward`, recorded as one operation."""
        return apply(_FunctionCall(cls, args), args)


class _FunctionCall(Call):
    """A call of a `Function`."""

    replaces = True

    def __init__(self, cls: type[Function], args: tuple):
        self.cls, self.name = cls, cls.__name__
        self.pulls, self.pushes = cls.backward is not Function.backward, cls.jvp is not Function.jvp
        self.needs = tuple(any(_carries(leaf) for leaf in flatten(a)[0]) for a in args)
        for i, a in enumerate(args):
            if self.needs[i] and not isinstance(a, Wrapper):
                raise LostGradientError(
                    f"[{self.name}] recorded values as arguments of their own were required; received some inside the "
                    f"{type(a).__name__} that is argument {i}; pass them one by one, or use wg.custom_vjp"
                )
        if any(self.needs) and not (self.pulls or self.pushes):
            raise MissingRuleError(
                f"[{self.name}] a static method backward (or jvp) was required, as the operation is applied to "
                f"recorded values; the class has none; define it"
            )

    def _run(self, leaves: list) -> tuple[Any, Context]:
        ctx = Context()
        ctx.needs_input_grad = self.needs
        if self.cls.setup_context is not Function.setup_context:
            forward: Callable = self.cls.forward
            out = forward(*leaves)
            self.cls.setup_context(ctx, tuple(leaves), out)
        else:
            out = self.cls.forward(ctx, *leaves)
        if ctx._fixed:
            parts = out if isinstance(out, tuple) else (out,)
            self.fixed = frozenset(i for i, y in enumerate(parts) if any(y is f for f in ctx._fixed))
            parts = tuple(stop_gradient(y) if i in self.fixed else y for i, y in enumerate(parts))
            out = parts if isinstance(out, tuple) else parts[0]
            ctx._fixed = ()
        return out, ctx

    def run(self, leaves: list) -> Any:
        """The results alone."""
        return self._run(leaves)[0]

    def forward(self, leaves: list) -> tuple[Any, dict]:
        """The results, and what is in the context."""
        out, ctx = self._run(leaves)
        return out, vars(ctx)

    def pull(self, state: dict, results: Results, given: list) -> list:
        """The user's `backward`."""
        ctx = _context(state)
        if ctx._materialize:
            given = [results.zero(i) if g is None else g for i, g in enumerate(given)]
        cotangents = self.cls.backward(ctx, *given)
        cotangents = cotangents if isinstance(cotangents, (tuple, list)) else (cotangents,)
        n = len(self.needs)
        if len(cotangents) < n or any(c is not None for c in cotangents[n:]):
            raise RuleError(
                f"[{self.name}] a cotangent for each of {n} arguments was required from backward; received "
                f"{len(cotangents)}; return None for those without"
            )
        return list(cotangents[:n])

    def push(self, leaves: list, tangents: list) -> tuple[Any, Any]:
        """The user's `jvp`."""
        out, ctx = self._run(leaves)
        if ctx._materialize:
            tangents = [zero_tangent(x) if t is None else t for x, t in zip(leaves, tangents, strict=True)]
        moved = self.cls.jvp(ctx, *tangents)
        return out, tuple(moved) if isinstance(out, tuple) and isinstance(moved, (tuple, list)) else moved


def _context(state: dict) -> Context:
    ctx = Context()
    vars(ctx).update(state)
    return ctx


def _carries(value: Any) -> bool:
    return isinstance(value, Wrapper) and value._carries_gradient()


# Once only -------------------------------------------------------------------------------------------------------


def once_differentiable(function: Callable) -> Callable:
    """Decorate a `Function.backward` whose own derivative is not to be taken: taking it raises a `GradientError`.

    Examples
    --------
    >>> import wengert as wg
    >>> class Square(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...
    ...     @staticmethod
    ...     @wg.once_differentiable
    ...     def backward(ctx, g):
    ...         return 2 * g * ctx.saved_tensors[0]
    >>> print(wg.grad(Square.apply)(3.0))
    6.0
    """

    @functools.wraps(function)
    def wrapper(ctx: Any, *cotangents: Any) -> Any:
        arguments = [v for v in flatten((cotangents, vars(ctx)))[0] if _carries(v)]
        results = function(_context(stop_gradient(vars(ctx))), *stop_gradient(cotangents))
        if not arguments:
            return results
        leaves = results if isinstance(results, (tuple, list)) else (results,)
        marked = tuple(r if r is None else apply(_Refusing(r), arguments) for r in leaves)
        return marked if isinstance(results, (tuple, list)) else marked[0]

    return wrapper


class _Refusing(Call):
    """A value that depends on its arguments in a way whose derivative is refused."""

    name = "once_differentiable"

    def __init__(self, value: Any):
        self.value = value

    def run(self, leaves: list) -> Any:
        """The value."""
        return self.value

    def forward(self, leaves: list) -> tuple[Any, None]:
        """The value."""
        return np.array(self.value)[()] if not isinstance(self.value, Wrapper) else self.value, None

    def pull(self, state: None, results: Results, given: list) -> list:
        """Refused."""
        raise GradientError(
            "[once_differentiable] a first derivative was required; received a request for the derivative of a "
            "backward that is marked with @once_differentiable; take the mark away and write it with NumPy functions"
        )
