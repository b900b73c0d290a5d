"""What a kernel computes at each point of its domain: values at places, as a graph of items.

Moves vanish here: a value read through one is the value at another place. What is written into a region, or joined
along an axis, is a choice between items, unless it is known for the whole domain which one is meant. Only a load can
do harm where it is not meant (outside of its array), so only loads, and what is made of them, carry conditions.
"""

from typing import Any

from wengert.compiler.affine import Affine, Place, bounds, broadcast_place, operand_places
from wengert.compiler.graph import Value

__all__ = ["Condition", "Expansion", "Item"]

Condition = tuple[Affine, int, int]
"""A place along an axis, and the bounds between which it has to be."""
Wanted = tuple[Value, Place, tuple[Condition, ...]]


class Item:
    """A value at a place.

    ``kind`` is "literal", "load", "total" (combined along the inner axes of a row), "map", "gather" (of which the
    operands are the indices) or "choose"; a choice has its
    first operand unless one of its `tests` holds, then the operand after the first that belongs to it.
    """

    __slots__ = ("axes", "conditions", "kind", "number", "operands", "place", "tests", "value")

    def __init__(self, number: int, kind: str, value: Value, place: Place, conditions: tuple, operands: tuple):
        self.number, self.kind, self.value, self.place = number, kind, value, place
        self.conditions, self.operands = conditions, operands
        self.tests: tuple[tuple[Condition, ...], ...] = ()
        self.axes: frozenset[int] = frozenset()


