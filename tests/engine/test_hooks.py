"""Hooks on gradients, and gradients of intermediate results."""

import warnings

import numpy as np
import pytest

import wengert as wg
from wengert.errors import NotRecordedError, ShapeError


def leaf(*values):
    return wg.tensor(np.array(values or (1.0, 2.0, 3.0)), requires_grad=True)


def test_a_hook_sees_the_gradient():
    x, seen = leaf(), []
    y = x * x
    y.register_hook(seen.append)
    np.sum(y * 3).backward()
    np.testing.assert_array_equal(seen[0].data, [3.0] * 3)
    np.testing.assert_array_equal(x.grad, [6.0, 12.0, 18.0])


def test_a_hook_sees_the_sum_of_all_contributions_once():
    x, seen = leaf(), []
    y = x * 1.0
    y.register_hook(seen.append)
    np.sum(y + y * 2 + y[0]).backward()
    assert len(seen) == 1
    np.testing.assert_array_equal(seen[0].data, [6.0, 3.0, 3.0])


def test_a_hook_may_replace_the_gradient():
    x = leaf()
    y = x * x
    y.register_hook(lambda g: g * 10)
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad, [20.0, 40.0, 60.0])


def test_a_hook_on_a_leaf_changes_what_is_deposited():
    x = leaf()
    x.register_hook(lambda g: -g)
    np.sum(x * x).backward()
    np.sum(x * x).backward()
    np.testing.assert_array_equal(x.grad, [-4.0, -8.0, -12.0])


def test_hooks_run_in_the_order_of_registration():
    x = leaf()
    y = x * 1.0
    y.register_hook(lambda g: g + 1)
    y.register_hook(lambda g: g * 10)
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad, [20.0] * 3)


def test_a_removed_hook_is_not_called():
    x, seen = leaf(), []
    y = x * 1.0
    handle = y.register_hook(seen.append)
    other = y.register_hook(lambda g: g * 2)
    handle.remove()
    handle.remove()
    np.sum(y).backward(retain_graph=True)
    assert seen == []
    other.remove()
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad, [3.0] * 3)


def test_a_hook_registered_after_use_works():
    x, seen = leaf(), []
    y = x * x
    z = np.sum(y * y)
    y.register_hook(seen.append)
    z.backward()
    np.testing.assert_array_equal(seen[0].data, [2.0, 8.0, 18.0])


@pytest.mark.parametrize("replacement", [[1.0, 2.0, 3.0], np.array([1, 2, 3]), wg.tensor([1.0, 2.0, 3.0])])
def test_a_hook_may_return_any_array_like(replacement):
    x = leaf()
    (x * 1.0).backward(np.zeros(3))
    y = x * 1.0
    y.register_hook(lambda g: replacement)
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad, [1.0, 2.0, 3.0])
    assert x.grad.dtype == np.float64


def test_a_hook_on_a_scalar_may_return_a_python_number():
    x = leaf(2.0)
    y = np.sum(x * x)
    y.register_hook(lambda g: 3)
    y.backward()
    assert x.grad.item() == 12.0


def test_a_hook_that_returns_another_shape_is_an_error():
    x = leaf()
    y = x * 1.0
    y.register_hook(lambda g: g[:2])
    with pytest.raises(ShapeError, match=r"\(3,\)"):
        np.sum(y).backward()
    assert x.grad is None


def test_a_hook_that_writes_into_its_gradient_harms_nobody_else():
    x, y = leaf(), leaf()
    a = x * 1.0

    def write(g):
        g[...] = 100.0

    a.register_hook(write)
    np.sum(a + y).backward()
    np.testing.assert_array_equal(x.grad, [1.0] * 3)
    np.testing.assert_array_equal(y.grad, [1.0] * 3)


def test_a_hook_that_keeps_the_gradient_sees_it_unchanged():
    x, kept = leaf(), []
    y = x * 1.0
    y.register_hook(kept.append)
    z = y * 1.0
    z[0] = 0.0
    np.sum(z + y).backward()
    np.testing.assert_array_equal(kept[0].data, [1.0, 2.0, 2.0])
    np.testing.assert_array_equal(x.grad, [1.0, 2.0, 2.0])


