"""Parameters: arrays that a trainer changes, made when their shape is known; and dictionaries of them."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import bare
from wengert.dialects.mxnet import files, initializer
from wengert.dialects.mxnet.array import Array, dense
from wengert.dialects.mxnet.context import Context, current_context, on_cpu
from wengert.dialects.mxnet.errors import MXNetError
from wengert.dialects.mxnet.ndarray.ndarray import NDArray
from wengert.dialects.mxnet.numpy.array import ndarray
from wengert.dialects.mxnet.util import is_np_array, is_np_shape
from wengert.errors import ArgumentError

__all__ = ["Constant", "DeferredInitializationError", "Parameter", "ParameterDict"]


class DeferredInitializationError(MXNetError):
    """A parameter was read whose shape no data has told yet."""


class Parameter:
    """An array with a gradient, and how it starts.

    Parameters
    ----------
    name : str
    grad_req : {"write", "add", "null"}
        What a backward pass does to the gradient.
    shape : int or tuple of int, optional
        Lengths that are 0 or -1 are not known yet.
    dtype : NumPy dtype
    lr_mult, wd_mult : float
        Factors on a trainer's learning rate and weight decay.
    init : initializer or its name, optional
        By default the one given to ``initialize()``.
    allow_deferred_init : bool
        Whether ``initialize()`` may come before the shape is known.
    differentiable : bool
    """

    def __init__(
        self,
        name: str = "weight",
        grad_req: str = "write",
        shape: Any = None,
        dtype: Any = np.float32,
        lr_mult: float = 1.0,
        wd_mult: float = 1.0,
        init: Any = None,
        allow_deferred_init: bool = False,
        differentiable: bool = True,
        stype: str = "default",
        grad_stype: str = "default",
    ) -> None:
        dense("Parameter", stype)
        dense("Parameter", grad_stype)
        self._shape = (shape,) if isinstance(shape, (int, np.integer)) else None if shape is None else tuple(shape)
        self.name, self.dtype, self.init = name, dtype, init
        self.lr_mult, self.wd_mult = lr_mult, wd_mult
        self._allow_deferred_init, self._differentiable = allow_deferred_init, differentiable
        self._data: Any = None
        self._contexts: list[Context] = []
        self._deferred: tuple | None = None
        self._grad_req = "null"
        self.grad_req = grad_req

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.name} (shape={self.shape}, dtype={self.dtype})"

    def __setstate__(self, state: dict) -> None:
        vars(self).update(state)
        if self._data is not None:
            self._attach_grad()  # copies of arrays come without one

    # What it is -------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Lengths of the axes; unknown ones are 0, or -1 where shapes are NumPy's."""
        if self._shape is None:
            return None
        return tuple(-1 if n <= 0 else n for n in self._shape) if is_np_shape() else self._shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        known = self._shape
        if known is not None:
            fits = len(known) == len(shape) and all(n <= 0 or n == m for n, m in zip(known, shape, strict=True))
            assert fits, f"[{self.name}] a shape that fits {known} was required (Expected shape); received {shape}"
        self._shape = shape

    @property
    def grad_req(self) -> str:
        """What a backward pass does to the gradient."""
        return self._grad_req

    @grad_req.setter
    def grad_req(self, req: str) -> None:
        assert req in ("write", "add", "null"), (
            f"[{self.name}] grad_req 'write', 'add' or 'null' was required; received {req!r}"
        )
        req = req if self._differentiable else "null"
        if req == self._grad_req:
            return
        self._grad_req = req
        if self._data is not None:
            self._attach_grad()

    def _attach_grad(self) -> None:
        if self._grad_req == "null":
            if self._data.grad is not None:
                self._data.drop_grad()
        else:
            self._data.attach_grad(self._grad_req)

    def _shape_is_known(self) -> bool:
        return self._shape is not None and all(n > 0 for n in self._shape)

    # How it starts ----------------------------------------------------------------------------------------------

    def initialize(
        self,
        init: Any = None,
        ctx: Any = None,
        default_init: Any = None,
        force_reinit: bool = False,
        device: Any = None,
    ) -> None:
        """Give the array its first values: now, or when the shape is known.

        Parameters
        ----------
        init : initializer, optional
            By default the parameter's own; where it has none, `default_init`.
        ctx : device or list of devices, optional
        default_init : initializer, optional
            Uniform by default.
        force_reinit : bool
            Whether an array that is there is given new values.
        """
        if self._data is not None and not force_reinit:
            warnings.warn(
                f"Parameter '{self.name}' is already initialized, ignoring. Set force_reinit=True to re-initialize.",
                stacklevel=2,
            )
            return
        self._contexts = _contexts(ctx if device is None else device)
        self._data = None
        own = self.init if init is None else init
        self._deferred = (own, initializer.Uniform() if default_init is None else default_init, None)
        if self._shape_is_known():
            self._finish_deferred_init()
        elif not self._allow_deferred_init:
            raise ValueError(
                f"[initialize] Cannot initialize Parameter '{self.name}' because it has invalid shape: "
                f"{self._shape}; give it a shape, or allow_deferred_init=True"
            )

    @property
    def _waits_for_shape(self) -> bool:
        """Whether the first forward pass will make it."""
        return self._deferred is not None

    def _finish_deferred_init(self) -> None:
        """Make the array, now that the shape is known."""
        if self._deferred is None:
            return
        own, default, data = self._deferred
        assert self._shape_is_known(), f"[{self.name}] a known shape was required; received {self._shape}"
        self._deferred = None
        box = ndarray if is_np_array() else NDArray
        self._data = box._box(np.zeros(self._shape, self.dtype))
        with tape.no_grad():
            if data is not None:
                self._data[...] = data
            else:
                _initialize(self.name, self._data, own, default)
        self._attach_grad()

    def _load(
        self, data: Array, source: str, ctx: Any = None, cast_dtype: bool = False, dtype_source: str = "current"
    ) -> None:
        """Take values from a file, with or without `initialize` before."""
        if self._shape is not None:
            fits = len(self._shape) == data.ndim and all(
                n <= 0 or n == m for n, m in zip(self._shape, data.shape, strict=True)
            )
            assert fits, (
                f"[load] Parameter '{self.name}' needs shape {self._shape}; {source} has one of "
                f"shape incompatible: {data.shape}"
            )
        if cast_dtype and dtype_source == "current":
            data = data.astype(self.dtype)
        elif cast_dtype:
            self.dtype = data.dtype
        assert np.dtype(self.dtype) == data.dtype, (
            f"[load] Parameter '{self.name}' has dtype {np.dtype(self.dtype)}; {source} has dtype incompatible: "
            f"{data.dtype}; use cast_dtype=True"
        )
        self._shape = data.shape
        if self._data is None:
            self._contexts = _contexts(ctx) if ctx is not None or not self._contexts else self._contexts
            self._deferred = (None, None, data)
            self._finish_deferred_init()
        else:
            self.set_data(data)

    # Reading and writing ----------------------------------------------------------------------------------------

    def data(self, ctx: Any = None) -> Any:
        """The array."""
        if self._data is None:
            raise self._absent()
        if ctx is not None:
            on_cpu("data", ctx)
        return self._data

    def _absent(self) -> Exception:
        if self._deferred is not None:
            return DeferredInitializationError(
                f"[data] Parameter '{self.name}' has not been initialized yet because initialization was deferred: its "
                f"shape {self._shape} is not known; run data through the network once, or give the shape"
            )
        return RuntimeError(
            f"[data] Parameter '{self.name}' has not been initialized; call net.initialize() first, and use "
            f"collect_params() of the whole network in the trainer"
        )

    def list_data(self) -> list:
        """The array, in a list with an entry for each device."""
        return [self.data()] * max(1, len(self._contexts))

    def grad(self, ctx: Any = None) -> Any:
        """The gradient's buffer."""
        if self._data is not None and self._data.grad is None:
            raise RuntimeError(
                f"[grad] a parameter with a gradient was required; received '{self.name}', whose grad_req='null'"
            )
        return self.data(ctx).grad

    def list_grad(self) -> list:
        """The gradient's buffer, in a list with an entry for each device."""
        return [self.grad()] * max(1, len(self._contexts))

    def list_ctx(self) -> list[Context]:
        """The devices."""
        if self._data is None and self._deferred is None:
            raise self._absent()
        return self._contexts

    list_device = list_ctx

    def set_data(self, data: Any) -> None:
        """Write new values into the array."""
        self.shape = data.shape
        if self._data is not None:
            with tape.no_grad():
                self._data[...] = bare(data)
            return
        assert self._deferred is not None, f"[set_data] Parameter '{self.name}' has not been initialized"
        self._deferred = (*self._deferred[:2], data)
        self._finish_deferred_init()

    def zero_grad(self) -> None:
        """Fill the gradient's buffer with zeros."""
        if self._data is not None and self._data.grad is not None:
            self._data.grad[...] = 0

    def cast(self, dtype: Any) -> None:
        """Change the dtype of array and gradient."""
        self.dtype = dtype
        if self._data is not None:
            self._data = self._data._box(self._data.asnumpy().astype(dtype))
            self._attach_grad()

    def reset_ctx(self, ctx: Any) -> None:
        """Move to other devices: there is one."""
        self._contexts = _contexts(ctx)

    reset_device = reset_ctx


