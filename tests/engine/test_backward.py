"""`backward`: seeds, heads, accumulation, freed tapes, leaves and what tensors say of themselves."""

import gc
import weakref

import numpy as np
import pytest

import wengert as wg
from wengert.errors import (
    ArgumentError,
    DTypeError,
    FreedGraphError,
    GradientError,
    LeafWriteError,
    NotRecordedError,
    ShapeError,
)


def leaf(*values, dtype=float):
    return wg.tensor(np.array(values or (1.0, 2.0, 3.0), dtype), requires_grad=True)


# Seeds -----------------------------------------------------------------------------------------------------------


def test_a_scalar_needs_no_seed():
    x = leaf()
    np.sum(x * x).backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0, 6.0])


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_one_element_of_any_rank_needs_no_seed(shape):
    x = wg.tensor(np.full(shape, 3.0), requires_grad=True)
    (x * x).backward()
    assert x.grad.shape == shape
    assert x.grad.item() == 6.0


@pytest.mark.parametrize("shape", [(3,), (0,), (2, 1)])
def test_other_shapes_need_a_seed_and_the_error_says_so(shape):
    y = wg.tensor(np.ones(shape), requires_grad=True) * 2
    with pytest.raises(ShapeError, match=r"gradient=.*sum\(\)"):
        y.backward()


@pytest.mark.parametrize("make", [np.array, list, tuple, wg.tensor, lambda v: np.array(v, np.float32)])
def test_seeds_of_all_kinds(make):
    x = leaf()
    (x * x).backward(make([1.0, 0.0, -1.0]))
    np.testing.assert_array_equal(x.grad, [2.0, 0.0, -6.0])
    assert x.grad.dtype == np.float64


def test_integer_seeds_become_the_dtype_of_the_value():
    x = leaf(dtype=np.float32)
    (x * x).backward(np.array([1, 0, 2]))
    assert x.grad.dtype == np.float32
    np.testing.assert_array_equal(x.grad, [2.0, 0.0, 12.0])


@pytest.mark.parametrize("seed", [1.0, np.ones(1), np.ones((1, 3)), np.ones((3, 1)), np.ones(4)])
def test_a_seed_is_not_broadcast(seed):
    with pytest.raises(ShapeError, match=r"\(3,\)"):
        (leaf() * 2).backward(seed)


def test_a_scalar_takes_a_scalar_seed():
    x = leaf()
    np.sum(x).backward(5.0)
    np.testing.assert_array_equal(x.grad, [5.0] * 3)


def test_a_complex_scalar_needs_a_seed():
    z = wg.tensor(1.0 + 2.0j, requires_grad=True)
    with pytest.raises(ShapeError):
        (z * z).backward()


def test_a_complex_seed_does_not_fit_a_real_value():
    with pytest.raises(DTypeError):
        (leaf() * 2).backward(np.ones(3) * 1j)


def test_the_seed_is_not_changed_and_not_kept():
    x, seed = leaf(), np.ones(3)
    y = x * 1.0
    y[0] = 0.0
    (y + y).backward(seed)
    np.testing.assert_array_equal(seed, np.ones(3))
    x.grad[...] = 9.0
    np.testing.assert_array_equal(seed, np.ones(3))


