"""What stops, scales or clips derivatives on their way, and leaves values as they are."""

from typing import Any

import numpy as np

from wengert.box import Box, alias, bare
from wengert.errors import ArgumentError
from wengert.protocol import Wrapper, is_recorded, spec_of
from wengert.transforms.batching import Batch
from wengert.transforms.calls import Call, Results, apply
from wengert.transforms.containers import flatten, rebuild

__all__ = ["clip_gradient", "scale_gradient", "stop_gradient"]


def stop_gradient(x: Any) -> Any:
    """The same values as constants of every transformation.

    Parameters
    ----------
    x : array, number, or nested containers of them
        What is no array or number passes through.

    Returns
    -------
    The containers with the same values, of which all derivatives are zero. A tensor gives a tensor without a history.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> print(wg.grad(lambda x: x * wg.stop_gradient(x))(3.0))
    3.0
    """
    leaves, structure = flatten(x)
    return rebuild(structure, [_stopped(leaf) for leaf in leaves])


def _stopped(x: Any) -> Any:
    if isinstance(x, Batch):
        return Batch._of(_stopped(x._value), x._level)
    if isinstance(x, Box):
        inner = _stopped(x._value)
        if x._node is None and inner is x._value and is_recorded(inner):
            return x  # an array whose uses are recorded
        return x._buffer(bare(inner) if isinstance(inner, Box) else inner)
    if _derives(x):  # of a Taylor series the value is one of the coefficients
        return _stopped(x._primal() if hasattr(x, "_primal") else x._value)
    return x


class _Identity(Call):
    """The identity, with a derivative of its own in reverse mode, and one in forward mode."""

    pushes = True

    def __init__(self, name: str, structure: Any):
        self.name, self.structure = name, structure

    def run(self, leaves: list) -> list:
        """The values as they are."""
        return list(leaves)

    def forward(self, leaves: list) -> tuple[list, None]:
        """The values as they are, of which nothing is kept."""
        return list(map(alias, leaves)), None

    def push(self, leaves: list, tangents: list) -> tuple[list, list]:
        """The values and tangents as they are."""
        return list(leaves), [
            0 * x if t is None and _is_number(x) else t for x, t in zip(leaves, tangents, strict=True)
        ]

    def of(self, leaves: list) -> Any:
        """The identity of leaves, in their containers."""
        values = apply(self, leaves)
        return rebuild(self.structure, values)


def _derives(x: Any) -> bool:
    """Whether a value carries derivatives in another way than by rules."""
    return isinstance(x, Wrapper) and not is_recorded(x)


def _is_number(x: Any) -> bool:
    return isinstance(x, (Wrapper, np.ndarray, np.generic, float, complex, int))


class _Scaled(_Identity):
    def __init__(self, structure: Any, factor: Any):
        super().__init__("scale_gradient", structure)
        self.factor = factor

    def run(self, leaves: list) -> list:
        """The values; where derivatives are found otherwise than by rules, as a function that has these."""
        return [x + (self.factor - 1) * (x - _stopped(x)) if _derives(x) else x for x in leaves]

    def forward(self, leaves: list) -> tuple[list, None]:
        """The values, scaled alike at the levels below."""
        return apply(self, list(map(alias, leaves))), None

    def pull(self, state: None, results: Results, given: list) -> list:
        """The cotangents, scaled."""
        return [None if g is None else self.factor * g for g in given]

    def push(self, leaves: list, tangents: list) -> tuple[list, list]:
        """The tangents, scaled."""
        _, tangents = super().push(leaves, tangents)
        return apply(self, leaves), [t if t is None else self.factor * t for t in tangents]


def scale_gradient(x: Any, factor: float) -> Any:
    """The same values, whose derivatives arrive multiplied by `factor`, in both modes.

    Parameters
    ----------
    x : array, number, or nested containers of them
    factor : float
        A plain number; -1 turns gradients round.

    Examples
    --------
    >>> import wengert as wg
    >>> print(wg.grad(lambda x: wg.scale_gradient(x, -2.0) ** 2)(3.0))
    -12.0
    """
    if isinstance(factor, Wrapper) or spec_of(factor).shape or spec_of(factor).dtype.kind not in "fiub":
        raise ArgumentError(
            f"[scale_gradient] a plain real number was required as factor; received {type(factor).__name__} "
            f"{spec_of(factor)!r}; pass float(factor), or stop_gradient(t).item()"
        )
    leaves, structure = flatten(x)
    return _Scaled(structure, float(factor)).of(leaves)


class _Clipped(_Identity):
    def __init__(self, structure: Any, low: Any, high: Any):
        super().__init__("clip_gradient", structure)
        self.low, self.high = low, high

    def pull(self, state: None, results: Results, given: list) -> list:
        """The cotangents, each element within the bounds."""
        return [None if g is None else np.clip(g, self.low, self.high) for g in given]


class _Shortened(_Identity):
    def __init__(self, structure: Any, norm: float):
        super().__init__("clip_gradient", structure)
        self.norm = norm

    def pull(self, state: None, results: Results, given: list) -> list:
        """The cotangents, all by the factor that brings their common norm down to the bound."""
        squares = [np.sum(np.real(np.conj(g) * g)) for g in given if g is not None]
        length = np.sqrt(sum(squares[1:], squares[0]))
        factor = np.minimum(1.0, self.norm / np.where(length > 0, length, 1.0))
        return [None if g is None else np.astype(g * factor, g.dtype) for g in given]


def clip_gradient(x: Any, low: float | None = None, high: float | None = None, *, norm: float | None = None) -> Any:
    """The same values, whose gradients are clipped where they come by in reverse mode.

    Parameters
    ----------
    x : array, number, or nested containers of them
    low, high : float, optional
        Bounds for each element of the gradient (real ones).
    norm : float, optional
        A bound for the Euclidean norm of the gradients of all leaves together; they are scaled down to it. Inside
        `vmap` of each example's.

    Notes
    -----
    Clipping is not linear, so that there is no tangent that it would be the transpose of: forward mode takes the
    function for the identity that it is. Derivatives of the gradient are those of the clipped one, and are not clipped
    themselves.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> print(wg.grad(lambda x: np.sum(wg.clip_gradient(x, -1, 1) ** 2))(np.array([0.1, -3.0])))
    [ 0.2 -1. ]
    >>> print(wg.grad(lambda x: np.sum(wg.clip_gradient(x, norm=1.0) ** 2))(np.array([3.0, 4.0])))
    [0.6 0.8]
    """
    leaves, structure = flatten(x)
    if norm is not None and low is None and high is None:
        if not norm > 0:
            raise ArgumentError(f"[clip_gradient] a positive norm was required; received {norm!r}")
        return _Shortened(structure, norm).of(leaves)
    crossed = low is not None and high is not None and not low <= high
    if norm is not None or (low is None and high is None) or crossed:
        raise ArgumentError(
            f"[clip_gradient] bounds low <= high (one may be left out), or norm= alone, were required; received "
            f"low={low!r}, high={high!r}, norm={norm!r}"
        )
    return _Clipped(structure, low, high).of(leaves)
