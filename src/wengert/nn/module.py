"""Module: an object whose tensors are found by looking at its attributes."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from wengert.errors import ArgumentError, DTypeError, ShapeError
from wengert.tape import no_grad
from wengert.tensor import Tensor

__all__ = ["Module"]


class Module:
    """Base class of models: write ``__init__`` with attributes, and ``forward``.

    - An attribute that is a leaf tensor and requires grad is a *parameter*.
    - An attribute that is a leaf tensor and does not is a *buffer* (such as running statistics): it is saved
      and loaded with the parameters, and not trained.
    - An attribute that is a `Module` is a child; so are those in lists, tuples and dicts.

    Nothing is registered: attributes are read when asked for. A name is the path of attributes to the
    tensor, as in ``"layers.0.weight"``. A tensor reached by several paths counts once, under the first.

    Whether dropout drops and batch norm uses the batch is no property of a module: it is the mode of the
    program, ``with wengert.train_mode():`` or ``with wengert.predict_mode():``.

    Examples
    --------
    >>> import wengert as wg
    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope = wg.tensor(2.0, requires_grad=True)
    ...         self.offset = wg.tensor(1.0, requires_grad=True)
    ...     def forward(self, x):
    ...         return self.slope * x + self.offset
    >>> line = Line()
    >>> line(3.0).item()
    7.0
    >>> [name for name, _ in line.named_parameters()]
    ['slope', 'offset']
    >>> line
    Line  slope () float64, offset () float64
    """

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result; written by the subclass."""
        raise NotImplementedError(f"[{type(self).__name__}] a Module needs a method forward; define one.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call `forward`."""
        return self.forward(*args, **kwargs)

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Names and tensors of all parameters, in the order of attributes, each tensor once."""
        return ((name, tensor) for name, tensor in self._tensors() if tensor.requires_grad)

    def parameters(self) -> list[Tensor]:
        """All parameters, in the order of `named_parameters`."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def state_dict(self) -> dict[str, np.ndarray]:
        """Independent copies of all parameters and buffers, by name.

        Plain arrays, as `numpy.savez` and safetensors write them.

        Examples
        --------
        >>> from wengert import nn
        >>> {name: array.shape for name, array in nn.BatchNorm(3).state_dict().items()}
        {'weight': (3,), 'bias': (3,), 'running_mean': (3,), 'running_var': (3,)}
        """
        return {name: np.array(tensor.data) for name, tensor in self._tensors()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> tuple[list[str], list[str]]:
        """Set parameters and buffers to the given arrays; all of them, or none if anything is wrong.

        Parameters
        ----------
        state : mapping from names to arrays
            What `state_dict` gave. Values of another precision are converted.
        strict : bool
            Insist that `state` has exactly the names of this module. If false, names that only one side
            has are left alone.

        Returns
        -------
        missing, unexpected : lists of str
            Names that `state` lacks, and names that the module lacks.

        Raises
        ------
        ArgumentError
            With `strict`, the names differ.
        ShapeError
            An array of another shape.
        DTypeError
            An array whose kind of number does not fit (complex into real).
        """
        own = dict(self._tensors())
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        if strict and (missing or unexpected):
            raise ArgumentError(
                f"[load_state_dict] the names must be those of the module; missing: {_listed(missing)}; "
                f"unexpected: {_listed(unexpected)}; pass strict=False to load what fits."
            )
        values = {name: _fitting(name, tensor, state[name]) for name, tensor in own.items() if name in state}
        with no_grad():
            for name, value in values.items():
                own[name].data = value
        return missing, unexpected

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Names of all parameters and buffers, each tensor once."""
        return _walk(self, "", {id(self)})

    def __repr__(self) -> str:
        return "\n".join(_tree(self, "", 0, {id(self)}))


def _parts(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in a nest of lists, tuples and dicts, with its path; modules are not opened."""
    if isinstance(value, Mapping):
        items: Any = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    else:
        yield path, value
        return
    for key, part in items:
        yield from _parts(part, f"{path}.{key}" if path else str(key))


def _is_state(value: Any) -> bool:
    # A tensor with a history is a result that somebody kept, not state.
    return isinstance(value, Tensor) and value.is_leaf


def _walk(module: Module, path: str, seen: set[int]) -> Iterator[tuple[str, Tensor]]:
    """State below a module; `seen` holds what was visited, so that sharing and cycles do no harm."""
    for name, part in _parts(vars(module), path):
        if id(part) in seen:
            continue
        if _is_state(part):
            seen.add(id(part))
            yield name, part
        elif isinstance(part, Module):
            seen.add(id(part))
            yield from _walk(part, name, seen)


def _tree(module: Module, label: str, depth: int, seen: set[int]) -> Iterator[str]:
    """Write a line for the module with its own tensors, then its children and functions, indented."""
    parts = list(_parts(vars(module)))
    tensors = ", ".join(f"{name} {part.shape} {part.dtype}" for name, part in parts if _is_state(part))
    yield "  " * depth + label + type(module).__name__ + (f"  {tensors}" if tensors else "")
    indent = "  " * (depth + 1)
    for name, part in parts:
        if isinstance(part, Module) and id(part) in seen:
            yield f"{indent}{name}: {type(part).__name__} (shown above)"
        elif isinstance(part, Module):
            seen.add(id(part))
            yield from _tree(part, f"{name}: ", depth + 1, seen)
        elif callable(part) and not isinstance(part, (Tensor, type)):
            yield f"{indent}{name}: {getattr(part, '__name__', type(part).__name__)}"


def _fitting(name: str, tensor: Tensor, value: Any) -> np.ndarray:
    """`value` as an independent array that `tensor` can hold."""
    value = np.asarray(value.data if isinstance(value, Tensor) else value)
    if value.shape != tensor.shape:
        raise ShapeError(
            f"[load_state_dict] {name} has shape {tensor.shape} and dtype {tensor.dtype}; got shape "
            f"{value.shape} and dtype {value.dtype}; build the module with the sizes it was saved with."
        )
    if not np.can_cast(value.dtype, tensor.dtype, "same_kind"):
        raise DTypeError(
            f"[load_state_dict] {name} has dtype {tensor.dtype}; got dtype {value.dtype} (shape {value.shape}); "
            f"convert it with .astype."
        )
    return value.astype(tensor.dtype)


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"
