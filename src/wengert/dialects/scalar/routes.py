"""The graph on paper: every route of the chain rule, a tree as text, a drawing for Graphviz."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from wengert.dialects.scalar.gradients import get_gradients
from wengert.dialects.scalar.graph import Scalar
from wengert.errors import ArgumentError, DTypeError

HOPS = 12
"""A route longer than this is printed without its middle."""


class Route(NamedTuple):
    """One way down from a result: the nodes on it, and the local derivatives between them."""

    nodes: tuple[Scalar, ...]
    slopes: tuple[float, ...]

    @property
    def product(self) -> float:
        """What the route contributes to the derivative."""
        return math.prod(self.slopes)

    def __str__(self):
        return f"{' → '.join(short(self.nodes, label))}:  {' · '.join(short(self.slopes, str)) or 1} = {self.product}"


def short(items: Sequence, show: Any) -> list[str]:
    """Each as text; of many the first and the last."""
    if len(items) <= HOPS:
        return [show(item) for item in items]
    half = HOPS // 2
    return [*map(show, items[:half]), f"({len(items) - 2 * half} more)", *map(show, items[-half:])]


class Routes(Sequence):
    """Routes from a node down to another: those listed, and how many there are."""

    def __init__(self, listed: list[Route], number: int, gradient: float):
        self.listed = listed
        self.number = number
        self.gradient = gradient

    @property
    def is_cut(self) -> bool:
        """Whether there are more routes than are listed."""
        return self.number > len(self.listed)

    @property
    def total(self) -> float:
        """The sum of the products: of all routes it is the derivative."""
        return sum(route.product for route in self.listed)

    def __getitem__(self, index: Any) -> Any:
        return self.listed[index]

    def __len__(self) -> int:
        return len(self.listed)

    def __repr__(self):
        listed = [str(route) for route in self.listed]
        if self.is_cut:
            cut = f"cut: {len(self)} of {amount(self.number)} routes; all of them add up to {self.gradient}"
            return "\n".join([*listed, cut])
        return "\n".join([*listed, f"{self.number} route{'s' * (self.number != 1)}, sum {self.total}"])


def amount(count: int) -> str:
    """A number of routes, in full as long as it can be read."""
    return f"{count:,}" if count < 10**15 else f"about 2**{count.bit_length() - 1}"


def routes(y: Any, x: Any, limit: int = 100) -> Routes:
    """List the routes from `y` down to `x`, each with its local derivatives and their product.

    Parameters
    ----------
    y, x : Var or node
        Where the routes begin and end.
    limit : int
        List at most so many. `Routes.number` is the number of all of them nevertheless.

    Examples
    --------
    >>> from wengert.dialects.scalar import Var, routes
    >>> a, b = Var(4, "a"), Var(3, "b")
    >>> routes(a * (a + b), a)
    Mul → a:  7 = 7
    Mul → Add → a:  4 · 1 = 4
    2 routes, sum 11
    """
    for end in (y, x):
        if not isinstance(end, Scalar):
            raise DTypeError(f"[routes] lead from a node to a Var or node; received {end!r:.60} ({type(end).__name__})")
    if limit < 0:
        raise ArgumentError(f"[routes] the limit must be 0 or more; received {limit}")
    gradients = get_gradients(y)
    order = list(gradients)
    leading = {x} if x in gradients else set()
    for node in reversed(order):
        if any(child in leading for child, _ in node.grad):
            leading.add(node)
    return Routes(listed(y, x, limit, leading), count_routes(order, x, leading), gradients[x])


def count_routes(order: list[Scalar], x: Scalar, leading: set) -> int:
    """As many lead to a node as to all nodes above it together, edge by edge."""
    ways = {order[0]: 1}
    for node in order:
        if node is x:
            continue
        n = ways.pop(node, 0)
        for child, _ in node.grad if n else ():
            if child in leading:
                ways[child] = ways.get(child, 0) + n
    return ways.get(x, 0)


def listed(y: Scalar, x: Scalar, limit: int, leading: set) -> list[Route]:
    """The first routes, going left first and only where a route arrives."""
    found: list[Route] = []
    trails: list[tuple] = [(y, None, None)] if y in leading else []  # (node, slope that led here, trail before)
    while trails and len(found) < limit:
        trail = trails.pop()
        node = trail[0]
        if node is x:
            found.append(unrolled(trail))
        else:
            trails += [(child, slope, trail) for child, slope in reversed(node.grad) if child in leading]
    return found


def unrolled(trail: Any) -> Route:
    """A route from its end back to its beginning, turned round."""
    nodes, slopes = [], []
    while trail is not None:
        node, slope, trail = trail
        nodes.append(node)
        slopes.append(slope)
    return Route(tuple(reversed(nodes)), tuple(reversed(slopes[:-1])))


def label(node: Any) -> str:
    """What a node is called on paper."""
    return getattr(node, "name", "") or (repr(node) if node.operation is None else node.operation.name)


def tree(node: Any, limit: int = 50) -> str:
    """The graph below a node as indented text: values, and in front of each operand the local derivative.

    Parameters
    ----------
    node : Var or node
        Where to begin.
    limit : int
        Write at most so many lines. What is shared is written out once.

    Examples
    --------
    >>> from wengert.dialects.scalar import Var, tree
    >>> a, b = Var(4, "a"), Var(3, "b")
    >>> print(tree(a * (a + b)))
    Mul = 28
      7 · a = 4
      4 · Add = 7
        1 · a = 4
        1 · b = 3
    """
    lines: list[str] = []
    written: set = set()
    stack: list[tuple[Any, Any, int]] = [(node, None, 0)]
    while stack:
        if len(lines) == limit:
            return "\n".join([*lines, f"cut after {limit} lines"])
        node, slope, depth = stack.pop()
        edge = "" if slope is None else f"{slope} · "
        again = " (as above)" if node in written and node.grad else ""
        value = "" if label(node) == repr(node) else f" = {node.value}"
        lines.append(f"{'  ' * depth}{edge}{label(node)}{value}{again}")
        if not again:
            stack += [(child, derivative, depth + 1) for child, derivative in reversed(node.grad)]
        written.add(node)
    return "\n".join(lines)


def to_dot(node: Any, limit: int = 200) -> str:
    """The graph below a node in Graphviz's language, local derivatives on its edges.

    Parameters
    ----------
    node : Var or node
        Where to begin.
    limit : int
        At most so many nodes; more are refused, as no one could read the drawing.
    """
    nodes = list(get_gradients(node))
    if len(nodes) > limit:
        raise ArgumentError(
            f"[to_dot] at most {limit} nodes; the graph has {len(nodes)}; pass a larger limit to draw it"
        )
    return "\n".join(["digraph {", *dot_lines(nodes), "}"])


def dot_lines(nodes: list[Scalar]) -> Iterator[str]:
    """A line for each node and for each edge."""
    numbers = {node: i for i, node in enumerate(nodes)}
    for node, i in numbers.items():
        text = f"{label(node)}\n{node.value}".replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        yield f'  n{i} [label="{text}"]'
        for child, slope in node.grad:
            yield f'  n{i} -> n{numbers[child]} [label="{slope}"]'