def _contexts(ctx: Any) -> list[Context]:
    contexts = [current_context()] if ctx is None else [ctx] if isinstance(ctx, Context) else list(ctx)
    for context in contexts:
        on_cpu("initialize", context)
    if len(set(contexts)) > 1:
        raise MXNetError(
            f"[initialize] one device was required; received {contexts}; everything is on one CPU here: use mx.cpu()"
        )
    return contexts


def _initialize(name: str, data: Any, own: Any, default: Any) -> None:
    """A parameter's own initializer sets it whatever its name is, and so does the common one, unless it is `Mixed`."""
    chosen: Any = initializer.create(default if own is None else own)
    if isinstance(chosen, initializer.Initializer):
        chosen.init_weight(initializer.InitDesc(name), data)
    else:
        chosen(initializer.InitDesc(name), data)


class Constant(Parameter):
    """A parameter that no trainer changes: ``Constant(name, value)``, or ``Constant(value)``."""

    def __init__(self, name: Any, value: Any = None) -> None:
        name, value = ("const", name) if value is None else (name, value)
        self.value = bare(value) if isinstance(value, Array) else np.asarray(value)
        dtype = self.value.dtype if isinstance(value, (Array, np.ndarray)) else np.float32
        super().__init__(name, "null", self.value.shape, dtype, init=initializer.Constant(self.value))

    @property
    def grad_req(self) -> str:
        """Always ``"null"``."""
        return "null"

    @grad_req.setter
    def grad_req(self, req: str) -> None:
        if req != "null":
            warnings.warn(f"Constant '{self.name}' does not support grad_req '{req}'", stacklevel=2)


