"""Gradients: one pass over the graph, from the result down to the leaves.

The derivative of the result with respect to a node is a sum over all routes that lead there, and each route is worth
the product of its local derivatives. Shared nodes make the number of routes explode; but all routes to a node go on
alike from there. So the pass waits at each node until every route has arrived, sums up, and goes on once.
"""

import math
from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple

from wengert.dialects.scalar.custom import Ops
from wengert.dialects.scalar.errors import AssignmentError, RangeError
from wengert.dialects.scalar.graph import NODES, Scalar, Var, plain
from wengert.errors import DTypeError, MissingRuleError, WengertError

LARGE = 2**64

_one_pass = Lock()  # a pass keeps its counts and sums in the nodes, which other threads may share


class Gradients(dict):
    """Derivatives of one node, by node: 0 where it does not depend on that. Computed nodes stand before operands."""

    __slots__ = ("as_nodes",)

    def __init__(self, as_nodes: bool = False):
        self.as_nodes = as_nodes

    def __missing__(self, node: Any) -> Any:
        if not isinstance(node, Scalar):
            raise DTypeError(f"[gradients] needs a Var or a node; received {node!r:.60} ({type(node).__name__})")
        return Var(0) if self.as_nodes else 0


def get_gradients(node: Any, create_graph: bool = False) -> Gradients:
    """Differentiate a node with respect to every node that it was computed from.

    Parameters
    ----------
    node : Var or node
        What is differentiated.
    create_graph : bool
        Give the derivatives as nodes, which can be differentiated again, in place of numbers.

    Examples
    --------
    >>> from wengert.dialects.scalar import Var, get_gradients
    >>> x = Var(2.0)
    >>> first = get_gradients(x**3, create_graph=True)[x]
    >>> first.value, get_gradients(first)[x]
    (12.0, 12.0)
    """
    if getattr(node, "shape", None) == ():
        node = node.item()  # some functions of NumPy put a result without axes into an array
    if not isinstance(node, Scalar):
        what = f"an array of shape {node.shape}" if hasattr(node, "shape") else f"{node!r:.60} ({type(node).__name__})"
        raise DTypeError(
            f"[get_gradients] needs a Var or a node; received {what}; "
            "a plain number depends on nothing, and of an array differentiate np.sum(array) or each element"
        )
    if create_graph:
        return differentiate(node)
    found = [node]
    with _one_pass:
        try:
            count_uses(found)
            return sweep(node)
        except OverflowError as error:
            raise RangeError(
                f"[get_gradients] products of whole numbers below {node._kind} do not fit into a float; "
                "start from floats, Var(2.0): they overflow to infinity"
            ) from error
        finally:
            if node.uses:  # the pass was interrupted
                for each in found:
                    each.uses = 0


def count_uses(found: list[Scalar]) -> None:
    """Find every node below the one in the list, and note in each how many edges lead to it."""
    append = found.append
    found[0].uses = 1
    for node in found:
        if node.dleft is not None:
            child = node.left
            if n := child.uses:
                child.uses = n + 1
            else:
                append(child)
                child.uses = 1
                child.adjoint = None
        if node.dright is not None:
            child = node.right
            if n := child.uses:
                child.uses = n + 1
            else:
                append(child)
                child.uses = 1
                child.adjoint = None


def sweep(root: Scalar) -> Gradients:
    """Pass derivatives down the edges that `count_uses` counted; each node waits for the last of them."""
    gradients = Gradients()
    root.adjoint = 1 if is_whole(root._value) else 1.0
    ready = [root]
    append, pop = ready.append, ready.pop
    while ready:
        node = pop()
        gradients[node] = g = node.adjoint
        slope = node.dleft
        if slope is not None:
            child = node.left
            total = child.adjoint
            child.adjoint = g * slope if total is None else total + g * slope
            if child.uses == 1:
                child.uses = 0
                append(child)
            else:
                child.uses -= 1
        slope = node.dright
        if slope is not None:
            child = node.right
            total = child.adjoint
            child.adjoint = g * slope if total is None else total + g * slope
            if child.uses == 1:
                child.uses = 0
                append(child)
            else:
                child.uses -= 1
    root.uses = 0
    return gradients


def is_whole(value: int | float) -> bool:
    """Whether derivatives are to be whole numbers, too; not where they may have more digits than memory can hold."""
    return type(value) is int and abs(value) < LARGE


# ---------------------------------------------------------------------------------------------------------------
# Derivatives that can be differentiated again
# ---------------------------------------------------------------------------------------------------------------


def differentiate(root: Scalar) -> Gradients:
    """The same pass with nodes for numbers: every product and every sum becomes a part of the graph itself."""
    sums: dict[Any, Any] = {root: 1}
    for node in get_gradients(root):
        g = sums.get(node, 0)
        for child, slope in edges_as_nodes(node):
            term = times(g, slope)
            sums[child] = sums[child] + term if child in sums else term
    gradients = Gradients(as_nodes=True)
    gradients.update((node, g if isinstance(g, Scalar) else Var(g)) for node, g in sums.items())
    return gradients


