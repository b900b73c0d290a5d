"""Blocks: layers and networks, made of parameters and of other blocks."""

import functools
import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from wengert import tape
from wengert.dialects.mxnet import files, ndarray
from wengert.dialects.mxnet.errors import MXNetError
from wengert.dialects.mxnet.gluon.inference import Inferring
from wengert.dialects.mxnet.gluon.parameter import (
    DeferredInitializationError,
    Parameter,
    ParameterDict,
    load_into,
)

__all__ = ["Block", "HybridBlock"]


class _Names(threading.local):
    """Where the names of new blocks come from: the block whose `name_scope` is open, and counts of kinds."""

    def __init__(self) -> None:
        self.open: list[Block] = []
        self.counts: Counter = Counter()


_names = _Names()


def _numbered(counts: Counter, hint: str) -> str:
    counts[hint] += 1
    return f"{hint}{counts[hint] - 1}_"


class _NameScope:
    """Inside, new blocks are named after this one, and share what it shares."""

    def __init__(self, block: "Block") -> None:
        self._block = block

    def __enter__(self) -> "_NameScope":
        if not self._block._empty_prefix:
            _names.open.append(self._block)
        return self

    def __exit__(self, *exception: Any) -> None:
        if not self._block._empty_prefix:
            _names.open.pop()


class _HookHandle:
    """A registered hook; ``detach()`` takes it away."""

    def __init__(self, hooks: list, hook: Callable) -> None:
        self._hooks, self._hook = hooks, hook
        hooks.append(hook)

    def detach(self) -> None:
        """Take the hook away."""
        if self._hook in self._hooks:
            self._hooks.remove(self._hook)

    def __enter__(self) -> "_HookHandle":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.detach()


