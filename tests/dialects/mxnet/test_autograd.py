"""MXNet's autograd: each behaviour that programs can see."""

import threading

import numpy as np
import pytest

from wengert import tape
from wengert.dialects.mxnet import autograd, base, nd
from wengert.errors import WengertError


def variable(values, **keywords):
    x = nd.array(values)
    x.attach_grad(**keywords)
    return x


def recorded(f, *inputs):
    with autograd.record():
        return f(*inputs)


# Flags -----------------------------------------------------------------------------------------------------------


def test_flags_are_off_at_first():
    assert not autograd.is_recording()
    assert not autograd.is_training()


def test_setters_return_the_previous_value():
    assert autograd.set_recording(True) is False
    assert autograd.set_recording(False) is True
    assert not autograd.is_recording()
    assert autograd.set_training(True) is False
    assert autograd.set_training(False) is True


def test_set_recording_inside_a_scope_ends_with_it():
    with autograd.record():
        assert autograd.set_recording(False) is True
        assert not autograd.is_recording()
    assert not autograd.is_recording()
    with autograd.pause():
        autograd.set_recording(True)
        assert autograd.is_recording()
    assert not autograd.is_recording()


@pytest.mark.parametrize("train_mode", [True, False])
def test_record_sets_both_flags(train_mode):
    with autograd.record(train_mode=train_mode):
        assert autograd.is_recording()
        assert autograd.is_training() is train_mode
    assert not autograd.is_recording()
    assert not autograd.is_training()


def test_scopes_nest_and_restore():
    with autograd.record():
        with autograd.pause():
            assert not autograd.is_recording()
            assert not autograd.is_training()
            with autograd.record(train_mode=False):
                assert autograd.is_recording()
                assert not autograd.is_training()
        assert autograd.is_recording()
        assert autograd.is_training()
        with autograd.pause(train_mode=True):
            assert autograd.is_training()


def test_scopes_restore_after_an_exception():
    with pytest.raises(ZeroDivisionError), autograd.record():
        raise ZeroDivisionError
    assert not autograd.is_recording()
    assert not autograd.is_training()


def test_a_scope_may_be_entered_again():
    scope = autograd.record()
    for _ in range(2):
        with scope:
            assert autograd.is_recording()
        assert not autograd.is_recording()


def test_mode_scopes_change_the_training_flag_only():
    with autograd.train_mode():
        assert autograd.is_training()
        assert not autograd.is_recording()
        with autograd.record(), autograd.predict_mode():
            assert autograd.is_recording()
            assert not autograd.is_training()


def test_scopes_decorate_functions():
    @autograd.record()
    def f(x):
        return x * x, autograd.is_training()

    x = variable([3.0])
    y, training = f(x)
    y.backward()
    assert training
    assert x.grad.asscalar() == 6
    assert not autograd.is_recording()


def test_flags_belong_to_the_thread():
    seen = []
    with autograd.record():
        thread = threading.Thread(target=lambda: seen.append((autograd.is_recording(), autograd.is_training())))
        thread.start()
        thread.join()
    assert seen == [(False, False)]


def test_dropout_is_the_identity_inside_pause():
    x = nd.ones((100,))
    with autograd.record():
        assert 0 < (nd.Dropout(x, p=0.5) == 0).sum().asscalar() < 100
        with autograd.pause():
            assert (nd.Dropout(x, p=0.5) == x).asnumpy().all()


# attach_grad -----------------------------------------------------------------------------------------------------


def test_a_buffer_of_zeros_is_there_at_once():
    x = nd.array([[1, 2]])
    assert x.grad is None
    x.attach_grad()
    assert x.grad.asnumpy().tolist() == [[0, 0]]
    assert x.grad.dtype == np.float32


def test_the_buffer_stays_the_same_array():
    x = variable([1.0, 2.0])
    taken, part = x.grad, x.grad[1:]
    recorded(lambda: x * x).backward()
    assert x.grad is taken
    assert taken.asnumpy().tolist() == [2, 4]
    assert part.asnumpy().tolist() == [4]
    recorded(lambda: x * 3).backward()
    assert taken.asnumpy().tolist() == [3, 3]


def test_write_overwrites_and_sums_within_one_pass():
    x = variable([1.0])
    for _ in range(2):
        recorded(lambda: x * 2 + x * 3).backward()
    assert x.grad.asscalar() == 5


