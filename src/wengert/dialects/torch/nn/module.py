"""`Module`: named parameters, buffers and children, found by what is assigned to the attributes."""

from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wengert.dialects.torch.errors import OptionError, TorchError, TypeMismatchError
from wengert.dialects.torch.nn import hooks
from wengert.dialects.torch.nn.parameter import Buffer, Parameter, is_persistent, is_unset, settle_shape
from wengert.dialects.torch.tensor import Tensor
from wengert.errors import WengertError
from wengert.tape import no_grad

__all__ = ["Module"]


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ("missing_keys", "unexpected_keys"))):
    """Names that only one side of `Module.load_state_dict` has."""

    __slots__ = ()

    def __repr__(self) -> str:
        return super().__repr__() if any(self) else "<All keys matched successfully>"

    __str__ = __repr__


class Module:
    """Base class of models: ``__init__`` assigns parameters and other modules, ``forward`` computes."""

    training: bool
    _parameters: dict[str, Tensor | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, "Module | None"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for name, value in (("training", True), ("_parameters", {}), ("_buffers", {}), ("_modules", {})):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_non_persistent_buffers_set", set())
        for name in hooks.KINDS:
            object.__setattr__(self, name, OrderedDict())

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result; written by the subclass."""
        raise NotImplementedError(
            f'[forward] Module [{type(self).__name__}] is missing the required "forward" function; define one'
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call `forward`, with the hooks around it."""
        own = self.__dict__
        if own["_forward_hooks"] or own["_forward_pre_hooks"] or own["_backward_hooks"] or own["_backward_pre_hooks"]:
            return hooks.call(self, args, kwargs)
        return self.forward(*args, **kwargs)

    # Attributes -------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, (Tensor, Module)) or any(name in own.get(kind, ()) for kind in _KINDS):
            self._assign(name, value)
        else:
            object.__setattr__(self, name, value)

    def _assign(self, name: str, value: Any) -> None:
        """An attribute that is, or was, a parameter, a buffer or a child."""
        if isinstance(value, Parameter):
            self._forget(name, but="_parameters")
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._forget(name, but="_modules")
            self._registered("_modules", "module", name)[name] = value
        elif isinstance(value, Buffer):
            self._forget(name, but="_buffers")
            self.register_buffer(name, value, is_persistent(value))
        elif (kind := next((k for k in _KINDS if name in self.__dict__.get(k, ())), None)) is not None:
            if value is not None and not (kind == "_buffers" and isinstance(value, Tensor)):
                raise TypeMismatchError(
                    f"[setattr] cannot assign a {type(value).__name__} as {_KINDS[kind]} '{name}': "
                    f"{_WANTED[kind]} or None was required; delete the attribute first"
                )
            self.__dict__[kind][name] = value
        else:
            object.__setattr__(self, name, value)

    def _forget(self, name: str, but: str) -> None:
        self.__dict__.pop(name, None)
        for kind in _KINDS:
            if kind != but:
                self.__dict__.get(kind, {}).pop(name, None)

    def __getattr__(self, name: str) -> Any:
        for kind in _KINDS:
            held = self.__dict__.get(kind, {})
            if name in held:
                return held[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        for kind in _KINDS:
            if name in self.__dict__.get(kind, {}):
                del self.__dict__[kind][name]
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *self._parameters, *self._buffers, *self._modules})

    def _registered(self, kind: str, what: str, name: str) -> dict:
        """The dictionary that a name is about to be registered in."""
        if kind not in self.__dict__:
            raise _Early(
                f"[setattr] cannot assign {what} before Module.__init__() call; received '{name}'; "
                f"call super().__init__() first in __init__ of {type(self).__name__}"
            )
        if not isinstance(name, str) or "." in name or name == "":
            error = TypeMismatchError if not isinstance(name, str) else _ModuleKeyError
            raise error(f"[register] {what} name should be a string without dots, not empty; received {name!r}")
        if hasattr(self, name) and name not in self.__dict__[kind]:
            raise _ModuleKeyError(f"[register] attribute '{name}' already exists; choose another name")
        return self.__dict__[kind]

    def register_parameter(self, name: str, param: Tensor | None) -> None:
        """Add a parameter; `None` keeps the name free for one."""
        held = self._registered("_parameters", "parameter", name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeMismatchError(
                f"[register_parameter] nn.Parameter or None was required for '{name}'; received "
                f"{type(param).__name__}; write nn.Parameter(tensor)"
            )
        held[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is saved and moved with the module, but not trained."""
        held = self._registered("_buffers", "buffer", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeMismatchError(
                f"[register_buffer] a tensor or None was required for '{name}'; received {type(tensor).__name__}"
            )
        held[name] = tensor
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name: str, module: "Module | None") -> None:
        """Add a child."""
        if module is not None and not isinstance(module, Module):
            raise TypeMismatchError(
                f"[add_module] a Module was required; {type(module).__name__} is not a Module subclass"
            )
        self._registered("_modules", "module", name)[name] = module

    register_module = add_module

    # Walking ----------------------------------------------------------------------------------------------------

    def named_modules(
        self, memo: set | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, "Module"]]:
        """Paths and modules: this one first, then those below, each once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(memo, _path(prefix, name), remove_duplicate)

    def modules(self) -> Iterator["Module"]:
        """The module itself and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """Names and modules one level down, each once."""
        seen: set = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator["Module"]:
        """Modules one level down, each once."""
        return (child for _, child in self.named_children())

    def _named(self, kind: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Tensor]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, t in module.__dict__[kind].items():
                if t is not None and id(t) not in seen:
                    if remove_duplicate:
                        seen.add(id(t))
                    yield _path(path, name), t

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Paths and parameters, each once."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Tensor]:
        """All parameters, each once."""
        return (t for _, t in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Paths and buffers, each once."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers, each once."""
        return (t for _, t in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> "Module":
        """The module at a path such as ``"body.0"``; the empty path is this module."""
        module: Any = self
        for name in target.split(".") if target else ():
            found = getattr(module, name, None)
            if not isinstance(found, Module):
                raise AttributeError(f"{type(module).__name__} has no submodule '{name}' (of the path '{target}')")
            module = found
        return module

    def get_parameter(self, target: str) -> Tensor:
        """The parameter at a path."""
        return self._at(target, "_parameters", "a parameter")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path."""
        return self._at(target, "_buffers", "a buffer")

    def _at(self, target: str, kind: str, what: str) -> Tensor:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if name not in module.__dict__[kind]:
            raise AttributeError(f"{type(module).__name__} has no attribute '{name}' that is {what}")
        return module.__dict__[kind][name]

    # Changing all of it -----------------------------------------------------------------------------------------

    def apply(self, fn: Callable[["Module"], Any]) -> "Module":
        """Call a function with every module below, then with this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> "Module":
        """Set the training flag, here and below."""
        if not isinstance(mode, bool):
            raise OptionError(f"[train] training mode is expected to be boolean; received {mode!r}")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> "Module":
        """Clear the training flag, here and below."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> "Module":
        """Have all parameters collect gradients, or none."""
        for t in self.parameters():
            t.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        for t in self.parameters():
            clear_grad(t, set_to_none)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Module":
        """Replace the value of every parameter and buffer by what a function makes of it."""
        for module in self.modules() if recurse else (self,):
            for t in (*module._parameters.values(), *module._buffers.values()):
                if t is not None:
                    with no_grad():
                        grad, moved = getattr(t, "_grad", None), fn(t.data)
                        if moved._spec is not t._spec:
                            t.data = moved
                            t._grad = None if grad is None else fn(grad)
        return self

    def to(self, *args: Any, **kwargs: Any) -> "Module":
        """Convert floating-point parameters and buffers to a dtype; the only device is the CPU."""

        def convert(t: Tensor) -> Tensor:
            moved = t.to(*args, **kwargs)
            return moved if t._spec.inexact else t.to(moved.device)

        return self._apply(convert)

    def type(self, dst_type: Any) -> "Module":
        """Convert all parameters and buffers to a dtype."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> "Module":
        """Convert floating-point parameters and buffers to single precision."""
        return self._apply(lambda t: t.float() if t._spec.inexact else t)

    def double(self) -> "Module":
        """Convert floating-point parameters and buffers to double precision."""
        return self._apply(lambda t: t.double() if t._spec.inexact else t)

    def half(self) -> "Module":
        """Convert floating-point parameters and buffers to half precision."""
        return self._apply(lambda t: t.half() if t._spec.inexact else t)

    def cpu(self) -> "Module":
        """Return the module: the CPU is the only device."""
        return self

    def cuda(self, device: Any = None) -> "Module":
        """Refuse: there is no GPU here."""
        return self._apply(lambda t: t.cuda(device))

    def share_memory(self) -> "Module":
        """Return the module, whose memory threads share anyway."""
        return self

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Leave the module as it is: nothing is compiled here yet."""

    # State ------------------------------------------------------------------------------------------------------

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> "OrderedDict[str, Any]":
        """Parameters and persistent buffers by path; the tensors share the module's memory."""
        if args:
            destination, prefix, keep_vars = (*args, prefix, keep_vars)[:3]
        state = OrderedDict() if destination is None else destination
        for name, t in self._saved().items():
            state[prefix + name] = t if keep_vars else t.detach()
        extra = self.get_extra_state() if type(self).get_extra_state is not Module.get_extra_state else None
        if extra is not None:
            state[prefix + "_extra_state"] = extra
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=state, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        return state

    def _saved(self) -> dict[str, Tensor]:
        """Parameters and persistent buffers of this module alone."""
        kept = {k: t for k, t in self._buffers.items() if k not in self._non_persistent_buffers_set}
        return {name: t for name, t in {**self._parameters, **kept}.items() if t is not None}

    def get_extra_state(self) -> Any:
        """What a subclass wants in the state dict besides tensors."""

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` gave."""

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Copy values by path into parameters and buffers; all of them, or none if anything is wrong.

        With `strict` both sides must have the same paths; otherwise those of one side only are listed in the result.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeMismatchError(f"[load_state_dict] expected state_dict to be dict-like, got {type(state_dict)}")
        own = self.state_dict(keep_vars=True)
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        problems = []
        if strict and missing:
            problems.append("Missing key(s) in state_dict: " + ", ".join(f'"{k}"' for k in missing) + ". ")
        if strict and unexpected:
            problems.append("Unexpected key(s) in state_dict: " + ", ".join(f'"{k}"' for k in unexpected) + ". ")
        for name, t in own.items():
            given = state_dict.get(name)
            if isinstance(t, Tensor) and given is not None and t.shape != given.shape and not is_unset(t):
                problems.append(
                    f"size mismatch for {name}: copying a param with shape {given.shape} from checkpoint, "
                    f"the shape in current model is {t.shape}."
                )
        if problems:
            listed = "\n\t".join(problems)
            raise TorchError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{listed}")
        self._load({name: state_dict[name] for name in own if name in state_dict}, own)
        return _IncompatibleKeys(missing, unexpected)

    def _load(self, given: dict[str, Any], own: dict[str, Any]) -> None:
        for name, value in given.items():
            t = own[name]
            if name.rpartition(".")[2] == "_extra_state":
                self.get_submodule(name.rpartition(".")[0]).set_extra_state(value)
            else:
                if is_unset(t):
                    settle_shape(t, value.shape)
                with no_grad():
                    t[...] = value.detach()

    # Hooks ------------------------------------------------------------------------------------------------------

    def register_forward_pre_hook(self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False) -> Any:
        """Have ``hook(module, args)`` called before `forward`; what it returns replaces the arguments."""
        return hooks.Handle(self._forward_pre_hooks, hook, prepend, with_kwargs)

    def register_forward_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> Any:
        """Have ``hook(module, args, output)`` called after `forward`; what it returns replaces the output."""
        return hooks.Handle(self._forward_hooks, hook, prepend, with_kwargs)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> Any:
        """Have ``hook(module, grad_input, grad_output)`` called when a backward pass has crossed the module."""
        return hooks.Handle(self._backward_hooks, hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> Any:
        """Have ``hook(module, grad_output)`` called when a backward pass reaches the module."""
        return hooks.Handle(self._backward_pre_hooks, hook, prepend)

    # Text -------------------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What a subclass shows of its settings."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def _child_lines(self) -> list[str]:
        return [f"({name}): {indented(repr(child))}" for name, child in self._modules.items()]

    def __repr__(self) -> str:
        extra, children = self.extra_repr(), self._child_lines()
        if not children and "\n" not in extra:
            return f"{self._get_name()}({extra})"
        lines = (extra.split("\n") if extra else []) + children
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        for t in self._parameters.values():
            if t is not None:
                t.__dict__["_is_param"] = True  # the mark is not pickled


class _Early(WengertError, AttributeError):
    """Something is assigned before the dictionaries for it exist."""


class _ModuleKeyError(WengertError, KeyError):
    """A name that cannot be registered."""


_KINDS = {"_parameters": "parameter", "_buffers": "buffer", "_modules": "child module"}
_WANTED = {"_parameters": "torch.nn.Parameter", "_buffers": "torch.Tensor", "_modules": "torch.nn.Module"}


def _path(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def indented(text: str) -> str:
    """All lines but the first two columns to the right."""
    return text.replace("\n", "\n  ")


def clear_grad(t: Tensor, set_to_none: bool = True) -> None:
    """Forget a gradient, or fill it with zeros."""
    if set_to_none:
        t._grad = None
    elif t.grad is not None:
        t.grad = t.grad.detach() * 0
