"""Kernels beside NumPy: random graphs of elementwise operations, moves and reductions, and what is easily got wrong."""

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from wengert.compiler import fuse as fusing
from wengert.compiler import pieces, storing, walk
from wengert.compiler.alone import module
from wengert.compiler.code import Code
from wengert.compiler.emit import emit_kernel
from wengert.compiler.fuse import fuse
from wengert.compiler.graph import Gather, Graph, Move
from wengert.compiler.plan import copies_of_results, plan
from wengert.compiler.vectormath import host, provide

ULPS = {np.dtype("d"): 1e-13, np.dtype("f"): 2e-5}


class Made:
    """A graph's kernels, run one after another."""

    def __init__(self, graph, arguments):
        copies_of_results(graph)
        self.graph, self.steps = graph, fuse(graph)
        assert all(step.kernel is not None for step in self.steps)
        self.planned = plan(graph, self.steps, arguments)
        self.kernels = [
            emit_kernel(step.kernel, f"kernel{k}", self.planned.places, host()) for k, step in enumerate(self.steps)
        ]
        text = "\n\n".join(k.text for k in self.kernels)
        provide(text)
        self.module = Code(module(text))

    def __call__(self, *given, split=False):
        import ctypes

        results = [np.empty(v.shape, v.dtype) for v in self.graph.results]
        arena = np.full(self.planned.arena + 64, 0xA5, np.uint8)
        buffers = [*given, *results, arena, *self.planned.constants]
        pointers = np.array([b.ctypes.data for b in buffers], np.uint64)
        kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
        for k, kernel in enumerate(self.kernels):
            at = [(self.planned.places[v.number], begin) for v, begin in kernel.pointed_at]
            row = np.array([(p.pointer, p.offset + begin) for p, begin in at], np.int64).reshape(-1, 2)
            call = kind(self.module.address(f"kernel{k}"))
            for begin, end in parts(kernel) if split else [(0, kernel.extent)]:
                call(pointers.ctypes.data, row.ctypes.data, begin, end)
        return results


def parts(kernel):
    """The parts of a kernel's outermost axis, the last ones first."""
    if not kernel.parallel:
        return [(0, kernel.extent)]
    size = -(-kernel.extent // 3 // kernel.grain) * kernel.grain or kernel.grain
    return [(k, min(k + size, kernel.extent)) for k in range(0, kernel.extent, size)][::-1]


def inputs(graph, *arrays):
    return [graph.make("input", (), k, a.shape, a.dtype) for k, a in enumerate(arrays)]


def total(graph, x, axes, operation="add"):
    shape = tuple(n for i, n in enumerate(x.shape) if i not in axes)
    return graph.make("reduce", (x,), (operation, tuple(axes)), shape, x.dtype)


def check(build, *arrays, rtol=None):
    """Run a graph whole and in parts; `build` gives its results and those of NumPy."""
    graph = Graph()
    graph.results, expected = build(graph, *inputs(graph, *arrays))
    made = Made(graph, len(arrays))
    for split in (False, True):
        for got, wanted in zip(made(*arrays, split=split), expected, strict=True):
            tolerance = rtol or ULPS.get(got.dtype, 0)
            assert got.dtype == np.asarray(wanted).dtype
            np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)
    return made


