"""What of a recording lives on where nobody looks, or in objects that the function has made."""

import gc
import weakref
from itertools import compress
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import Box, bare
from wengert.compiler.changes import Changes
from wengert.compiler.containers import everything
from wengert.compiler.trace import Trace

__all__ = ["has_history", "look_for_escaped"]


def look_for_escaped(changes: Changes, outputs: list) -> None:
    """Give numbers to values of the recording that live on where nobody looks, as in a cache.

    They are among the youngest objects, as nothing has been collected since they were made.
    """
    if changes.failed is not None or any(map(has_history, outputs)):
        return  # what was raised holds its frames, and a tape holds values
    mine = {id(y) for x in (*outputs, *[x for _, x in changes.replaced]) for y in everything(x)}
    mine |= {id(s) for s, _ in changes.stand_ins} | {id(g) for g in changes.gradients}
    mine |= changes.settled.keys() | {id(x) for _, x in changes.given or ()}
    mine |= {id(y._base) for y in outputs if isinstance(y, Box) and y._is_view}  # type: ignore[attr-defined]
    known = _known_traces(changes, outputs)
    young = gc.get_objects(0)
    boxes = {kind for kind in set(map(type, young)) if issubclass(kind, Box)}
    found = compress(young, map(boxes.__contains__, map(type, young)))
    kept = [y for y in found if id(y) not in mine and _is_recorded(y, changes)]
    if changes.unsettled:
        changes.leaks |= any(type(x) is Trace and x._program is changes.program and id(x) not in known for x in young)
    del young, found
    alive = list(map(weakref.ref, kept))
    kept.clear()
    if any(r() is not None for r in alive):
        gc.collect(0)  # what only holds itself is no longer there
    kept = [y for r in alive if (y := r()) is not None]
    for y in kept:
        y._value = np.array(bare(y)._value)
    for cache in changes.captured.found.caches if kept else ():
        cache.cache_clear()  # what it makes once more is what it would have made
    changes.leaks |= bool(kept)
    if kept and not changes.unsettled:
        changes.escaped = "it keeps an array that it makes where it cannot be found, as in a cache"


def _known_traces(changes: Changes, outputs: list) -> set[int]:
    """Values of the recording that are held where they should be."""
    held = [*outputs, *changes.made, *[s for s, _ in changes.stand_ins], *changes.gradients]
    held += [y for _, x in changes.replaced for y in everything(x)] + [x for _, x in changes.given or ()]
    held += [*changes.expected.values(), *[y for y, _ in changes.settled.values()]]
    held += [t._storage.buffer for t in changes.captured.tensors if getattr(t, "_storage", None) is not None]
    return {id(bare(x)) if isinstance(x, Box) else id(x) for x in held}


def _is_recorded(y: Any, changes: Changes) -> bool:
    """Whether an object is a value of this recording that a user may hold."""
    if y._is_view or getattr(y, "_node", changes) is not None:
        return False
    return type(y._value) is Trace and y._value._program is changes.program


def has_history(y: Any) -> bool:
    """Whether a result is recorded, by a tape that no pass has used yet."""
    return isinstance(y, Box) and y._node is not None and y._node.rule is not tape.freed
