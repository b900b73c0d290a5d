"""Places: which element of a value is meant, as a function of the indices of loops.

A place along one axis is ``constant + sum(coefficient * index)``; a place in a value has one of these for each axis.
"""

import functools

from wengert.compiler.graph import Move, Value

__all__ = [
    "Affine",
    "Place",
    "bounds",
    "broadcast_place",
    "composed",
    "fixed",
    "identity_place",
    "operand_places",
    "shifted",
]

Affine = tuple[int, tuple[tuple[int, int], ...]]
"""A place along an axis, as its constant and pairs (axis of the loops, coefficient)."""
Place = tuple[Affine, ...]


@functools.lru_cache(4096)
def identity_place(shape: tuple[int, ...]) -> Place:
    """Each axis at its own index; those of length 1 at 0."""
    return tuple((0, ((i, 1),) if n != 1 else ()) for i, n in enumerate(shape))


def operand_places(v: Value, place: Place) -> list[Place]:
    """Where a value at a place reads each of its operands."""
    if v.kind == "map":
        shape = v.shape
        return [place if o.shape == shape else broadcast_place(o, place) for o in v.operands]
    if v.kind == "move":
        return [composed(v.setting.places, place)]
    if v.kind == "gather":
        # Where the first operand is read is known when the others are: at the place itself.
        return [() if k == 0 else place for k in range(len(v.operands))]
    if v.kind == "update":
        return [place, inverse_place(v.setting[0], place)]
    if v.kind == "join":
        found, start = [], 0
        axis = v.setting
        for o in v.operands:
            found.append(tuple(shifted(a, -start) if k == axis else a for k, a in enumerate(place)))
            start += o.shape[axis]
        return found
    return []


def broadcast_place(o: Value, place: Place) -> Place:
    """The place in an operand that broadcasts."""
    last = place[len(place) - len(o.shape) :] if o.shape else ()
    return tuple((0, ()) if n == 1 else a for n, a in zip(o.shape, last, strict=True))


def composed(first: Place, second: Place) -> Place:
    """The place `first`, given in terms of a value's axes, where these are at `second`."""
    found = []
    for start, terms in first:
        if len(terms) == 1 and terms[0][1] == 1:
            offset, inner = second[terms[0][0]]
            found.append((start + offset, inner))
            continue
        total: dict[int, int] = {}
        for axis, stride in terms:
            offset, inner = second[axis]
            start += stride * offset
            for k, c in inner:
                total[k] = total.get(k, 0) + stride * c
        found.append((start, tuple(sorted((k, c) for k, c in total.items() if c))))
    return tuple(found)


def inverse_place(move: Move, place: Place) -> Place:
    """The place in what was written into a region, from one in the whole; steps of the region are 1 or -1."""
    found: list[Affine] = [(0, ())] * len(move.shape)
    for (start, terms), (offset, inner) in zip(move.places, place, strict=True):
        if terms:
            ((axis, stride),) = terms
            found[axis] = ((offset - start) * stride, tuple((k, c * stride) for k, c in inner))
    return tuple(found)


def shifted(a: Affine, by: int) -> Affine:
    """A place further on."""
    return (a[0] + by, a[1])


def bounds(a: Affine, ranges: list[tuple[int, int]]) -> tuple[int, int]:
    """The smallest and the largest position along an axis while loops go from a first index to a last one."""
    low = high = a[0]
    for k, c in a[1]:
        first, last = ranges[k]
        low, high = low + c * (first if c > 0 else last), high + c * (last if c > 0 else first)
    return low, high


def fixed(place: Place, ranges: list[tuple[int, int]]) -> Place:
    """The same place, with the indices that have one value only as numbers."""
    if all(first != last for first, last in ranges):
        return place
    found = []
    for start, terms in place:
        known = sum(c * ranges[k][0] for k, c in terms if ranges[k][0] == ranges[k][1])
        found.append((start + known, tuple((k, c) for k, c in terms if ranges[k][0] != ranges[k][1])))
    return tuple(found)
