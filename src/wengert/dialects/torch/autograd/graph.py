"""The graph, from outside: edges, nodes, and hooks on several tensors."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from wengert.dialects.torch.graph import Function as Node
from wengert.dialects.torch.graph import function_of
from wengert.dialects.torch.tensor import Tensor

__all__ = ["GradientEdge", "Node", "allow_mutation_on_saved_tensors", "get_gradient_edge", "register_multi_grad_hook"]


class GradientEdge(NamedTuple):
    """A node of the graph and the number of one of its results."""

    node: Node
    output_nr: int


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge that a tensor's gradient arrives by."""
    return GradientEdge(function_of(tensor._node), 0)


class allow_mutation_on_saved_tensors:
    """Accepted, and without effect: what backward needs is always safe from later writes."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: Any) -> None:
        pass


class _Handle:
    def __init__(self, handles: list):
        self._handles = handles

    def remove(self) -> None:
        """Take the hooks away."""
        for handle in self._handles:
            handle.remove()


def register_multi_grad_hook(tensors: Sequence[Tensor], fn: Callable, *, mode: str = "all") -> Any:
    """Have ``fn(gradients)`` called when the gradients of all tensors are known, or ``fn(gradient)`` at the first."""
    waiting: dict[int, Any] = {}

    def hook_of(i: int) -> Callable:
        def hook(g: Tensor) -> None:
            waiting[i] = g
            if mode == "any" and len(waiting) == 1:
                fn(g)
            elif mode == "all" and len(waiting) == len(tensors):
                fn([waiting[k] for k in range(len(tensors))])
            if len(waiting) == len(tensors):
                waiting.clear()

        return hook

    return _Handle([t.register_hook(hook_of(i)) for i, t in enumerate(tensors)])
