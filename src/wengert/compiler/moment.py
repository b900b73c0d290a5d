"""What a function uses, as it is at one call: so that the function can be run again later as it was then."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wengert import tape
from wengert.compiler.found import Found
from wengert.compiler.locks import RECORDING
from wengert.compiler.places import Contents, Place

__all__ = ["DIFFERENTIATES", "DRAWS", "LEFT", "WRITES", "Impure", "Moment", "comparing", "is_compared"]


DRAWS = "it draws random numbers, and is differentiated from outside; compile what differentiates it"
DIFFERENTIATES = "it differentiates by what it is given, and is differentiated from outside; compile what does that"
WRITES = "it writes what it uses, and is differentiated from outside; compile what differentiates it"
LEFT = "it is not compiled itself, and is differentiated from outside"
"""Why functions cannot be one operation of whatever differentiates them."""


class Impure(BaseException):  # no `except Exception` of the function's may go on from here
    """Raised where a function that is to be run again for its derivatives turns out to do more than compute results."""

    def __init__(self, why: str, lasts: bool):
        super().__init__(why)
        self.why, self.lasts = why, lasts


_comparing = threading.local()


@contextmanager
def comparing() -> Iterator[None]:
    """Inside, a function that has been seen to compute results only may be run to compare them."""
    before, _comparing.on = is_compared(), True
    try:
        yield
    finally:
        _comparing.on = before


def is_compared() -> bool:
    """Whether this is inside of `comparing`."""
    return getattr(_comparing, "on", False)


class Moment:
    """What lies in the places that a function looks up, what containers hold, and whether a model is trained."""

    __slots__ = ("contents", "places", "training")

    def __init__(self, found: Found):
        self.places = [(place, place.get()) for place, _ in found.entries]
        self.contents = [contents for contents in found.contents if type(contents) is Contents]
        self.training = tape.is_training()

    @contextmanager
    def again(self) -> Iterator[None]:
        """Inside, all that is as it was then."""
        with tape.train_mode() if self.training else tape.predict_mode():
            if self._is_now():
                yield
                return
            with RECORDING, self._put_back():
                yield

    def _is_now(self) -> bool:
        return all(place.get() is held for place, held in self.places) and all(c.is_same() for c in self.contents)

    @contextmanager
    def _put_back(self) -> Iterator[None]:
        later = [Contents(c.container, c.in_order) for c in self.contents if not c.is_same()]
        moved: list[tuple[Place, Any]] = []
        try:
            for contents in self.contents:
                contents.restore()
            for place, held in self.places:
                now = place.get()
                if now is not held:
                    moved.append((place, now))
                    place.set(held)
            yield
        finally:
            for place, now in reversed(moved):
                place.set(now)
            for contents in later:
                contents.restore()
