"""What the stages hand on is verified: each way of breaking it is told by name."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest

import wengert as wg
from wengert.compiler import made as making
from wengert.compiler import path, verify
from wengert.compiler.layout import Layout
from wengert.compiler.plan import plan
from wengert.compiler.program import Node
from wengert.compiler.template import steps_of
from wengert.errors import CompileError

X = np.linspace(0.1, 1, 1200).reshape(30, 40)


def weighted(x):
    shares = np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True)
    return np.cumsum(np.sin(shares @ x.T[:, ::-1])), np.stack([shares, x]), np.linalg.inv(x @ x.T)


def program():
    """The program of the gradient of a few sums, products and running sums."""
    fast = wg.compile(weighted)
    fast(X)
    (kind,) = fast._kinds
    (found,) = kind.paths.values()
    return found.program


@pytest.fixture(scope="module")
def made():
    return program()


@pytest.fixture
def graph_and_steps(made):
    return steps_of(made)


def refused(match, verified, *given):
    with pytest.raises(CompileError, match=match):
        verified(*given)


# The program -------------------------------------------------------------------------------------------------------


def test_operands_of_calls_come_first():
    broken = program()
    verify.verify_program(broken)
    node = next(node for node in broken.nodes if node.operands)
    node.operands = (broken.nodes[-1],) * len(node.operands)
    refused("operands come first", verify.verify_program, broken)


def test_arguments_name_operands():
    broken = program()
    node = next(node for node in broken.nodes if len(node.operands) == 2)
    node.operands = node.operands[:1]
    refused("arguments name operands", verify.verify_program, broken)


def test_results_are_nodes_of_the_program():
    broken = program()
    last = broken.results[0]
    broken.results[0] = Node(last.index, last.call, last.operands)
    refused("results", verify.verify_program, broken)


# The graph ---------------------------------------------------------------------------------------------------------


def test_operands_of_values_come_first(graph_and_steps):
    graph, _ = graph_and_steps
    verify.verify_graph(graph)
    graph.values.reverse()
    refused("operands come first", verify.verify_graph, graph)


@pytest.mark.parametrize("kind", ["map", "move", "reduce", "product", "scan", "join"])
def test_shapes_follow_from_operands(graph_and_steps, kind):
    graph, _ = graph_and_steps
    value = next(v for v in graph.values if v.kind == kind)
    value.shape = (*value.shape, 7)
    refused(f"a {kind} has the shape", verify.verify_graph, graph)


def test_moves_stay_within_their_operands(graph_and_steps):
    graph, _ = graph_and_steps
    value = next(v for v in graph.values if v.kind == "move" and v.shape)
    places = tuple((start + 100, terms) for start, terms in value.setting.places)
    value.setting = dataclasses.replace(value.setting, places=places)
    refused("a move has the shape", verify.verify_graph, graph)


# Kernels and memory ------------------------------------------------------------------------------------------------


def test_values_are_made_before_they_are_read(graph_and_steps):
    graph, steps = graph_and_steps
    verify.verify_steps(graph, steps)
    refused("made before it is read", verify.verify_steps, graph, steps[::-1])


def test_values_are_made_once(graph_and_steps):
    graph, steps = graph_and_steps
    refused("made once", verify.verify_steps, graph, [*steps, steps[-1]])


def test_results_are_made(graph_and_steps):
    graph, steps = graph_and_steps
    refused("results are made", verify.verify_steps, graph, [])
    assert steps


def test_stages_come_in_their_order(graph_and_steps):
    graph, steps = graph_and_steps
    kernel = next(s.kernel for s in steps if s.kernel is not None and len({r.stage for r in s.kernel.roots}) > 1)
    for root in kernel.roots:
        root.stage = -root.stage
    refused("made before it is read", verify.verify_steps, graph, steps)


def test_axes_are_those_of_the_kernel(graph_and_steps):
    graph, steps = graph_and_steps
    kernel = next(s.kernel for s in steps if s.kernel is not None and s.kernel.extents)
    kernel.extents[0] += 1
    refused("axes", verify.verify_steps, graph, steps)


def test_memory_is_not_overwritten_while_it_is_needed(graph_and_steps, made):
    graph, steps = graph_and_steps
    outside = len(made.inputs)
    arena = outside + len(graph.results)
    planned = plan(graph, steps, outside)
    verify.verify_places(graph, steps, planned, arena)
    for number, place in planned.places.items():
        if place.pointer == arena:
            planned.places[number] = dataclasses.replace(place, offset=0)
    refused("overwritten", verify.verify_places, graph, steps, planned, arena)
    planned.arena = 8
    refused("lies in its memory", verify.verify_places, graph, steps, planned, arena)


def turned(x):
    for _ in range(120):
        x = np.tanh(x[::-1] + np.sum(x)) * np.cos(x[0]) + x
    return x


def test_memory_between_chunks_is_not_overwritten(monkeypatch):
    seen = []
    verified = verify.verify_layout

    def shifted(placing, size):
        verified(placing, size)
        arena = placing.layout.arena_pointer
        for row, (pointer, _) in placing.where.items():
            if pointer == arena:
                placing.where[row] = pointer, 0
        refused("overwritten", verified, placing, size)
        seen.append(placing)

    monkeypatch.setattr(verify, "verify_layout", shifted)
    fast = wg.compile(wg.grad(lambda x: np.sum(turned(x))))
    fast(X[0])
    assert seen and isinstance(seen[0].layout, Layout)


# Where it is asked for ---------------------------------------------------------------------------------------------


def test_a_fault_leaves_the_program_to_numpy(monkeypatch):
    monkeypatch.setattr(making, "current_store", lambda: None)  # what is found there is not made, nor verified
    monkeypatch.setattr(path, "_named", lambda trouble: str(trouble))
    monkeypatch.setattr(verify, "verify_graph", lambda graph: verify._require(False, "nothing is right", graph.values))
    fast = wg.compile(turned)
    np.testing.assert_allclose(fast(X[0]), turned(X[0]))
    assert "nothing is right" in fast.explain()
    monkeypatch.setenv("WENGERT_VERIFY", "off")
    other = wg.compile(turned)
    other(X[0])
    assert "nothing is right" not in other.explain()


STAGES = """
import sys
import numpy as np
import wengert as wg

def f(x):
    for k in range(30):
        x = np.cumsum(np.sin(x)) / 9 + x @ x
    return np.sum(x)

wg.compile(wg.grad(f))(np.linspace(0, 0.1, 5))
"""


def test_every_stage_is_dumped(tmp_path):
    folder = tmp_path / "texts"
    run = [sys.executable, "-c", STAGES]
    subprocess.run(run, check=True, env={**os.environ, "WENGERT_DUMP": str(folder)})
    texts = {file.name.partition(".")[2]: file.read_text() for file in folder.iterdir()}
    names = {"1.program.txt", "2.chunks.txt", "3.graph.txt", "4.kernels.txt", "5.places.txt", "6.kernels.ll",
             "7.kernels.s", "explained.txt"}  # fmt: skip
    assert texts.keys() == names
    for name, word in {"1.program.txt": "cumsum", "2.chunks.txt": "form 0", "3.graph.txt": "reduce",
                       "4.kernels.txt": "loop over", "5.places.txt": "pointer", "6.kernels.ll": "define void",
                       "7.kernels.s": "ret", "explained.txt": "working memory"}.items():  # fmt: skip
        assert word in texts[name]