class ParameterDict:
    """Parameters by name, each of which starts with `prefix`; what `shared` has is taken from there."""

    def __init__(self, prefix: str = "", shared: "ParameterDict | None" = None) -> None:
        self._prefix, self._shared = prefix, shared
        self._params: dict[str, Parameter] = {}
        self._structured: dict[str, Parameter] = {}

    @property
    def prefix(self) -> str:
        """What the names start with."""
        return self._prefix

    def __repr__(self) -> str:
        lines = "\n".join(f"  {p!r}" for p in self.values())
        return f"{self._prefix + ' ' if self._prefix else ''}(\n{lines}\n)"

    def __getitem__(self, key: str) -> Parameter:
        return self._params[key] if key in self._params else self._structured[key]

    def __contains__(self, key: object) -> bool:
        return key in self._params or key in self._structured

    def __iter__(self) -> Iterator[str]:
        return iter(self._params)

    def __len__(self) -> int:
        return len(self._params)

    def keys(self) -> Any:
        """The names."""
        return self._params.keys()

    def values(self) -> Any:
        """The parameters."""
        return self._params.values()

    def items(self) -> Any:
        """Names and parameters."""
        return self._params.items()

    def get(self, name: str, **kwargs: Any) -> Parameter:
        """The parameter of a name, made with these settings if there is none; if there is one, they must agree."""
        name = self._prefix + name
        param = self._found(name)
        if param is None:
            param = self._params[name] = Parameter(name, **kwargs)
        else:
            _agree(param, kwargs)
        return param

    def get_constant(self, name: str, value: Any = None) -> Parameter:
        """The constant of a name, made if there is none."""
        name = self._prefix + name
        param = self._found(name)
        if param is None:
            if value is None:
                raise KeyError(f"[get_constant] a value was required, as there is no constant named {name!r}")
            param = self._params[name] = Constant(name, value)
        return param

    def _found(self, name: str) -> Parameter | None:
        if name not in self._params and self._shared is not None and name in self._shared._params:
            self._params[name] = self._shared._params[name]
        return self._params.get(name)

    def update(self, other: "ParameterDict") -> None:
        """Take in the parameters of another dictionary."""
        for name, param in other.items():
            if self._params.get(name, param) is not param:
                raise ValueError(f"[update] one parameter for each name was required; received two named {name!r}")
            self._params[name] = param

    def initialize(
        self, init: Any = None, ctx: Any = None, verbose: bool = False, force_reinit: bool = False, device: Any = None
    ) -> None:
        """Give all arrays their first values."""
        init = initializer.Uniform() if init is None else init
        for param in self.values():
            param.initialize(None, ctx, init, force_reinit, device)

    def zero_grad(self) -> None:
        """Fill all gradients with zeros."""
        self._each(lambda p: p.zero_grad())

    def reset_ctx(self, ctx: Any) -> None:
        """Move to other devices: there is one."""
        self._each(lambda p: p.reset_ctx(ctx))

    def list_ctx(self) -> list[Context]:
        """The devices of all parameters."""
        return list({ctx: None for p in self.values() for ctx in p.list_ctx()})

    def setattr(self, name: str, value: Any) -> None:
        """Set an attribute of all parameters, such as ``grad_req`` or ``lr_mult``."""
        self._each(lambda p: setattr(p, name, value))

    def _each(self, change: Callable[[Parameter], Any]) -> None:
        for param in self.values():
            change(param)

    def save(self, filename: str, strip_prefix: str = "") -> None:
        """Write all arrays into a file, under their names without `strip_prefix`."""
        for name in self.keys():
            if not name.startswith(strip_prefix):
                raise ArgumentError(f"[save] names that start with {strip_prefix!r} were required; received {name!r}")
        files.save(filename, {name[len(strip_prefix) :]: p.data() for name, p in self.items()})

    def load(
        self,
        filename: str,
        ctx: Any = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
        restore_prefix: str = "",
        cast_dtype: bool = False,
        dtype_source: str = "current",
    ) -> None:
        """Read all arrays from a file in which they are without `restore_prefix`."""
        loaded = {restore_prefix + name: data for name, data in files.load(filename).items()}
        load_into(dict(self.items()), loaded, filename, ctx, allow_missing, ignore_extra, cast_dtype, dtype_source)


