"""Every stage's text, in the folder that the environment variable WENGERT_DUMP names.

====================  =================================================================================================
``1.program.txt``     what was recorded: NumPy's calls
``2.chunks.txt``      how the program is cut into chunks, and which of these are equal
``3.graph.txt``       the compiler's own values, for each of the different chunks
``4.kernels.txt``     the loops that they are made into
``5.places.txt``      where each value lies
``6.kernels.ll``      LLVM's text
``7.kernels.s``       the processor's instructions
``explained.txt``     what `explain` tells
====================  =================================================================================================
"""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path as File
from typing import Any

from wengert.compiler.code import machine_text
from wengert.compiler.fuse import Kernel, Root, Step
from wengert.compiler.plan import Place, plan
from wengert.compiler.roll import Chunk, Rolled
from wengert.compiler.template import steps_of

__all__ = ["dump"]

_numbers = itertools.count(1)


def dump(path: Any, name: str) -> None:
    """Write the stages of a path of a function of this name."""
    folder = File(os.environ["WENGERT_DUMP"])
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name}-{next(_numbers)}"
    texts = {"1.program.txt": str(path.program), "explained.txt": path.explained()}
    if path.native is not None:
        texts |= _of_stages(path.native)
    for stage, text in texts.items():
        (folder / f"{stem}.{stage}").write_text(f"{text}\n")


def _of_stages(native: Any) -> dict[str, str]:
    rolled = native.rolled
    graphs, kernels, places = [], [], []
    for title, program in _different(rolled):
        graph, steps = steps_of(program)
        planned = plan(graph, steps, len(program.inputs))
        graphs += [title, str(graph)]
        kernels += [title, *map(str, map(_step, steps))]
        places += [title, *(f"%{number}: {_place(place)}" for number, place in sorted(planned.places.items()))]
    slots = [f"chunk {k}: {instance.slots.tolist()}" for k, instance in enumerate(native.layout.instances)]
    return {
        "2.chunks.txt": "\n".join(_steps(rolled)),
        "3.graph.txt": "\n".join(graphs),
        "4.kernels.txt": "\n".join(kernels),
        "5.places.txt": "\n".join([*places, f"arena of {native.layout.arena:,} bytes", *slots]),
        "6.kernels.ll": native.text,
        "7.kernels.s": machine_text(native.text, native.level, native.passes),
    }


def _different(rolled: Rolled) -> Iterator[tuple[str, Any]]:
    """The programs of chunks that differ, and how they are called."""
    programs = [step.program for step in rolled.steps if isinstance(step, Chunk) and step.program is not None]
    for k, program in enumerate(programs):
        yield f"form {k}", program()


def _steps(rolled: Rolled) -> Iterator[str]:
    """How a program is cut."""
    forms: dict[bytes, int] = {}
    for step in rolled.steps:
        if isinstance(step, Chunk):
            number = forms.setdefault(step.form, len(forms))
            yield f"form {number}: {_named(step.outside)} -> {_named(step.outputs)}"
        else:
            yield f"%{step.row} put together{'' if step.complete else ', in what was there before'}"


def _place(place: Place) -> str:
    return f"pointer {place.pointer}, byte {place.offset}, strides {place.strides}"


def _named(rows: Any) -> str:
    return ", ".join(f"%{row}" for row in rows) or "nothing"


def _step(step: Step) -> str:
    if step.kernel is None:
        return f"{step.value!r} = {step.value.kind} of {_all(step.value.operands)}" if step.value is not None else ""
    return "\n".join(_kernel(step.kernel))


def _all(values: Any) -> str:
    return ", ".join(map(repr, values)) or "nothing"


def _kernel(kernel: Kernel) -> Iterator[str]:
    """The loops of a kernel, and in each stage what is stored."""
    rows = [f"i{k} < {kernel.extents[k]}" for k in kernel.rows]
    inner = [f"i{k} < {kernel.extents[k]}" for k in sorted(kernel.inner)]
    parts = f", totals for {kernel.part} rows at a time" if kernel.part else ""
    yield f"loop over {', '.join(rows) or 'one point'}{parts}"
    for stage in sorted({root.stage for root in kernel.roots}):
        yield f"  stage {stage}" + (f": loop over {', '.join(inner)}" if inner else "")
        yield from (f"    {_root(root)}" for root in kernel.roots if root.stage == stage)


def _root(root: Root) -> str:
    v = root.value
    place = ", ".join("0" if k is None else f"i{k}" for k in root.kept)
    where = "kept for the row" if root.temporary else "stored"
    if v.kind in ("reduce", "scan"):
        what = f"{v.kind} {v.setting[0]} over {_axes(root)} of {v.operands[0]!r}"
    else:
        what = f"{v.setting if v.kind == 'map' else v.kind} of {_all(v.operands)}"
    return f"{v!r}[{place}] : {v.dtype} = {what}; {where}"


def _axes(root: Root) -> str:
    axes = root.value.setting[1]
    named = [root.axes[k] for k in (axes if isinstance(axes, tuple) else (axes,))]
    return ", ".join("0" if k is None else f"i{k}" for k in named) or "nothing"