class Random:
    """A random graph, and beside it what NumPy makes of the same."""

    def __init__(self, seed, dtype):
        self.rng = np.random.default_rng(seed)
        self.dtype = np.dtype(dtype)
        self.lengths = [int(n) for n in self.rng.choice([1, 2, 3, 5, 8, 9, 17, 33, 70], 3)]
        self.arrays = [self.array() for _ in range(3)]

    def array(self):
        shape = tuple(1 if self.rng.random() < 0.15 else n for n in self.lengths)
        return np.ascontiguousarray(self.rng.uniform(0.5, 1.5, shape).astype(self.dtype))

    def build(self, graph, *values):
        self.pairs = list(zip(values, self.arrays, strict=True))
        for _ in range(12):
            step = self.rng.choice([self.map, self.map, self.reduce, self.move, self.update, self.join])
            made = step(graph)
            if made is not None:
                self.pairs.append(made)
        chosen = [self.pairs[k] for k in self.rng.choice(len(self.pairs), 3)] + self.pairs[-2:]
        return [v for v, _ in chosen], [a for _, a in chosen]

    def pick(self):
        return self.pairs[self.rng.integers(len(self.pairs))]

    def map(self, graph):
        (x, a), (y, b) = self.pick(), self.pick()
        name = str(self.rng.choice(["add", "subtract", "multiply", "maximum", "minimum", "divide", "sqrt", "exp"]))
        if name in ("sqrt", "exp"):
            a = np.tanh(np.abs(a))
            x = graph.map("tanh", graph.map("absolute", x, dtype=self.dtype), dtype=self.dtype)
            return graph.map(name, x, dtype=self.dtype), getattr(np, name)(a)
        if name == "divide":
            b, y = np.abs(b) + 1, graph.map("absolute", y, dtype=self.dtype)
            y = graph.map("add", y, graph.literal(1, self.dtype), dtype=self.dtype)
        try:
            np.broadcast_shapes(x.shape, y.shape)
        except ValueError:
            return None
        return graph.map(name, x, y, dtype=self.dtype), getattr(np, name)(a, b)

    def reduce(self, graph):
        x, a = self.pick()
        axes = tuple(i for i in range(a.ndim) if a.shape[i] > 1 and self.rng.random() < 0.5)
        if not axes:
            return None
        name = str(self.rng.choice(["add", "maximum", "minimum"]))
        made = total(graph, x, axes, name)
        back = tuple(1 if i in axes else n for i, n in enumerate(a.shape))
        return graph.reshape(made, back), getattr(np, name).reduce(a, axes).reshape(back)

    def move(self, graph):
        x, a = self.pick()
        if not a.ndim:
            return None
        axis = int(self.rng.integers(a.ndim))
        parts = [slice(None)] * a.ndim
        if self.rng.random() < 0.5 and a.ndim > 1:
            axes = tuple(int(k) for k in self.rng.permutation(a.ndim))
            return graph.transpose(x, axes), a.transpose(axes)
        low = int(self.rng.integers(0, a.shape[axis]))
        parts[axis] = slice(None, None, -1) if self.rng.random() < 0.5 else slice(low, None)
        return graph.slices(x, parts), a[tuple(parts)]

    def update(self, graph):
        x, a = self.pick()
        if not a.ndim or a.shape[0] < 2:
            return None
        low = int(self.rng.integers(1, a.shape[0]))
        region = Move((a.shape[0] - low, *a.shape[1:]), tuple((low * (i == 0), ((i, 1),)) for i in range(a.ndim)))
        y, b = graph.slices(x, [slice(0, a.shape[0] - low)] + [slice(None)] * (a.ndim - 1)), a.copy()
        adds = bool(self.rng.random() < 0.5)
        b[low:] = a[low:] + a[:-low] if adds else a[:-low]
        return graph.make("update", (x, y), (region, adds), a.shape, self.dtype), b

    def join(self, graph):
        (x, a), (y, b) = self.pick(), self.pick()
        if not a.ndim or a.ndim != b.ndim or a.shape[1:] != b.shape[1:]:
            return None
        shape = (a.shape[0] + b.shape[0], *a.shape[1:])
        return graph.make("join", (x, y), 0, shape, self.dtype), np.concatenate([a, b])


@pytest.mark.parametrize("dtype", ["d", "f"])
def test_random_graphs(dtype):
    for seed in range(12):
        program = Random(seed, dtype)
        with np.errstate(all="ignore"):
            check(program.build, *program.arrays, rtol=1e-11 if dtype == "d" else 2e-3)