def test_the_gradient_of_a_leaf_itself_is_the_seed():
    x = leaf()
    x.backward(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(x.grad, [1.0, 2.0, 3.0])


# Heads -----------------------------------------------------------------------------------------------------------


def test_several_heads_in_one_pass():
    x = leaf()
    y = x * x
    wg.backward([np.sum(y), y * 2], [None, np.array([1.0, 0.0, 0.0])])
    np.testing.assert_array_equal(x.grad, [6.0, 4.0, 6.0])


def test_the_same_head_twice_counts_twice():
    x = leaf()
    y = np.sum(x * x)
    wg.backward([y, y])
    np.testing.assert_array_equal(x.grad, [4.0, 8.0, 12.0])


def test_a_head_that_another_depends_on():
    x = leaf()
    y = x * x
    wg.backward([y, np.sum(y * y)], [np.ones(3), None])
    np.testing.assert_array_equal(x.grad, 2 * x.data + 4 * x.data**3)


def test_heads_and_gradients_must_be_as_many():
    y = np.sum(leaf())
    with pytest.raises(ArgumentError, match="None"):
        wg.backward([y, y], [None])


def test_backward_takes_a_single_tensor():
    x = leaf()
    wg.backward(np.sum(x))
    wg.backward(x * 2, np.ones(3))
    np.testing.assert_array_equal(x.grad, [3.0] * 3)


@pytest.mark.parametrize("value", [wg.tensor(1.0), 3.0, np.float64(3.0), np.ones(()), None])
def test_backward_from_what_nothing_recorded_is_an_error(value):
    with pytest.raises(NotRecordedError):
        wg.backward([value])


def test_one_bad_head_leaves_no_gradient_anywhere():
    x = leaf()
    with pytest.raises(NotRecordedError):
        wg.backward([np.sum(x), wg.tensor(1.0)])
    assert x.grad is None


# Accumulation ----------------------------------------------------------------------------------------------------


def test_gradients_add_up():
    x = leaf()
    for _ in range(3):
        np.sum(x * x).backward()
    np.testing.assert_array_equal(x.grad, [6.0, 12.0, 18.0])


def test_write_replaces_the_gradient():
    x = leaf()
    x.accumulation = "write"
    for _ in range(3):
        np.sum(x * x + x * x).backward()
    np.testing.assert_array_equal(x.grad, [4.0, 8.0, 12.0])


def test_null_ignores_the_gradient():
    x, y = leaf(), leaf()
    x.accumulation = "null"
    np.sum(x * y).backward()
    assert x.grad is None
    np.testing.assert_array_equal(y.grad, x.data)


def test_accumulation_must_be_known():
    with pytest.raises(ArgumentError, match="'add', 'write' or 'null'"):
        leaf().accumulation = "sum"


def test_an_earlier_gradient_that_was_taken_out_does_not_change():
    x = leaf()
    np.sum(x).backward()
    first = x.grad
    values = first.data
    np.sum(x).backward()
    np.testing.assert_array_equal(values, [1.0] * 3)
    np.testing.assert_array_equal(x.grad, [2.0] * 3)
    assert first is x.grad or np.array_equal(first.data, [1.0] * 3)


def test_gradients_of_two_leaves_share_no_memory():
    x, y = leaf(), leaf()
    (x + y).backward(np.ones(3))
    x.grad[0] = 100.0
    np.testing.assert_array_equal(y.grad, [1.0] * 3)
    assert not np.shares_memory(x.grad.data, y.grad.data)


def test_gradients_are_independent_of_views_and_broadcasts():
    x, y = leaf(), wg.tensor(np.ones((3, 1)), requires_grad=True)
    np.sum(x.reshape(3, 1).T + y.T).backward()
    x.grad[0] = 100.0
    x.grad += 1.0
    np.testing.assert_array_equal(x.grad, [101.0, 2.0, 2.0])
    np.testing.assert_array_equal(y.grad, np.ones((3, 1)))


def test_zero_grad_and_setting_grad():
    x = leaf()
    np.sum(x).backward()
    x.zero_grad()
    assert x.grad is None
    x.grad = np.ones(3)
    np.sum(x).backward()
    np.testing.assert_array_equal(x.grad, [2.0] * 3)
    with pytest.raises(ShapeError):
        x.grad = np.ones(2)


def test_setting_grad_keeps_no_hold_of_the_callers_array():
    x, mine = leaf(), np.ones(3)
    x.grad = mine
    np.sum(x).backward()
    np.testing.assert_array_equal(mine, [1.0] * 3)


def test_gradients_have_the_dtype_and_shape_of_their_leaf():
    x, y = leaf(dtype=np.float32), leaf(dtype=np.float64)
    np.sum(x * y * np.ones((2, 3))).backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)
    assert x.grad.shape == y.grad.shape == (3,)