def test_add_accumulates_until_the_user_sets_zeros():
    x = variable([1.0, 2.0], grad_req="add")
    for _ in range(3):
        recorded(lambda: x * 2).backward()
    assert x.grad.asnumpy().tolist() == [6, 6]
    x.grad[:] = 0
    recorded(lambda: x * 2).backward()
    assert x.grad.asnumpy().tolist() == [2, 2]


def test_null_is_skipped_but_has_a_buffer():
    x, w = variable([1.0], grad_req="null"), variable([3.0])
    recorded(lambda: x * w).backward()
    assert x.grad.asscalar() == 0
    assert w.grad.asscalar() == 1
    y = recorded(lambda: x * 2)
    with pytest.raises(base.MXNetError):
        y.backward()


def test_other_requests_are_key_errors():
    with pytest.raises(KeyError):
        nd.ones(2).attach_grad("sometimes")


def test_sparse_buffers_are_refused():
    with pytest.raises(base.MXNetError, match="row_sparse"):
        nd.ones(2).attach_grad(stype="row_sparse")


def test_integers_cannot_be_variables():
    with pytest.raises(base.MXNetError, match="int32"):
        nd.array([1], dtype="int32").attach_grad()


def test_attaching_again_makes_a_new_variable():
    x = variable([2.0])
    y = recorded(lambda: x * x)
    x.attach_grad()
    y.backward()
    assert x.grad.asscalar() == 0
    recorded(lambda: x * 5).backward()
    assert x.grad.asscalar() == 5


def test_a_view_can_be_a_variable():
    x = nd.arange(4).reshape((4, 1))
    x.attach_grad()
    recorded(lambda: 2 * nd.dot(x.T, x)).backward()
    assert x.grad.asnumpy().ravel().tolist() == [0, 4, 8, 12]


def test_an_intermediate_keeps_its_gradient_and_its_history():
    x = variable([1.0, 2.0, 3.0])
    y = recorded(lambda: x * 2)
    assert y.grad is None
    y.attach_grad()
    assert y.grad.asnumpy().tolist() == [0, 0, 0]
    z = recorded(lambda: y * x)
    z.backward()
    assert y.grad.asnumpy().tolist() == [1, 2, 3]
    assert x.grad.asnumpy().tolist() == [4, 8, 12]  # through y as well
    y.backward(y.grad)
    assert x.grad.asnumpy().tolist() == [2, 4, 6]


def test_the_history_of_an_intermediate_is_freed_by_its_own_pass():
    x = variable([1.0])
    y = recorded(lambda: x * x)
    y.attach_grad()
    for _ in range(2):
        recorded(lambda: y * 3).backward()  # what is in front is freed each time
    y.backward()
    with pytest.raises(base.MXNetError, match="retain_graph=True"):
        y.backward()


def test_an_intermediate_with_add_accumulates():
    x = variable([1.0])
    y = recorded(lambda: x * 2)
    y.attach_grad("add")
    for _ in range(2):
        recorded(lambda: y * 3).backward()
    assert y.grad.asscalar() == 6


def test_marking_an_intermediate_twice_is_an_error():
    x = variable([1.0])
    y = recorded(lambda: x * 2)
    y.attach_grad()
    with pytest.raises(base.MXNetError, match="already been marked"):
        y.attach_grad()


def test_a_result_whose_graph_is_gone_becomes_a_new_variable():
    x = variable([1.0])
    y = recorded(lambda: x * 2)
    y.backward()
    y.attach_grad()
    recorded(lambda: y * y).backward()
    assert y.grad.asscalar() == 4
    assert x.grad.asscalar() == 2


def test_drop_grad():
    x = variable([1.0])
    x.drop_grad()
    assert x.grad is None
    with pytest.raises(base.MXNetError):
        x.drop_grad()
    with pytest.raises(base.MXNetError):
        recorded(lambda: x * 2).backward()
    w = variable([2.0])
    y = recorded(lambda: w * 2)
    y.attach_grad()
    y.drop_grad()
    recorded(lambda: y * w).backward()
    assert y.grad is None
    assert w.grad.asscalar() == 8


def test_mark_variables_fills_the_callers_own_arrays():
    x, w = nd.array([1.0, 2.0]), nd.array([3.0, 4.0])
    gradients = nd.zeros((2, 2))
    gx, gw = gradients[0], nd.zeros(2)
    autograd.mark_variables([x, w], [gx, gw], grad_reqs=["write", "add"])
    for _ in range(2):
        recorded(lambda: x * w).backward()
    assert gx.asnumpy().tolist() == [3, 4]
    assert gradients.asnumpy().tolist() == [[3, 4], [0, 0]]
    assert gw.asnumpy().tolist() == [2, 4]
    assert x.grad is gx


