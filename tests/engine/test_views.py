"""Views and writes, one behaviour at a time; what the random programs once found is kept here by name."""

import numpy as np
import pytest

import wengert as wg

A = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
V = np.array([0.3, 0.5, 0.7])


def leaf(a=A):
    return wg.tensor(a, requires_grad=True)


def slopes(f, x, step=1e-6):
    """Central differences; the memory order of `x` is kept."""
    result = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[i] = step
        result[i] = (f(x + e) - f(x - e)) / (2 * step)
    return result


def check_gradients(f, x):
    """First and second derivatives of `f`, which also runs on arrays."""
    np.testing.assert_allclose(wg.grad(f)(x), slopes(f, x), rtol=1e-6, atol=1e-8)
    check_second_derivatives(f, x)


def check_second_derivatives(f, x):
    def slope(x):
        return np.sum(wg.grad(f)(x) ** 2)

    np.testing.assert_allclose(wg.grad(slope)(x), slopes(slope, x), rtol=1e-6, atol=1e-7)
    point = leaf(x)
    f(point).backward(create_graph=True)
    gradient = point.grad
    point.zero_grad()
    if gradient.requires_grad:
        np.sum(gradient**2).backward()
        np.testing.assert_allclose(point.grad, slopes(slope, x), rtol=1e-6, atol=1e-7)


# Who sees a write ------------------------------------------------------------------------------------------------


def test_a_write_through_a_view_is_seen_by_the_base_and_every_other_view():
    x = leaf() * 1.0
    row, column, flat = x[0], x[:, 0], x.reshape(-1)
    row[0] = 5.0
    assert x.data[0, 0] == column.data[0] == flat.data[0] == 5.0
    flat[3] = 7.0
    assert x.data[1, 0] == column.data[1] == 7.0


def test_a_write_through_a_view_of_a_view():
    x = leaf() * 1.0
    x.T[1:][::-1][0] = 9.0
    np.testing.assert_array_equal(x.data, [[0.1, 0.2, 9.0], [0.4, 0.5, 9.0]])


def test_views_outlive_their_base():
    x = leaf()
    y = x * 1.0
    row = y[0]
    other = y[:, 1]
    del y
    row *= 2.0
    assert other.data[0] == 0.4
    np.sum(row).backward()
    np.testing.assert_array_equal(x.grad, [[2.0] * 3, [0.0] * 3])


def test_values_that_were_computed_before_a_write_keep_their_gradient():
    def f(x):
        y = x * 1.0
        before = np.sin(y)
        y[0] = y[1] * 2
        return np.sum(before * y)

    check_gradients(f, A)


def test_a_saved_result_survives_being_overwritten():
    def f(x):
        y = np.exp(x)
        z = y * 2.0
        y[...] = z * z
        return np.sum(y * z)

    check_gradients(f, A)


def test_a_view_used_before_and_after_a_write_has_two_values():
    x = leaf()
    y = x * 1.0
    row = y[0]
    first = row * row
    row *= 3.0
    second = row * row
    np.sum(first + second).backward()
    np.testing.assert_allclose(x.grad, [2 * A[0] + 18 * A[0], [0.0] * 3])


def test_data_taken_before_a_write_does_not_change():
    x = leaf() * 1.0
    taken, of_view, detached = x.data, x[0].data, x.detach()
    x[...] = 5.0
    x *= 2.0
    np.testing.assert_array_equal(taken, A)
    np.testing.assert_array_equal(of_view, A[0])
    np.testing.assert_array_equal(detached.data, A)


def test_index_arrays_may_change_after_use():
    x = leaf()
    index, mask = np.array([0, 2]), np.array([True, False])
    y = x * 1.0
    read = y[:, index]
    y[mask] = 7.0
    index[...] = 1
    mask[...] = True
    np.sum(read * 2 + y[:, :2]).backward()
    np.testing.assert_array_equal(x.grad, [[2.0, 0.0, 2.0], [3.0, 1.0, 2.0]])


# Overlap and repetition ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "write",
    [
        lambda y: y.__setitem__(slice(1, None), y[:-1]),
        lambda y: y.__setitem__(slice(None, -1), y[1:]),
        lambda y: y.__setitem__(Ellipsis, y[::-1]),
        lambda y: y.__setitem__(slice(None, None, -1), y),
        lambda y: y.__setitem__([2, 0, 1], y),
        lambda y: y.__setitem__(0, y[2]),
        lambda y: y[1:].__iadd__(y[:-1]),
        lambda y: y.__setitem__(np.array([True, True, True]), y[::-1].copy()),
        lambda y: y.__setitem__(Ellipsis, y),
        lambda y: y[::-1].__imul__(y),
        lambda y: y.__setitem__([0, 0], y[1:]),
    ],
)
def test_source_and_target_may_overlap(write):
    def f(x):
        y = x * 1.0
        write(y)
        return np.sum(np.sin(y) * np.arange(1.0, 4.0))

    check_gradients(f, V)


