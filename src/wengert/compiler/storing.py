"""Which values are stored though they could be computed where they are used.

It is told by what they cost, and how often that is paid; and values that are compared with each other are stored where
computing them twice could give other last bits.
"""

from collections.abc import Iterable
from math import prod

from wengert.compiler.affine import Place, identity_place, operand_places
from wengert.compiler.expand import Condition, Expansion
from wengert.compiler.graph import Graph, Value

__all__ = ["MOST_TOTALS", "PULLED", "WORTH_STORING", "cost_of_map", "costs", "repeated", "sought", "walks_over_rows"]

Way = tuple[tuple[int, ...], Place]
"""A place in a value, in terms of the axes of something of the given shape that is computed from it."""
Asked = tuple[tuple[int, ...], Place, tuple[Condition, ...]]
"""The same with the conditions under which it is asked for."""
PULLED = {"map", "move", "literal", "update", "join", "gather"}
"""Kinds that are computed where they are used."""
COSTS = {"divide": 4, "sqrt": 4, "power": 30, "tanh": 20}
CHEAP = {
    "add", "subtract", "multiply", "multiply_add", "negative", "absolute", "sign", "where", "maximum", "minimum",
    "cast", "less", "greater", "less_equal", "greater_equal", "equal", "not_equal",
    "logical_and", "logical_or", "logical_not", "isnan", "isfinite",
}  # fmt: skip
WORTH_STORING = 12
"""Cost from which on a value that several kernels need is stored rather than computed in each."""
MOST_PLACES = 24
"""Ways to one value, through moves and joins, from which on it is stored rather than computed at each place."""
MOST_WRITTEN = 24
"""Ways to one value, where conditions tell them apart, too, from which on it is stored."""
SAVED_FOR_EACH = 30
"""What has to be saved for each element of a value that is read at several places."""
SAVED = 1_000
"""What has to be saved in all, in elements' additions, where storing means one more kernel."""


def cost_of_map(name: str) -> float:
    """What an elementwise operation costs, in additions."""
    return 1 if name in CHEAP else COSTS.get(name, 10)


def costs(values: Iterable[Value], stored: set[int] = frozenset()) -> dict[int, float]:  # type: ignore[assignment]
    """What computing each element costs, from what is stored; nothing dearer than worth storing is told apart."""
    cost: dict[int, float] = {}
    for v in values:
        if v.kind not in PULLED or v.number in stored:
            continue
        own = cost_of_map(v.setting) if v.kind == "map" else 0
        total = own + sum(cost.get(o.number, 1.0) for o in v.operands if o.kind != "literal")
        cost[v.number] = min(total, 4 * WORTH_STORING)
    return cost


def repeated(graph: Graph, roots: set[int]) -> set[int]:
    """Values that would be computed again and again: in each row, or at each of the places that others read."""
    if all(_is_at_own_place(v) for v in graph.values):
        return set()
    found = _in_rows(graph, roots)
    found |= _in_turned_rows(graph, roots | found)
    found |= _at_places(graph, roots | found)
    return found | _under_conditions(graph, roots | found)


def _is_at_own_place(v: Value) -> bool:
    """Whether a value reads each element of what is computed with it once, at its own place."""
    if v.kind == "map":
        return all(o.shape == v.shape or o.kind == "literal" for o in v.operands)
    return v.kind not in PULLED or all(o.kind == "literal" for o in v.operands)


def _in_rows(graph: Graph, roots: set[int]) -> set[int]:
    """Dear values that are the same in all rows of what is computed with them."""
    cost, found = costs(graph.values, roots), set()
    for v in graph.values:
        for o in v.operands if v.kind in ("map", "move") else ():
            saved = cost.get(o.number, 0.0) - 1
            if saved > 2 and o.kind != "move" and o.number not in roots and o.size * saved * (_rows(v, o) - 1) > SAVED:
                found.add(o.number)
    return found


def _rows(v: Value, o: Value) -> int:
    """How often the elements of an operand are repeated along axes in front of its own."""
    if v.kind == "move":
        own = {k for _, terms in v.setting.places for k, _ in terms}
    elif v.shape == o.shape:
        return 1
    else:
        missing = len(v.shape) - len(o.shape)
        own = {k + missing for k, n in enumerate(o.shape) if n != 1}
    return prod(n for k, n in enumerate(v.shape) if k not in own and k < max(own, default=0))


def _in_turned_rows(graph: Graph, roots: set[int]) -> set[int]:
    """Dear values that are the same along an axis of a total which is walked outside of theirs.

    What is added up is walked last, so the other axes of a body come before it, though they are behind it in memory.
    """
    cost = costs(graph.values, roots)
    found: set[int] = set()
    for v in graph.values:
        if v.kind != "reduce" or v.operands[0].kind not in PULLED or v.operands[0].number in roots:
            continue
        shape, reduced = v.operands[0].shape, v.setting[1]
        kept = [k for k in range(len(shape)) if k not in reduced]
        if not kept or max(kept) < min(reduced) or walks_over_rows(shape, reduced):
            continue
        order = [*kept, *reduced]
        line = [(v.operands[0], identity_place(shape))]
        seen = set(line)
        while line:
            u, place = line.pop()
            for o, p in zip(u.operands, operand_places(u, place), strict=True):
                if o.kind not in PULLED or o.number in roots | found or (o, p) in seen:
                    continue
                saved = cost[o.number] - 1
                if saved > 2 and o.kind != "move" and o.size * saved * (_turns(shape, order, p) - 1) > SAVED:
                    found.add(o.number)
                else:
                    seen.add((o, p))
                    line.append((o, p))
    return found


