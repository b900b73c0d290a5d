"""Values with a short last axis as several values without it.

Points, rotations, colours lie in memory as rows of three or four numbers. What is computed of them mixes the numbers of
a row, and differs from column to column. With a value for each column all of it is elementwise along the rows: sums
along the short axis are additions, columns that are read or written are known, and one kernel computes everything, its
lanes being rows. Where such a value has to be stored, as a result, its columns are written to their places in it.
"""

from math import prod

from wengert.compiler.graph import Graph, Move, Value, identity

__all__ = ["in_components"]

SHORT = 4
"""The length of a last axis at most, for values that are computed."""
WRITTEN = 16
"""The same for arrays that are put together column by column."""
ROWS = 64
"""How many rows there are at least."""
WORTH = 2
"""How many operations at least mix columns."""
DEEPEST = 3
"""How many axes are split at most."""
MOST_VALUES = 4000
"""In how many values this may result."""


def in_components(graph: Graph) -> Graph:
    """The same program with short axes split, if it is worth it; again for the axes that are then the last ones."""
    for _ in range(DEEPEST):
        if sum(map(_mixes, graph.values)) < WORTH:
            break
        split = _Splitting(graph).new
        if len(split.values) > MOST_VALUES:
            break
        graph = split
    return graph


COMPUTED = {"map", "move", "update", "join", "reduce"}


def _is_short(shape: tuple, most: int = SHORT) -> bool:
    """Whether a value of this shape has many rows and few columns."""
    return len(shape) > 1 and 1 < shape[-1] <= most and prod(shape[:-1]) >= ROWS


def _mixes(v: Value) -> int:
    """How many operations there are with columns that are no whole rows."""
    if v.kind == "reduce":
        return _is_short(v.operands[0].shape) and len(v.operands[0].shape) - 1 in v.setting[1]
    if v.kind == "map":
        return 2 * (_is_short(v.shape) and _is_short(v.shape[:-1]))
    if v.kind == "move":
        x = v.operands[0]
        return x.kind in COMPUTED and _is_short(x.shape, WRITTEN) and not v.setting.places[-1][1]
    if v.kind == "update":
        return _is_short(v.shape, WRITTEN)
    return v.kind == "join" and _is_short(v.shape) and v.setting == len(v.shape) - 1


