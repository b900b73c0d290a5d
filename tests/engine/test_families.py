"""Families of tensor classes: what the dialects are built on."""

import numpy as np
import pytest

import wengert as wg
from wengert import nn, tape
from wengert.dialects.family import DialectTensor, float32_first, found_family
from wengert.errors import FreedGraphError, NotRecordedError
from wengert.protocol import DORMANT
from wengert.views import on_array, shared_array


class Array(DialectTensor):
    """Records only where asked to; float32 first; plain results are arrays too."""

    __slots__ = ()
    _ground = DORMANT


class Eager(DialectTensor):
    """Records like wengert's own tensors."""

    __slots__ = ()


found_family(Array, settle=float32_first, wrap=Array._box)
found_family(Eager)


def leaf(kind, values, dtype=np.float32):
    return kind._box(np.array(values, dtype)).requires_grad_()


# Classes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        np.sin, np.sum, np.transpose, np.cumsum, np.median, nn.softmax,
        lambda x: x * 2, lambda x: 2 / x, lambda x: x[0], lambda x: x.reshape(3), lambda x: x @ x.T,
        lambda x: np.concatenate([x, np.ones((1, 1))], axis=1),
        lambda x: x + wg.tensor(1.0), lambda x: wg.tensor(1.0) + x,
    ],
)  # fmt: skip
def test_functions_give_the_class_that_they_are_given(function):
    x = leaf(Array, [[1.0, 2.0, 3.0]])
    with tape.record_all():
        y = function(x)
    assert isinstance(y, Array)
    y.backward(np.ones(y.shape))
    assert isinstance(x.grad, Array)


def test_gradients_of_a_recorded_pass_have_the_class_too():
    x = leaf(Array, [2.0, 3.0])
    with tape.record_all():
        np.sum(x**3).backward(create_graph=True)
        first = x.grad
        x.grad = None
        np.sum(first * first).backward()
    assert isinstance(first, Array)
    np.testing.assert_allclose(x.grad.data, 36 * np.array([2.0, 3.0]) ** 3)


def test_hooks_see_the_class():
    seen = []
    x = leaf(Eager, [1.0, 2.0])
    y = x * 2
    y.register_hook(lambda g: seen.append(type(g)))
    np.sum(y).backward()
    assert seen == [Eager]


def test_copies_keep_the_class():
    import copy
    import pickle

    x = leaf(Eager, [1.0, 2.0])
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert type(y) is Eager and y.requires_grad and y.tolist() == [1.0, 2.0]


def test_transformations_keep_the_class():
    kinds = []

    def f(x):
        kinds.append(type(x))
        return np.sum(x * x)

    gradient = wg.grad(f)(Array._box(np.array([1.0, 2.0])))
    assert kinds == [Array] and gradient.tolist() == [2.0, 4.0]


def test_two_families_of_one_level_share_a_tape():
    x, y = leaf(Eager, [1.0, 2.0]), wg.tensor([3.0, 4.0], requires_grad=True)
    np.sum(x * y * x).backward()
    np.testing.assert_array_equal(x.grad.data, [6.0, 16.0])
    np.testing.assert_array_equal(y.grad.data, [1.0, 4.0])


# Recording -------------------------------------------------------------------------------------------------------


def test_dormant_tensors_record_where_asked_only():
    x, t = leaf(Array, [1.0]), wg.tensor([1.0], requires_grad=True)
    assert not (x * 2).requires_grad
    assert (t * 2).requires_grad
    with tape.record_all():
        assert (x * 2).requires_grad
        assert (t * 2).requires_grad
        with wg.no_grad():
            assert not (x * 2).requires_grad
            assert not (t * 2).requires_grad
    with pytest.raises(NotRecordedError):
        (x * 2).backward()


def test_a_write_that_is_not_recorded_leaves_the_leaf_a_leaf():
    x = leaf(Array, [1.0, 2.0])
    x -= 0.5
    x[0] = 7
    assert x.is_leaf and x.requires_grad and x.tolist() == [7.0, 1.5]


# dtypes and plain results ----------------------------------------------------------------------------------------


def test_float32_comes_first():
    single, double, whole = (Array._box(np.arange(1, 4).astype(d)) for d in (np.float32, np.float64, np.int64))
    scalar = Array._box(np.float64(2))
    for result in (single * whole, whole / whole, whole * 0.5, np.sin(whole), np.mean(whole), single * scalar):
        assert result.dtype == np.float32, result
    for result in (double * single, double * whole, scalar * scalar, np.sum(double), np.stack([single, double])):
        assert result.dtype == np.float64, result
    assert (whole + whole).dtype == np.int64


