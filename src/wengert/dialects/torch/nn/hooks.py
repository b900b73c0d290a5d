"""Hooks of modules: functions called before and after ``forward``, and when a backward pass crosses the module."""

from collections.abc import Callable
from itertools import count
from typing import Any

from wengert.dialects.torch.tensor import Tensor

KINDS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")
"""The attributes of a module that hold its hooks."""

_numbers = count()


class Handle:
    """A registered hook; ``remove()`` takes it away."""

    def __init__(self, held: dict, hook: Callable, first: bool = False, with_kwargs: bool = False):
        self.id, self._held = next(_numbers), held
        held[self.id] = (hook, with_kwargs)
        if first:
            held.move_to_end(self.id, last=False)

    def remove(self) -> None:
        """Take the hook away; it is not called any more."""
        self._held.pop(self.id, None)

    def __enter__(self) -> "Handle":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.remove()


def call(module: Any, args: tuple, kwargs: dict) -> Any:
    """Run a module's ``forward`` with its hooks around it."""
    for hook, with_kwargs in list(module._forward_pre_hooks.values()):
        if with_kwargs:
            args, kwargs = hook(module, args, kwargs) or (args, kwargs)
        elif (changed := hook(module, args)) is not None:
            args = changed if isinstance(changed, tuple) else (changed,)
    crossing = _Crossing(module) if module._backward_hooks or module._backward_pre_hooks else None
    if crossing:
        args = crossing.entered(args)
    result = module.forward(*args, **kwargs)
    for hook, with_kwargs in list(module._forward_hooks.values()):
        changed = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
        result = result if changed is None else changed
    return crossing.left(result) if crossing else result


class _Crossing:
    """One run through a module, watched for the backward pass that crosses it."""

    def __init__(self, module: Any):
        self.module = module
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.watched: set[int] = set()

    def entered(self, args: tuple) -> tuple:
        """The arguments, behind an identity where the gradient that leaves the module can be seen whole."""
        self.inputs = [None] * len(args)
        self.watched = {i for i, x in enumerate(args) if isinstance(x, Tensor) and x.requires_grad}
        self.waiting = set(self.watched)
        return tuple(self._watch(x.view(x.shape), i) if i in self.watched else x for i, x in enumerate(args))

    def _watch(self, x: Tensor, i: int) -> Tensor:
        def leave(g: Tensor) -> Any:
            self.inputs[i] = g
            self.waiting.discard(i)
            if self.waiting:
                return None
            self.waiting = set(self.watched)
            changed = self._report()
            return None if changed is None else changed[i]

        x.register_hook(leave)
        return x

    def left(self, result: Any) -> Any:
        """The result, behind an identity where the gradient that enters the module can be seen."""
        several = isinstance(result, (tuple, list))
        outputs = list(result) if several else [result]
        self.outputs = [None] * len(outputs)
        for i, y in enumerate(outputs):
            if isinstance(y, Tensor) and y.requires_grad:
                outputs[i] = y.view(y.shape)
                outputs[i].register_hook(lambda g, i=i: self._enter(g, i))
        return type(result)(outputs) if several else outputs[0]

    def _enter(self, g: Tensor, i: int) -> Any:
        self.outputs[i] = g
        for hook, _ in list(self.module._backward_pre_hooks.values()):
            changed = hook(self.module, tuple(self.outputs))
            if changed is not None:
                self.outputs = list(changed) if isinstance(changed, tuple) else [changed]
        if not self.watched:
            self._report()
        return self.outputs[i]

    def _report(self) -> tuple | None:
        """Call the hooks; what the last one returned, if anything, replaces the gradients of the inputs."""
        replaced = None
        for hook, _ in list(self.module._backward_hooks.values()):
            changed = hook(self.module, tuple(self.inputs), tuple(self.outputs))
            if changed is not None:
                replaced = changed if isinstance(changed, tuple) else (changed,)
                self.inputs = list(replaced)
        return replaced