@pytest.mark.parametrize("dtype", ["d", "f"])
def test_random_graphs_in_parts_and_tiles(dtype, monkeypatch):
    """What is done for large domains and dear rows only, for small ones too."""
    monkeypatch.setattr(fusing, "PART", 64)
    monkeypatch.setattr(storing, "MANY_ROWS", 20)
    monkeypatch.setattr(walk, "WORTH_TILING", 0)
    for seed in range(100, 112):
        program = Random(seed, dtype)
        with np.errstate(all="ignore"):
            check(program.build, *program.arrays, rtol=1e-11 if dtype == "d" else 5e-3)


@pytest.mark.parametrize("dtype", ["d", "f"])
@pytest.mark.parametrize("shortest", [0, 1, 2])
def test_random_graphs_in_stretches(dtype, shortest, monkeypatch):
    """Axes are cut where what is shifted or joined begins, even if little is left of them."""
    monkeypatch.setattr(pieces, "WORTH_CUTTING", 0)
    monkeypatch.setattr(pieces, "LONG", shortest)
    monkeypatch.setattr(walk, "WORTH_TILING", 1e9)
    monkeypatch.setattr(walk, "WORTH_UNROLLING", 4 if shortest else 1e9)
    monkeypatch.setattr(fusing, "PART", 64)
    for seed in range(200, 212):
        program = Random(seed, dtype)
        with np.errstate(all="ignore"):
            check(program.build, *program.arrays, rtol=1e-11 if dtype == "d" else 5e-3)


def test_what_only_tells_stretches_apart_is_made_in_each(monkeypatch):
    """What does not change along an axis is made outside of its loops, but not the same for all of them."""
    monkeypatch.setattr(pieces, "WORTH_CUTTING", 0)
    monkeypatch.setattr(pieces, "LONG", 1)
    x = np.random.default_rng(10).standard_normal((40, 11))

    def build(graph, v):
        s = graph.reshape(total(graph, v, (0,)), (1, 11))
        one, two = (graph.broadcast(graph.literal(k, float), (20, 11)) for k in (1, 2))
        join = graph.make("join", (one, two), 0, (40, 11), float)
        return [graph.map("multiply", s, join, dtype=float)], [x.sum(0) * np.repeat([1, 2], 20)[:, None]]

    check(build, x)


@pytest.mark.parametrize("shape", [(1000,), (1003,), (70, 90), (90, 33, 20)])
def test_neighbours_are_added_without_tests_inside(shape, monkeypatch):
    """A stencil as gradients have it: shifted pieces added into zeros."""
    monkeypatch.setattr(pieces, "WORTH_CUTTING", 0)
    x = np.random.default_rng(9).standard_normal(shape)

    def build(graph, v):
        total = graph.broadcast(graph.literal(0, float), shape)
        y = np.zeros(shape)
        for axis, n in enumerate(shape):
            for start in (0, 2):
                part = [slice(None)] * len(shape)
                part[axis] = slice(start, start + n - 2)
                lengths = tuple(n - 2 if k == axis else m for k, m in enumerate(shape))
                places = tuple((start * (k == axis), ((k, 1),)) for k in range(len(shape)))
                square = graph.map("multiply", graph.slices(v, part), graph.slices(v, part), dtype=float)
                total = graph.make("update", (total, square), (Move(lengths, places), True), shape, float)
                y[tuple(part)] += x[tuple(part)] ** 2
        sums = tuple(range(1, len(shape))) or (0,)
        return [total, graph.make("reduce", (total,), ("add", sums), shape[:1] if len(shape) > 1 else (), float)], [
            y,
            y.sum(sums),
        ]

    check(build, x, rtol=1e-12)