def test_a_leaf_that_does_not_take_part_gets_nothing():
    x, y = leaf(), leaf()
    np.sum(x).backward()
    assert y.grad is None


def test_a_leaf_that_takes_part_with_weight_zero_gets_zeros():
    x = leaf()
    np.sum(x * 0.0).backward()
    np.testing.assert_array_equal(x.grad, np.zeros(3))


# Freed tapes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [lambda x: np.sum(x * x), lambda x: np.sum(x + 1), lambda x: np.sum(x), lambda x: x[0]])
def test_a_second_backward_is_an_error_that_names_the_remedy(f):
    x = leaf()
    y = f(x)
    y.backward()
    with pytest.raises(FreedGraphError, match="retain_graph=True"):
        y.backward()
    assert np.array_equal(x.grad.data, wg.grad(f)(x.data))


def test_retain_graph_allows_more_passes():
    x = leaf()
    y = np.sum(x * x)
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_array_equal(x.grad, [6.0, 12.0, 18.0])
    with pytest.raises(FreedGraphError):
        y.backward()


def test_a_shared_part_freed_by_one_head_is_an_error_for_the_other():
    x = leaf()
    shared = x * x
    first, second = np.sum(shared), np.sum(shared * 2)
    first.backward()
    before = x.grad.data.copy()
    with pytest.raises(FreedGraphError):
        second.backward()
    np.testing.assert_array_equal(x.grad, before)


def test_a_failed_backward_deposits_nothing():
    x, y = leaf(), leaf()
    shared = x * x
    np.sum(shared).backward()
    x.zero_grad()
    with pytest.raises(FreedGraphError):
        np.sum(shared + y * y).backward()
    assert x.grad is None
    assert y.grad is None


def test_a_freed_intermediate_may_still_be_read_and_detached():
    x = leaf()
    y = x * x
    np.sum(y).backward()
    np.testing.assert_array_equal(y.data, [1.0, 4.0, 9.0])
    assert not y.detach().requires_grad


def test_recording_on_top_of_a_freed_part_fails_at_backward_only():
    x = leaf()
    y = x * x
    np.sum(y).backward()
    z = np.sum(np.sin(y))
    with pytest.raises(FreedGraphError):
        z.backward()


def test_backward_frees_what_was_saved():
    x = leaf()
    y = np.exp(x)
    kept = weakref.ref(y.data.base if y.data.base is not None else y.data)
    z = np.sum(y)
    del y
    assert kept() is not None
    z.backward()
    gc.collect()
    assert kept() is None


def test_retained_tapes_keep_what_was_saved():
    x = leaf()
    y = np.exp(x)
    kept = weakref.ref(y.data.base)
    z = np.sum(y)
    del y
    z.backward(retain_graph=True)
    assert kept() is not None
    z.backward()


# Shapes of tapes -------------------------------------------------------------------------------------------------