def test_the_last_of_repeated_writes_gets_the_gradient():
    x, u = leaf(), leaf(np.array([1.0, 2.0, 3.0]))
    y = x[0] * 1.0
    y[[1, 1, 0]] = u
    np.sum(y * [1.0, 10.0, 100.0]).backward()
    np.testing.assert_array_equal(u.grad, [0.0, 10.0, 1.0])
    np.testing.assert_array_equal(x.grad, [[0.0, 0.0, 100.0], [0.0] * 3])


def test_repeated_indices_add_once_as_in_numpy_and_often_with_add_at():
    for write, expected in (
        (lambda y: y.__setitem__([0, 0], y[[0, 0]] + 1.0), 1.0),
        (lambda y: np.add.at(y, [0, 0], 1.0), 2.0),
    ):
        y = wg.zeros(2)
        write(y)
        assert y.data[0] == expected


def test_an_augmented_write_records_one_write():
    y = leaf(V) * 1.0
    y[1:] += 1.0
    names = []
    node = y.grad_fn
    while node.next_functions:
        names.append(node.name)
        node = node.next_functions[0]
    assert names.count("setitem") == 1


# Starting afresh -------------------------------------------------------------------------------------------------


def test_a_workspace_may_be_used_again_after_backward():
    x, work = leaf(V), wg.zeros(3)
    for _ in range(3):
        x.zero_grad()
        work[...] = 0.0
        work[0] = x[0] * x[1]
        work += x
        np.sum(work).backward()
        np.testing.assert_allclose(x.grad, [1.5, 1.3, 1.0])


def test_a_workspace_may_be_used_in_several_gradients():
    work = wg.zeros(3)

    def f(x):
        work[...] = x * x
        return np.sum(work * x)

    for x in (V, 2 * V, V):
        gradient = wg.grad(f)(x)
        assert type(gradient) is np.ndarray
        np.testing.assert_allclose(gradient, 3 * x**2)


def test_a_workspace_filled_part_by_part_may_be_used_in_several_gradients():
    work = wg.zeros(3)

    def f(x):
        for i in range(3):
            work[i] = x[i] ** 2
        return np.sum(work * x)

    for x in (V, 2 * V):
        gradient = wg.grad(f)(x)
        assert type(gradient) is np.ndarray
        np.testing.assert_allclose(gradient, 3 * x**2)


@pytest.mark.parametrize("value", [np.ones(2), np.ones((2, 3)), "text", [1.0, [2.0]]])
def test_a_write_that_fails_changes_neither_value_nor_history(value):
    x = leaf(V)
    y = x * 2.0
    for step in (lambda: y.__setitem__(Ellipsis, value), lambda: y.__setitem__(slice(0, 1), value)):
        with pytest.raises((ValueError, TypeError)):
            step()
    np.testing.assert_array_equal(y.data, 2 * V)
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad, [2.0] * 3)


# Memory order ----------------------------------------------------------------------------------------------------


def test_copies_keep_the_memory_order_that_numpys_keep():
    f_ordered = np.asfortranarray(A)
    for make in (
        np.copy,
        np.zeros_like,
        np.ones_like,
        np.empty_like,
        lambda a: np.full_like(a, 2.0),
        lambda a: a.copy(),
        lambda a: a + 1.0,
        np.sin,
        lambda a: a.T,
        lambda a: a.astype(np.float32),
    ):
        for array in (A, f_ordered):
            assert make(wg.tensor(array)).data.strides == make(array).strides


def test_what_is_a_view_depends_on_the_memory_order_alone():
    for array in (A, np.asfortranarray(A)):
        plain, x = array.copy("K"), leaf(array) * 1.0
        flats = [(plain.ravel(), x.ravel()), (plain.T.ravel(), x.T.ravel()), (plain.T.reshape(-1), x.T.reshape(-1))]
        flats += [(plain[::-1].ravel(), x[::-1].ravel()), (plain[:, :1].ravel(), np.ravel(x[:, :1]))]
        for target in (plain, x):
            target *= 3.0
            target[0] = 7.0
        for expected, got in flats:
            np.testing.assert_array_equal(got.data, expected)


def test_an_augmented_operation_keeps_the_memory_order_of_its_target():
    plain = np.asfortranarray(A)
    x = leaf(plain) * 1.0
    flat, expected = x.T.reshape(-1), plain.T.reshape(-1)
    x += np.ones((2, 3))
    plain += np.ones((2, 3))
    flat[0] = 7.0
    expected[0] = 7.0
    np.testing.assert_array_equal(x.data, plain)


def test_setting_data_keeps_the_memory_order():
    x = wg.tensor(np.asfortranarray(A))
    flat = x.T.reshape(-1)
    x.data = np.ascontiguousarray(2 * A)
    flat[0] = 7.0
    assert x.data[0, 0] == 7.0


@pytest.mark.parametrize("part", [slice(None), slice(1, 4)])
def test_writes_through_flattened_fortran_arrays(part):
    def f(x):
        y = x * 1.0
        flat = y.T.reshape(-1)[part]
        flat[...] = np.sin(flat) * np.arange(flat.size)
        return np.sum(np.sin(y) * np.arange(6.0).reshape(2, 3))

    check_gradients(f, np.asfortranarray(A))


