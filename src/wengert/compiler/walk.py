"""How a kernel's domain is walked: axes that are one in memory are merged, and one is chosen for the vectors' lanes."""

from dataclasses import dataclass, field
from math import prod
from typing import Any

from wengert.compiler.affine import Place, composed
from wengert.compiler.expand import Item
from wengert.compiler.fuse import Kernel
from wengert.compiler.storing import CHEAP, cost_of_map
from wengert.compiler.vectormath import Target

__all__ = ["Walk", "all_items", "cost_of", "walk_of"]

GATHER, SCATTER, ACROSS = 6.0, 8.0, 10.0
"""What it costs to read or write lanes that are apart, and to combine lanes, as multiples of an addition."""
TWO_APART = 2.0
"""The same for lanes between which one number lies, as between the parts of complex ones."""
FAR = 2.0
"""What it costs more where each lane is in another line of memory."""
LARGE = 1 << 17
"""From so many elements on an array does not stay in a core's cache; writing lanes that are apart then costs twice."""
TURN, ENTRY, IN_MEMORY, IN_REGISTER = 2.0, 6.0, 6.0, 4.0
"""The cost of a turn of a loop, of its beginning, and of adding to a total in an array or to one alone, compensated."""
ONE_BY_ONE = 8.0
"""The cost of a step of a running total along the only axis."""
SHORT, WORTH_UNROLLING = 12, 64
"""How long an axis is at most that is unrolled, and how long at least the others are."""
WORTH_TILING = 8
"""What has to be done once in a row, so that this is done for several rows at once."""
FEW_IN_ROW = 10
"""How many times as much may be done along a row: more rows would not stay in the fastest cache together."""

REGISTERS = 4
"""How many registers wide lanes take."""
FULL_TURNS = 8
"""How many turns of wide lanes there must be at least."""
MOST_ITEMS = 12
"""Kernels of more values have enough to do while a total is added to."""
SIDE_BY_SIDE = 2
"""How many registers the lanes take where one alone would wait."""
LONG_CHAIN, MANY_TURNS = 400.0, 32
"""What is done in a turn at least, in additions, so that a processor does not begin the next one meanwhile; and how
many turns there must be."""
AT_ONCE = 3.0
"""How many steps of a chain's length can be done while its own are waited for."""


@dataclass
class Walk:
    """Lengths of the axes after merging, the lane axis, the number of lanes, and an estimate of the work."""

    extents: list[int]
    dropped: set[int] = field(default_factory=set)
    """Axes that have become part of the one after them."""
    lane: int | None = None
    width: int = 1
    tile: int | None = None
    """A row axis of which several are done together: what is done once in a row has the lanes along it."""
    unrolled: set[int] = field(default_factory=set)
    """Short axes at each of whose positions something else is done."""
    work: float = 0.0
    """The whole kernel, in additions of vectors."""
    wide: bool = False
    """Whether the lanes are those of several registers: totals then need not wait for each other."""


def all_items(items: list[Item]) -> list[Item]:
    """Items and all that they are made of, operands first."""
    found: dict[int, Item] = {}
    line = [(item, False) for item in reversed(items)]
    while line:
        item, ready = line.pop()
        if ready:
            found[id(item)] = item
        elif id(item) not in found:
            line.append((item, True))
            line += [(o, False) for o in item.operands if id(o) not in found]
    return list(found.values())


