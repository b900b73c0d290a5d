"""The recorded operations as PyTorch shows them: ``grad_fn`` objects of classes with PyTorch's names."""

import itertools
import types
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from wengert import tape
from wengert.generate import Family, generate
from wengert.primitive import REGISTRY, Primitive

NAMES = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "negative": "Neg", "absolute": "Abs",
    "matmul": "Mm", "arctan2": "Atan2", "arcsin": "Asin", "arccos": "Acos", "arctan": "Atan", "arcsinh": "Asinh",
    "arccosh": "Acosh", "arctanh": "Atanh", "sign": "Sign", "rint": "Round", "transpose": "Permute", "astype": "ToCopy",
    "concatenate": "Cat", "copy": "Clone", "power": "Pow", "max": "Max", "min": "Min", "broadcast_to": "Expand",
    "norm": "LinalgVectorNorm", "softmax": "Softmax", "log_softmax": "LogSoftmax", "setitem": "CopySlices",
    "getitem": "Slice", "reshape": "View", "ravel": "View", "clip": "Clamp", "logsumexp": "Logsumexp", "conjugate":
    "Conj", "roll": "Roll", "remainder": "Remainder", "square": "Pow", "logaddexp": "Logaddexp", "exp2": "Exp2",
    "deg2rad": "Deg2Rad", "rad2deg": "Rad2Deg", "real": "Real", "imag": "Imag", "expm1": "Expm1", "log1p": "Log1P",
}  # fmt: skip


_WHOLE = {"setitem": "CopySlices", "add.at": "CopySlices", "floor_divide": "NotImplemented",
          "clip": "ClampBackward1", "max": "MaxBackward1", "min": "MinBackward1"}  # fmt: skip


def default_name(node: tape.Node) -> str:
    """PyTorch's name of a recorded operation, as far as the operation's own name tells."""
    name = node.name
    if name in _WHOLE:
        return _WHOLE[name]
    if (name[-1].isdigit() and "Backward" in name) or name.endswith(("Backward", "Backwards", "NotImplemented")):
        return name
    chosen = _BY_NODE.get(name)
    if chosen is not None:
        found = chosen(node)
        return found if "Backward" in found else f"{found}Backward0"
    return NAMES.get(name, "".join(part.capitalize() for part in name.split("_"))) + "Backward0"


def _of_getitem(node: Any) -> str:
    if node.rule is tape.freed:
        return "Select"
    index = node.s0
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, np.ndarray) for part in parts):
        return "Index"
    if any(isinstance(part, (int, np.integer)) for part in parts):
        return "Select"
    if any(part is None for part in parts):
        return "Unsqueeze"
    return "Alias" if index == Ellipsis or index == () else "Slice"


def _of_matmul(node: Any) -> str:
    p0 = getattr(node, "p0", None)
    if p0 is not None and p0.spec.ndim > 2:
        return "UnsafeView"
    return {0: "Dot", 1: "Mv", 2: "Mm"}.get(node.spec.ndim, "UnsafeView")


def _of_power(node: Any) -> str:
    exponent = node.s0[1] if isinstance(node.s0, tuple) else 0
    return "Pow" if node.p1 is None and isinstance(exponent, (int, float)) else "PowBackward1"


_BY_NODE: dict[str, Callable[[tape.Node], str]] = {
    "getitem": _of_getitem,
    "matmul": _of_matmul,
    "power": _of_power,
}


_ABSENT = object()


def parents(node: Any) -> tuple:
    """The nodes of a node's operands, `None` for those that are not recorded."""
    if isinstance(node, tape.Leaf) or node.rule is tape.freed:
        return ()
    p0, p1 = getattr(node, "p0", None), getattr(node, "p1", _ABSENT)
    return p0 if isinstance(p0, tuple) else (p0,) if p1 is _ABSENT else (p0, p1)


def _outside(node: Any, start: int) -> list:
    """The operands of an operation that is made of several nodes: those of its nodes that are older than it.

    Numbers count down: the older of two nodes has the larger one.
    """
    found: list = []
    for p in parents(node):
        found += _outside(p, start) if p is not None and p.order < start else [p]
    return found