class Block:
    """Base of layers and networks. A subclass makes its parts in ``__init__`` and uses them in `forward`.

    Parameters
    ----------
    prefix : str, optional
        What the names of parameters start with; by default made of the class's name and a number.
    params : ParameterDict, optional
        Parameters to share with another block.
    """

    _empty_prefix: bool
    _counts: Counter
    _children: "dict[str, Block]"
    _reg_params: dict[str, Parameter]
    _forward_hooks: list[Callable]
    _forward_pre_hooks: list[Callable]
    _prefix: str
    _params: ParameterDict

    def __init__(self, prefix: str | None = None, params: ParameterDict | None = None) -> None:
        set_own = functools.partial(object.__setattr__, self)
        set_own("_empty_prefix", prefix == "")
        set_own("_counts", Counter())
        set_own("_children", {})
        set_own("_reg_params", {})
        set_own("_forward_hooks", [])
        set_own("_forward_pre_hooks", [])
        around = _names.open[-1] if _names.open else None
        if prefix is None:
            prefix = _numbered(_names.counts if around is None else around._counts, self._alias())
        if params is not None:
            params = ParameterDict(params.prefix, params)
        elif around is None:
            params = ParameterDict(prefix)
        else:
            params = ParameterDict(around.params.prefix + prefix, around.params._shared)
        set_own("_prefix", prefix if around is None else around.prefix + prefix)
        set_own("_params", params)

    def _alias(self) -> str:
        return type(self).__name__.lower()

    def __setattr__(self, name: str, value: Any) -> None:
        existing = getattr(self, name, None)
        if isinstance(existing, (Parameter, Block)) and not isinstance(value, type(existing)):
            raise TypeError(
                f"[{self.name}] Changing attribute type for {name} from {type(existing)} to {type(value)} is not "
                f"allowed; use another name"
            )
        if isinstance(value, Block):
            self.register_child(value, name)
        elif isinstance(value, Parameter):
            self._reg_params[name] = value
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        return _tree(type(self).__name__, {k: v for k, v in vars(self).items() if isinstance(v, Block)})

    # Names and parts --------------------------------------------------------------------------------------------

    @property
    def prefix(self) -> str:
        """What the names of parameters start with."""
        return self._prefix

    @property
    def name(self) -> str:
        """The prefix without its last underscore."""
        return self._prefix.removesuffix("_")

    @property
    def params(self) -> ParameterDict:
        """The parameters of this block, without its children's."""
        return self._params

    def name_scope(self) -> _NameScope:
        """A context in which new blocks are named after this one."""
        return _NameScope(self)

    def register_child(self, block: "Block", name: str | None = None) -> None:
        """Make a block a part of this one, as setting an attribute does."""
        self._children[str(len(self._children)) if name is None else name] = block

    def register_forward_hook(self, hook: Callable) -> _HookHandle:
        """Have ``hook(block, inputs, outputs)`` called after each `forward`."""
        return _HookHandle(self._forward_hooks, hook)

    def register_forward_pre_hook(self, hook: Callable) -> _HookHandle:
        """Have ``hook(block, inputs)`` called before each `forward`."""
        return _HookHandle(self._forward_pre_hooks, hook)

    def collect_params(self, select: str | None = None) -> ParameterDict:
        """The parameters of this block and of its children, those whose name matches the pattern `select`."""
        collected = ParameterDict(self._params.prefix)
        structured = self._collect_params_with_prefix()
        named: dict[int, str] = {}
        self._name_params(named)
        places = {id(p): place for place, p in reversed(structured.items())}
        for param in {id(p): p for p in [*self._all_params(), *structured.values()]}.values():
            name = named.get(id(param), param.name)
            if name in collected._params:
                name = places[id(param)]  # two parameters made outside of a dictionary may have one name
            if select is None or re.match(select, name):
                collected._params[name] = param
        chosen = set(map(id, collected.values()))
        collected._structured = {place: p for place, p in structured.items() if id(p) in chosen}
        return collected

    def _all_params(self) -> list[Parameter]:
        own = list(self._params.values())
        return own + [p for child in self._children.values() for p in child._all_params()]

    def _name_params(self, named: dict[int, str]) -> None:
        for name, param in self._params.items():
            named.setdefault(id(param), name)
        for child in self._children.values():
            child._name_params(named)

    def _collect_params_with_prefix(self, prefix: str = "") -> dict[str, Parameter]:
        """Parameters by the attributes that lead to them."""
        dot = f"{prefix}." if prefix else ""
        found = {dot + name: param for name, param in self._reg_params.items()}
        for name, child in self._children.items():
            found |= child._collect_params_with_prefix(dot + name)
        return found

    # Everything at once -----------------------------------------------------------------------------------------

    def initialize(
        self, init: Any = None, ctx: Any = None, verbose: bool = False, force_reinit: bool = False, device: Any = None
    ) -> None:
        """Give all parameters their first values: uniform by default."""
        self.collect_params().initialize(init, ctx, verbose, force_reinit, device)

    def apply(self, fn: Callable[["Block"], Any]) -> "Block":
        """Call a function with each block, the innermost first."""
        for child in self._children.values():
            child.apply(fn)
        fn(self)
        return self

    def hybridize(self, active: bool = True, **kwargs: Any) -> None:
        """Accepted: blocks run as they are written."""
        for child in self._children.values():
            child.hybridize(active, **kwargs)

    def cast(self, dtype: Any) -> None:
        """Change the dtype of all parameters."""
        for child in self._children.values():
            child.cast(dtype)
        for param in {id(p): p for p in [*self._params.values(), *self._reg_params.values()]}.values():
            param.cast(dtype)

    def zero_grad(self) -> None:
        """Fill all gradients with zeros."""
        self.collect_params().zero_grad()

    def setattr(self, name: str, value: Any) -> None:
        """Set an attribute of all parameters."""
        self.collect_params().setattr(name, value)

    def reset_ctx(self, ctx: Any) -> None:
        """Move to other devices: there is one."""
        self.collect_params().reset_ctx(ctx)

    reset_device = reset_ctx

    def share_parameters(self, shared: Any) -> "Block":
        """Take parameters of another block, by the attributes that lead to them."""
        for place, param in dict(getattr(shared, "_structured", None) or shared).items():
            *path, name = place.split(".")
            block: Any = functools.reduce(lambda b, part: b._children[part], path, self)
            if name in block._reg_params:
                old = block._reg_params[name]
                block._params._params = {k: param if p is old else p for k, p in block._params.items()}
                setattr(block, name, param)
        return self

    def save_parameters(self, filename: str, deduplicate: bool = False) -> None:
        """Write all parameters into a file, by the attributes that lead to them."""
        files.save(filename, {name: p.data() for name, p in self._collect_params_with_prefix().items()})

    def load_parameters(
        self,
        filename: str,
        ctx: Any = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
        cast_dtype: bool = False,
        dtype_source: str = "current",
        device: Any = None,
    ) -> None:
        """Read all parameters from a file, with or without `initialize` before."""
        loaded, ctx = files.load(filename), ctx if device is None else device
        loaded = loaded if isinstance(loaded, dict) else {}
        params = self._collect_params_with_prefix()
        if loaded and params and not loaded.keys() & params.keys():
            params = {n.removeprefix(self.prefix): p for n, p in self.collect_params().items()}
        load_into(params, loaded, filename, ctx, allow_missing, ignore_extra, cast_dtype, dtype_source)

    save_params, load_params = save_parameters, load_parameters

    # Running ----------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`, and the hooks around it."""
        if not (self._forward_pre_hooks or self._forward_hooks):
            return self.forward(*args, **kwargs)
        for hook in list(self._forward_pre_hooks):
            hook(self, args)
        out = self.forward(*args, **kwargs)
        for hook in list(self._forward_hooks):
            hook(self, args, out)
        return out

    def forward(self, *args: Any) -> Any:
        """What the block computes; a subclass defines it."""
        raise NotImplementedError(f"[{type(self).__name__}] a Block needs a method forward; define it")

    def summary(self, *inputs: Any) -> None:
        """Print the output shapes and the numbers of parameters of all blocks, from a run with these inputs."""
        rows: list[tuple[str, Any, int]] = []
        handles: list[_HookHandle] = []

        def watch(block: Block) -> None:
            handles.append(block.register_forward_hook(lambda b, _, out: rows.append(_summary_row(b, out))))

        self.apply(watch)
        try:
            self(*inputs)
        finally:
            for handle in handles:
                handle.detach()
        params = self.collect_params().values()
        total = sum(p.data().size for p in params)
        trainable = sum(p.data().size for p in params if p.grad_req != "null")
        line = "-" * 80
        print(line, f"{'Layer (type)':>20}  {'Output Shape':>42}  {'Param #':>14}", "=" * 80, sep="\n")
        for name, shape, count in rows:
            print(f"{name:>20}  {shape!s:>42}  {count:>14}")
        print("=" * 80, f"Total params: {total}", f"Trainable params: {trainable}", sep="\n")
        print(f"Non-trainable params: {total - trainable}", line, sep="\n")