@pytest.mark.parametrize("shape", [(1000, 25), (7, 3), (64, 1000), (3, 2000), (40, 30, 9)])
@pytest.mark.parametrize("axis", [0, 1])
def test_softmax_is_one_kernel(shape, axis):
    x = np.random.default_rng(0).standard_normal(shape)

    def build(graph, v):
        back = tuple(1 if i == axis else n for i, n in enumerate(shape))
        largest = graph.reshape(total(graph, v, (axis,), "maximum"), back)
        e = graph.map("exp", graph.map("subtract", v, largest, dtype=float), dtype=float)
        s = graph.reshape(total(graph, e, (axis,)), back)
        a = np.exp(x - x.max(axis, keepdims=True))
        return [graph.map("divide", e, s, dtype=float)], [a / a.sum(axis, keepdims=True)]

    assert len(check(build, x).steps) == 1


def test_totals_over_rows_are_taken_in_parts():
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal((20_000, 7)), rng.standard_normal(7)

    def build(graph, v, u):
        z = total(graph, graph.map("multiply", v, u, dtype=float), (1,))
        r = graph.map("tanh", z, dtype=float)
        rows = graph.reshape(r, (20_000, 1))
        g = total(graph, graph.map("multiply", v, rows, dtype=float), (0,))
        t = np.tanh(x @ w)
        return [total(graph, r, (0,)), g], [t.sum(), x.T @ t]

    made = check(build, x, w, rtol=1e-11)
    assert made.kernels[0].parallel
    assert made.kernels[0].extent > 1
    assert x.shape in [tuple(step.kernel.extents) for step in made.steps]
    assert sum(x.shape == tuple(step.kernel.extents) for step in made.steps) == 1


def test_long_sums_are_as_good_as_pairwise_ones():
    rng = np.random.default_rng(2)
    for dtype, n in (("f", 300_001), ("d", 100_003), ("f", 1000)):
        x = (rng.uniform(0, 1, n) + 1000).astype(dtype)
        graph = Graph()
        (v,) = inputs(graph, x)
        graph.results = [total(graph, v, (0,))]
        (got,) = Made(graph, 1)(x)
        exact = np.sum(x.astype(np.longdouble))
        assert abs(got - exact) <= max(abs(np.sum(x) - exact), np.spacing(np.dtype(dtype).type(exact)))


def test_infinite_and_nan_sums():
    for bad, wanted in ((np.inf, np.inf), (-np.inf, -np.inf), (np.nan, np.nan)):
        x = np.ones(500)
        x[123] = bad
        check(lambda graph, v, wanted=wanted: ([total(graph, v, (0,))], [np.float64(wanted)]), x)


def test_sums_of_negative_zeros_have_the_sign_that_numpy_gives():
    for shape, axis in (((3,), 0), ((1000,), 0), ((5, 40), 0), ((5, 40), 1)):
        x = np.full(shape, -0.0)
        graph = Graph()
        graph.results = [total(graph, inputs(graph, x)[0], (axis,))]
        (got,) = Made(graph, 1)(x)
        np.testing.assert_array_equal(np.signbit(got), np.signbit(np.sum(x, axis)))


@pytest.mark.parametrize("dtype", ["d", "f", "l", "i", "?", "B"])
def test_largest_and_smallest(dtype):
    rng = np.random.default_rng(3)
    x = rng.integers(0, 2 if dtype == "?" else 100, (37, 21)).astype(dtype)
    for name in ("maximum", "minimum"):
        for axes in ((0,), (1,), (0, 1)):
            check(
                lambda graph, v, name=name, axes=axes: (
                    [total(graph, v, axes, name)],
                    [getattr(np, name).reduce(x, axes)],
                ),
                x,
            )


def test_nan_is_the_largest_and_the_smallest():
    x = np.random.default_rng(4).standard_normal((9, 40))
    x[3, 7] = x[5, 39] = np.nan
    for name in ("maximum", "minimum"):
        check(
            lambda graph, v, name=name: ([total(graph, v, (1,), name)], [getattr(np, name).reduce(x, 1)]),
            x,
        )


