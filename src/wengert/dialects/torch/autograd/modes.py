"""Contexts that switch recording on and off."""

from typing import Any

from wengert import tape


class no_grad(tape.no_grad):
    """Record nothing inside."""


class enable_grad(tape.enable_grad):
    """Record inside, also within `no_grad`."""


class set_grad_enabled(tape.Mode):
    """Switch recording on or off: at once, and back again where it is used as a context manager."""

    variable = tape.no_grad.variable
    _before: Any

    def __new__(cls, mode: Any = True) -> Any:
        """Switch recording on or off at once."""
        self = object.__new__(cls)
        self.value = tape.enable_grad.value if mode else tape.no_grad.value
        self._before = cls.variable.get()
        cls.variable.set(self.value)
        return self

    def __enter__(self) -> Any:
        self.variable.set(self._before)
        return super().__enter__()

    def __call__(self, function: Any) -> Any:
        """The function, run with recording on or off."""
        self.variable.set(self._before)
        mode = tape.enable_grad if self.value == tape.enable_grad.value else tape.no_grad
        return mode()(function)


class inference_mode(tape.Mode):
    """Record nothing inside, where `mode` is true."""

    variable = tape.no_grad.variable
    value = tape.no_grad.value

    def __new__(cls, mode: Any = True) -> Any:
        """A context manager or decorator; given a function, that function in this mode."""
        if callable(mode):
            return cls()(mode)
        self = object.__new__(cls)
        self.value = tape.no_grad.value if mode else cls.variable.get()
        return self


def is_grad_enabled() -> bool:
    """Whether operations are recorded here."""
    return tape.is_recording()


def is_inference_mode_enabled() -> bool:
    """Whether nothing is recorded here."""
    return not tape.is_recording()