class Function:
    """Base of the classes of ``grad_fn``: one recorded operation, a window on wengert's tape."""

    def __init__(self, node: Any):
        self._node = node
        self.metadata: dict = {}

    def name(self) -> str:
        """PyTorch's name of the operation."""
        return type(self).__name__

    @property
    def next_functions(self) -> tuple:
        """The operations that the operands come from, each with the number of its result."""
        node = self._node
        if hasattr(node.rule, "of_function"):
            node = node.p0  # behind the node of a result is that of the whole operation
        inside = getattr(node.rule, "inside", 0)
        return tuple((None if p is None else function_of(p), 0) for p in _outside(node, node.order + inside))

    def __eq__(self, other: Any) -> Any:
        return isinstance(other, Function) and other._node is self._node

    def __hash__(self) -> int:
        return id(self._node)

    def __repr__(self) -> str:
        module = "torch.autograd.function." if hasattr(self._node.rule, "of_function") else ""
        return f"<{module}{type(self).__name__} object at {id(self._node):#x}>"


class AccumulateGrad(Function):
    """The end of the graph at a leaf."""

    @property
    def variable(self) -> Any:
        """The leaf."""
        owner = self._node.owner
        return None if owner is None else owner()

    def name(self) -> str:
        """PyTorch's name of the operation."""
        return "torch::autograd::AccumulateGrad"


_classes: dict[str, type] = {}
_alive: WeakValueDictionary = WeakValueDictionary()


def function_of(node: tape.Node) -> Function:
    """The ``grad_fn`` object of a node: one, as long as somebody has it."""
    known = _alive.get(id(node))
    if known is not None and known._node is node:
        return known
    if isinstance(node, tape.Leaf):
        made: Function = AccumulateGrad(node)
    else:
        name = default_name(node)
        cls = _classes.get(name)
        if cls is None:
            cls = _classes[name] = type(name, (Function,), {"__module__": "torch.autograd"})
        made = cls(node)
    _alive[id(node)] = made
    return made


# Naming -----------------------------------------------------------------------------------------------------------

_variants: dict[tuple, Callable] = {}


def _variant(rule: Any, name: str, inside: int) -> Any:
    """The same rule under another name, for the last node of an operation with nodes up to `inside` numbers older."""
    variant: Any = _variants.get((rule, name, inside))
    if variant is None:
        variant = types.FunctionType(rule.__code__, rule.__globals__, name, rule.__defaults__, rule.__closure__)
        variant.graph, variant.name, variant.inside = rule.graph, name, inside
        _variants[rule, name, inside] = variant
    return variant


def _renamed(node: tape.Node, name: str, inside: int = 0) -> tape.Node:
    if isinstance(node.rule, types.FunctionType):
        node.rule = _variant(node.rule, name, inside)
    return node


def named(t: Any, name: str, since: int | None = None) -> Any:
    """A result whose ``grad_fn`` has this name; what was recorded since a number is part of the operation."""
    if t._is_view:
        function, params, link = t._step
        t._step = function, params, lambda p0, spec, given: _renamed(link(p0, spec, given), name)
        if t._at is not None:
            _renamed(t._linked, name)
    elif t._node is not None and not isinstance(t._node, tape.Leaf):
        _renamed(t._node, name, 0 if since is None else since - t._node.order)
    return t


def variant_of(function: Any, family: Family, name: str) -> Callable:
    """The generated function of a primitive, whose nodes have another name."""
    primitive = function if isinstance(function, Primitive) else REGISTRY[function]
    forward = generate(primitive, family)
    for suffix in ("", "_complex"):
        forward.__globals__["rule" + suffix].name = name
    return forward


class RemovableHandle:
    """A registered hook; ``remove()`` takes it away."""

    _numbers = itertools.count()

    def __init__(self, hooks: dict, hook: Any):
        self.id, self._hooks = next(self._numbers), hooks
        hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook away."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> "RemovableHandle":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.remove()
