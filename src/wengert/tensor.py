"""`Tensor`: reverse mode as an array type, for its users."""

import operator
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import face, tape
from wengert.box import Box, bare, checked_cotangent, freeze, plain, read_only
from wengert.dispatch import make_table
from wengert.errors import (
    ArgumentError,
    DTypeError,
    GradientError,
    LostGradientError,
    NotRecordedError,
    RecordedCopyError,
    RuleError,
    ShapeError,
)
from wengert.generate import Family
from wengert.passes import recorded_node, run_backward, seed
from wengert.protocol import Spec, Wrapper, ask_to_record_again, highest, innermost, is_recorded, spec_of
from wengert.reading import check_reading, instead_of_scipys, is_sparse_product
from wengert.views import ViewOf, make_view
from wengert.writes import in_place, write


class Tensor(Box):
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

    __slots__ = ("_accumulation", "_grad")
    __array_priority__ = 1000

    def __hash__(self) -> int:
        value = self._value
        if isinstance(value, Wrapper) and value._recorded:
            return value._hash_of(self)
        return object.__hash__(self)

    # The value --------------------------------------------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The value: a read-only window on the array, or a NumPy scalar.

        It is read-only because backward may need what it shows. To change the value, write into the tensor (under
        `no_grad` if the write should not be recorded), or set ``t.data = array`` (same shape and dtype, copied).
        """
        inside = bare(self)
        if is_recorded(inside):
            inside._ask_for_memory(self)
        return read_only(inside)

    @data.setter
    def data(self, value: Any) -> None:
        value = plain(bare(value))
        if not np.can_cast(value.dtype, self._spec.dtype, "same_kind"):
            raise DTypeError(
                f"[data] an array that fits {self._spec!r} was required; received dtype {value.dtype}; convert it, or "
                f"make a new tensor"
            )
        if value.shape != self._spec.shape:
            raise ShapeError(
                f"[data] an array of shape {self._spec.shape} was required; received {spec_of(value)}; "
                f"make a new tensor for another shape"
            )
        if self._is_view:
            with tape.no_grad():
                self[...] = value
        else:
            fresh = np.empty_like(bare(self))
            fresh[...] = value
            self._value = fresh if fresh.ndim else fresh[()]

    def numpy(self) -> np.ndarray:
        """The value as an independent NumPy array."""
        inside = bare(self)
        # A recorded number would stay one, in the place of an array without axes.
        return inside._numpy() if is_recorded(inside) and inside.ndim else np.array(inside)

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
        if not isinstance(required, (bool, np.bool_)):
            raise ArgumentError(f"[requires_grad_] True or False was required; received {required!r}")
        if required == self.requires_grad:
            return self
        if not required and not self.is_leaf:
            raise GradientError(
                "[requires_grad_] only a leaf can stop requiring grad; received the result of "
                f"'{self._node.name}', {self._spec!r}; use t.detach()"
            )
        if required and not self._spec.inexact:
            raise DTypeError(
                f"[requires_grad_] a float or complex tensor was required; received {self._spec!r}; "
                f"convert it: wg.tensor(data, dtype=float, requires_grad=True)"
            )
        if self._is_view:
            raise GradientError(
                f"[requires_grad_] a tensor with memory of its own was required; received a view, "
                f"{self._spec!r}; use t.copy().requires_grad_(), or set it on the base"
            )
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
        if value is not None and (not isinstance(value, Tensor) or value._node is None):
            # A tensor of its own: another that holds the same array is written to without this one.
            checked = checked_cotangent("grad", value, self._spec)
            value = self._new_grad(checked.copy() if checked.__class__ is np.ndarray else checked)
        elif value is not None and value.shape != self.shape:
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
        run_backward(
            [(recorded_node(self), seed(self, gradient, create_graph))], self._level, retain_graph, create_graph
        )

    def _accumulate(self, g: Any) -> None:
        """Take a gradient that arrived from a backward pass."""
        how, old = getattr(self, "_accumulation", "add"), getattr(self, "_grad", None)
        if how == "null":
            return
        if old is None or how == "write":
            self._grad = self._adopt(g) if isinstance(g, Tensor) else self._new_grad(g)
        elif isinstance(g, Tensor) or old._node is not None or (isinstance(g, Wrapper) and not is_recorded(g)):
            self._grad = old + g
        else:
            with tape.no_grad():
                old += g
            self._grad = old  # of scalars the operator gives another tensor

    def _new_grad(self, g: Any) -> "Tensor":
        """A tensor for a cotangent, which has this tensor's shape and dtype."""
        t = object.__new__(self._family.tensor)
        t._value = g if self._spec.ndim or g.__class__ is not np.ndarray else g[()]
        t._spec, t._level, t._node = self._spec, self._ground, None
        return t

    @classmethod
    def _adopt(cls, t: "Tensor") -> "Tensor":
        """A tensor of this family in the place of one that the tape made."""
        return t if isinstance(t, cls._family.tensor) else cls._box(t._value, t._level, t._node)

    def retain_grad(self) -> None:
        """Keep the gradient that passes through this intermediate result in ``grad``, as for a leaf."""
        if self._node is None:
            raise NotRecordedError(
                f"[retain_grad] a recorded tensor was required; received {self._spec!r}, which "
                f"does not require grad; call requires_grad_() first"
            )
        if not self.is_leaf:
            owner = weakref.ref(self)

            def keep(g: Any) -> None:
                tensor = owner()
                if tensor is not None:
                    tensor._accumulate(g.copy() if g.__class__ is np.ndarray else g)

            tape.hooked(self._node).keep = keep

    def register_hook(self, hook: Callable[["Tensor"], Any]) -> "HookHandle":
        """Have ``hook(gradient)`` called when this tensor's gradient is known; what it returns replaces the gradient.

        `None` leaves the gradient as it is. The handle's ``remove()`` takes the hook away again.
        """
        if self._node is None:
            raise NotRecordedError(
                f"[register_hook] a recorded tensor was required; received {self._spec!r}, which does not require grad"
            )
        if not callable(hook):
            raise RuleError(f"[register_hook] a function of the gradient was required; received {hook!r}")
        return HookHandle(self, hook)

    # Reading as a number ----------------------------------------------------------------------------------------

    def _read(self, reader: str) -> Any:
        value = bare(self)
        if self._spec.size == 1 and self._carries_gradient():
            ask_to_record_again(self, is_array=False)
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
        return operator.index(bare(self))

    def __round__(self, digits: int | None = None) -> Any:
        if self._spec.dtype.kind in "bc":
            raise TypeError(f"type {self._spec.dtype.name} doesn't define __round__ method")
        return round(self._read("round")) if digits is None else np.round(self, digits)

    def __format__(self, spec: str) -> str:
        return format(bare(self), spec) if not self._spec.ndim else format(str(self), spec)

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(bare(self) == bare(value)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self._carries_gradient():
            if is_sparse_product():
                return np.array(None)  # scipy.sparse leaves its product with what is no array to `__rmatmul__`
            ask_to_record_again(self)
            raise LostGradientError(
                f"[np.asarray] a value whose gradient is not recorded was required, as a plain array would drop it; "
                f"received {self._spec!r}; {instead_of_scipys()}collect (nested lists of) tensors with wg.asarray or "
                f"np.stack, fill a buffer made by wg.zeros or np.zeros_like(t), go over t.flat or np.ndindex(t.shape), "
                f"or leave the tape with t.detach() or t.numpy()"
            )
        inside = bare(self)
        if is_recorded(inside):
            return inside._shown(self, dtype, copy)
        value = np.asarray(self.data, dtype)
        return value.copy() if copy else value

    # Copies and text --------------------------------------------------------------------------------------------

    def __copy__(self) -> "Tensor":
        return self.copy("K")

    def __deepcopy__(self, memo: dict) -> "Tensor":
        make, arguments = self.__reduce_ex__(2)
        memo[id(self)] = copied = make(*arguments)
        return copied

    def __reduce_ex__(self, protocol: Any) -> tuple:
        if not self.is_leaf or isinstance(self._value, Wrapper):
            history = "inside a transformation" if self.is_leaf else f"made by '{self._node.name}'"
            raise RecordedCopyError(
                f"[pickle] a leaf was required; received {self._spec!r}, {history}, whose history would be lost; "
                f"pickle or deepcopy t.detach(), or use t.copy() for a recorded copy"
            )
        grad = None if self.grad is None else self.grad.numpy()
        return _restore, (self._family.tensor, np.array(self._value), self.requires_grad, grad, self.accumulation)

    def __str__(self) -> str:
        inside = bare(self)
        return str(innermost(inside)) if is_recorded(inside) and inside._is_instead_of(self) else repr(self)

    def __repr__(self) -> str:
        inside = bare(self)
        if is_recorded(inside):
            if inside._is_instead_of(self):
                return repr(innermost(inside))
            inside = innermost(inside)
        if isinstance(inside, Wrapper):  # of a transformation around
            text = repr(inside)
        else:
            text = np.array2string(np.asarray(inside), separator=", ", prefix="tensor(")
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
            top = highest(index if index.__class__ is tuple else (index,))
            if top is not None:  # integers that a transformation has made a batch of
                if top._level > self._level:
                    return top._table[operator.getitem](self, index)
                if not (top._recorded and isinstance(self._value, Wrapper)):
                    return self._table[operator.getitem].slow((self,), (index,))
        return self._table[operator.getitem](self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        write(self, freeze(index), value)


def _restore(
    kind: type[Tensor], data: np.ndarray, requires_grad: bool, grad: np.ndarray | None, accumulation: str
) -> Tensor:
    """Rebuild a pickled or deep-copied leaf."""
    t = kind._box(data)
    t._mutable = True
    t.requires_grad_(requires_grad)
    t._grad = None if grad is None else t._new_grad(grad)
    if accumulation != "add":
        t.accumulation = accumulation
    return t


class HookHandle:
    """A registered hook; ``remove()`` takes it away."""

    def __init__(self, tensor: Tensor, hook: Callable[[Tensor], Any]):
        like, level = tensor._spec, tensor._level
        self._hooks = tape.hooked(tensor._node).hooks
        box = tensor._family.tensor
        self._entry = lambda g, recorded: _hooked_cotangent(hook, g, box, like, level, recorded)
        self._hooks.append(self._entry)

    def remove(self) -> None:
        """Take the hook away; it is not called any more."""
        if self._entry in self._hooks:
            self._hooks.remove(self._entry)


def _hooked_cotangent(hook: Callable, g: Any, kind: type[Tensor], like: Spec, level: int, recorded: bool) -> Any:
    """What a user's hook makes of a cotangent, checked; without a history where the pass is not recorded."""
    replaced = hook(kind._adopt(g) if isinstance(g, Tensor) else kind._box(g))
    if replaced is None:
        return g
    while not recorded and isinstance(replaced, Tensor) and replaced._level >= level:
        replaced = replaced._value
    return checked_cotangent("register_hook", replaced, like)


# ---------------------------------------------------------------------------------------------------------------
# The family
# ---------------------------------------------------------------------------------------------------------------


class View(ViewOf, Tensor):
    """A window on another tensor, made by slicing, transposing, reshaping: writing either writes both."""

    __slots__ = ("_array", "_at", "_base", "_cut", "_linked", "_parent", "_step")


Box._family = Family(Tensor, View, make_view, boxes=False)
Tensor._table = make_table(Tensor._family)
face.install(Tensor, Tensor._table)
for _name, _ufunc in face.OPERATORS.items():
    if _name != "divmod":
        setattr(Tensor, f"__i{_name}__", in_place(_ufunc))