def test_mark_variables_checks_the_buffers():
    with pytest.raises(base.MXNetError, match="mark_variables"):
        autograd.mark_variables(nd.ones(2), nd.ones(3))


# Backward --------------------------------------------------------------------------------------------------------


def test_heads_that_are_no_scalars_start_from_ones():
    x = variable([[1.0, 2.0], [3.0, 4.0]])
    recorded(lambda: x * x).backward()
    assert x.grad.asnumpy().tolist() == [[2, 4], [6, 8]]


def test_a_head_gradient():
    x = variable([[1, 2], [3, 4]])
    z = recorded(lambda: x * 2 * x)
    z.backward(nd.array([[10, 1.0], [0.1, 0.01]]))
    assert np.allclose(x.grad.asnumpy(), [[40, 8], [1.2, 0.16]])


def test_several_heads_with_and_without_gradients():
    x, w = variable([1.0, 2.0]), variable([3.0, 4.0])
    with autograd.record():
        y, z = x * 2, x * w
    autograd.backward([y, z], [None, nd.array([10.0, 10.0])])
    assert x.grad.asnumpy().tolist() == [32, 42]
    assert w.grad.asnumpy().tolist() == [10, 20]


def test_as_many_gradients_as_heads():
    x = variable([1.0])
    y = recorded(lambda: x * 2)
    with pytest.raises(AssertionError):
        autograd.backward([y], [None, None])


def test_a_gradient_of_another_shape():
    x = variable([1.0, 2.0])
    y = recorded(lambda: x * 2)
    with pytest.raises(WengertError, match=r"shape \(2,\)"):
        y.backward(nd.ones(3))


@pytest.mark.parametrize("recording", [True, False])
def test_nothing_recorded_and_freed_twice_are_the_same_error(recording):
    x = variable([1.0])
    if recording:
        y = recorded(lambda: x * 2)
        y.backward()
    else:
        y = x * 2
    with pytest.raises(base.MXNetError) as raised:
        y.backward()
    assert isinstance(raised.value, RuntimeError)
    assert isinstance(raised.value, WengertError)
    assert "autograd.record()" in str(raised.value)
    assert "retain_graph=True" in str(raised.value)


def test_a_freed_part_is_the_same_error():
    x = variable([1.0])
    with autograd.record():
        y = x * x
        z, u = y * 2, y * 3
    z.backward()
    with pytest.raises(base.MXNetError, match="retain_graph=True"):
        u.backward()


def test_retain_graph():
    x = variable([3.0])
    y = recorded(lambda: x * x)
    y.backward(retain_graph=True)
    x.grad[:] = 0
    y.backward()
    assert x.grad.asscalar() == 6


def test_backward_inside_record():
    x = variable([3.0])
    with autograd.record():
        y = x * x
        y.backward()
    assert x.grad.asscalar() == 6


def test_fresh_grad_is_set_by_backward():
    x = variable([1.0])
    assert not x._fresh_grad
    recorded(lambda: x * 2).backward()
    assert x._fresh_grad
    x._fresh_grad = False
    assert not x._fresh_grad


def test_what_is_computed_outside_record_is_a_constant():
    x = variable([3.0])
    c = x * 2
    recorded(lambda: x * c).backward()
    assert x.grad.asscalar() == 6


def test_pause_stops_recording():
    x = variable([3.0])
    with autograd.record():
        with autograd.pause():
            c = x * 2
        y = x * c
    y.backward()
    assert x.grad.asscalar() == 6


def test_detach_shares_data_and_leaves_the_graph():
    x = variable([1.0, 2.0])
    with autograd.record():
        y = x * x
        d = y.detach()
        z = d * x
    z.backward()
    assert x.grad.asnumpy().tolist() == [1, 4]
    d[0] = 7
    assert y.asnumpy().tolist() == [7, 4]
    assert d.grad is None


# grad ------------------------------------------------------------------------------------------------------------


def test_grad_gives_a_list_and_touches_no_buffer():
    x = variable([1.0, 2.0])
    y = recorded(lambda: x * x)
    gradients = autograd.grad(y, x)
    assert isinstance(gradients, list)
    assert type(gradients[0]) is nd.NDArray
    assert gradients[0].asnumpy().tolist() == [2, 4]
    assert x.grad.asnumpy().tolist() == [0, 0]