class Expansion:
    """The items of one stage of a kernel.

    Parameters
    ----------
    ranges : list of (int, int)
        The first and the last index along each of the kernel's axes.
    loaded : callable
        Whether a value is there already when the stage begins, or ``"total"``.
    numbers : dict
        The numbers of items, which equal ones of other stages and ranges have, too.
    before : dict
        The numbers of what earlier stages have computed in the same ranges, which is loaded now.
    rows : list of int
        The kernel's row axes, on all of which totals of a row depend.
    """

    def __init__(
        self,
        ranges: list[tuple[int, int]],
        loaded: Any,
        numbers: dict[Any, int],
        before: dict[Any, int],
        rows: list[int],
    ):
        self.ranges, self.loaded, self.numbers, self.before, self.rows = ranges, loaded, numbers, before, rows
        self.items: dict[Any, Item] = {}
        self._open: dict[Any, tuple[list[Wanted], Any]] = {}

    def item(self, value: Value, place: Place, compute: bool = False) -> Item:
        """The item of a value at a place; with `compute`, not what is there already but how it is made."""
        items, first = self.items, (value, place, ())
        line: list[Wanted] = [first]
        while line:
            wanted = line[-1]
            if wanted in items:
                line.pop()
                continue
            v, at, conditions = wanted
            kind = None if compute and v is value and v.kind != "literal" else self.leaf(v)
            if kind is not None:
                items[wanted] = self.leaf_item(kind, v, at, conditions)
                line.pop()
                continue
            opened = self._open.pop(wanted, None)
            if opened is None:
                opened = self.operands(v, at, conditions)
                missing = [w for w in opened[0] if w not in items]
                if missing:
                    self._open[wanted] = opened
                    line += reversed(missing)
                    continue
            items[wanted] = self.made(v, at, conditions, *opened)
            line.pop()
        return items[first]

    def leaf(self, v: Value) -> str | None:
        """Whether a value is there already, and as what."""
        if v.kind == "literal":
            return "literal"
        return self.loaded(v)

    def leaf_item(self, kind: str, v: Value, place: Place, conditions: tuple) -> Item:
        """The item of what is there already; conditions only if it has to be kept inside its array."""
        if conditions and (kind != "load" or self.is_inside(v, place)):
            conditions = ()
        return self.known(kind, v, place, conditions, ())

    def is_inside(self, v: Value, place: Place) -> bool:
        """Whether a place is inside of a value, whatever the indices are."""
        for n, a in zip(v.shape, place, strict=True):
            low, high = bounds(a, self.ranges)
            if low < 0 or high >= n:
                return False
        return True

    def known(self, kind: str, v: Value, place: Place, conditions: tuple, operands: tuple, tests: tuple = ()) -> Item:
        """The item, the one there is if it has been made before."""
        key = (v, place, conditions)
        item = self.items.get(key)
        if item is None:
            number = self.before.get(key)
            if number is None:
                made = (*key, tests, *[o.number for o in operands])
                number = self.numbers.setdefault(made, len(self.numbers))
            item = self.items[key] = Item(number, kind, v, place, conditions, operands)
            item.tests = tests
            for o in operands:
                if not o.axes <= item.axes:
                    item.axes = item.axes | o.axes if item.axes else o.axes
            if kind != "map" or conditions:
                item.axes |= self.own_axes(item)
        return item

    def own_axes(self, item: Item) -> set[int]:
        """The axes that an item depends on, and not only what it is made of."""
        axes = {k for a in item.place for k, _ in a[1]} if item.kind in ("load", "gather") else set()
        if item.kind == "total":
            axes.update(self.rows)
        for c in (*item.conditions, *(c for test in item.tests for c in test)):
            axes.update(k for k, _ in c[0][1])
        return axes

    def operands(self, v: Value, place: Place, conditions: tuple) -> tuple[list[Wanted], Any]:
        """What is needed to compute a value at a place, and between what there is to choose."""
        if v.kind == "map":
            return [
                (o, place if o.shape == v.shape else broadcast_place(o, place), conditions) for o in v.operands
            ], None
        places = operand_places(v, place)
        if v.kind == "update":
            return self.update(v, place, places, conditions)
        if v.kind == "join":
            return self.join(v, place, places, conditions)
        first = 1 if v.kind == "gather" else 0
        return [(o, p, conditions) for o, p in zip(v.operands[first:], places[first:], strict=True)], None

    def update(self, v: Value, place: Place, places: list, conditions: tuple) -> tuple[list[Wanted], Any]:
        """Inside the region the one, outside the other."""
        (x, value), (move, adds) = v.operands, v.setting
        wanted: list[Condition] = []
        for (start, terms), a in zip(move.places, place, strict=True):
            last = start
            if terms:
                ((axis, stride),) = terms
                last = start + stride * (move.shape[axis] - 1)
            wanted.append((a, min(start, last), max(start, last)))
        test = self.left_open(wanted)
        if test is None:
            return [(x, places[0], conditions)], None
        if not test:
            return [(o, p, conditions) for o, p in zip(v.operands, places, strict=True)][0 if adds else 1 :], ()
        return [(x, places[0], conditions), (value, places[1], _joined(conditions, test))], (test,)

    def join(self, v: Value, place: Place, places: list, conditions: tuple) -> tuple[list[Wanted], Any]:
        """The operand in whose part of the axis the place is."""
        start, found, tests = 0, [], []
        for o, p in zip(v.operands, places, strict=True):
            test = self.left_open([(place[v.setting], start, start + o.shape[v.setting] - 1)])
            start += o.shape[v.setting]
            if test is None:
                continue
            found.append((o, p, _joined(conditions, test)))
            tests.append(test)
        return found, tuple(tests[1:])

    def left_open(self, conditions: list[Condition]) -> tuple[Condition, ...] | None:
        """The conditions that hold in a part of the domain; `None` if one holds nowhere."""
        found = []
        for a, low, high in conditions:
            smallest, largest = bounds(a, self.ranges)
            if largest < low or smallest > high:
                return None
            if smallest < low or largest > high:
                found.append((a, low, high))
        return tuple(found)

    def made(self, v: Value, place: Place, conditions: tuple, wanted: list, tests: Any) -> Item:
        """The item of a value whose operands' items there are."""
        operands = tuple([self.items[w] for w in wanted])
        if v.kind == "map":
            if len(operands) == 1 and v.setting.startswith("copy") and v.setting != "copysign":
                return operands[0]
        elif v.kind == "gather":
            return self.known("gather", v, place, conditions, operands)
        elif v.kind == "move" or (not tests and len(operands) == 1):
            return operands[0]
        if conditions and not any(o.conditions for o in operands):
            conditions = ()
        return self.known("map" if v.kind == "map" else "choose", v, place, conditions, operands, tests or ())


NEVER = 1 << 40
"""No index comes so far."""


def _joined(some: tuple[Condition, ...], more: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Both in one form, in whatever order they came together: else a value met in many ways is made for each.

    Loops' indices, or sums of them, lie between two bounds each.
    """
    found: dict[Any, tuple[int, int]] = {}
    for (start, terms), low, high in (*some, *more):
        first, last = found.get(terms, (low - start, high - start))
        first, last = max(first, low - start), min(last, high - start)
        found[terms] = (first, last) if first <= last else (NEVER, NEVER)
    return tuple(((0, terms), *found[terms]) for terms in sorted(found))