def times(g: Any, slope: Any) -> Any:
    """Their product, without a node where one of them is 1."""
    if type(slope) is int and slope == 1:
        return g
    return slope if type(g) is int and g == 1 else g * slope


def edges_as_nodes(node: Scalar) -> list[tuple[Any, Any]]:
    """The operands of a node, each with the local derivative as an expression of the operands."""
    if isinstance(node, Ops):
        if not all(isinstance(slope, Scalar) for _, slope in node._pairs):
            raise MissingRuleError(
                f"[create_graph] {type(node).__name__} gave a local derivative as a number, which cannot be "
                "differentiated again; give an expression of its operands in `grad`, or Var(1) for a constant"
            )
        return node._pairs
    operation = node.operation
    if operation is None:
        return []
    operands = (node.left,) if len(operation.rules) == 1 else (node.left, node.right)
    again = operation(*operands)
    if not all(map(same, (again.value, again.dleft, again.dright), (node.value, node.dleft, node.dright))):
        raise AssignmentError(
            f"[create_graph] the value of a Var was assigned after {node!r} was computed from it, and the derivative "
            "as a graph needs the earlier one; compute the result again, or differentiate before assigning"
        )
    return [
        (child, rule(NODES, *operands, node))
        for child, rule in zip(operands, operation.rules, strict=True)
        if isinstance(child, Scalar)
    ]


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal, not a number included."""
    return a == b or (a != a and b != b)


def derivative(f: Callable, *orders: int) -> Callable:
    """The derivative of a function of numbers, as a function.

    Parameters
    ----------
    f : callable
        Takes and returns numbers; it is called with Vars.
    *orders : int
        How often to differentiate with respect to each argument: none means once with respect to the first.

    Returns
    -------
    callable
        Of numbers it gives a number; of Vars a node, to be differentiated further.

    Examples
    --------
    >>> from wengert.dialects.scalar import Sin, derivative
    >>> derivative(lambda x: x**4, 3)(2.0)
    48.0
    >>> derivative(lambda x, y: x**2 * y**3, 1, 2)(1.0, 2.0)
    24.0
    """
    orders = orders or (1,)
    if not all(type(n) is int and n >= 0 for n in orders):
        raise DTypeError(f"[derivative] orders are whole numbers from 0 on, one for each argument; received {orders}")

    def df(*arguments):
        if len(orders) > len(arguments):
            raise DTypeError(f"[derivative] orders {orders} need as many arguments; received {len(arguments)}")
        # A node of its own for each argument: f may use the same Var in another role, too.
        leaves = [x * 1 if isinstance(x, Scalar) else Var(x) for x in arguments]
        y = f(*leaves)
        for x, order in zip(leaves, orders, strict=False):
            for _ in range(order):
                y = get_gradients(y, create_graph=True)[x] if isinstance(y, Scalar) else 0
        return y if any(isinstance(x, Scalar) for x in arguments) else plain(y)

    return df


class Compared(NamedTuple):
    """A derivative beside its numerical estimate."""

    gradient: float
    estimate: float


class CheckError(WengertError, AssertionError):
    """A derivative is not what differences of values say."""


def check(f: Callable, *values: float, rtol: float = 1e-5, atol: float = 1e-8) -> list[Compared]:
    """Compare the derivatives of a function with what a small step to either side makes of its value.

    Parameters
    ----------
    f : callable
        Takes and returns numbers; it is called with Vars.
    *values : float
        Where.
    rtol, atol : float
        How far they may be apart: ``atol + rtol * abs(estimate)``.

    Raises
    ------
    CheckError
        With both numbers.

    Examples
    --------
    >>> from wengert.dialects.scalar import check
    >>> [(round(gradient, 4), round(estimate, 4)) for gradient, estimate in check(lambda a, b: a * a + b, 3.0, 1.0)]
    [(6.0, 6.0), (1.0, 1.0)]
    """
    leaves = [Var(value) for value in values]
    gradients = get_gradients(f(*leaves))
    found = []
    for i, x in enumerate(leaves):
        delta = Var(6e-6 * max(1.0, abs(x.value)))  # the cube root of the precision: both errors are small
        above, below = ([*leaves[:i], moved, *leaves[i + 1 :]] for moved in (x + delta, x - delta))
        estimate = (f(*above) - f(*below)) / (above[i] - below[i])
        found.append(Compared(gradients[x], plain(estimate)))
        if not math.isclose(*found[-1], rel_tol=rtol, abs_tol=atol):
            raise CheckError(
                f"[check] argument {i} at {values}: the derivative is {gradients[x]!r}, "
                f"but differences of values say {found[-1].estimate!r}"
            )

    return found