def test_a_hook_that_raises_leaves_no_state():
    x, y = leaf(), leaf()
    z = x * y
    handle = z.register_hook(lambda g: 1 / 0)
    loss = np.sum(z) + np.sum(y)
    with pytest.raises(ZeroDivisionError):
        loss.backward(retain_graph=True)
    assert x.grad is None
    assert y.grad is None
    handle.remove()
    loss.backward()
    np.testing.assert_array_equal(x.grad, y.data)
    np.testing.assert_array_equal(y.grad, x.data + 1)


def test_hooks_take_part_in_recorded_passes():
    x = leaf()
    y = x * x
    handle = y.register_hook(lambda g: g * y)
    np.sum(y).backward(create_graph=True)
    np.testing.assert_array_equal(x.grad.data, 2 * x.data**3)
    handle.remove()
    gradient = x.grad
    x.zero_grad()
    np.sum(gradient).backward()
    np.testing.assert_allclose(x.grad.data, 6 * x.data**2)


def test_a_hook_outside_recorded_passes_has_an_unrecorded_gradient():
    x, seen = leaf(), []
    y = x * x
    y.register_hook(lambda g: seen.append(g.requires_grad))
    y.register_hook(lambda g: g * y)
    np.sum(y).backward()
    assert seen == [False]
    assert not x.grad.requires_grad


def test_hooks_on_views():
    x, seen = leaf(), []
    y = x * 1.0
    view = y[1:]
    view.register_hook(lambda g: seen.append(g) or g * 10)
    np.sum(view * 2).backward()
    np.testing.assert_array_equal(seen[0].data, [2.0, 2.0])
    np.testing.assert_array_equal(x.grad, [0.0, 20.0, 20.0])


def test_hooks_inside_grad():
    def f(x):
        y = x * x
        y.register_hook(lambda g: g * 10)
        return np.sum(y)

    np.testing.assert_array_equal(wg.grad(f)(np.array([1.0, 2.0])), [20.0, 40.0])


def test_only_recorded_tensors_take_hooks():
    with pytest.raises(NotRecordedError):
        wg.tensor([1.0]).register_hook(print)
    with pytest.raises(NotRecordedError):
        wg.tensor([1.0]).retain_grad()


# retain_grad -----------------------------------------------------------------------------------------------------


def test_retain_grad_keeps_the_gradient_of_an_intermediate_result():
    x = leaf()
    y = x * x
    y.retain_grad()
    np.sum(y * 3).backward()
    np.testing.assert_array_equal(y.grad, [3.0] * 3)
    np.testing.assert_array_equal(x.grad, [6.0, 12.0, 18.0])


def test_retain_grad_twice_counts_once():
    y = leaf() * 2
    y.retain_grad()
    y.retain_grad()
    np.sum(y).backward()
    np.testing.assert_array_equal(y.grad, [1.0] * 3)


def test_retain_grad_on_a_leaf_changes_nothing():
    x = leaf()
    x.retain_grad()
    np.sum(x).backward()
    np.testing.assert_array_equal(x.grad, [1.0] * 3)


def test_retained_gradients_accumulate():
    x = leaf()
    y = x * 2
    y.retain_grad()
    loss = np.sum(y)
    loss.backward(retain_graph=True)
    loss.backward()
    np.testing.assert_array_equal(y.grad, [2.0] * 3)


def test_retained_gradients_share_no_memory_with_others():
    x = leaf()
    y = x + 0.0
    y.retain_grad()
    np.sum(y).backward()
    y.grad[...] = 100.0
    np.testing.assert_array_equal(x.grad, [1.0] * 3)


def test_retained_gradients_are_recorded_under_create_graph():
    x = leaf()
    y = x * x
    y.retain_grad()
    np.sum(y * y).backward(create_graph=True)
    gradient = y.grad
    x.zero_grad()
    np.sum(gradient).backward()
    np.testing.assert_allclose(x.grad.data, 4 * x.data)


def test_a_dropped_tensor_retains_nothing():
    x = leaf()
    y = x * 2
    y.retain_grad()
    loss = np.sum(y)
    del y
    loss.backward()
    np.testing.assert_array_equal(x.grad, [2.0] * 3)


def test_the_gradient_of_an_intermediate_result_is_none_without_retain_grad():
    y = leaf() * 2
    np.sum(y).backward()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert y.grad is None