class _Splitting:
    """A graph made anew; each old value has become one value, or one for each column."""

    def __init__(self, graph: Graph):
        self.new = Graph()
        self.wholes: dict[int, Value] = {}
        self.columns: dict[int, list[Value]] = {}
        for v in graph.values:
            columns = self.split(v)
            if columns is not None:
                self.columns[v.number] = columns
            elif v.number not in self.wholes:
                self.wholes[v.number] = self.remade(v)
        self.new.results = [self.whole(v) for v in graph.results]
        self.new.checks = graph.checks
        self.new.prune()

    # Old values among the new ones ---------------------------------------------------------------------------------

    def whole(self, v: Value) -> Value:
        """All columns as one value."""
        found = self.wholes.get(v.number)
        if found is None:
            columns = self.columns[v.number]
            if len(columns) == 1:
                found = self.new.reshape(columns[0], v.shape)
            else:
                # Each is written for this value alone.
                own = [
                    self.new.make("map", (c,), f"copy of {v.number}.{i}", c.shape, c.dtype)
                    for i, c in enumerate(columns)
                ]
                found = self.new.make("assembly", tuple(own), None, v.shape, v.dtype)
            self.wholes[v.number] = found
        return found

    def column(self, v: Value, i: int) -> Value:
        """One column, or the only one there is."""
        columns = self.columns.get(v.number)
        if columns is not None:
            return columns[i if len(columns) > 1 else 0]
        whole = self.wholes[v.number]
        if not whole.shape:
            return whole
        return self.new.slices(whole, [*[slice(None)] * (len(v.shape) - 1), i if v.shape[-1] > 1 else 0])

    def remade(self, v: Value) -> Value:
        """The value as it was, of new operands."""
        if v.kind == "move":
            return self.moved(v.operands[0], v.setting)
        operands = tuple(map(self.whole, v.operands))
        if v.kind == "gather":
            return self.new.gather(operands[0], v.setting, operands[1:])
        if v.kind == "reshape" and v.dtype == operands[0].dtype:
            return self.new.reshape(operands[0], v.shape)
        return self.new.make(v.kind, operands, v.setting, v.shape, v.dtype)

    def moved(self, x: Value, move: Move) -> Value:
        """Elements of an old value at other places; of one column if all of them are in it."""
        if x.number in self.columns:
            start, terms = move.places[-1]
            if not terms:
                return self.new.move(self.column(x, start), Move(move.shape, move.places[:-1]))
        return self.new.move(self.whole(x), move)

    # Splitting -----------------------------------------------------------------------------------------------------

    def split(self, v: Value) -> list[Value] | None:
        """The columns of a value; `None` if it stays whole."""
        if v.kind == "reduce":
            return self.reduced(v)
        if len(v.shape) < 2 or prod(v.shape[:-1]) < ROWS or not 0 < v.shape[-1] <= WRITTEN:
            return None
        few = v.shape[-1] <= SHORT
        if v.kind == "map" and (few or self.are_split(v)):
            return [self.mapped(v, i) for i in range(v.shape[-1])]
        if v.kind == "move" and (few or v.operands[0].kind == "literal"):
            return [self.column_moved(v, i) for i in range(v.shape[-1])]
        if v.kind == "update" and v.operands[0].number in self.columns:
            return self.updated(v)
        if v.kind == "join" and few:
            return self.joined(v)
        return None

    def are_split(self, v: Value) -> bool:
        """Whether all operands of several columns are split."""
        several = [o for o in v.operands if o.shape and o.shape[-1] > 1]
        return all(o.number in self.columns for o in several)

    def mapped(self, v: Value, i: int) -> Value:
        operands = [self.column(o, i) for o in v.operands]
        found = self.new.map(v.setting, *operands, dtype=v.dtype)
        return self.new.broadcast(found, v.shape[:-1])

    def column_moved(self, v: Value, i: int) -> Value:
        last = len(v.shape) - 1
        places = tuple(
            (start + i * sum(s for k, s in terms if k == last), tuple(t for t in terms if t[0] != last))
            for start, terms in v.setting.places
        )
        return self.moved(v.operands[0], Move(v.shape[:-1], places))

    def updated(self, v: Value) -> list[Value] | None:
        (x, value), (region, adds) = v.operands, v.setting
        (start, terms), last = region.places[-1], len(region.shape) - 1
        found = list(self.columns[x.number])
        if not terms and region.shape[-1:] != (1,):
            written = {start: self.whole(value)}
            rest = Move(region.shape, region.places[:-1])
        elif not terms or (terms[0][0] == last and len(terms) == 1):
            step = terms[0][1] if terms else 0
            written = {start + step * j: self.column(value, j) for j in range(region.shape[-1])}
            rest = Move(region.shape[:-1], region.places[:-1])
        else:
            return None
        if any(k == last for _, others in region.places[:-1] for k, _ in others) and rest.shape != region.shape:
            return None
        for i, new in written.items():
            found[i] = self.written(found[i], new, rest, adds)
        return found

    def written(self, x: Value, value: Value, region: Move, adds: bool) -> Value:
        """A column with a region overwritten, or added to."""
        if region == identity(x.shape):
            return self.new.map("add", x, value, dtype=x.dtype) if adds else value
        return self.new.make("update", (x, value), (region, adds), x.shape, x.dtype)

    def joined(self, v: Value) -> list[Value]:
        if v.setting == len(v.shape) - 1:
            return [self.column(o, i) for o in v.operands for i in range(o.shape[-1])]
        shape = v.shape[:-1]
        columns = [tuple(self.column(o, i) for o in v.operands) for i in range(v.shape[-1])]
        return [self.new.make("join", parts, v.setting, shape, v.dtype) for parts in columns]

    def reduced(self, v: Value) -> list[Value] | None:
        """A total along other axes of each column; along the short one it is one value."""
        (x,), (operation, axes) = v.operands, v.setting
        last = len(x.shape) - 1
        if x.number not in self.columns or x.shape[-1] == 1:
            return None
        columns = self.columns[x.number]
        if last not in axes:
            shape = v.shape[:-1]
            return [self.new.make("reduce", (c,), v.setting, shape, v.dtype) for c in columns]
        total = columns[0]
        if operation == "add" and v.dtype.kind == "f":
            # The sum of negative zeros is 0.
            total = self.new.map("add", total, self.new.literal(0, v.dtype), dtype=v.dtype)
        for c in columns[1:]:
            total = self.new.map(operation, total, c, dtype=v.dtype)
        others = tuple(k for k in axes if k != last)
        if others:
            total = self.new.make("reduce", (total,), (operation, others), v.shape, v.dtype)
        self.wholes[v.number] = total
        return None
