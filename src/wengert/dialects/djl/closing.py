"""Java's try-with-resources: what has a ``close()`` is closed at the end of Python's ``with``."""

from typing import Any, Self


class AutoCloseable:
    """Base of what can be closed."""

    __slots__ = ()

    def close(self) -> None:
        """Free what it holds."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()