def load_into(
    params: dict[str, Parameter], loaded: dict[str, Array], filename: str, ctx: Any, allow_missing: bool,
    ignore_extra: bool, cast_dtype: bool, dtype_source: str,
) -> None:  # fmt: skip
    """Give parameters the values of a file."""
    missing, extra = sorted(params.keys() - loaded.keys()), sorted(loaded.keys() - params.keys())
    assert not missing or allow_missing, (
        f"[load] Parameter '{missing[0]}' is missing in '{filename}', which has {sorted(loaded)}; use "
        f"allow_missing=True"
    )
    if extra and not ignore_extra:
        raise ValueError(
            f"[load] Parameter '{extra[0]}' in '{filename}' is not present here, where there are {sorted(params)}; use "
            f"ignore_extra=True"
        )
    for name in loaded.keys() & params.keys():
        params[name]._load(loaded[name], f"'{filename}'", ctx, cast_dtype, dtype_source)


def _agree(param: Parameter, settings: dict[str, Any]) -> None:
    """Insist that a parameter has the settings asked for; a shape may tell what was not known."""
    for key, value in settings.items():
        existing = getattr(param, key, None)
        if existing is None or value is None:
            setattr(param, key, value if existing is None else existing)
        elif key == "shape":
            value = (value,) if isinstance(value, (int, np.integer)) else tuple(value)
            if len(value) == len(existing):
                value = tuple(n if m <= 0 else m for n, m in zip(existing, value, strict=True))
            param.shape = value
        else:
            same = np.dtype(value) == np.dtype(existing) if key == "dtype" else value == existing
            assert same, (
                f"[get] Cannot retrieve Parameter '{param.name}' because desired attribute does not match: {key} is "
                f"{existing!r}, and {value!r} was asked for"
            )
