"""What a function uses, as it is at one call: so that the function can be run again later as it was then."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wengert import tape
from wengert.compiler.found import Found
from wengert.compiler.locks import RECORDING
from wengert.compiler.places import Contents, Place

__all__ = ["Moment"]


class Moment:
    """What lies in the places that a function looks up, what containers hold, and whether a model is trained."""

    __slots__ = ("contents", "places", "training")

    def __init__(self, found: Found):
        self.places = [(place, place.get()) for place, _ in found.entries]
        self.contents = [Contents(c.container, c.in_order) for c in found.contents if type(c) is Contents]
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
        later = [Contents(c.container, c.in_order) for c in self.contents if not c.holds_the_same()]
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
