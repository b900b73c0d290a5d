"""Ways to differentiate a random program; each compares values and gradients with those of jets."""

import numpy as np
from tests.engine.programs import expected

import wengert as wg


def check_backward(program, dtype=float):
    """Leaves of the lowest level, and `backward`."""
    leaves, loss = _run_on_leaves(program, dtype)
    values, jet = expected(program, dtype)
    _check_values(program, loss.data, values, jet, dtype)
    gradients = [None, None]
    if loss.requires_grad:
        loss.backward()
        gradients = [leaf.grad for leaf in leaves]
    _check_slope(_slope(gradients, program.inputs(dtype)[1]), jet.parts[1], dtype)
    _check_held(program)


def check_create_graph(program, dtype=float):
    """A backward pass that is recorded, and a second one through it."""
    leaves, loss = _run_on_leaves(program, dtype)
    _, jet = expected(program, dtype)
    _, first, second = program.inputs(dtype)
    slope = 0.0
    if loss.requires_grad:
        loss.backward(create_graph=True)
        gradients = [leaf.grad for leaf in leaves]
        slope = _slope(gradients, first)
        for leaf in leaves:
            leaf.zero_grad()
    _check_slope(slope, jet.parts[1])
    bend = 0.0
    if getattr(slope, "requires_grad", False):
        slope.backward()
        bend = _slope([leaf.grad for leaf in leaves], second)
    _check_slope(bend, jet.parts[3])


def check_grad(program, dtype=float):
    """`wengert.grad`, whose arguments the program may write into if it wants to."""
    points, first, _ = program.inputs(dtype)
    before = [x.copy() for x in points]
    loss, gradients = wg.value_and_grad(program, argnums=(0, 1))(*points)
    np.testing.assert_equal(points, before)
    values = program.values
    expected_values, jet = expected(program, dtype)
    program.values = values
    _check_values(program, loss, expected_values, jet, dtype)
    _check_slope(_slope(gradients, first), jet.parts[1], dtype)


def check_nested(program):
    """The gradient of a gradient's slope."""
    points, first, second = program.inputs()

    def slope(*xs):
        return _slope(wg.grad(program, argnums=(0, 1))(*xs), first)

    value, gradients = wg.value_and_grad(slope, argnums=(0, 1))(*points)
    _, jet = expected(program)
    _check_slope(value, jet.parts[1])
    _check_slope(_slope(gradients, second), jet.parts[3])


def check_mixed(program):
    """One argument belongs to `wengert.grad`, the other is a leaf outside, reached by `backward` afterwards."""
    (x, y), (u, _), (_, v) = program.inputs()
    leaf = wg.tensor(y, requires_grad=True)
    slope = np.sum(wg.grad(lambda x: program(x, leaf))(x) * u)
    bend = 0.0
    if getattr(slope, "requires_grad", False):
        slope.backward()
        bend = _slope([leaf.grad], [v])
    zero = np.zeros_like(x)
    _, jet = expected(program, directions=[[u, zero], [zero, v]])
    _check_slope(slope, jet.parts[1])
    _check_slope(bend, jet.parts[3])


def check_cross(program):
    """Each argument belongs to a `wengert.grad` of its own, one inside the other."""
    (x, y), (u, _), (_, v) = program.inputs()
    zero = np.zeros_like(x)

    def slope(y):
        return np.sum(wg.grad(lambda x: program(x, y))(x) * u)

    value, gradient = wg.value_and_grad(slope)(y)
    _, jet = expected(program, directions=[[u, zero], [zero, v]])
    _check_slope(value, jet.parts[1])
    _check_slope(_slope([gradient], [v]), jet.parts[3])


def check_pullback(program):
    """`wengert.vjp`, whose pullback may be called twice."""
    points, first, _ = program.inputs()
    _, pullback = wg.vjp(program, *points)
    _, jet = expected(program)
    for factor in (1.0, -2.0):
        _check_slope(_slope(pullback(factor), first), factor * jet.parts[1])


def _run_on_leaves(program, dtype=float):
    leaves = [wg.tensor(x, requires_grad=True) for x in program.inputs(dtype)[0]]
    return leaves, program(*leaves)


def _slope(gradients, direction):
    """How fast the loss grows in a direction; of a complex gradient, the real part counts."""
    pairs = [(g, u) for g, u in zip(gradients, direction, strict=True) if g is not None]
    return sum(np.sum(np.real(np.conj(g) * u)) if u.dtype.kind == "c" else np.sum(g * u) for g, u in pairs)


def _check_values(program, loss, expected_values, jet, dtype):
    for value, wanted in zip([*program.values, loss], [*expected_values, jet.value], strict=True):
        assert value.dtype == wanted.dtype
        if dtype is complex:  # whose product of numbers is not rounded as that of arrays, in NumPy itself
            np.testing.assert_allclose(value, wanted, rtol=1e-12, atol=1e-14)
        else:
            np.testing.assert_array_equal(value, wanted)


def _check_slope(slope, wanted, dtype=float):
    if not np.isfinite(wanted):
        return  # complex functions grow fast
    slope = slope.item() if hasattr(slope, "item") else slope
    tolerance = 2e-3 if dtype is np.float32 else 1e-9
    np.testing.assert_allclose(slope, wanted, rtol=tolerance, atol=tolerance * 10)


def _check_held(program):
    for taken, copied in program.held:
        np.testing.assert_array_equal(taken, copied)
