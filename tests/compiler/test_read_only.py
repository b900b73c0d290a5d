"""Arrays that NumPy lets nobody write to."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import wengert as wg

x = np.arange(9.0).reshape(3, 3)

VIEWS = {
    "stretched": lambda y: np.broadcast_to(y, (2, 3, 3)),
    "stretched to itself": lambda y: np.broadcast_to(y, (3, 3)),
    "a row": lambda y: np.broadcast_to(y[0], (3, 3)),
    "a part": lambda y: np.broadcast_to(y, (2, 3, 3))[0],
    "transposed": lambda y: np.broadcast_to(y, (2, 3, 3)).T,
    "a number": lambda y: np.broadcast_to(np.sum(y), (3,)),
    "diagonal": np.diagonal,
    "diag": np.diag,
    "imaginary part": np.imag,
    "windows": lambda y: sliding_window_view(y, 2, axis=0),
}


def element(v):
    v[0] = 1.0


def operator(v):
    v += 1


def output(v):
    np.add(v, 1, out=v)


def filled(v):
    v.fill(3.0)


def copied(v):
    np.copyto(v, 1.0)


WRITES = [element, operator, output, filled, copied]


def program(view, write):
    def function(x):
        y = x * 1.0
        v = VIEWS[view](y)
        write(v)
        return np.sum(y * y) + np.sum(v)

    return function


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("write", WRITES)
def test_writes_are_refused(view, write):
    function = program(view, write)
    with pytest.raises(ValueError, match="read-only"):
        function(x)
    differentiated = [wg.value_and_grad(function), wg.compile(wg.value_and_grad(function))]
    for tried in (wg.compile(function), *differentiated, lambda x: function(wg.tensor(x))):
        for _ in range(2):
            with pytest.raises(ValueError, match=r"read-only|for reading only"):
                tried(x)


def test_writes_to_copies_are_not():
    def function(x):
        v = np.broadcast_to(x, (2, 3, 3)).copy()
        v[0] = 1.0
        w = np.broadcast_to(x, (2, 3, 3)).reshape(18)  # which is a copy
        w[0] = 2.0
        return np.sum(v) + np.sum(w)

    fast = wg.compile(function)
    assert [float(fast(x)) for _ in range(3)] == [function(x)] * 3
    np.testing.assert_array_equal(wg.grad(function)(x), wg.compile(wg.grad(function))(x))


@pytest.mark.parametrize("write", WRITES)
def test_arguments_and_captured_arrays(write):
    def locked():
        a = x.copy()
        a.flags.writeable = False
        return a

    def of_argument(a):
        write(a)
        return np.sum(a)

    kept = locked()

    def of_captured(y):
        write(kept)
        return np.sum(kept * y)

    fast = wg.compile(of_argument)
    for _ in range(2):
        fast(x.copy())
    for tried in (fast, wg.compile(of_argument), wg.compile(of_captured)):
        for _ in range(2):
            with pytest.raises(ValueError, match="read-only"):
                tried(locked())


def test_einsum_of_one_operand_is_a_view():
    def transposed(x):
        y = x * 1.0
        np.einsum("ij->ji", y)[0] = 5.0
        return np.sum(y[:, 0])

    for tried in (transposed, wg.compile(transposed), lambda x: transposed(wg.tensor(x)).item()):
        assert tried(x) == tried(x) == 15.0
    np.testing.assert_array_equal(np.einsum("iij->ji", wg.tensor(np.arange(18.0).reshape(3, 3, 2))), [
        [0.0, 8.0, 16.0], [1.0, 9.0, 17.0],
    ])  # fmt: skip

    def diagonal(x):
        y = x * 1.0
        np.einsum("ii->i", y)[...] = 5.0
        return np.sum(y)

    with pytest.raises(ValueError, match="read-only"):
        diagonal(wg.tensor(x))
    assert wg.compile(diagonal)(x) == diagonal(x)


def raising(kept, y):
    kept.count += 1
    kept.total = 0.5 * kept.total + y[0]
    kept.array[:] = y


def catching(kept, y):
    kept.count += 1
    try:
        kept.array[:] = y
    except ValueError:
        kept.total = -1.0


LOCKED = {"always": lambda k: True, "later": lambda k: k > 4, "first": lambda k: k < 3, "now and then": lambda k: k % 2}


@pytest.mark.filterwarnings("ignore::wengert.errors.CompileWarning")
@pytest.mark.parametrize("when", LOCKED)
@pytest.mark.parametrize("write", [raising, catching])
def test_what_was_written_before_it_raises_stays(when, write):
    found = []
    for wrap in (lambda f: f, wg.compile):
        kept = SimpleNamespace(array=np.ones(3), count=0, total=0.0)
        run = wrap(lambda y, kept=kept: write(kept, y))
        found.append([])
        for k in range(12):
            kept.array.flags.writeable = not LOCKED[when](k)
            try:
                run(np.full(3, float(k)))
            except ValueError:
                found[-1].append("raised")
            found[-1].append((kept.count, float(kept.total), kept.array.tolist()))
    assert found[0] == found[1]


@pytest.mark.parametrize("shape", [(1, 3), (3, 1), (2, 0)])
def test_a_diagonal_is_of_equal_axes(shape):
    def diagonal(x):
        return np.sum(np.einsum("ii->i", x))

    for tried in (diagonal, wg.compile(diagonal), wg.grad(diagonal)):
        with pytest.raises(ValueError, match="collapsing index"):
            tried(np.ones(shape))