def test_integers_and_products():
    x = np.random.default_rng(5).integers(-9, 9, (31, 70))
    check(lambda graph, v: ([total(graph, v, (1,)), total(graph, v, (0, 1))], [x.sum(1), x.sum()]), x)
    check(lambda graph, v: ([total(graph, v, (1,), "multiply")], [np.prod(x, 1)]), x)


def test_a_long_program_is_fused_in_linear_time():
    """Not a stopwatch: nothing may recurse over the length of a program."""
    x = np.linspace(0.1, 1, 10)

    def build(graph, v):
        a, b = v, x
        for k in range(3000):
            a = graph.map("sin" if k % 50 == 0 else "multiply", *((a,) if k % 50 == 0 else (a, v)), dtype=float)
            b = np.sin(b) if k % 50 == 0 else b * x
        return [a], [b]

    check(build, x, rtol=1e-10)


@pytest.mark.parametrize("shape", [(50,), (20, 9), (9, 20), (3, 17, 5), (1, 30)])
@pytest.mark.parametrize("backwards", [False, True])
def test_running_totals(shape, backwards):
    x = np.random.default_rng(6).standard_normal(shape)
    for axis in range(len(shape)):
        flipped = np.flip(np.cumsum(np.flip(2 * x, axis), axis), axis) if backwards else np.cumsum(2 * x, axis)

        def build(graph, v, axis=axis, flipped=flipped):
            twice = graph.map("multiply", v, graph.literal(2, float), dtype=float)
            scan = graph.make("scan", (twice,), ("add", axis, backwards), shape, float)
            return [scan, graph.map("exp", scan, dtype=float)], [flipped, np.exp(flipped)]

        check(build, x)


@pytest.mark.parametrize("dtype", ["d", "f"])
@pytest.mark.parametrize("rows", [20_001, 77])
def test_rows_of_a_product_in_tiles(rows, dtype):
    """What is computed once in a row has several rows in the lanes, also where rows do not fill them."""
    rng = np.random.default_rng(7)
    x, w, y = (rng.standard_normal(s).astype(dtype) for s in ((rows, 50), (50,), (rows,)))

    def build(graph, v, u, t):
        z = total(graph, graph.map("multiply", v, u, dtype=dtype), (1,))
        r = graph.map("subtract", graph.map("tanh", z, dtype=dtype), t, dtype=dtype)
        back = graph.map("multiply", v, graph.reshape(r, (rows, 1)), dtype=dtype)
        e = np.tanh(x @ w) - y
        loss = total(graph, graph.map("multiply", r, r, dtype=dtype), (0,))
        return [loss, total(graph, back, (0,)), r, back], [np.sum(e * e), x.T @ e, e, x * e[:, None]]

    made = check(build, x, w, y, rtol=1e-10 if dtype == "d" else 1e-3)
    assert sum(step.kernel.extents == [rows, 50] for step in made.steps) == 1


def test_elements_at_places_that_arrays_name():
    rng = np.random.default_rng(8)
    x, i, j = rng.standard_normal((30, 7)), rng.integers(0, 30, 19), rng.integers(0, 7, 19)

    def build(graph, v, p, q):
        columns = graph.broadcast(graph.reshape(p, (19, 1)), (19, 7))
        rows = graph.gather(v, Gather((19, 7), ((0, (), ((0, 1),)), (0, ((1, 1),), ()))), (columns,))
        single = graph.gather(v, Gather((19,), ((0, (), ((0, 1),)), (0, (), ((1, 1),)))), (p, q))
        return [rows, total(graph, rows, (1,)), graph.map("exp", single, dtype=float)], [
            x[i],
            x[i].sum(1),
            np.exp(x[i, j]),
        ]

    check(build, x, i, j)


def stored(made):
    """The shapes of what is stored, kernel by kernel."""
    return [[root.value.shape for root in step.kernel.roots] for step in made.steps]