def test_grad_frees_unless_told_otherwise():
    x = variable([1.0])
    y = recorded(lambda: x * x)
    autograd.grad(y, x, retain_graph=True)
    autograd.grad(y, [x])
    with pytest.raises(base.MXNetError, match="retain_graph=True"):
        autograd.grad(y, x)


def test_grad_wants_variables():
    x, unmarked = variable([1.0]), nd.ones(1)
    with autograd.record():
        y = x * 2
        z = y * unmarked
    with pytest.raises(base.MXNetError, match=r"variable 2 .*does not require gradient"):
        autograd.grad(z, [x, y])
    with pytest.raises(AssertionError):
        autograd.grad(z, [])


def test_grad_of_a_marked_intermediate_and_of_an_unused_variable():
    x, unused = variable([3.0]), variable([1.0, 1.0])
    y = recorded(lambda: x * x)
    y.attach_grad()
    z = recorded(lambda: y * y)
    gy, gx, nothing = autograd.grad(z, [y, x, unused])
    assert gy.asscalar() == 18
    assert gx.asscalar() == 108
    assert nothing.asnumpy().tolist() == [0, 0]


def test_grad_with_several_heads():
    x = variable([1.0, 2.0])
    with autograd.record():
        y, z = x * 2, x * x
    (g,) = autograd.grad([y, z], x, head_grads=[None, nd.array([10.0, 10.0])])
    assert g.asnumpy().tolist() == [22, 42]


def test_derivatives_of_higher_order():
    x = variable([1.0, 2.0])
    with autograd.record():
        y = x * x * x
        (first,) = autograd.grad(y, x, create_graph=True)
        (second,) = autograd.grad(first, x, create_graph=True)
    second.backward()
    assert first.asnumpy().tolist() == [3, 12]
    assert second.asnumpy().tolist() == [6, 12]
    assert x.grad.asnumpy().tolist() == [6, 6]


def test_a_gradient_penalty():
    x, w = nd.array([[1.0, 2.0]]), variable([[3.0], [4.0]])
    x.attach_grad()
    with autograd.record():
        y = nd.dot(x, w)
        (g,) = autograd.grad(y * y, x, create_graph=True)
        penalty = (g * g).sum()
    penalty.backward()
    # g = 2 (x w) w^T, |g|^2 = 4 (x w)^2 w.w
    assert np.allclose(w.grad.asnumpy().ravel(), 8 * 11 * 25 * np.array([1, 2]) + 8 * 121 * np.array([3, 4]))


# In-place writes -------------------------------------------------------------------------------------------------


def add(x):
    x += 1


def multiply(x):
    x *= 2


def assign(x):
    x[:] = 7


def assign_part(x):
    x[0] = 7


def through_out(x):
    nd.exp(nd.ones(2), out=x)


def through_a_view(x):
    x.reshape((2, 1))[0] = 1


@pytest.mark.parametrize("write", [add, multiply, assign, assign_part, through_out, through_a_view])
@pytest.mark.parametrize("intermediate", [False, True])
def test_writes_are_refused_while_recording(write, intermediate):
    x = variable([1.0, 2.0])
    with autograd.record():
        y = x * 2 if intermediate else x
        with pytest.raises(base.MXNetError, match="in-place operations"):
            write(y)
    assert x.asnumpy().tolist() == [1, 2]


@pytest.mark.parametrize("write", [add, multiply, assign, assign_part, through_out])
def test_writes_outside_record_are_allowed(write):
    x = variable([1.0, 2.0])
    write(x)
    assert x.asnumpy().tolist() != [1, 2]
    recorded(lambda: x * 3).backward()
    assert x.grad.asnumpy().tolist() == [3, 3]


@pytest.mark.parametrize("write", [add, multiply, assign, assign_part, through_out])
def test_writes_into_arrays_in_no_graph_are_allowed(write):
    c = nd.array([1.0, 2.0])
    with autograd.record():
        write(c)
    assert c.asnumpy().tolist() != [1, 2]


def test_a_buffer_filled_while_recording_is_recorded():
    x = variable([1.0, 2.0])
    with autograd.record():
        buffer = nd.zeros((2,))
        buffer[:] = x * x
        y = buffer * 3
    y.backward()
    assert x.grad.asnumpy().tolist() == [6, 12]