def walk_of(kernel: Kernel, items: list[Item], stored: dict[int, Any], target: Target) -> Walk:
    """The walk of a kernel that computes these items."""
    kinds = {item.value.dtype.itemsize for item in items} | {root.value.dtype.itemsize for root in kernel.roots}
    walk = Walk(list(kernel.extents), width=target.lanes(8 if 8 in kinds or kinds == {1} else 4))
    accesses = list(_accesses(kernel, items, stored))
    if len(kernel.extents) > 1:
        _merge(kernel, walk, items, accesses)
    axes = [k for k, n in enumerate(walk.extents) if k not in walk.dropped]
    walk.unrolled = _unrolled(kernel, walk, items, axes)
    axes = [k for k in axes if k not in walk.unrolled]
    # A running total goes along its axis one by one.
    axes = [k for k in axes if not (k in kernel.inner and any(root.scans for root in kernel.roots))]
    if axes:
        work: dict[frozenset, float] = {}
        for item in items:
            work[item.axes] = work.get(item.axes, 0.0) + cost_of(item)
        costs = {k: _cost(kernel, walk, work, accesses, k) for k in reversed(axes)}
        walk.lane = min(costs, key=costs.__getitem__)
        walk.work = costs[walk.lane]
        rows = [k for k in axes if k not in kernel.inner]
        if walk.lane in kernel.inner and rows and walk.extents[rows[-1]] >= walk.width:
            walk.tile = rows[-1] if _is_worth_tiling(kernel, walk, work, rows[-1]) else None
        if _may_be_wide(kernel, walk, walk.lane, items, accesses):
            walk.wide, walk.width = True, REGISTERS * (target.lanes(1) if kinds == {1} else walk.width)
        elif _waits(kernel, walk, walk.lane, items, accesses):
            walk.width *= SIDE_BY_SIDE
        elif kinds == {1} and _are_bytes_alone(kernel, walk, walk.lane, items, accesses):
            walk.width = target.lanes(1)
    elif any(root.scans for root in kernel.roots):
        walk.work = prod(walk.extents) * (ONE_BY_ONE + sum(map(cost_of, items)))
    return walk


def _may_be_wide(kernel: Kernel, walk: Walk, lane: int, items: list[Item], accesses: list) -> bool:
    """Whether all that is done along the lanes is a few instructions, and totals of what they give."""
    if walk.tile is not None or walk.unrolled or len(items) > MOST_ITEMS:
        return False
    if walk.extents[lane] < FULL_TURNS * REGISTERS * walk.width:
        return False
    along = [root for root in kernel.roots if lane in root.own]
    if not along or not all(root.reduces and root.reduced in (root.own, kernel.inner) for root in along):
        return False
    return all(map(_is_simple, items)) and _lie_side_by_side(accesses, lane)


def _are_bytes_alone(kernel: Kernel, walk: Walk, lane: int, items: list[Item], accesses: list) -> bool:
    """Whether many small integers, side by side, are each given by an instruction or two: a register holds them all."""
    if kernel.inner or walk.unrolled or walk.extents[lane] < FULL_TURNS * walk.width:
        return False
    if any(item.value.dtype.kind == "b" for item in items):  # which are packed first
        return False
    return all(map(_is_simple, items)) and _lie_side_by_side(accesses, lane)


def _waits(kernel: Kernel, walk: Walk, lane: int, items: list[Item], accesses: list) -> bool:
    """Whether most of what is done along the lanes is one long chain, each step of which waits for the one before."""
    if kernel.inner or walk.unrolled or walk.width < 2 or walk.extents[lane] < MANY_TURNS * walk.width:
        return False
    is_plain = all(item.kind in ("load", "literal", "map") and not item.conditions for item in items)
    if not is_plain or not _lie_side_by_side(accesses, lane):
        return False
    total, longest = 0.0, 0.0
    until: dict[int, float] = {}
    for item in items:
        cost = cost_of(item) if lane in item.axes else 0.0
        until[id(item)] = cost + max((until[id(o)] for o in item.operands), default=0.0)
        total, longest = total + cost, max(longest, until[id(item)])
    return LONG_CHAIN <= total <= AT_ONCE * longest


def _lie_side_by_side(accesses: list, lane: int) -> bool:
    """Whether what is read and written along the lanes has nothing in between, or is one number."""
    return all(strides.get(lane, 0) in (0, 1) for strides, _ in accesses)


def _is_simple(item: Item) -> bool:
    """Whether it is an instruction or two, everywhere the same."""
    known = item.value.setting in CHEAP if item.kind == "map" else item.kind in ("load", "literal", "total")
    return known and not item.conditions


def _is_worth_tiling(kernel: Kernel, walk: Walk, work: dict[frozenset, float], row: int) -> bool:
    """Whether much is done once in a row, in comparison with what is done along it."""
    in_row = sum(cost for over, cost in work.items() if row in over and not over & kernel.inner)
    along = sum(
        cost * prod(walk.extents[k] for k in over & kernel.inner) for over, cost in work.items() if over & kernel.inner
    )
    return in_row >= WORTH_TILING and along / walk.width <= FEW_IN_ROW * in_row