def test_dear_values_that_all_rows_share_are_computed_once():
    rng = np.random.default_rng(11)
    x, w = rng.standard_normal((2000, 50)), rng.standard_normal(50)

    def build(graph, v, u):
        return [graph.map("multiply", v, graph.map("exp", u, dtype=float), dtype=float)], [x * np.exp(w)]

    assert stored(check(build, x, w)) == [[(50,)], [(2000, 50)]]
    few = x[:3]
    assert stored(check(lambda g, v, u: (build(g, v, u)[0], [few * np.exp(w)]), few, w)) == [[(3, 50)]]


def test_dear_values_that_are_read_at_many_places_are_computed_once():
    x = np.random.default_rng(12).standard_normal(20_000)

    def build(graph, v, count):
        y, total = graph.map("exp", v, dtype=float), None
        for k in range(count):
            part = graph.slices(y, [slice(k, 20_000 - count + k)])
            total = part if total is None else graph.map("add", total, part, dtype=float)
        return [total], [sum(np.exp(x)[k : 20_000 - count + k] for k in range(count))]

    assert stored(check(lambda g, v: build(g, v, 2), x)) == [[(19_998,)]]
    assert stored(check(lambda g, v: build(g, v, 6), x)) == [[(20_000,)], [(19_994,)]]


@pytest.mark.parametrize("shape", [(5000, 3), (4, 3000), (3001, 11)])
def test_short_axes_with_columns_of_different_kinds(shape):
    """Each position along a short axis is known where it is computed; lanes are apart in memory."""
    x = np.random.default_rng(13).standard_normal(shape)
    short = int(np.argmin(shape))
    n, parts = shape[short], [slice(None)] * 2

    def build(graph, v):
        first, rest = ([*parts[:short], s, *parts[short + 1 :]] for s in (slice(0, 1), slice(1, n)))
        a = graph.map("exp", graph.slices(v, first), dtype=float)
        b = graph.map("negative", graph.slices(v, rest), dtype=float)
        joined = graph.make("join", (b, a), short, shape, float)
        y = np.concatenate([-x[tuple(rest)], np.exp(x[tuple(first)])], short)
        return [joined, graph.map("multiply", joined, v, dtype=float)], [y, y * x]

    check(build, x)


def long_chain(graph, x, names):
    """A value each of whose steps waits for the one before."""
    y = x
    for k in range(40):
        y = graph.map(names[k % len(names)], y, dtype=y.dtype)
        y = graph.map("multiply", y, graph.literal(0.5, y.dtype), dtype=y.dtype)
        y = graph.map("add", y, x, dtype=y.dtype)
    return y


@pytest.mark.parametrize("n", [4096, 1003])
@pytest.mark.parametrize("dtype", ["d", "f"])
def test_a_long_chain_is_done_for_two_registers_at_once(dtype, n, monkeypatch):
    """It gives the bits of one register, but for totals."""
    x = np.random.default_rng(0).uniform(-2, 2, n).astype(dtype)

    def made():
        graph = Graph()
        (given,) = inputs(graph, x)
        y = long_chain(graph, given, ("sin", "exp", "tanh", "arctan", "absolute"))
        graph.results = [y, total(graph, y, (0,))]
        return Made(graph, 1)

    two = made()
    monkeypatch.setattr(walk, "LONG_CHAIN", np.inf)
    one = made()
    lanes = 2 * host().lanes(np.dtype(dtype).itemsize)
    assert f"<{lanes} x " in two.kernels[0].text
    assert f"<{lanes} x " not in one.kernels[0].text
    for split in (False, True):
        (y, summed), (expected, other) = two(x, split=split), one(x, split=split)
        assert np.isfinite(y).all()
        assert np.array_equal(y, expected)
        assert np.isclose(summed, other, rtol=10 * np.finfo(dtype).eps)