def test_a_training_step():
    w, lr = variable([1.0, 2.0]), 0.5
    for _ in range(2):
        with autograd.record():
            loss = (w * w).sum()
        loss.backward()
        w -= lr * w.grad
        w[:] = w
    assert w.asnumpy().tolist() == [0, 0]


def test_values_changed_between_forward_and_backward_are_the_recorded_ones():
    x = variable([3.0])
    y = recorded(lambda: x * x)
    x[:] = 100
    y.backward()
    assert x.grad.asscalar() == 6


# Function --------------------------------------------------------------------------------------------------------


class Product(autograd.Function):
    def forward(self, a, b):
        assert not autograd.is_recording()
        self.save_for_backward(a, b)
        return a * b

    def backward(self, dy):
        assert not autograd.is_recording()
        a, b = self.saved_tensors
        return dy * b, dy * a * 10  # so that it shows which was used


def test_a_function():
    a, b = variable([1.0, 2.0]), variable([3.0, 4.0])
    with autograd.record():
        y = Product()(a, b) * 2
    y.backward()
    assert y.asnumpy().tolist() == [6, 16]
    assert a.grad.asnumpy().tolist() == [6, 8]
    assert b.grad.asnumpy().tolist() == [20, 40]


def test_a_function_is_called_once():
    f = Product()
    a = nd.ones(1)
    assert f(a, a).asscalar() == 1
    with pytest.raises(AssertionError):
        f(a, a)


def test_a_function_accumulates_where_asked_to():
    a, b = variable([1.0], grad_req="add"), variable([3.0], grad_req="write")
    for _ in range(2):
        recorded(lambda: Product()(a, b)).backward()
    assert a.grad.asscalar() == 6
    assert b.grad.asscalar() == 10


def test_inputs_after_one_without_gradient_get_theirs():
    a, b = variable([1.0], grad_req="null"), variable([3.0])
    recorded(lambda: Product()(a, b)).backward()
    assert b.grad.asscalar() == 10


class SumAndDifference(autograd.Function):
    def forward(self, a, b):
        return a + b, a - b

    def backward(self, ds, dd):
        return ds + dd, ds - dd


def test_a_function_of_several_outputs():
    a, b = variable([1.0]), variable([2.0])
    with autograd.record():
        s, d = SumAndDifference()(a, b)
        y = s * 10 + d
    y.backward()
    assert (a.grad.asscalar(), b.grad.asscalar()) == (11, 9)
    with autograd.record():
        s, d = SumAndDifference()(a, b)
    d.backward()
    assert (a.grad.asscalar(), b.grad.asscalar()) == (1, -1)


class Broken(autograd.Function):
    def __init__(self, result):
        super().__init__()
        self.result = result

    def forward(self, a, b):
        return a * b

    def backward(self, dy):
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.mark.parametrize(
    "result, error",
    [
        (nd.ones(2), base.MXNetError),
        ([nd.ones(2), nd.ones(3)], base.MXNetError),
        (ZeroDivisionError(), ZeroDivisionError),
    ],
)
def test_what_is_wrong_in_a_backward_step_is_told(result, error):
    a, b = variable([1.0, 2.0]), variable([3.0, 4.0])
    y = recorded(lambda: Broken(result)(a, b))
    with pytest.raises(error):
        y.backward()
    assert a.grad.asnumpy().tolist() == [0, 0]


def test_higher_derivatives_of_a_function_are_refused():
    a, b = variable([1.0]), variable([3.0])
    with autograd.record():
        y = Product()(a, b)
        with pytest.raises(base.MXNetError, match="create_graph"):
            autograd.grad(y, a, create_graph=True)


def test_symbols_are_refused():
    with pytest.raises(base.MXNetError, match="get_symbol"):
        autograd.get_symbol(nd.ones(1))


# Side by side with the engine -------------------------------------------------------------------------------------


def test_no_grad_of_the_engine_stops_recording():
    x = variable([1.0])
    with autograd.record(), tape.no_grad():
        assert not autograd.is_recording()
        y = x * 2
    with pytest.raises(base.MXNetError):
        y.backward()


def test_numpy_functions_are_recorded():
    x = variable([1.0, 2.0])
    recorded(lambda: np.sum(np.exp(x) * x)).backward()
    assert np.allclose(x.grad.asnumpy(), np.exp([1, 2]) * [2, 3])
    assert x.grad.dtype == np.float32
