"""The gradient collector: while it is open, what is computed from arrays that require gradients is recorded."""

import threading

import numpy as np

from wengert import tape
from wengert.dialects.djl.closing import AutoCloseable
from wengert.dialects.djl.errors import EngineException, IllegalStateException
from wengert.dialects.djl.ndarray import gradients
from wengert.dialects.djl.ndarray.array import NDArray
from wengert.errors import FreedGraphError
from wengert.protocol import DORMANT

__all__ = ["GradientCollector"]

_only = threading.Lock()


class GradientCollector(AutoCloseable):
    """Opened by ``Engine.getInstance().newGradientCollector()``, one at a time in the process; closed by ``with``.

    It records in the thread that opened it. Gradients add up within one collector, and start at zero in each.
    """

    def __init__(self) -> None:
        if not _only.acquire(blocking=False):
            raise IllegalStateException(
                "[newGradientCollector] no open collector was required, as there is one at a time in a process; one "
                "is open; leave its with statement, or close() it, first"
            )
        gradients.begin()
        self._open = True
        self._recording = tape.recording_from(DORMANT)
        self._recording.__enter__()

    def backward(self, target: NDArray) -> None:
        """Collect the gradients of an array (of the sum of its elements, if there are several)."""
        if not self._open:
            raise IllegalStateException(
                "[backward] an open collector was required; received one that was closed; call it inside the with "
                "statement"
            )
        target._live()
        spec = target._spec
        if target._node is None:
            raise EngineException(
                f"[backward] an array was required that was computed, while a collector was open, from one that "
                f"requires gradients; received {spec!r} without a history; call setRequiresGradient(True) on an input "
                f"and compute it inside the with statement"
            )
        try:
            super(NDArray, target).backward(np.ones(spec.shape, spec.dtype))
        except FreedGraphError as error:
            raise EngineException(
                f"[backward] a history that is still there was required; received {spec!r}, of whose history an "
                f"earlier backward has used a part and freed it; compute it again, or add up what shares a part and "
                f"call backward once"
            ) from error

    def zeroGradients(self) -> None:
        """Set the gradients of all arrays to zero, whatever they are."""
        with tape.no_grad():
            for array in list(gradients.watched.values()):
                if array.grad is not None:
                    array.grad[...] = 0

    def close(self) -> None:
        """Stop recording; another collector may then be opened."""
        if not self._open:
            return
        try:
            self._recording.__exit__()
        except ValueError:
            raise IllegalStateException(
                "[close] the thread that opened the collector was required; received another; close it where it was "
                "opened"
            ) from None
        self._open = False
        _only.release()
