"""What `explain` tells of a path: its program, the loops that it runs as, what stayed a call of NumPy's, and why."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from wengert.compiler.fuse import Kernel, Step
from wengert.compiler.graph import Value
from wengert.compiler.plan import made_by
from wengert.compiler.program import KINDS, Node
from wengert.compiler.roll import Chunk
from wengert.compiler.template import steps_of

__all__ = ["loops"]

MOST = 12
"""Operations of a loop that are named."""


def loops(plan: Any) -> str:
    """How a plan runs, line by line."""
    steps = plan.rolled.steps
    chunks = [step for step in steps if isinstance(step, Chunk)]
    often = Counter(chunk.form for chunk in chunks)
    lines = []
    for chunk in chunks:
        if chunk.program is not None:
            times = often[chunk.form]
            lines += [f"{times} times:"] if times > 1 else []
            lines += [("  " if times > 1 else "") + line for line in _of_chunk(chunk.program())]
    copies = len(steps) - len(chunks)
    lines += [f"{copies} arrays put together from their pieces"] if copies else []
    lines.append(f"{plan.layout.arena:,} bytes of working memory")
    lines.append(", ".join(f"{stage} {1e3 * seconds:.1f} ms" for stage, seconds in plan.stages.items()))
    return "\n".join(f"  {line}" for line in lines)


def _of_chunk(program: Any) -> Iterator[str]:
    steps = steps_of(program)[1]
    stored = {v.number for step in steps for v in made_by(step)}
    for step in steps:
        if step.kernel is not None:
            yield _of_kernel(step.kernel, stored)
        elif step.value is not None:
            yield _of_value(step)


def _of_kernel(kernel: Kernel, elsewhere: set[int]) -> str:
    """The domain of a loop, what is computed in it, and what it stores."""
    rows = " x ".join(str(kernel.extents[k]) for k in kernel.rows) or "1"
    inner = " x ".join(str(n) for k, n in enumerate(kernel.extents) if k in kernel.inner)
    stored = [root.value for root in kernel.roots if not root.temporary]
    names = Counter(_names([root.value for root in kernel.roots], elsewhere))
    shown = [name if often == 1 else f"{often} {name}" for name, often in names.most_common(MOST)]
    rest = ", ..." if len(names) > MOST else ""
    whats = ", ".join(sorted({f"{v.dtype}{list(v.shape)}" for v in stored}))
    within = f", within each over {inner}" if inner else ""
    return f"loop over {rows}{within}: {', '.join(shown) or 'copies'}{rest} -> {len(stored)} stored ({whats})"


def _names(roots: list[Value], stored: set[int]) -> Iterator[str]:
    """The operations that are done between what is stored elsewhere and what is stored here."""
    waiting, seen = list(roots), set[int]()
    while waiting:
        v = waiting.pop()
        if v.number in seen or (v.number in stored and v not in roots):
            continue
        seen.add(v.number)
        name = _name(v)
        if name:
            yield name
        waiting += v.operands


def _name(v: Value) -> str:
    if v.kind == "map":
        return v.setting.partition(".")[0] if isinstance(v.setting, str) and not v.setting.startswith("copy") else ""
    if v.kind in ("reduce", "scan"):
        name = {"add": "sum", "multiply": "product"}.get(v.setting[0], v.setting[0])
        return name if v.kind == "reduce" else f"running {name}"
    return v.kind if v.kind in ("gather", "scatter", "join", "update", "assembly") else ""


def _of_value(step: Step) -> str:
    v = step.value
    assert v is not None
    if v.kind == "product":
        return f"product of matrices {' and '.join(str(list(o.shape)) for o in v.operands)}"
    if v.kind == "routine":
        return f"LAPACK's {v.setting[0] if isinstance(v.setting, tuple) else v.setting}"
    if v.kind != "call":
        return f"{v.kind} of {', '.join(str(list(o.shape)) for o in v.operands)}"
    node: Node = v.setting
    return f"NumPy's {node.name}, as {_reason(node)}"


def _reason(node: Node) -> str:
    """Why a call is left to NumPy."""
    if node.spec is None:
        return "it gives what is no array of numbers"
    dtypes = {spec.dtype for spec in _specs(node) if spec.dtype.char not in KINDS}
    if dtypes:
        return f"there are no loops with numbers of {', '.join(map(str, dtypes))}"
    return "it has no native form with these arguments"


def _specs(node: Node) -> Iterable[Any]:
    return [node.spec, *[o.spec for o in node.operands if o.spec is not None]]