def _summary_row(block: Block, out: Any) -> tuple[str, Any, int]:
    shape = [tuple(o.shape) for o in out] if isinstance(out, (list, tuple)) else out.shape
    return type(block).__name__, shape, sum(p.data().size for p in block._reg_params.values())


def _tree(name: str, parts: dict[str, Any]) -> str:
    """A block and its parts, indented."""
    lines = "\n".join(f"  ({key}): {repr(block).replace(chr(10), chr(10) + '  ')}" for key, block in parts.items())
    return f"{name}(\n{lines}\n)"


class HybridBlock(Block):
    """A block that defines `hybrid_forward`, which gets functions as `F` and its parameters by name; or `forward`."""

    def __init__(self, prefix: str | None = None, params: ParameterDict | None = None) -> None:
        super().__init__(prefix, params)
        object.__setattr__(self, "_active", False)

    def register_child(self, block: Block, name: str | None = None) -> None:
        """Make a block a part of this one; it must be a HybridBlock as well."""
        if not isinstance(block, HybridBlock):
            raise ValueError(
                f"[{self.name}] Children of HybridBlock must also be HybridBlock; received {block!r} of type "
                f"{type(block)}; use a Block around both"
            )
        super().register_child(block, name)

    def hybridize(self, active: bool = True, **kwargs: Any) -> None:
        """Accepted: blocks run as they are written."""
        object.__setattr__(self, "_active", active)
        super().hybridize(active, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`; where a parameter's shape is not known, ask `infer_shape` for it first."""
        if any(p._deferred is not None for p in self._reg_params.values()):
            self._infer(args)
        return super().__call__(*args, **kwargs)

    def _infer(self, inputs: tuple) -> None:
        deferred = [p for p in self._reg_params.values() if p._deferred is not None]
        for param in deferred:
            if param._shape_is_known():
                param._finish_deferred_init()
        if not all(p._shape_is_known() for p in deferred):
            self.infer_shape(*inputs)
        for param in deferred:
            param._finish_deferred_init()

    def infer_shape(self, *args: Any) -> None:
        """Set the shapes of parameters that depend on the inputs; those of layers' operators are found by a run."""
        unknown = [p for p in self._reg_params.values() if not p._shape_is_known()]
        params = {name: p if p in unknown else p.data() for name, p in self._reg_params.items()}
        try:
            with tape.no_grad(), tape.predict_mode():
                self.hybrid_forward(Inferring(), *args, **params)
        except (AttributeError, TypeError, NotImplementedError) as error:
            raise DeferredInitializationError(
                f"[{self.name}] known shapes, or a method infer_shape(self, *inputs) that sets them, were required; "
                f"received {', '.join(map(repr, unknown))}; set e.g. self.weight.shape = ... there"
            ) from error

    def forward(self, *args: Any) -> Any:
        """Call `hybrid_forward` with the arrays of the parameters."""
        params = {name: param.data() for name, param in self._reg_params.items()}
        return self.hybrid_forward(ndarray, *args, **params)

    def hybrid_forward(self, F: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        """What the block computes, of functions `F`, inputs and parameters; a subclass defines it, or `forward`."""
        raise NotImplementedError(f"[{type(self).__name__}] a HybridBlock needs a method hybrid_forward; define it")

    def export(self, path: str, epoch: int = 0, **kwargs: Any) -> None:
        """Symbols are not supported: an error."""
        raise MXNetError("[export] symbols are not supported; write the parameters with save_parameters")

    def optimize_for(self, x: Any, *args: Any, backend: Any = None, **kwargs: Any) -> Any:
        """Run once; there are no other backends."""
        return self(x, *args)
