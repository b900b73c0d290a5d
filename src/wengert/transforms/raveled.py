"""Nested containers as one vector, and back: what solvers of SciPy work on."""

from typing import Any

import numpy as np

from wengert.errors import ArgumentError, DTypeError, LostGradientError, ShapeError
from wengert.protocol import Wrapper, innermost, spec_of
from wengert.transforms.containers import flatten, rebuild

__all__ = ["Raveled", "constants", "numbers_as_array"]


def numbers_as_array(value: Any) -> Any:
    """A list or tuple of numbers as the array that SciPy makes of it; anything else as it is."""
    if type(value) in (list, tuple) and value and all(np.ndim(x) == 0 and not _is_container(x) for x in value):
        return np.stack(value) if any(isinstance(x, Wrapper) for x in value) else np.asarray(value)
    return value


def _is_container(value: Any) -> bool:
    return flatten(value)[1] is not None


class Raveled:
    """How the leaves of nested containers lie in one vector, one after another, each in C order.

    Parameters
    ----------
    like : nested containers of arrays
        What is to become a vector.
    operation, name : str
        What errors call the function, and the argument.

    Attributes
    ----------
    size : int
        The length of the vector.
    is_vector : bool
        Whether `like` is a vector already, so that nothing needs to be done.

    Examples
    --------
    >>> import numpy as np
    >>> raveled = Raveled({"a": np.zeros((2, 2)), "b": 1.0}, "example", "x")
    >>> raveled.unpack(np.arange(5.0))
    {'a': array([[0., 1.],
           [2., 3.]]), 'b': np.float64(4.0)}
    """

    def __init__(self, like: Any, operation: str, name: str):
        self.operation, self.name = operation, name
        leaves, self.structure = flatten(like)
        specs = [spec_of(leaf) for leaf in leaves]
        for spec in specs:
            if spec.dtype.kind not in "fciu":
                raise DTypeError(
                    f"[{operation}] {name} must hold numbers; received {spec!r} in it; leave what is no number out of "
                    f"the containers, and pass it by args="
                )
        self.is_complex = any(spec.is_complex for spec in specs)
        self.dtype = np.dtype(complex if self.is_complex else float)
        self.shapes = [spec.shape for spec in specs]
        self.starts = [0, *np.cumsum([spec.size for spec in specs], dtype=int).tolist()]
        self.size: int = self.starts[-1]
        self.is_vector = self.structure is None and len(self.shapes[0]) == 1

    def pack(self, value: Any) -> Any:
        """The vector of such containers, recorded where their leaves are.

        Raises
        ------
        ArgumentError, ShapeError
            If the containers, or the shapes in them, are others.
        """
        leaves, structure = flatten(value)
        if structure != self.structure:
            raise ArgumentError(
                f"[{self.operation}] the containers of {self.name}, {self.structure or 'a single array'}, were "
                f"required; received {structure or type(value).__name__}"
            )
        for leaf, shape in zip(leaves, self.shapes, strict=True):
            if spec_of(leaf).shape != shape:
                raise ShapeError(
                    f"[{self.operation}] an array of shape {shape}, as in {self.name}, was required; received "
                    f"{spec_of(leaf)!r}"
                )
        parts = [self._as_dtype(np.ravel(leaf)) for leaf in leaves]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.zeros(0, self.dtype)

    def _as_dtype(self, part: Any) -> Any:
        kind = spec_of(part).dtype
        if kind.kind == "c" and not self.is_complex:
            raise DTypeError(
                f"[{self.operation}] real numbers, as in {self.name}, were required; received {spec_of(part)!r}"
            )
        return part if kind == self.dtype else part.astype(self.dtype)

    def unpack(self, vector: Any) -> Any:
        """The containers of a vector; further axes of it come first in each leaf."""
        if self.is_vector:
            return vector
        lead = spec_of(vector).shape[:-1]
        leaves = []
        for shape, start, stop in zip(self.shapes, self.starts, self.starts[1:], strict=False):
            leaf = vector[..., start:stop] if shape or lead else vector[start]
            leaves.append(leaf if not shape and not lead else np.reshape(leaf, lead + shape))
        return rebuild(self.structure, leaves)


def constants(operation: str, name: str, value: Any, advice: str) -> Any:
    """Containers with plain arrays in the place of tensors that are not recorded.

    Raises
    ------
    LostGradientError
        If a leaf is recorded: its gradient would be lost.
    """
    leaves, structure = flatten(value)
    if not any(isinstance(leaf, Wrapper) for leaf in leaves):
        return value
    for leaf in leaves:
        if isinstance(leaf, Wrapper) and leaf._carries_gradient():
            raise LostGradientError(
                f"[{operation}] constants were required in {name}, as the solver's steps are not differentiated; "
                f"received a recorded value, {leaf._spec!r}; {advice}"
            )
    return rebuild(structure, [innermost(leaf) for leaf in leaves])
