"""Functions with a derivative of the user's own: `Function`."""

import functools
from collections.abc import Callable
from heapq import heappush
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import alias, checked_cotangent, unbox
from wengert.dialects.torch.errors import FreedError, MissingError, OperandError, TorchError, TypeMismatchError
from wengert.dialects.torch.tensor import Tensor
from wengert.protocol import GROUND, Wrapper, is_open, spec_of
from wengert.tensor import Tensor as Wengert
from wengert.transforms import calls, reverse
from wengert.transforms.lifted import Lifted


class Context:
    """What `forward` leaves for `backward`."""

    def __init__(self) -> None:
        self._kept: tuple | None = ()
        self._dirty: tuple = ()
        self._fixed: tuple = ()
        self._materialize = True
        self.needs_input_grad: tuple = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for `backward`; later writes into them pass by what is kept."""
        if any(t is not None and not isinstance(t, Tensor) for t in tensors):
            raise TypeMismatchError("[save_for_backward] save_for_backward can only save variables (tensors, or None)")
        self._kept = tensors

    save_for_forward = save_for_backward

    @property
    def saved_tensors(self) -> tuple:
        """The tensors that were kept."""
        if self._kept is None:
            raise FreedError(
                "[saved_tensors] kept values were required: Trying to backward through the graph a second time; they "
                "were freed; specify retain_graph=True in the earlier backward"
            )
        return self._kept

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say that `forward` has changed these inputs in place, and returns them."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say that these results carry no gradient."""
        self._fixed = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` gets zeros (the default) or `None` for results that no gradient arrived at."""
        self._materialize = value


class Function:
    """Base of operations with `forward` and `backward` of their own; they are used by ``apply``.

    Examples
    --------
    >>> import wengert.dialects.torch as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...
    ...     @staticmethod
    ...     def backward(ctx, grad_output):
    ...         (x,) = ctx.saved_tensors
    ...         return grad_output * 3 * x**2
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Refused: functions are classes, used by ``apply``."""
        raise TorchError(
            "[Function] Legacy autograd function with non-static forward method is deprecated: call "
            f"{type(self).__name__}.apply(...) instead"
        )

    @staticmethod
    def forward(*args: Any, **keywords: Any) -> Any:
        """Compute the results."""
        raise MissingError("[Function] You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Context, inputs: tuple, output: Any) -> None:
        """Keep what `backward` needs, where `forward` has no `ctx`."""
        raise MissingError("[Function] setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Context, *grad_outputs: Any) -> Any:
        """Compute the gradients of the inputs from those of the results."""
        raise MissingError(
            "[Function] You must implement either the backward or vjp method for your custom autograd.Function to use "
            "it with backward mode AD."
        )

    vjp = backward

    @classmethod
    def apply(cls, *args: Any, **keywords: Any) -> Any:
        """Run `forward`, recorded as one operation."""
        if any(_is_inside(a) for a in args):
            finished = calls.apply(_NestedCall(cls, args, keywords), args)
            return _spoken(finished)
        tensors = [a for a in args if isinstance(a, Tensor) and is_open(a._level)]
        level = max((t._level for t in tensors), default=0)
        parents = tuple(a._node if isinstance(a, Tensor) else None for a in args)
        recorded = any(p is not None for p in parents) and tape.floor() <= level
        ctx: Any = type(f"{cls.__name__}Backward", (Context,), {})()
        ctx.needs_input_grad = tuple(p is not None for p in parents)
        with tape.no_grad():
            if cls.setup_context is not Function.setup_context:
                results = cls.forward(*args, **keywords)
                cls.setup_context(ctx, args, results)
            else:
                results = cls.forward(ctx, *args, **keywords)
        outputs = results if isinstance(results, tuple) else (results,)
        core = _core(cls, ctx, parents) if recorded else None
        finished = _finished(cls, ctx, args, outputs, core, level)
        return finished if isinstance(results, tuple) else finished[0]


def once_differentiable(function: Callable) -> Callable:
    """Decorate a `backward` whose own derivative is not to be taken."""

    @functools.wraps(function)
    def wrapper(ctx: Context, *grads: Any) -> Any:
        recorded = tape.is_recording()
        with tape.no_grad():
            results = function(ctx, *grads)
        several = isinstance(results, tuple)
        kept = reverse.flatten(vars(ctx))[0]
        connected = [t for t in (*grads, *kept) if isinstance(t, Tensor) and t.requires_grad]
        if recorded and connected:
            marked = tuple(r if r is None else _Once.apply(r, *connected) for r in (results if several else (results,)))
            results = marked if several else marked[0]
        return results

    return wrapper


def _finished(cls: Any, ctx: Any, args: tuple, outputs: tuple, core: Any, level: int) -> tuple:
    """The results as tensors with nodes that lead to the core; and the kept ones among them with their history."""
    finished = []
    for i, output in enumerate(outputs):
        if not isinstance(output, Tensor):
            finished.append(output)
            continue
        dirty = any(output is d for d in ctx._dirty)
        fixed = any(output is f for f in ctx._fixed) or not output._spec.inexact
        if dirty:
            if core is not None and isinstance(output._node, tape.Leaf):
                raise TorchError(
                    "[mark_dirty] a leaf Variable that requires grad is being used in an in-place operation; clone it"
                )
            if core is not None and output._is_view:
                raise MissingError("[mark_dirty] a tensor that is no view was required; clone it first")
            t = output
        elif core is None:
            t = output if not any(output is a for a in args) or fixed else output.detach()
        else:
            t = Tensor._box(output._value, output._level if is_open(output._level) else level)
        if core is not None and not fixed:
            t._node, t._level = _output_node(core, i, t._spec), level
        finished.append(t)
    ctx._kept = tuple(_kept(t, outputs, finished) for t in ctx._kept)
    if core is not None:
        core.s1 = [t._spec if isinstance(t, Tensor) else None for t in finished]
    return tuple(finished)


def _kept(t: Any, outputs: tuple, finished: list) -> Any:
    """A kept tensor as what later writes pass by: of a result the finished one."""
    for output, result in zip(outputs, finished, strict=True):
        if t is output:
            t = result
            break
    return t if t is None else (t if isinstance(t._node, tape.Leaf) and not t._is_view else alias(t))


def _output_node(core: Any, i: int, spec: Any) -> Any:
    node: Any = tape.Node()
    node.order, node.spec, node.p0, node.p1, node.s0, node.s1 = next(tape.ORDER), spec, core, None, i, None
    node.rule = core.rule.of_output
    return node


def _core(cls: Any, ctx: Any, parents: tuple) -> Any:
    """The node of the operation itself, where the gradients of its results meet."""
    node: Any = tape.Node()
    node.order, node.spec, node.p0, node.p1 = next(tape.ORDER), spec_of(np.float64(0)), parents, None
    node.s0, node.rule = (cls, ctx), _rule_of(f"{cls.__name__}Backward")
    return node


@functools.lru_cache(1024)
def _rule_of(name: str) -> Any:
    """The rules of a function's nodes, which have its name."""

    def rule(node: tape.Node, g: Any, heap: list, nodes: dict, grads: dict) -> None:
        with tape.no_grad():
            _run(node, g, heap, nodes, grads, False)

    def graph(node: tape.Node, g: Any, heap: list, nodes: dict, grads: dict) -> None:
        _run(node, g, heap, nodes, grads, True)

    def of_output(node: Any, g: Any, heap: list, nodes: dict, grads: dict) -> None:
        core = node.p0
        if core.rule is tape.freed:
            tape.freed(core, g, heap, nodes, grads)
        if core.order not in grads:
            heappush(heap, core.order)
            nodes[core.order], grads[core.order] = core, {}
        grads[core.order][node.s0] = g

    rule.graph, rule.of_output = graph, of_output
    of_output.graph, of_output.of_function = of_output, True
    each: Any
    for each in (rule, of_output):
        each.name = name
    return rule


def _run(node: Any, arrived: dict, heap: list, nodes: dict, grads: Any, recorded: bool) -> None:
    """Call the user's backward, check what it returns, and send it on."""
    (cls, ctx), specs = node.s0, node.s1
    given = [_given(arrived.get(i), spec, ctx._materialize) for i, spec in enumerate(specs)]
    parents = node.p0
    results = _called_back(cls, ctx, given, len(parents))
    for i, (parent, g) in enumerate(zip(parents, results, strict=False)):
        if parent is not None and g is not None:
            tape.send(parent, _checked(cls, i, g, parent.spec, grads, recorded), heap, nodes, grads)


def _called_back(cls: Any, ctx: Any, given: list, n: int) -> tuple:
    """What the user's backward gives for `n` inputs."""
    backward = cls.backward if cls.backward is not Function.backward else cls.vjp
    results = backward(ctx, *given)
    results = results if isinstance(results, tuple) else (results,)
    if len(results) < n or any(r is not None for r in results[n:]):
        raise TorchError(
            f"[{cls.__name__}] function {cls.__name__}Backward returned an incorrect number of gradients (expected "
            f"{n}, got {len(results)})"
        )
    return results


def _given(g: Any, spec: Any, materialize: bool) -> Any:
    if g is None:
        return Tensor._box(np.zeros(spec.shape, spec.dtype)) if materialize and spec is not None else None
    return Tensor._adopt(g) if isinstance(g, Wengert) else Tensor._box(g)


def _checked(cls: Any, i: int, g: Any, like: Any, grads: Any, recorded: bool) -> Any:
    """A gradient that the user's backward returned: of the input's own shape."""
    g = _of_shape(cls, i, g, like)
    if not recorded:
        g = g._value
        return checked_cotangent(cls.__name__, g.copy() if g.__class__ is np.ndarray else g, like)
    return g if g._spec is like else checked_cotangent(cls.__name__, g, like)


def _of_shape(cls: Any, i: int, g: Any, like: Any) -> Any:
    if not isinstance(g, Tensor):
        raise TypeMismatchError(
            f"[{cls.__name__}] expected Variable or None as gradient {i}; received {type(g).__name__}; return tensors"
        )
    if g._spec.shape != like.shape:
        raise OperandError(
            f"[{cls.__name__}] Function {cls.__name__}Backward returned an invalid gradient at index {i} - got "
            f"{list(g._spec.shape)} but expected shape compatible with {list(like.shape)}; sum it to that shape"
        )
    return g.real if g._spec.is_complex and not like.is_complex else g


# Inside transformations ------------------------------------------------------------------------------------------


def _is_inside(value: Any) -> bool:
    """Whether a value belongs to a transformation, where derivatives of derivatives are those of `forward` itself."""
    return isinstance(value, Wrapper) and (value._level > GROUND or isinstance(unbox(value), Lifted))


class _NestedCall(calls.Call):
    """A call at the level of a transformation: what is inside its operands goes to the user's methods as tensors."""

    def __init__(self, cls: Any, args: tuple, keywords: dict):
        self.cls, self.keywords, self.name = cls, keywords, f"{cls.__name__}Backward"
        self.likes = [spec_of(a) if isinstance(a, Wrapper) else None for a in args]
        self.needs = tuple(isinstance(a, Wrapper) and a._carries_gradient() for a in args)

    def run(self, leaves: list) -> Any:
        """The results alone."""
        return self.forward(leaves)[0]

    def forward(self, leaves: list) -> tuple[Any, dict]:
        """The results, and what is in the context."""
        ctx: Any = Context()
        ctx.needs_input_grad = self.needs
        args = tuple(Tensor._box(x) if isinstance(x, _ARRAYS) else x for x in leaves)
        if self.cls.setup_context is not Function.setup_context:
            results = self.cls.forward(*args, **self.keywords)
            self.cls.setup_context(ctx, args, results)
        else:
            results = self.cls.forward(ctx, *args, **self.keywords)
        if ctx._dirty:
            raise MissingError("[mark_dirty] a call outside of transformations was required; received one inside")
        outputs = results if isinstance(results, tuple) else (results,)
        self.fixed = frozenset(i for i, y in enumerate(outputs) if any(y is f for f in ctx._fixed))
        outputs = tuple(y.detach() if i in self.fixed else y for i, y in enumerate(outputs))
        ctx._dirty = ctx._fixed = ()
        return (outputs if isinstance(results, tuple) else outputs[0]), vars(ctx)

    def pull(self, state: dict, results: calls.Results, given: list) -> list:
        """The user's `backward`."""
        ctx: Any = Context()
        vars(ctx).update(state)
        seeds = [_given(g, spec, ctx._materialize) for g, spec in zip(given, results.specs, strict=True)]
        found = _called_back(self.cls, ctx, seeds, len(self.needs))
        return [
            c if c is None or like is None else _of_shape(self.cls, i, c, like)
            for i, (c, like) in enumerate(zip(found, self.likes, strict=False))
        ]


_ARRAYS = (np.ndarray, np.generic)


def _spoken(value: Any) -> Any:
    """Results as tensors of this dialect."""
    leaves, structure = reverse.flatten(value)
    adopted = [
        Tensor._adopt(y) if isinstance(y, Wengert) else Tensor._box(y) if isinstance(y, _ARRAYS) else y for y in leaves
    ]
    return reverse.rebuild(structure, adopted)


class _Once(Function):
    """The identity, whose derivative is refused: what `once_differentiable` puts behind a `backward`."""

    @staticmethod
    def forward(ctx: Any, x: Any, *connected: Any) -> Any:
        return x

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise TorchError(
            "[once_differentiable] trying to differentiate twice a function that was marked with @once_differentiable"
        )