def test_shared_subexpressions_are_visited_once_each():
    x = leaf(2.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60


def test_diamonds():
    x = leaf(3.0)
    a = x * x
    b, c = np.sin(a), np.cos(a)
    (b * c + a).backward()
    np.testing.assert_allclose(x.grad, [(np.cos(9) ** 2 - np.sin(9) ** 2) * 6 + 6])


def test_an_operand_used_twice():
    x = leaf(3.0)
    (x * x * x).backward()
    assert x.grad.item() == 27.0


def test_constants_are_not_visited():
    x, c = leaf(), wg.tensor([1.0, 1.0, 1.0])
    np.sum(x * c).backward()
    assert c.grad is None


def test_detach_cuts():
    x = leaf()
    y = x * x
    np.sum(y.detach() * x).backward()
    np.testing.assert_array_equal(x.grad, [1.0, 4.0, 9.0])


def test_detached_memory_is_shared_until_somebody_writes():
    x = leaf()
    d = x.detach()
    assert np.shares_memory(x.data, d.data)
    d[0] = 100.0
    np.testing.assert_array_equal(x.data, [1.0, 2.0, 3.0])
    assert d.is_leaf
    assert not d.requires_grad


# create_graph ----------------------------------------------------------------------------------------------------


def test_second_derivatives_through_create_graph():
    x = leaf()
    np.sum(x**3).backward(create_graph=True)
    gradient = x.grad
    assert gradient.requires_grad
    x.zero_grad()
    np.sum(gradient).backward()
    np.testing.assert_allclose(x.grad, 6 * x.data)


def test_create_graph_retains_the_tape():
    x = leaf()
    y = np.sum(x**3)
    y.backward(create_graph=True)
    y.backward()
    np.testing.assert_allclose(x.grad.data, 6 * x.data**2)


def test_third_derivatives():
    x = leaf(2.0)
    y = np.sum(np.sin(x) * x)
    for _ in range(3):
        y.backward(create_graph=True)
        y = np.sum(x.grad)
        x.zero_grad()
    np.testing.assert_allclose(y.item(), -3 * np.sin(2) - 2 * np.cos(2))


def test_gradients_accumulate_under_create_graph():
    x = leaf()
    np.sum(x**3).backward(create_graph=True)
    np.sum(x**2).backward(create_graph=True)
    total = x.grad
    x.zero_grad()
    np.sum(total).backward()
    np.testing.assert_allclose(x.grad, 6 * x.data + 2)


def test_create_graph_of_a_linear_function_gives_a_constant_gradient():
    x = leaf()
    np.sum(x * 3).backward(create_graph=True)
    np.testing.assert_array_equal(x.grad.data, [3.0] * 3)
    assert not x.grad.requires_grad


def test_a_recorded_seed_is_differentiated():
    x, u = leaf(), leaf(1.0, 0.0, 2.0)
    (x * x).backward(u, create_graph=True)
    np.sum(x.grad).backward()
    np.testing.assert_array_equal(u.grad, 2 * x.data)


def test_create_graph_works_under_no_grad():
    x = leaf()
    y = np.sum(x**3)
    with wg.no_grad():
        y.backward(create_graph=True)
    gradient = x.grad
    x.zero_grad()
    np.sum(gradient).backward()
    np.testing.assert_allclose(x.grad, 6 * x.data)


# Leaves ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [[1, 2], [True], np.arange(3)])
def test_integers_cannot_require_grad(data):
    with pytest.raises(DTypeError, match="float"):
        wg.tensor(data, requires_grad=True)
    with pytest.raises(DTypeError, match="float"):
        wg.tensor(data).requires_grad_()


def test_requires_grad_can_be_set_and_unset_on_leaves():
    x = wg.tensor([1.0, 2.0])
    assert x.requires_grad_() is x
    assert x.requires_grad
    assert x.requires_grad_(True).requires_grad
    np.sum(x * x).backward()
    x.requires_grad = False
    assert not (x * 2).requires_grad
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])


def test_an_intermediate_cannot_stop_requiring_grad():
    y = leaf() * 2
    assert y.requires_grad_(True) is y
    with pytest.raises(GradientError, match="detach"):
        y.requires_grad_(False)


def test_a_view_of_a_constant_cannot_become_a_leaf():
    x = wg.tensor([1.0, 2.0])
    with pytest.raises(GradientError, match="copy"):
        x[:1].requires_grad_()


def test_leaves_say_that_they_are():
    x = leaf()
    y = x * 2
    assert (x.is_leaf, y.is_leaf, y.detach().is_leaf, wg.tensor(1).is_leaf) == (True, False, True, True)
    assert x.grad_fn is None
    assert y.grad_fn is not None