def test_gradients_through_a_settled_result():
    x = leaf(Array, [1.0, 2.0, 3.0])
    with tape.record_all():
        y = np.sum(x * np.arange(3))
    assert y.dtype == np.float32
    y.backward()
    assert x.grad.dtype == np.float32 and x.grad.tolist() == [0.0, 1.0, 2.0]


def test_plain_results_are_wrapped():
    x = Array._box(np.array([1.0, 2.0]))
    assert isinstance(x > 1, Array) and (x > 1).dtype == bool
    assert isinstance(np.argmax(x), Array)
    assert all(isinstance(part, Array) for part in np.nonzero(x))
    assert np.shape(x) == (2,) and np.array_equal(x, x) is True
    assert type(leaf(Eager, [1.0]) > 0) is np.ndarray


# A history that lasts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("detour", [False, True])
def test_the_history_behind_a_lasting_node_survives(detour):
    x = leaf(Eager, [1.0, 2.0, 3.0])
    s = x * x
    y = s * 2
    y._node.__class__ = tape.Lasting
    z = y * s if detour else y * 5
    np.sum(z).backward()
    x.grad = None
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad.data, 4 * x.data)
    with pytest.raises(FreedGraphError):
        np.sum(z).backward()


def test_what_came_after_a_lasting_node_is_freed():
    x = leaf(Eager, [1.0])
    y = x * x
    y._node.__class__ = tape.Lasting
    z = np.exp(y)
    z.backward()
    with pytest.raises(FreedGraphError):
        z.backward()


# Shared memory ---------------------------------------------------------------------------------------------------


def test_detached_tensors_share_memory_but_no_history():
    x = leaf(Eager, [1.0, 2.0])
    y = x * 3
    d = y.detach()
    assert not d.requires_grad
    d[0] = 10.0
    d += 1
    assert y.tolist() == [11.0, 7.0]
    y[1] = 5.0
    assert d.tolist() == [11.0, 5.0]
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad.data, [3.0, 0.0])


def test_a_leaf_may_be_written_through_its_detached_twin():
    x = leaf(Eager, [1.0, 2.0])
    y = np.sum(x * x)
    x.detach()[...] = 0.0
    assert x.tolist() == [0.0, 0.0] and x.is_leaf
    y.backward()
    np.testing.assert_array_equal(x.grad.data, [2.0, 4.0])


def test_the_detached_twin_of_a_scalar():
    w = Eager._box(np.float32(2.0)).requires_grad_()
    w.detach()[...] = 5.0
    assert w.item() == 5.0 and w.requires_grad


def test_a_recorded_value_written_into_a_detached_tensor_is_a_number_there():
    x, w = leaf(Eager, [1.0, 2.0]), leaf(Eager, [3.0, 4.0])
    x.detach()[...] = w * 2
    assert x.tolist() == [6.0, 8.0] and x.is_leaf


def test_an_array_of_the_tensor_and_the_tensor_follow_each_other():
    t = Eager._box(np.zeros(4))
    a = shared_array(t)
    row = a[1:]
    t += 1
    assert a.tolist() == [1.0, 1.0, 1.0, 1.0]
    row[0] = 5.0
    assert t.tolist() == [1.0, 5.0, 1.0, 1.0]
    v = t[2:]
    v *= 3
    assert a.tolist() == row.base.tolist() == [1.0, 5.0, 3.0, 3.0]
    part = shared_array(v)
    part[0] = 9.0
    assert t.tolist() == [1.0, 5.0, 9.0, 3.0]


def test_a_tensor_on_an_array_follows_it_both_ways():
    a = np.arange(3.0)
    t = on_array(Eager, a)
    a += 1
    assert t.tolist() == [1.0, 2.0, 3.0]
    t *= 2
    t[0] = -1.0
    assert a.tolist() == [-1.0, 4.0, 6.0]


def test_saved_values_are_safe_from_shared_writes():
    a = np.array([1.0, 2.0])
    x, w = on_array(Eager, a), leaf(Eager, [3.0, 4.0])
    y = np.sum(x * w)
    x += 10
    assert a.tolist() == [1.0, 2.0], "the tensor has moved away from a buffer that the tape needs"
    y.backward()
    np.testing.assert_array_equal(w.grad.data, [1.0, 2.0])
    t = Eager._box(np.array([1.0, 2.0]))
    y = np.sum(t * w)
    shared_array(t)[...] = 0.0
    y.backward()
    np.testing.assert_array_equal(w.grad.data, [2.0, 4.0])


def test_a_view_can_become_a_leaf():
    x = Array._box(np.arange(4.0)).reshape(2, 2)
    assert x._is_view
    x._stand_alone()
    x.requires_grad_()
    with tape.record_all():
        np.sum(x * x).backward()
    assert type(x) is Array and x.grad.tolist() == [[0.0, 2.0], [4.0, 6.0]]