# Small views of written buffers ----------------------------------------------------------------------------------


def test_a_view_of_a_small_view_of_a_written_buffer_stays_a_view():
    t = leaf(2.0)
    x = wg.zeros(8)
    x[0] = t
    small = x[:2]
    smaller, turned = small[:1], np.swapaxes(small, 0, -1)
    x[0] = 5 * t
    assert smaller.data[0] == turned.data[0] == 10.0


def test_a_flattened_copy_of_a_small_view_of_a_written_buffer_stays_a_copy():
    x = wg.zeros((4, 8))
    x[0, 0] = leaf(2.0)
    column = x[:, 0]
    flat = np.ravel(column)
    column[0] = 10.0
    assert flat.data[0] == 2.0


def test_a_row_read_from_a_written_buffer_keeps_its_value():
    def f(x):
        u = wg.zeros((8, 3)) if isinstance(x, wg.Tensor) else np.zeros((8, 3))
        u[0] = x
        for i in range(1, 8):
            u[i] = np.sin(u[i - 1]) * x
        u[0] = 0.0
        return np.sum(u)

    check_gradients(f, V)


# Zero-dimensional views ------------------------------------------------------------------------------------------


def test_zero_dimensional_views_are_written_in_place():
    def f(x):
        y = x * 1.0
        corner = y[1, ...]
        corner *= np.sin(np.sum(x))
        y[0, ...] += corner
        return np.sum(np.sin(y))

    check_gradients(f, V)


# Levels and modes ------------------------------------------------------------------------------------------------


def test_a_write_under_no_grad_changes_the_value_and_no_derivative():
    def f(x, write=True):
        y = x * x * x
        s = np.sin(y)
        if write:
            with wg.no_grad():
                y[0] = 7.0
        return np.sum(s) + np.sum(np.sin(y))

    for x in (V, V * 2):
        changed = wg.grad(lambda x: wg.grad(f)(x)[1] + wg.grad(f)(x)[2])(x)
        same = wg.grad(lambda x: wg.grad(lambda x: f(x, False))(x)[1] + wg.grad(lambda x: f(x, False))(x)[2])(x)
        np.testing.assert_allclose(changed, same)


def test_reading_a_view_under_no_grad_costs_it_nothing():
    def f(x, read):
        y = x * x
        view = y[:2]
        y[...] = np.sin(y)
        if read:
            with wg.no_grad():
                np.sum(view)
        return np.sum(np.sin(view))

    second = [wg.grad(lambda x, read=read: np.sum(wg.grad(lambda x: f(x, read))(x)))(V) for read in (False, True)]
    np.testing.assert_array_equal(*second)


def test_a_tensor_that_an_inner_level_has_used_may_be_written():
    outside = leaf(V)

    def f(x):
        b = outside * 1.0
        z = np.sum(x * b)
        b[...] = 100.0
        b *= x
        return z

    gradient = wg.grad(f)(np.ones(3))
    np.testing.assert_array_equal(gradient.data, V)
    np.sum(gradient * [1.0, 2.0, 3.0]).backward()
    np.testing.assert_array_equal(outside.grad, [1.0, 2.0, 3.0])


def test_a_buffer_rises_to_the_level_of_what_is_written_into_it():
    outside = leaf(V)

    def f(x):
        b = outside * 2.0
        b[1] = x[1] * b[0]
        return np.sum(b * x)

    gradient = wg.grad(f)(np.ones(3))
    b0 = 2 * V[0]
    np.testing.assert_allclose(gradient.data, [b0, 2 * b0, 2 * V[2]])
    np.sum(gradient).backward()
    np.testing.assert_allclose(outside.grad, [2 + 4.0, 0.0, 2.0])


def test_writes_into_the_transposed_gradient_of_broadcast_sums():
    def f(x):
        y = x * 1.0
        y[[1]] -= y[[1]] * 0.5
        return np.sum(np.sin(np.sum(y, axis=0)))

    check_gradients(f, A)


@pytest.mark.parametrize("axes", [(1, 0), (-1, 0), None])
def test_transposes_differentiate_twice(axes):
    check_gradients(lambda x: np.sum(np.sin(np.transpose(x, axes)) ** 2 * np.arange(6.0).reshape(3, 2)), A)


def test_parts_are_set():
    z = wg.tensor(np.array([1 + 2j, 3j]))
    z.real = np.array([5.0, 6.0])
    z.imag *= 2
    np.testing.assert_array_equal(z.numpy(), [5 + 4j, 6 + 6j])
    x = wg.tensor(np.zeros(2))
    x.real = 4
    np.testing.assert_array_equal(x.numpy(), [4, 4])
    with pytest.raises(wg.errors.DTypeError, match=r"\[imag\]"):
        x.imag = 1


def test_gradients_go_through_parts_that_are_set():
    def f(x):
        z = x.astype(complex)
        z.real = x**2
        z.imag = np.sin(x)
        return np.sum(np.abs(z) ** 2)

    x = np.array([0.5, 2.0])
    np.testing.assert_allclose(wg.grad(f)(x), 4 * x**3 + np.sin(2 * x))