def test_nodes_are_named_after_the_numpy_function():
    x = leaf()
    names = {
        "multiply": x * 2,
        "sin": np.sin(x),
        "sum": np.sum(x),
        "getitem": x[:2],
        "transpose": x.T,
        "matmul": x @ x,
        "divide": x / 2,
        "power": x**3,
    }
    assert {name: t.grad_fn.name for name, t in names.items()} == {name: name for name in names}


def test_next_functions_lead_to_the_leaves():
    x, y = leaf(), leaf()
    z = np.sum(np.sin(x) * y)
    (product,) = z.grad_fn.next_functions
    sine, of_y = product.next_functions
    assert (z.grad_fn.name, product.name, sine.name, of_y.name) == ("sum", "multiply", "sin", "leaf")
    assert sine.next_functions[0].name == "leaf"
    assert of_y.next_functions == ()
    assert "multiply" in repr(product)


def test_next_functions_of_functions_of_many_operands():
    x, y = leaf(), leaf()
    assert len(np.concatenate([x, y, x]).grad_fn.next_functions) == 3
    assert len(np.concatenate([x, np.ones(3)]).grad_fn.next_functions) == 1


def test_writing_into_a_leaf_is_an_error_and_changes_nothing():
    x = leaf()
    for write in (
        lambda: x.__setitem__(0, 5.0),
        lambda: x.__iadd__(1.0),
        lambda: np.sin(x, out=x),
        lambda: x.fill(0.0),
        lambda: x[:2].__imul__(2.0),
        lambda: np.add.at(x, [0], 1.0),
    ):
        with pytest.raises(LeafWriteError, match=r"no_grad|copy"):
            write()
    np.testing.assert_array_equal(x.data, [1.0, 2.0, 3.0])
    np.sum(x * x).backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0, 6.0])


def test_a_leaf_dropped_by_the_program_is_no_obstacle():
    x, y = leaf(), leaf()
    z = np.sum(x * y)
    del x
    z.backward()
    np.testing.assert_array_equal(y.grad, [1.0, 2.0, 3.0])


def test_data_can_be_replaced_and_gradients_stay_those_of_the_old_values():
    x = leaf()
    y = np.sum(x * x)
    x.data = [10.0, 20.0, 30.0]
    y.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0, 6.0])
    np.testing.assert_array_equal(x.data, [10.0, 20.0, 30.0])
    with pytest.raises(ShapeError):
        x.data = [1.0]


def test_data_is_a_read_only_window():
    x = leaf()
    with pytest.raises(ValueError, match="read-only"):
        x.data[0] = 1.0
    assert x.numpy().flags.writeable
    assert not np.shares_memory(x.numpy(), x.data)


def test_tensor_copies_and_asarray_shares():
    mine = np.array([1.0, 2.0])
    copied, shared = wg.tensor(mine), wg.asarray(mine)
    assert not np.shares_memory(copied.data, mine)
    assert np.shares_memory(shared.data, mine)
    shared[0] = 100.0
    shared *= 2
    np.testing.assert_array_equal(mine, [1.0, 2.0])


# Complex ---------------------------------------------------------------------------------------------------------


def test_the_gradient_of_a_real_loss_of_complex_values_points_uphill():
    z = wg.tensor(np.array([1 + 2j, 3 - 1j]), requires_grad=True)
    np.sum(np.abs(z) ** 2).backward()
    np.testing.assert_allclose(z.grad, 2 * z.data)


def test_real_leaves_in_complex_programs_have_real_gradients():
    x = leaf(0.5, 1.0, 2.0)
    np.sum(np.abs(np.exp(1j * x) + x) ** 2).backward()
    assert x.grad.dtype == np.float64
    np.testing.assert_allclose(x.grad, 2 * x.data + 2 * np.cos(x.data) - 2 * x.data * np.sin(x.data))