def _accesses(kernel: Kernel, items: list[Item], stored: dict[int, Any]) -> Any:
    """Each load and store as its strides along the axes, and whether it is a store."""
    temporary = {root.value.number for root in kernel.roots if root.temporary}
    for item in items:
        if item.kind == "load" and item.value.number not in temporary:
            yield _strides(item.place, stored[item.value.number].strides), False
        if item.kind == "gather":
            places, strides = item.value.setting.places, stored[item.value.operands[0].number].strides
            yield _strides(composed(tuple((a, b) for a, b, _ in places), item.place), strides), False
    for root in kernel.roots:
        if root.value.number in stored and not root.temporary:
            strides = stored[root.value.number].strides
            yield _strides(root.stored_place, strides[len(strides) - len(root.kept) :]), True


def _strides(place: Place, strides: tuple[int, ...]) -> dict[int, int]:
    total: dict[int, int] = {}
    for (_, terms), stride in zip(place, strides, strict=True):
        for k, c in terms:
            total[k] = total.get(k, 0) + c * stride
    return total


def _merge(kernel: Kernel, walk: Walk, items: list[Item], accesses: list) -> None:
    """Let axes that every access goes through as one be one."""
    tested: set[int] = set()
    for item in items:
        for a, _, _ in (*item.conditions, *(c for test in item.tests for c in test)):
            tested |= {k for k, _ in a[1]}
    extents = walk.extents
    for i in range(len(extents) - 1):
        j = i + 1
        pair = {i, j}
        sets = [kernel.inner, *[s for root in kernel.roots for s in (root.own, root.reduced)]]
        together = all(len(pair & s) != 1 for s in sets)
        if together and not pair & tested and all(a.get(i, 0) == a.get(j, 0) * kernel.extents[j] for a, _ in accesses):
            walk.dropped.add(i)
            extents[j], extents[i] = extents[i] * extents[j], 1


def _unrolled(kernel: Kernel, walk: Walk, items: list[Item], axes: list[int]) -> set[int]:
    """Short axes along which places are tested, where there is a long one for the lanes."""
    short = {k for k in axes if walk.extents[k] <= SHORT}
    points = prod(walk.extents[k] for k in short)
    rest = [k for k in axes if k not in short]
    if not rest or points > SHORT or min(walk.extents[k] for k in rest) < WORTH_UNROLLING:
        return set()
    tested = {k for item in items for test in (item.conditions, *item.tests) for a, _, _ in test for k, _ in a[1]}
    return short & tested


def _cost(kernel: Kernel, walk: Walk, work: dict[frozenset, float], accesses: list, lane: int) -> float:
    """What the kernel costs with the lanes along an axis."""
    extents, width, inner = walk.extents, walk.width, lane in kernel.inner
    last_row = max((k for k in kernel.rows if k not in walk.dropped), default=None) if inner else None

    def times(axes: Any) -> float:
        """How often what depends on these axes is done."""
        n = float(prod(extents[k] for k in axes))
        if lane in axes:
            return n / extents[lane] * -(-extents[lane] // width)
        in_tiles = last_row is not None and last_row in axes and not kernel.inner & set(axes)
        return n / min(width, extents[last_row]) if in_tiles else n  # type: ignore[index]

    every = range(len(extents))
    order = [k for k in (*kernel.rows, *sorted(kernel.inner)) if k not in walk.dropped]
    total = TURN * times(every) + sum(cost * times(axes) for axes, cost in work.items())
    total += ENTRY * sum(times(order[:i]) for i in range(1, len(order)))
    masked = float(extents[lane] % width != 0)
    for strides, writes in accesses:
        stride = strides.get(lane, 0)
        if not stride:
            each = 0.2
        elif stride == 1:
            each = 1.0 + masked
        elif stride == 2:
            each = TWO_APART + masked
        else:
            each = GATHER if not writes else SCATTER * (1 + (prod(extents[k] for k in strides) > LARGE))
        total += (each + FAR * (abs(stride) >= max(width, 3))) * times(strides)
    for root in kernel.roots:
        if root.reduces and root.reduced != kernel.inner and root.own != root.reduced:
            total += IN_MEMORY * times(root.own)
        elif root.reduces:
            total += IN_REGISTER * times(root.own)
            total += ACROSS * prod(extents[k] for k in kernel.rows) * (root.reduced == kernel.inner and inner)
    return total


def cost_of(item: Item) -> float:
    """What computing an item costs, without its operands."""
    if item.kind != "map":
        return {"choose": 1.0, "gather": GATHER + FAR}.get(item.kind, 0.0)
    return cost_of_map(item.value.setting)