def _turns(shape: tuple[int, ...], order: list[int], place: Place) -> int:
    """How often a place is met again while axes are walked that it does not depend on."""
    own = {k for _, terms in place for k, _ in terms}
    last = max((i for i, k in enumerate(order) if k in own), default=0)
    return prod(shape[k] for k in order[:last] if k not in own)


MOST_TOTALS = 1024
"""How many totals over rows are held in memory at most."""
MANY_ROWS = 4096
"""From so many rows on totals over them are held in memory, so that arrays are read in their order."""


def walks_over_rows(shape: tuple[int, ...], reduced: Iterable[int]) -> bool:
    """Whether totals along the first axes are taken row by row, each in memory for the other axes."""
    kept = [k for k in range(len(shape)) if k not in set(reduced)]
    in_front = bool(kept) and min(kept) > max(reduced)
    return in_front and prod(shape[k] for k in reduced) >= MANY_ROWS and prod(shape[k] for k in kept) <= MOST_TOTALS


def _at_places(graph: Graph, roots: set[int]) -> set[int]:
    """Values of which elements would be computed several times, since they are cut and joined again and again."""
    cost = costs(graph.values, roots)
    ways: dict[int, dict[Way, int]] = {}
    found: set[int] = set()
    for v in reversed(graph.values):
        here = ways.pop(v.number, {})
        if not here or v.number in roots or v.kind not in PULLED:
            here = {(v.shape, identity_place(v.shape)): v.size}
        elif len(here) > 1 and v.kind != "move" and _is_dear(v, here, cost[v.number]):
            found.add(v.number)
            here = {(v.shape, identity_place(v.shape)): v.size}
        for k, o in enumerate(v.operands):
            known = ways.setdefault(o.number, {})
            if v.kind not in PULLED or (v.kind == "gather" and not k):
                known[o.shape, identity_place(o.shape)] = o.size
            elif v.kind == "map" and o.shape == v.shape:
                known.update(here)
            else:
                known.update(_passed_on(v, k, here))
    return found


def _under_conditions(graph: Graph, roots: set[int]) -> set[int]:
    """Values that would be written out too often, at other places or where other conditions hold.

    Each way is code of its own, and ways multiply where shifted and joined values are added up again and again.
    """
    if not any(v.kind in ("update", "join") for v in graph.values):
        return set()
    found: set[int] = set()
    ways: dict[int, dict[Asked, None]] = {}
    for v in reversed(graph.values):
        here = ways.pop(v.number, {})
        if v.kind not in PULLED or v.number in roots or not here:
            here = {(v.shape, identity_place(v.shape), ()): None}
        elif len(here) > MOST_WRITTEN and v.kind != "move":
            found.add(v.number)
            here = {(v.shape, identity_place(v.shape), ()): None}
        for shape, place, conditions in here if v.kind in PULLED else ():
            for o, p, c in _asked(v, shape, place, conditions):
                if o.kind in PULLED and o.kind != "literal":
                    ways.setdefault(o.number, {})[shape, p, c] = None
    return found


def _asked(v: Value, shape: tuple, place: Place, conditions: tuple) -> Iterable:
    """What a value is computed from at a place, each operand with its place and conditions."""
    if v.kind in ("map", "move"):
        return [(o, p, conditions) for o, p in zip(v.operands, operand_places(v, place), strict=True)]
    return Expansion([(0, n - 1) for n in shape], None, {}, {}, []).operands(v, place, conditions)[0]


def _is_dear(v: Value, ways: dict[Way, int], cost: float) -> bool:
    """Whether a value is computed at too many places, or too often at each element."""
    saved = (sum(ways.values()) - v.size) * cost
    return len(ways) > MOST_PLACES or (saved >= SAVED_FOR_EACH * v.size and saved > SAVED)


def _passed_on(v: Value, k: int, ways: dict[Way, int]) -> dict[Way, int]:
    """The ways to an operand, and at how many points each of them asks for it."""
    found = {}
    for shape, at in ways:
        place = operand_places(v, at)[k]
        points = prod(shape[axis] for axis in {axis for _, terms in place for axis, _ in terms})
        found[shape, place] = min(points, v.operands[k].size)
    return found


def sought(graph: Graph, roots: set[int]) -> set[int]:
    """Values among which their own largest or smallest is looked for: each must be one number wherever it is read.

    Libraries give other last bits in vectors of another width, or for one number alone.
    """
    rounded: set[int] = set()
    found: set[int] = set()
    for v in graph.values:
        if v.kind == "reduce":
            body = v.operands[0]
            if v.setting[0] in ("maximum", "minimum") and body.number in rounded and _is_compared(body):
                found.add(body.number)
        elif v.kind in PULLED and v.number not in roots:
            own = v.kind == "map" and v.setting not in CHEAP and v.setting not in EXACT
            if own or any(o.number in rounded for o in v.operands):
                rounded.add(v.number)
    return found


EXACT = {"divide", "sqrt", "floor", "ceil", "trunc", "rint", "square", "reciprocal"}


def _is_compared(v: Value) -> bool:
    return any(u.setting in COMPARISONS if u.kind == "map" else u.kind == "move" and _is_compared(u) for u in v.users)


COMPARISONS = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"}
