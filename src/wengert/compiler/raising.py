"""Calls that raise for some values, or give more or less: where nobody uses it, the program still finds out.

What nobody asks for is dropped from a program. Dropped with it would be the error that the function raises for an index
out of bounds, or for a matrix that is singular. So such calls are asked for by a guard, which says that they have been
made. Of those that kernels compute it leaves their checks only; the others are made. So are those of which the function
may have used how many there are: wherever anything has no elements, as nothing is computed of it that would tell.
"""

from typing import Any

import numpy as np

from wengert.compiler.nested import found_in
from wengert.compiler.program import Call, Guard, Node, Program, Ref
from wengert.protocol import intern_spec

__all__ = ["keep_raising", "succeeded"]

WRITING = {"assigned", "added", "written"}
INDEXING = {"getitem", *WRITING}
"""Calls that raise where an index is out of bounds, if it is computed."""
RAISING = {
    "cholesky", "cond", "eig", "eigh", "eigvals", "eigvalsh", "inv", "lstsq", "matrix_rank", "norm", "pinv", "roots",
    "solve", "svd", "svdvals", "digitize", "nanargmax", "nanargmin", "ravel_multi_index", "unravel_index",
    "searchsorted", "bincount", "repeat", "interp1d", "spline", "spline_coefficients", "sparse.spsolve", "int",
}  # fmt: skip
"""Calls that raise for some values, by their names, in `numpy.linalg` or not; those of `scipy.linalg` do, too."""
COUNTING = {"flatnonzero", "argwhere"}
"""Calls that give as much as the values decide; so does ``nonzero``, in each part."""
WHOLE = "biu"
"""Kinds of dtypes of indices, and of powers that raise where an exponent is negative."""


def succeeded(result: Any) -> bool:
    """What is asked of a call of which nobody uses the result: that it has been made."""
    return True


def keep_raising(program: Program) -> None:
    """Have calls made, or checked, that may raise, or count, and whose results nobody uses."""
    of_calls: dict[int, bool | None] = {}
    raising = [node for node in program.nodes if _may_raise(node, of_calls)]
    live = program.live() if raising else b""
    is_any_empty = any(node.spec is not None and not node.spec.size for node in program.nodes) if raising else False
    for node in raising:
        if not live[node.index] or (is_any_empty and _is_counting(node)):
            asked = Node(len(program.nodes), SUCCEEDED, (node,))
            program.nodes.append(asked)
            program.guards.append(Guard(asked, bool, True, len(program.nodes)))


def _may_raise(node: Node, of_calls: dict[int, bool | None]) -> bool:
    """Whether a call raises for some values of these shapes, or gives another shape; what its like do is known."""
    call = node.call
    key = id(call)
    found = of_calls[key] if key in of_calls else of_calls.setdefault(key, _is_raising(call))
    if found is None:
        if call.name == "part":
            return _is_counting(node)
        masks = all(node.operands[ref.position].spec.dtype.kind == "b" for ref in _indices(call))
        return not masks or _writes_several(node)
    return found


def _is_counting(node: Node) -> bool:
    """Whether there is as much of it as the values decide."""
    name = node.call.name
    return name in COUNTING or (name == "part" and node.operands[0].call.name == "nonzero")


def _is_raising(call: Call) -> bool | None:
    """The same of a call; `None` where it depends on the operands."""
    name = call.name
    if name == "power":
        return call.spec is not None and call.spec.dtype.kind in WHOLE and call.args[1].__class__ is Ref
    if name == "part" or (name in INDEXING and _indices(call)):
        return None
    return name in COUNTING or name.removeprefix("linalg.") in RAISING or name.startswith("scipy.linalg.")


def _writes_several(node: Node) -> bool:
    """Whether it writes several numbers, of which a mask may not have as many."""
    if node.call.name not in WRITING:
        return False
    value = node.call.args[1]
    return (node.operands[value.position].spec.size if isinstance(value, Ref) else np.size(value)) > 1


def _indices(call: Call) -> list[Ref]:
    """What of an index are values of the program; as many as a mask holds is guarded."""
    values = 2 if call.name in WRITING else 1
    return list(found_in((*call.args[values:], call.kwargs), Ref))


SUCCEEDED = Call("succeeded", intern_spec((), np.dtype(bool)), None, succeeded, (Ref(0),))
