"""`Tensor`: reverse mode as an array type; its views; and writing in place.

A tensor holds a value and, if its history is recorded, a node of the tape. A `View` holds neither: it knows its base
and the steps from there, and takes both from the base when asked, so that whoever writes the base writes all its
views. Nobody keeps an array of a view, and so ``sys.getrefcount`` of a base's buffer tells whether anybody but the
base needs it: a value that backward saved, an array that the user holds. A write goes to the buffer itself if nobody
does and to a fresh copy otherwise. No registry, no version counters, nothing on the hot path.
"""

import operator
import threading
import weakref
from collections.abc import Callable
from heapq import heappush
from sys import getrefcount
from typing import Any

import numpy as np

from wengert import face, tape
from wengert.errors import (
    ArgumentError, DTypeError, GradientError, LeafWriteError, LostGradientError, MissingRuleError, NotRecordedError,
    RecordedCopyError, ShapeError,
)
from wengert.generate import Family, generate
from wengert.primitive import REGISTRY, Composite, Plain, Primitive, name_of
from wengert.protocol import Spec, Table, Wrapper, spec_of
from wengert.reading import check_reading

# ---------------------------------------------------------------------------------------------------------------
# Tensor
# ---------------------------------------------------------------------------------------------------------------


class Tensor(face.ArrayFace):
    """An array whose history can be recorded. Made by `wengert.tensor`, `wengert.zeros` and their like.

    NumPy's functions and operators work on tensors, give tensors, and are recorded where an operand requires grad
    and recording is on. Results that cannot carry a gradient (comparisons, ``argmax``, shapes) are plain NumPy values.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> x = wg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> y = np.sum(np.exp(x) * x)
    >>> y.backward()
    >>> np.allclose(x.grad, np.exp(x.data) * (1 + x.data))
    True
    """

    __slots__ = ("__weakref__", "_accumulation", "_data", "_grad", "_level", "_mutable", "_node", "_spec")
    __array_priority__ = 1000

    # Making -----------------------------------------------------------------------------------------------------

    @classmethod
    def _box(cls, value: Any, level: int = 0, node: tape.Node | None = None) -> "Tensor":
        """A tensor around an array, a NumPy scalar or a wrapper of a lower level; Python numbers become NumPy's."""
        if value.__class__ in (float, int, bool, complex) or (value.__class__ is np.ndarray and not value.ndim):
            value = np.asarray(value)[()]
        t = cls()
        t._data, t._spec, t._level, t._node = value, spec_of(value), level, node
        return t

    def _buffer(self, array: np.ndarray) -> "Tensor":
        """A tensor around `array`, to be written into with values like this one."""
        return type(self)._box(array) if type(self) is not View else Tensor._box(array)

    def _carries_gradient(self) -> bool:
        return self._node is not None or (isinstance(self._data, Wrapper) and self._data._carries_gradient())

    # The value --------------------------------------------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The value: a read-only window on the array, or a NumPy scalar.

        It is read-only because backward may need what it shows. To change the value, write into the tensor (under
        `no_grad` if the write should not be recorded), or set ``t.data = array`` (same shape and dtype, copied).
        """
        value = bare(self)
        if value.__class__ is np.ndarray:
            value = value.view()
            value.flags.writeable = False
        return value

    @data.setter
    def data(self, value: Any) -> None:
        value = np.asarray(bare(value))
        if value.shape != self._spec.shape:
            raise ShapeError(f"[data] an array of shape {self._spec.shape} was required; received {spec_of(value)}; "
                             f"make a new tensor for another shape")
        if isinstance(self, View):
            with tape.no_grad():
                self[...] = value
        else:
            self._data = value.astype(self._spec.dtype) if self._spec.ndim else self._spec.dtype.type(value)

    def numpy(self) -> np.ndarray:
        """The value as an independent NumPy array."""
        return np.array(bare(self))

    def item(self, *index: int) -> Any:
        """The only element, or the one at `index`, as a Python number; its gradient ends there."""
        return bare(self).item(*index)

    def tolist(self) -> Any:
        """The value as nested lists of Python numbers."""
        return bare(self).tolist()

    def detach(self) -> "Tensor":
        """The same value without a history; memory is shared until either is written."""
        return self._buffer(bare(self))

    # Gradients --------------------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, required: bool) -> None:
        self.requires_grad_(required)

    def requires_grad_(self, required: bool = True) -> "Tensor":
        """Make this tensor a leaf that collects gradients, or stop it from being one; returns itself."""
        if required == self.requires_grad:
            return self
        if not required and not self.is_leaf:
            raise GradientError("[requires_grad_] only a leaf can stop requiring grad; received the result of "
                                f"'{self._node.name}', {self._spec!r}; use t.detach()")
        if required and not self._spec.inexact:
            raise DTypeError(f"[requires_grad_] a float or complex tensor was required; received {self._spec!r}; "
                             f"convert it: wg.tensor(data, dtype=float, requires_grad=True)")
        if isinstance(self, View):
            raise GradientError(f"[requires_grad_] a tensor with memory of its own was required; received a view, "
                                f"{self._spec!r}; use t.copy().requires_grad_(), or set it on the base")
        self._node = tape.new_leaf(self._spec, weakref.ref(self)) if required else None
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self._node is None or isinstance(self._node, tape.Leaf)

    @property
    def grad_fn(self) -> tape.Node | None:
        """The tape's node of the operation that made this tensor, named after the NumPy function; of a leaf `None`."""
        return None if self.is_leaf else self._node

    @property
    def grad(self) -> "Tensor | None":
        """What backward passes have left here; `None` before the first."""
        return getattr(self, "_grad", None)

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            value = value if isinstance(value, Tensor) else Tensor._box(np.array(value))
            if value.shape != self.shape:
                raise ShapeError(f"[grad] a gradient of shape {self.shape} was required; received {value._spec!r}")
        self._grad = value

    def zero_grad(self) -> None:
        """Forget the gradient: ``grad`` is `None` again."""
        self._grad = None

    @property
    def accumulation(self) -> str:
        """What a new gradient does to ``grad``: ``"add"`` (default), ``"write"``, or ``"null"`` (it is ignored)."""
        return getattr(self, "_accumulation", "add")

    @accumulation.setter
    def accumulation(self, how: str) -> None:
        if how not in ("add", "write", "null"):
            raise ArgumentError(f"[accumulation] 'add', 'write' or 'null' was required; received {how!r}")
        self._accumulation = how

    def backward(self, gradient: Any = None, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Run the tape backwards from here and leave gradients in the leaves' ``grad``.

        Parameters
        ----------
        gradient : array_like of this tensor's shape, optional
            Cotangent to start from; may be left out where there is only one element (it is then 1).
        retain_graph : bool
            Keep the tape for another backward; otherwise it is freed as the pass proceeds.
        create_graph : bool
            Record the pass itself, so that gradients can be differentiated again. Implies `retain_graph`.

        Raises
        ------
        NotRecordedError
            If nothing recorded this tensor.
        ShapeError
            If a gradient is needed and missing, or has another shape.
        FreedGraphError
            If an earlier backward has freed the tape.

        Examples
        --------
        >>> import wengert as wg
        >>> x = wg.tensor(3.0, requires_grad=True)
        >>> (x * x * x).backward()
        >>> x.grad.item()
        27.0
        """
        backward([self], [gradient], retain_graph, create_graph)

    def _accumulate(self, g: Any) -> None:
        """Take a gradient that arrived from a backward pass."""
        if self.accumulation == "null":
            return
        old = self.grad
        if old is None or self.accumulation == "write":
            self._grad = g if isinstance(g, Tensor) else Tensor._box(g)
        elif isinstance(g, Tensor) or old._node is not None or isinstance(g, Wrapper):
            self._grad = old + g
        else:
            with tape.no_grad():
                old += g

    def retain_grad(self) -> None:
        """Keep the gradient that passes through this intermediate result in ``grad``, as for a leaf."""
        if self._node is None:
            raise NotRecordedError(f"[retain_grad] a recorded tensor was required; received {self._spec!r}, which "
                                   f"does not require grad; call requires_grad_() first")
        if not self.is_leaf:
            owner = weakref.ref(self)

            def keep(g: Any) -> Any:
                tensor = owner()
                if tensor is not None:
                    tensor._accumulate(g.copy() if g.__class__ is np.ndarray else g)
                return g

            self._node.rule = tape.Hooked(self._node.rule, keep)

    def register_hook(self, hook: Callable[["Tensor"], Any]) -> "HookHandle":
        """Have ``hook(gradient)`` called when this tensor's gradient is known; what it returns replaces the gradient.

        `None` leaves the gradient as it is. The handle's ``remove()`` takes the hook away again.
        """
        if self._node is None:
            raise NotRecordedError(f"[register_hook] a recorded tensor was required; received {self._spec!r}, which "
                                   f"does not require grad")
        return HookHandle(self._node, hook)

    # Reading as a number ----------------------------------------------------------------------------------------

    def _read(self, reader: str) -> Any:
        value = bare(self)
        if self._spec.size == 1 and self._carries_gradient():
            check_reading(reader, depth=3)
        return value

    def __float__(self) -> float:
        return float(self._read("float"))

    def __int__(self) -> int:
        return int(self._read("int"))

    def __complex__(self) -> complex:
        return complex(self._read("complex"))

    def __bool__(self) -> bool:
        return bool(bare(self))

    def __index__(self) -> int:
        return bare(self).__index__()

    def __format__(self, spec: str) -> str:
        return format(bare(self), spec) if not self._spec.ndim else format(repr(self), spec)

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(bare(self) == bare(value)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self._carries_gradient():
            raise LostGradientError(
                f"[np.asarray] a value without a history was required; received {self._spec!r} whose gradient is "
                f"recorded and would be dropped; collect tensors with np.stack, fill a buffer made by wg.zeros or "
                f"np.zeros_like(t), or leave the tape on purpose with t.detach() or t.numpy()")
        value = np.asarray(self.data, dtype)
        return value.copy() if copy else value

    # Copies and text --------------------------------------------------------------------------------------------

    def __copy__(self) -> "Tensor":
        return np.copy(self)

    def __deepcopy__(self, memo: dict) -> "Tensor":
        make, arguments = self.__reduce_ex__(2)
        memo[id(self)] = copied = make(*arguments)
        return copied

    def __reduce_ex__(self, protocol: int) -> tuple:
        if not self.is_leaf or isinstance(self._data, Wrapper):
            history = "inside a transformation" if self.is_leaf else f"made by '{self._node.name}'"
            raise RecordedCopyError(
                f"[pickle] a leaf was required; received {self._spec!r}, {history}, whose history would be lost; pickle or deepcopy t.detach(), or use t.copy() for a recorded copy")
        grad = None if self.grad is None else self.grad.numpy()
        return _restore, (np.array(self._data), self.requires_grad, grad, self.accumulation)

    def __repr__(self) -> str:
        text = np.array2string(np.asarray(bare(self)), separator=", ", prefix="tensor(")
        if self._spec.dtype not in (np.float64, np.int64, np.bool_, np.complex128):
            text += f", dtype={self._spec.dtype}"
        if self.grad_fn is not None:
            text += f", grad_fn=<{self._node.name}>"
        elif self.requires_grad:
            text += ", requires_grad=True"
        return f"tensor({text})"

    # Indexing and in place --------------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        if index.__class__ is not int and index.__class__ is not slice:
            index = freeze(index)
        return _table[operator.getitem](self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        write(self, freeze(index), value)


def _restore(data: np.ndarray, requires_grad: bool, grad: np.ndarray | None, accumulation: str) -> Tensor:
    """Rebuild a pickled or deep-copied leaf."""
    t = Tensor._box(data)
    t._mutable = True
    t.requires_grad_(requires_grad)
    t.grad = grad
    if accumulation != "add":
        t.accumulation = accumulation
    return t


def bare(value: Any) -> Any:
    """The value inside tensors of any level: an array, a NumPy scalar, or a wrapper of another transformation."""
    while isinstance(value, Tensor):
        value = value._data
    return value


def unbox(value: Any) -> Any:
    """See through tensors without a history; sequences become arrays."""
    while isinstance(value, Tensor) and value._node is None:
        value = value._data
    return np.asarray(value) if isinstance(value, (list, tuple)) else value


def freeze(index: Any) -> Any:
    """An index that nobody can change later: arrays copied, lists made arrays, tensors read."""
    if isinstance(index, tuple):
        return tuple(map(freeze, index))
    if isinstance(index, (np.ndarray, list)):
        return np.array([bare(i) for i in index] if isinstance(index, list) else index)
    if isinstance(index, Tensor):
        return freeze(bare(index))
    return index


class HookHandle:
    """A registered hook; ``remove()`` takes it away."""

    def __init__(self, node: tape.Node, hook: Callable[[Tensor], Any]):
        self._hook: Callable[[Tensor], Any] | None = hook
        like = node.spec
        node.rule = tape.Hooked(node.rule, lambda g: self._apply(g, like))

    def _apply(self, g: Any, like: Spec) -> Any:
        if self._hook is None:
            return g
        replaced = self._hook(g if isinstance(g, Tensor) else Tensor._box(g))
        if replaced is None:
            return g
        replaced = unbox(replaced)
        spec = spec_of(replaced)
        if spec.shape != like.shape:
            raise ShapeError(f"[register_hook] the hook must return a gradient of shape {like.shape}, or None; "
                             f"it returned {spec!r}")
        if replaced.__class__ in (float, int, complex):
            replaced = like.dtype.type(replaced)
        return tape.cast(replaced, like.dtype)

    def remove(self) -> None:
        """Take the hook away; it is not called any more."""
        self._hook = None


# ---------------------------------------------------------------------------------------------------------------
# Backward
# ---------------------------------------------------------------------------------------------------------------

_depositing = threading.Lock()


def backward(tensors: Any, gradients: Any = None, retain_graph: bool = False, create_graph: bool = False) -> None:
    """Run the tape backwards from several tensors in one pass; see `Tensor.backward`.

    Parameters
    ----------
    tensors : tensor or sequence of tensors
    gradients : sequence of array_like or None, optional
        The cotangent of each; `None` stands for 1 where a tensor has one element.
    """
    if isinstance(tensors, Tensor):
        tensors, gradients = [tensors], None if gradients is None else [gradients]
    gradients = [None] * len(tensors) if gradients is None else list(gradients)
    if len(gradients) != len(tensors):
        raise ArgumentError(f"[backward] one gradient per tensor was required; received {len(gradients)} gradients "
                            f"for {len(tensors)} tensors; pass None for those that start from 1")
    heads = [(_recorded_node(t), _seed(t, g)) for t, g in zip(tensors, gradients, strict=True)]
    level = tensors[0]._level
    if any(t._level != level for t in tensors):
        raise GradientError("[backward] tensors of one level were required; received some that depend on the argument "
                            "of a transformation and some that do not; run backward from each")
    with tape.recording_from(level) if create_graph else tape.no_grad() if not level else tape.recording_from(level):
        cotangents = tape.backpropagate(heads, retain_graph or create_graph, level if create_graph else None)
    if any(leaf.owner is None for leaf in cotangents):
        raise GradientError("[backward] a tensor that leads back to leaves made by wg.tensor was required; received "
                            "one that depends on the argument of a transformation; use wg.grad or wg.vjp inside it")
    with _depositing:
        while cotangents:
            leaf, g = cotangents.popitem()
            # Cotangents may be shared between leaves, or be windows on others: a gradient has memory of its own.
            if g.__class__ is np.ndarray and (getrefcount(g) > tape.ALONE or g.base is not None):
                g = g.copy()
            tensor = leaf.owner()
            if tensor is not None:
                tensor._accumulate(g)


def _recorded_node(t: Any) -> tape.Node:
    if not isinstance(t, Tensor):
        raise NotRecordedError(f"[backward] a recorded tensor was required; received {type(t).__name__}; it does not "
                               f"depend on a tensor that requires grad")
    if t._node is None:
        raise NotRecordedError(f"[backward] a recorded tensor was required; received {t._spec!r} without a history; "
                               f"make an input with requires_grad=True, and do not compute it under no_grad()")
    return t._node


def _seed(t: Tensor, gradient: Any) -> Any:
    """The cotangent to start from."""
    spec = t._spec
    if gradient is None:
        if spec.size != 1 or spec.is_complex:
            raise ShapeError(f"[backward] a real tensor of one element was required, as no gradient was given; "
                             f"received {spec!r}; pass gradient= of shape {spec.shape}, or reduce first: y.sum()")
        one = np.ones(spec.shape, spec.dtype)
        return one if spec.ndim else one[()]
    if isinstance(gradient, Tensor) and gradient._level == t._level and gradient._node is not None:
        gradient = gradient if gradient.dtype == spec.dtype else gradient.astype(spec.dtype)
    else:
        gradient = bare(gradient)
        gradient = np.asarray(gradient) if not isinstance(gradient, Wrapper) else gradient
    if gradient.shape != spec.shape:
        raise ShapeError(f"[backward] a gradient of shape {spec.shape} was required; received shape {gradient.shape}, "
                         f"dtype {gradient.dtype}; it must have the shape of the tensor itself")
    if gradient.dtype.kind == "c" and not spec.is_complex:
        raise DTypeError(f"[backward] a real gradient was required for {spec!r}; received dtype {gradient.dtype}")
    if isinstance(gradient, Wrapper):
        return gradient
    gradient = gradient.astype(spec.dtype)
    return gradient if spec.ndim else gradient[()]


# ---------------------------------------------------------------------------------------------------------------
# Views
# ---------------------------------------------------------------------------------------------------------------


class View(Tensor):
    """A window on another tensor: its base and the steps from there, nothing of its own."""

    __slots__ = ("_at", "_base", "_cut", "_linked", "_path")

    @property
    def _data(self) -> Any:
        base = self._base
        y = base._data
        for step in self._path:
            y = step[0](y, *step[1])
        if not self._spec.ndim and y.__class__ is np.ndarray:
            return y[()]
        # A small part of a buffer that is being filled is copied: held by the tape, it would make the next write
        # copy the whole.
        node = base._node
        if node is not None and node.rule is assign_rule and 4 * self._spec.size <= base._spec.size:
            return y.copy()
        return y

    @property
    def _node(self) -> tape.Node | None:
        node = self._base._node
        if node is None or self._cut:
            return None
        if self._at is not node:
            self._at = node
            for _, params, spec, link in self._path:
                node = link(node, spec, params)
            self._linked = node
        return self._linked

    @property
    def _level(self) -> int:
        return self._base._level


def make_view(source: Tensor, x: Any, y: Any, spec: Spec, node: Any, link: Callable, call: Callable,
              params: tuple) -> View | None:
    """The result of a view operation as a `View`, or `None` if NumPy made a copy."""
    if y.__class__ is np.ndarray:
        if x.__class__ is np.ndarray and y is not x and (y.base is None or (y.base is not x and y.base is not x.base)):
            return None
    elif not isinstance(y, View):
        return None
    v = View()
    step = (call, params, spec, link)
    if source.__class__ is View:
        v._base, v._path = source._base, (*source._path, step)
        v._cut = source._cut
    else:
        v._base, v._path, v._cut = source, (step,), False
    v._cut = v._cut or (node is not None and tape.floor() > source._level)
    v._spec, v._at, v._linked = spec, None, None
    return v


def follow(path: tuple, value: Any) -> Any:
    """Take the steps of a view from a value of its base's shape."""
    for step in path:
        value = step[0](value, *step[1])
    return value


# ---------------------------------------------------------------------------------------------------------------
# Writing in place
# ---------------------------------------------------------------------------------------------------------------


def write(target: Tensor, index: Any, value: Any, add: bool = False) -> None:
    """``target[index] = value`` (or ``+= value``, each of repeated indices counted), recorded where needed."""
    base, path = (target._base, target._path) if isinstance(target, View) else (target, ())
    if isinstance(value, View) and value._base is base and not add:
        if _same_place(value._path, path, index):
            return  # the second half of `x[i] += u`: the view has already been written
        value = value.copy()
    value = unbox(value)
    if isinstance(value, Wrapper):
        _rise(base, value)
    node, parent = base._node, None
    if isinstance(value, Tensor) and value._level == base._level:
        value, parent = value._data, value._node
    recorded = (node is not None or parent is not None) and tape.floor() <= base._level
    if recorded:
        _check_recorded_write(base, parent)
    shape = ()
    if getattr(value, "ndim", 0):
        shape, value, parent = _strip_leading_ones(follow(path, base._data), index, value, parent)
    _own_buffer(base, value)
    _store(base, path, index, value, add)
    if recorded:
        base._node = _assign_node(node, parent, base._spec, (path, index, shape), add)


def _same_place(source: tuple, target: tuple, index: Any) -> bool:
    """Whether a view's path is the path of the written tensor and then the written index."""
    if index is Ellipsis:
        return len(source) == len(target) and all(a[0] is b[0] and a[1] is b[1] for a, b in zip(source, target))
    if len(source) != len(target) + 1 or any(a is not b for a, b in zip(source, target)):
        return False
    return source[-1][0] is getitem_call() and not has_arrays(index) and source[-1][1] == (index,)


def has_arrays(index: Any) -> bool:
    """Whether an index holds arrays (integer or boolean), so that it selects a copy and not a view."""
    return any(isinstance(i, np.ndarray) for i in (index if isinstance(index, tuple) else (index,)))


def _rise(base: Tensor, value: Wrapper) -> None:
    """Bring a buffer to the level of what is written into it: what it holds becomes a constant of that level."""
    if value._level <= base._level and isinstance(value, Tensor):
        return
    if base._node is not None:
        _check_recorded_write(base, None)
        base._data, base._node = Tensor._box(base._data, base._level, base._node), None
    if isinstance(value, Tensor):
        base._level = value._level


def _check_recorded_write(base: Tensor, parent: tape.Node | None) -> None:
    if isinstance(base._node, tape.Leaf) and base._node.owner is not None:
        raise LeafWriteError(
            f"[in-place] a tensor that is no leaf was required; received a leaf that requires grad, {base._spec!r}: "
            f"after the write its gradient would have no meaning; write under wg.no_grad(), or into x.copy()")
    if parent is not None and not base._spec.inexact:
        raise LostGradientError(f"[in-place] a float or complex buffer was required for a recorded value; received "
                                f"{base._spec!r}; make it with dtype=float")


def _strip_leading_ones(region: Any, index: Any, value: Any, parent: Any) -> tuple[tuple[int, ...], Any, Any]:
    """NumPy lets a value of shape (1, 1, n) be written into (n,); gradients want the plain broadcasting rule."""
    if value.ndim <= region.ndim - 1:
        return (), value, parent
    shape = value.shape
    selected = np.empty(region.shape, bool)[index].ndim
    extra = ndim - selected
    if extra <= 0 or any(n != 1 for n in shape[:extra]):
        return (), value, parent
    return shape, value.reshape(shape[extra:]), parent


def _own_buffer(base: Tensor, value: Any) -> None:
    """Make sure that a write into the base's buffer changes nothing that anybody else holds."""
    data = base._data.__class__
    if data is np.ndarray:
        if getrefcount(base._data) > _HELD or base._data.base is not None or not base._data.flags.writeable:
            base._data = base._data.copy(order="K")
    elif issubclass(data, Wrapper):
        if getrefcount(base._data) > _HELD:
            base._data = base._data.copy()
    if isinstance(value, Wrapper) and not issubclass(data, Wrapper):
        base._data = value._buffer(base._data)


def _store(base: Tensor, path: tuple, index: Any, value: Any, add: bool) -> None:
    buffer = base._data
    if not base._spec.ndim and not isinstance(buffer, Wrapper):
        buffer = np.array(buffer)
    region = follow(path, buffer)
    if add:
        np.add.at(region, index, value)
    else:
        region[index] = value
    if buffer is not base._data:
        base._data = buffer[()]


def _assign_node(p0: Any, p1: Any, spec: Spec, place: tuple, add: bool) -> tape.Node:
    n = tape.Node()
    n.order, n.spec, n.p0, n.p1, n.s0, n.s1 = next(tape.ORDER), spec, p0, p1, place, None
    n.rule = add_at_rule if add else assign_rule
    return n


def assign_rule(node: tape.Node, g: Any, heap: list, nodes: dict, grads: dict) -> None:
    """Backward of a write: the written region's cotangent goes to the value, the rest to what was there before."""
    path, index, shape = node.s0
    if node.p1 is not None:
        send(node.p1, _of_value(follow(path, g)[index], node, index, shape, g), heap, nodes, grads)
    if node.p0 is None:
        return
    if not node.spec.ndim:
        return send(node.p0, tape.zeros(node.spec, g), heap, nodes, grads)
    if getrefcount(g) > tape.ALONE or (g.__class__ is np.ndarray and (g.base is not None or not g.flags.writeable)):
        g = g.copy()
    send(node.p0, _without_region(g, path, index), heap, nodes, grads)


def _of_value(c: Any, node: tape.Node, index: Any, shape: tuple, g: Any) -> Any:
    """The cotangent of the written value, from that of the region."""
    if c.__class__ is np.ndarray and (c.base is not None or c is g) or isinstance(c, View):
        c = c.copy()
    if has_arrays(index):
        c = _survivors(c, node.spec, node.s0[0], index)
    like = node.p1.spec
    if shape:
        c = np.reshape(c, (1,) * (len(shape) - c.ndim) + c.shape)
    return tape.fit(c, like)


def _survivors(c: Any, spec: Spec, path: tuple, index: Any) -> Any:
    """Where an index names an element twice only the last write stays: the others' cotangents are zero."""
    parts = index if isinstance(index, tuple) else (index,)
    integers = [i for i in parts if isinstance(i, np.ndarray) and i.dtype != bool]
    if not integers or len(integers) == 1 and integers[0].size < 2:
        return c
    positions = follow(path, np.arange(spec.size).reshape(spec.shape))[index]
    order = np.arange(positions.size)
    stamp = np.empty(spec.size, np.intp)
    stamp[positions.ravel()] = order
    return np.where((stamp[positions.ravel()] == order).reshape(positions.shape), c, np.zeros((), spec.dtype)[()])


def _without_region(g: Any, path: tuple, index: Any) -> Any:
    """`g` with zeros in the region, written in place: `g` is ours."""
    region = follow(path, g)
    if region.__class__ is not np.ndarray or region is g or np.may_share_memory(region, g):
        region[index] = 0
        return g
    # The base's memory was laid out differently, and what is a view of it is a copy of g.
    positions = follow(path, np.arange(g.size).reshape(g.shape))[index]
    g = np.ascontiguousarray(g)
    g.reshape(-1)[np.ravel(positions)] = 0
    return g


def add_at_rule(node: tape.Node, g: Any, heap: list, nodes: dict, grads: dict) -> None:
    """Backward of ``np.add.at``: everything goes to what was there before, the region's part to the value as well."""
    path, index, shape = node.s0
    if node.p1 is not None:
        c = follow(path, g)[index]
        if shape:
            c = np.reshape(c, (1,) * (len(shape) - c.ndim) + c.shape)
        send(node.p1, tape.fit(c, node.p1.spec), heap, nodes, grads)
    if node.p0 is not None:
        send(node.p0, g, heap, nodes, grads)


for _rule, _name in ((assign_rule, "setitem"), (add_at_rule, "add.at")):
    _rule.graph, _rule.name, _rule.freed = _rule, _name, tape.freed_rule(_name)


def send(parent: tape.Node, c: Any, heap: list, nodes: dict, grads: dict) -> None:
    """Add a cotangent to those waiting at a node."""
    order = parent.order
    if order in grads:
        grads[order] = grads[order] + c
    else:
        heappush(heap, order)
        nodes[order], grads[order] = parent, c


# ---------------------------------------------------------------------------------------------------------------
# In-place operators
# ---------------------------------------------------------------------------------------------------------------


def _in_place(ufunc: np.ufunc) -> Callable:
    def method(self: Tensor, other: Any) -> Any:
        if not self._spec.ndim and self.__class__ is not View and not getattr(self, "_mutable", False):
            return _table[ufunc](self, other)  # the result of an operation is a scalar, which NumPy rebinds
        if _update_buffer(self, ufunc, other):
            return self
        result = _table[ufunc](self, other)
        _check_in_place(self, ufunc, result)
        if self.__class__ is View or not isinstance(result, Tensor) or not _movable(self, result):
            write(self, Ellipsis, result)
        else:
            self._data = result._data
            if result._node is not None:
                self._node, self._level = result._node, result._level
        return self

    method.__name__, method.__doc__ = f"__i{ufunc.__name__}__", f"See `numpy.{ufunc.__name__}`, in place."
    return method


def _update_buffer(t: Tensor, ufunc: np.ufunc, other: Any) -> bool:
    """Where nothing is recorded, let NumPy work in place; returns whether it did."""
    if t.__class__ is View or t._data.__class__ is not np.ndarray:
        return False
    if tape.floor() == tape.NEVER:
        other = bare(other)
    elif t._node is None:
        other = unbox(other)
    else:
        return False
    if isinstance(other, Wrapper):
        return False
    _own_buffer(t, other)
    ufunc(t._data, other, out=t._data)
    return True


def _check_in_place(t: Tensor, ufunc: np.ufunc, result: Any) -> None:
    spec = spec_of(result)
    if spec.shape != t._spec.shape:
        raise ShapeError(f"[{ufunc.__name__}] in place, a result of shape {t._spec.shape} was required; the operands "
                         f"broadcast to {spec.shape}; write x = x op y instead")
    if not np.can_cast(spec.dtype, t._spec.dtype, "same_kind"):
        raise DTypeError(f"[{ufunc.__name__}] in place, a result that fits {t._spec!r} was required; received "
                         f"{spec.dtype}; write x = x op y instead, or give x a dtype of that kind")


def _movable(t: Tensor, result: Tensor) -> bool:
    """Whether the result can simply take the tensor's place: its views look the value up, so they follow."""
    if result._node is not None:
        _check_recorded_write(t, result._node)
    return result.__class__ is not View and result._spec is t._spec


# ---------------------------------------------------------------------------------------------------------------
# What NumPy's functions become
# ---------------------------------------------------------------------------------------------------------------


def _lift(value: Any, node: tape.Node | None, level: int) -> Any:
    """A saved value as the tensor that it was, for a backward pass that is itself recorded."""
    return value if node is None else Tensor._box(value, level, node)


FAMILY = Family(Tensor, View, _lift, make_view, unbox)


def _entry(function: Any) -> Callable:
    known = REGISTRY.get(function)
    if isinstance(known, Primitive):
        return generate(known, FAMILY)
    if isinstance(known, Composite):
        return known.call
    if isinstance(known, Plain):
        return _plain(known)
    return _missing(function)


def _plain(entry: Plain) -> Callable:
    """A function without gradient: tensors are read, the result is NumPy's own."""
    if entry.operator:
        scope: dict[str, Any] = {"Tensor": Tensor, "bare": bare}
        exec(f"def compare(a, b):\n    return (a._data if a.__class__ is Tensor else bare(a)) {entry.operator} "
             f"(b._data if b.__class__ is Tensor else bare(b))", scope)
        return scope["compare"]
    call = entry.call

    def read(*args, **kwargs):
        return call(*map(_bare_deep, args), **{k: _bare_deep(v) for k, v in kwargs.items()})

    return read


def _bare_deep(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(map(_bare_deep, value)) if type(value) in (list, tuple) else value
    return bare(value)


def _missing(function: Any) -> Callable:
    """A function without a rule: refused for values with a history, plain NumPy for others."""
    name = name_of(function)

    def refuse(*args, **kwargs):
        if _any_recorded((args, kwargs)):
            raise MissingRuleError(
                f"[{name}] a NumPy function with a derivative rule was required; '{name}' has none; declare one "
                f"(wengert.primitive.elementwise, linear or primitive; CONTRIBUTING.md shows how), write it with "
                f"functions that have one, or pass t.detach() if no gradient should flow")
        call = getattr(function[0], function[1]) if isinstance(function, tuple) else function
        return call(*map(_bare_deep, args), **{k: _bare_deep(v) for k, v in kwargs.items()})

    return refuse


def _any_recorded(value: Any) -> bool:
    if isinstance(value, Wrapper):
        return value._carries_gradient()
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return False
    return any(map(_any_recorded, value))


def _add_at(target: Any, index: Any, value: Any) -> None:
    """`numpy.add.at`, recorded."""
    if not isinstance(target, Tensor):
        raise LostGradientError(f"[add.at] a tensor was required to add recorded values into; received a plain array "
                                f"of {spec_of(target)!r}; make it with wg.zeros or np.zeros_like(t)")
    write(target, freeze(index), value, add=True)


_table = Tensor._table = Table(_entry)
_table[np.add, "at"] = _add_at
_table[np.subtract, "at"] = lambda target, index, value: _add_at(target, index, np.negative(value))
face.install(Tensor, _table)
for _name, _ufunc in face.OPERATORS.items():
    if _name != "divmod":
        setattr(Tensor, f"__i{_name}__", _in_place(_ufunc))


def getitem_call() -> Callable:
    """The function that view steps made by indexing carry."""
    return REGISTRY[operator.getitem].call


def _measure_held() -> int:
    """What `getrefcount` says of a buffer that only its tensor holds."""
    probe = Tensor._box(np.zeros(1))
    return getrefcount(probe._data)


_HELD = _measure_held()
