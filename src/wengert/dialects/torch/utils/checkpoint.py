"""Checkpoints: parts of a program that are computed again in the backward pass instead of being kept."""

from collections.abc import Callable
from typing import Any

from wengert.dialects.torch import random
from wengert.dialects.torch.autograd.function import Function
from wengert.dialects.torch.backward import backward, grad
from wengert.dialects.torch.errors import OptionError
from wengert.dialects.torch.tensor import Tensor
from wengert.tape import enable_grad, is_recording

__all__ = ["checkpoint", "checkpoint_sequential"]


class _Checkpoint(Function):
    """A function of tensors, of which nothing but the arguments is kept.

    The first argument stands for the parameters that the function uses without being given them.
    """

    @staticmethod
    def forward(ctx: Any, anchor: Tensor, run: Callable, *args: Any) -> Any:
        ctx.run, ctx.args = run, args
        ctx.save_for_backward(*(a for a in args if isinstance(a, Tensor)))
        return run(*args)

    @staticmethod
    def backward(ctx: Any, *seeds: Any) -> tuple:
        kept = iter(ctx.saved_tensors)
        args = [next(kept) if isinstance(a, Tensor) else a for a in ctx.args]
        again = is_recording()  # then the gradients are part of a graph themselves
        with enable_grad():
            if not again:
                args = [a.detach().requires_grad_(a.requires_grad) if isinstance(a, Tensor) else a for a in args]
            results = ctx.run(*args)
            results = results if isinstance(results, tuple) else (results,)
            pairs = [(y, g) for y, g in zip(results, seeds, strict=True) if isinstance(y, Tensor) and y.requires_grad]
            outputs, given = [y for y, _ in pairs], [g for _, g in pairs]
            inputs = [a for a in args if isinstance(a, Tensor) and a.requires_grad]
            if again:
                found = iter(grad(outputs, inputs, given, create_graph=True, allow_unused=True) if inputs else ())
                gradients = [next(found) if isinstance(a, Tensor) and a.requires_grad else None for a in args]
            else:
                backward(outputs, given)
                gradients = [a.grad if isinstance(a, Tensor) else None for a in args]
        return (None, None, *gradients)


def checkpoint(
    function: Callable,
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Call a function, of which nothing but the arguments is kept: the backward pass calls it again.

    The second call draws the same random numbers, unless `preserve_rng_state` is false.
    """
    if "context_fn" in kwargs:
        raise OptionError("[checkpoint] no context_fn was required; received one; open contexts inside the function")
    state = random.get_rng_state() if preserve_rng_state else None
    calls = 0

    def run(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1 or state is None:
            return function(*given, **kwargs)
        with random.fork_rng():
            random.set_rng_state(state)
            return function(*given, **kwargs)

    anchor = Tensor._box(0.0)
    if not use_reentrant:  # parameters count even where no argument requires grad
        anchor.requires_grad_()
    return _Checkpoint.apply(anchor, run, *args)


def checkpoint_sequential(functions: Any, segments: int, input: Any, use_reentrant: Any = None, **kwargs: Any) -> Any:
    """Run modules one after another in segments, all of them but the last as checkpoints."""
    functions = list(functions.children()) if hasattr(functions, "children") else list(functions)
    length = len(functions) // segments

    def part(start: int, stop: int) -> Callable:
        def run(x: Any) -> Any:
            for function in functions[start:stop]:
                x = function(x)
            return x

        return run

    for i in range(segments - 1):
        input = checkpoint(part(i * length, (i + 1) * length), input, use_reentrant=use_reentrant, **kwargs)
    return part((segments - 1) * length, len(functions))(input)
