"""No step drops a gradient in silence: it works, or it raises and says what to write instead.

The same steps on tensors that need no gradient simply work.
"""

import array
import contextlib
import copy
import json
import math
import operator
import pickle
import re
import statistics
import warnings

import numpy as np
import pytest
import scipy.interpolate
import scipy.linalg
import scipy.special

import wengert as wg
from wengert.errors import LostGradientError, LostGradientWarning, MissingRuleError, RecordedCopyError

LOST = (LostGradientError, MissingRuleError)


@contextlib.contextmanager
def refused():
    """An error of ours, or one of Python's or NumPy's that ours has caused."""
    with pytest.raises(Exception) as caught:
        yield
    error, chain = caught.value, []
    while error is not None:
        assert error not in chain, "a circle of causes"
        chain.append(error)
        error = error.__cause__ or error.__context__
    assert any(isinstance(error, LOST) for error in chain), chain


def recorded(shape=()):
    return wg.tensor(np.full(shape, 0.5), requires_grad=True) * 1.0


def unrecorded(shape=()):
    return wg.tensor(np.full(shape, 0.5))


def store(target, index, value):
    target[index] = value


def add_in_place(target, value):
    target += value


def multiply_region(target, value):
    target[:1] *= value


plain = lambda: np.zeros(3)  # noqa: E731

# Steps that turn a tensor of one element into a plain value.
SCALAR_STEPS = {
    "np.asarray": np.asarray,
    "np.array": np.array,
    "np.array of a list": lambda t: np.array([t, 1.0]),
    "np.array of nested lists": lambda t: np.array([[t, 1.0], [2.0, t]]),
    "np.asarray of a tuple": lambda t: np.asarray((t, t)),
    "np.fromiter": lambda t: np.fromiter([t, t], float),
    "np.full": lambda t: np.full(3, t),
    "store": lambda t: store(plain(), 0, t),
    "store into a region": lambda t: store(plain(), slice(1), t),
    "store by a mask": lambda t: store(plain(), np.array([True, False, True]), t),
    "store by integers": lambda t: store(plain(), [0, 1], t),
    "store a list": lambda t: store(plain(), slice(2), [t, t]),
    "store into a matrix": lambda t: store(np.zeros((2, 2)), (0, 1), t),
    "store into a 0-d array": lambda t: store(np.zeros(()), (), t),
    "store into an array of floats": lambda t: store(array.array("d", [0.0]), 0, t),
    "fill": lambda t: plain().fill(t),
    "itemset": lambda t: plain().put([0], t),
    "np.put": lambda t: np.put(plain(), [0], t),
    "np.copyto": lambda t: np.copyto(plain(), t),
    "np.place": lambda t: np.place(plain(), np.ones(3, bool), [t]),
    "np.putmask": lambda t: np.putmask(plain(), np.ones(3, bool), t),
    "np.add.at": lambda t: np.add.at(plain(), [0], t),
    "plain +=": lambda t: add_in_place(plain(), t),
    "plain region *=": lambda t: multiply_region(plain(), t),
    "out=plain": lambda t: np.sin(t, out=np.zeros(np.shape(t))),
    "out=plain of add": lambda t: np.add(plain(), t, out=plain()),
    "out=plain of sum": lambda t: np.sum(t, out=np.zeros(())),
    "np.float64": np.float64,
    "np.float32": np.float32,
    "np.float64 of an operator": lambda t: np.float64(t * 2),
    "math.sin": math.sin,
    "math.sqrt of an expression": lambda t: math.sqrt(t + 1.0),
    "math.fsum": lambda t: math.fsum([t, t]),
    "math.hypot": lambda t: math.hypot(t, 1.0),
    "statistics.mean": lambda t: statistics.fmean([t, t]),
    "operator.setitem": lambda t: operator.setitem(plain(), 0, t),
}

# Steps with arrays.
ARRAY_STEPS = {
    "np.asarray": np.asarray,
    "np.array": np.array,
    "np.array of a list": lambda t: np.array([t, t]),
    "np.ascontiguousarray": np.ascontiguousarray,
    "store": lambda t: store(plain(), slice(None), t),
    "store by a mask": lambda t: store(plain(), np.ones(3, bool), t),
    "store a row": lambda t: store(np.zeros((2, 3)), 0, t),
    "store into flat": lambda t: store(plain().flat, slice(None), t),
    "np.copyto": lambda t: np.copyto(plain(), t),
    "np.put": lambda t: np.put(plain(), [0, 1, 2], t),
    "np.putmask": lambda t: np.putmask(plain(), np.ones(3, bool), t),
    "np.place": lambda t: np.place(plain(), np.ones(3, bool), t),
    "np.add.at": lambda t: np.add.at(plain(), [0, 1, 2], t),
    "plain +=": lambda t: add_in_place(plain(), t),
    "plain region *=": lambda t: multiply_region(np.zeros((1, 3)), t),
    "out=plain": lambda t: np.sin(t, out=plain()),
    "out=plain with where": lambda t: np.sin(t, out=plain(), where=np.array([True, False, True])),
    "out=plain of sum": lambda t: np.sum(t, axis=0, out=np.zeros(())),
    "out=plain of matmul": lambda t: np.matmul(np.eye(3), t, out=plain()),
    "out=plain of concatenate": lambda t: np.concatenate([t, t], out=np.zeros(6)),
    "np.frombuffer": np.frombuffer,
    "memoryview": memoryview,
    "masked array times": lambda t: np.ma.array(plain()) * t,
    "masked array function": np.ma.exp,
    "bytes": lambda t: np.asarray(t).tobytes(),
    "np.fromiter": lambda t: np.fromiter(t, float),
    "np.random": lambda t: np.random.default_rng(0).normal(t),
}
NOT_BUFFERS = {"np.frombuffer", "memoryview"}


@pytest.mark.parametrize("shape", [(), (1,)])
@pytest.mark.parametrize("name", SCALAR_STEPS)
def test_a_recorded_number_does_not_become_a_plain_one(name, shape):
    with refused():
        SCALAR_STEPS[name](recorded(shape))


@pytest.mark.parametrize("name", SCALAR_STEPS)
def test_an_unrecorded_number_becomes_a_plain_one(name):
    SCALAR_STEPS[name](unrecorded())
    with wg.no_grad():
        SCALAR_STEPS[name](wg.tensor(0.5, requires_grad=True) * 1.0)


@pytest.mark.parametrize("name", ARRAY_STEPS)
def test_a_recorded_array_does_not_become_a_plain_one(name):
    with pytest.raises((TypeError, BufferError)) if name in NOT_BUFFERS else refused():
        ARRAY_STEPS[name](recorded((3,)))


@pytest.mark.parametrize("name", sorted(set(ARRAY_STEPS) - NOT_BUFFERS))
def test_an_unrecorded_array_becomes_a_plain_one(name):
    ARRAY_STEPS[name](unrecorded((3,)))


@pytest.mark.parametrize("steps", [SCALAR_STEPS, ARRAY_STEPS])
def test_leaves_are_no_exception(steps):
    shape = () if steps is SCALAR_STEPS else (3,)
    for step in ("np.asarray", "np.array of a list", "store", "plain +=", "out=plain"):
        with refused():
            steps[step](wg.tensor(np.full(shape, 0.5), requires_grad=True))


@pytest.mark.parametrize("name", ["np.asarray", "np.array of a list", "store", "plain +=", "out=plain", "math.sin"])
def test_arguments_of_grad_are_no_exception(name):
    def f(x):
        SCALAR_STEPS[name](x)
        return x

    with refused():
        wg.grad(f)(0.5)


def test_storing_into_flat_is_an_error_of_numpys_own():
    store(plain().flat, 0, unrecorded())
    with pytest.raises((*LOST, ValueError)):
        store(plain().flat, 0, recorded())


def test_plain_arrays_are_left_as_they_were():
    target = plain()
    for step in (
        lambda t: store(target, 0, t),
        lambda t: add_in_place(target, t),
        lambda t: np.add(t, target, out=target),
        lambda t: np.add.at(target, [0], t),
    ):
        with refused():
            step(recorded())
    np.testing.assert_array_equal(target, np.zeros(3))


@pytest.mark.parametrize("name", ["np.asarray", "store", "plain +=", "out=plain", "math.sin", "np.float64"])
def test_messages_name_a_remedy(name):
    with pytest.raises((*LOST, ValueError)) as caught:
        SCALAR_STEPS[name](recorded())
    message = str(caught.value) + str(caught.value.__cause__)
    assert re.search(r"np\.stack|wg\.zeros|np\.zeros_like|detach|item\(\)|a \+ t", message)


# Written conversions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [recorded, unrecorded])
def test_written_conversions_read_the_value(make):
    t = make()
    assert float(t) == 0.5
    assert int(t) == 0
    assert complex(t) == 0.5 + 0j
    assert bool(t)
    assert t.item() == 0.5
    assert round(t) == 0
    assert round(t, 1).item() == 0.5
    assert t.tolist() == 0.5
    assert float(t * 2 + 1) == 2.0
    value = float(np.sum(make((3,)))) + float(
        t,
    )
    assert value == 2.0


@pytest.mark.parametrize("make", [recorded, unrecorded])
def test_formatting_reads_the_value(make):
    t = make()
    assert f"{t:.2f}" == "0.50"
    assert f"{t}".startswith(("0.5", "tensor(0.5"))
    assert "{:.1f}".format(t) == "0.5"  # noqa: UP032
    assert f"{float(t):.1f}" == "0.5"
    assert "tensor" in str(make((2,)))
    assert "0.5" in str(t)


@pytest.mark.parametrize("make", [recorded, unrecorded])
def test_conversions_inside_comprehensions_and_lambdas(make):
    ts = [make(), make()]
    assert [float(t) for t in ts] == [0.5, 0.5]
    assert {float(t) for t in ts} == {0.5}
    assert (lambda t: float(t))(ts[0]) == 0.5
    assert sum(float(t) for t in ts) == 1.0


def test_conversions_through_map_at_most_warn():
    ts = [recorded(), recorded()]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert list(map(float, ts)) == [0.5, 0.5]
    assert all(issubclass(w.category, LostGradientWarning) for w in caught)


def test_warnings_point_to_the_line():
    with pytest.warns(LostGradientWarning) as caught:
        list(map(float, [recorded()]))
    assert caught[0].filename == __file__


def test_questions_of_the_mathematics_module_read_the_value():
    t = recorded()
    assert math.isfinite(t)
    assert not math.isnan(t)
    assert not math.isinf(t)
    assert math.isclose(t, 0.5)
    assert (math.floor(t), math.ceil(t)) == (0, 1)


def test_formatting_with_a_percent_sign_reads_the_value():
    assert "%.1f" % recorded() == "0.5"  # noqa: UP031


def test_the_alias_of_a_written_conversion_counts_as_written():
    read = float
    assert read(recorded()) == 0.5


def test_numpy_conversions_of_a_detached_value_work():
    t = recorded((3,))
    np.testing.assert_array_equal(np.asarray(t.detach()), [0.5] * 3)
    np.testing.assert_array_equal(t.numpy(), t.data)
    target = plain()
    target[:] = t.detach()
    target += t.detach()
    np.testing.assert_array_equal(target, [1.0] * 3)


def test_control_flow_reads_values():
    t = recorded()
    assert "big" if t > 0.4 else "small"
    n = 0
    while t * n < 2:
        n += 1
    assert n == 4
    assert not (t > 1 or t < 0)
    assert max(t, 0.1) is t
    assert min([recorded((1,)), t]).ndim in (0, 1)


def test_sorting_and_extremes_keep_tensors():
    ts = [recorded() * k for k in (3, 1, 2)]
    assert [t.item() for t in sorted(ts)] == [0.5, 1.0, 1.5]
    assert max(ts) is ts[0]
    assert min(ts) is ts[1]
    assert sum(ts).requires_grad
    assert all(t.requires_grad for t in sorted(ts))


def test_the_truth_of_several_elements_is_an_error_as_in_numpy():
    with pytest.raises(ValueError, match="ambiguous"):
        bool(recorded((3,)))


def test_tensors_can_index_only_as_integers():
    values = [10, 20, 30]
    assert values[wg.tensor(1)] == 20
    assert list(range(wg.tensor(3))) == [0, 1, 2]
    with pytest.raises((TypeError, *LOST)):
        values[recorded()]


@pytest.mark.parametrize("function", [np.stack, np.concatenate, np.hstack, np.vstack])
def test_lists_of_tensors_are_joined(function):
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    np.sum(function([x * 2, x * 3])).backward()
    np.testing.assert_array_equal(x.grad, [5.0, 5.0])


@pytest.mark.parametrize(
    "function", [np.sum, np.mean, np.max, np.sin, lambda v: np.add(v, 1.0), np.cumsum, lambda v: np.where(True, v, 0.0)]
)
def test_lists_of_recorded_numbers_are_never_dropped(function):
    x = wg.tensor(2.0, requires_grad=True)
    try:
        y = function([x, x * 2])
    except LOST:
        return
    assert y.requires_grad


# Copies ----------------------------------------------------------------------------------------------------------


def test_recorded_tensors_are_not_pickled_or_deep_copied():
    for step in (pickle.dumps, copy.deepcopy):
        for t in (recorded(), recorded((3,)), recorded((3,))[1:]):
            with pytest.raises(RecordedCopyError, match="detach"):
                step(t)
            with pytest.raises(RecordedCopyError):
                step([t])


@pytest.mark.parametrize("step", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_leaves_are_pickled_and_deep_copied_with_their_gradients(step):
    x = wg.tensor(np.array([1.0, 2.0], np.float32), requires_grad=True)
    np.sum(x * x).backward()
    x.accumulation = "write"
    y = step(x)
    assert (y.requires_grad, y.is_leaf, y.accumulation, y.dtype) == (True, True, "write", np.float32)
    np.testing.assert_array_equal(y.data, x.data)
    np.testing.assert_array_equal(y.grad, x.grad)
    np.sum(y * 3).backward()
    np.testing.assert_array_equal(y.grad, [3.0, 3.0])
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])
    with wg.no_grad():
        y[0] = 100.0
    assert x.data[0] == 1.0


@pytest.mark.parametrize("step", [copy.deepcopy, copy.copy, lambda t: pickle.loads(pickle.dumps(t))])
def test_unrecorded_tensors_are_copied(step):
    for t in (unrecorded(), unrecorded((2, 3)), unrecorded((3,))[1:], wg.tensor(1)):
        y = step(t)
        assert y.dtype == t.dtype
        np.testing.assert_array_equal(y.data, t.data)
        assert not y.requires_grad
        if y.ndim:
            y[...] = 7.0
            assert not np.any(t.data == 7.0)


def test_deepcopy_keeps_shared_tensors_shared():
    x = wg.tensor([1.0], requires_grad=True)
    first, second = copy.deepcopy([x, x])
    assert first is second
    assert first is not x


def test_a_shallow_copy_of_a_recorded_tensor_is_recorded():
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    y = copy.copy(x)
    y[0] = 5.0
    np.sum(y * y).backward()
    np.testing.assert_array_equal(x.grad, [0.0, 4.0])


def test_gradients_can_be_pickled():
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    np.sum(x * x).backward()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(x.grad)), [2.0, 4.0])


def test_json_refuses_tensors_and_takes_what_tolist_gives():
    with pytest.raises(TypeError):
        json.dumps(recorded())
    assert json.dumps(recorded((2,)).tolist()) == "[0.5, 0.5]"


def test_object_arrays_are_not_made_behind_the_back():
    target = np.empty(1, object)
    try:
        target[0] = recorded()
    except LOST:
        return
    assert target[0].requires_grad


@pytest.mark.parametrize(
    ("f", "instead"),
    [
        (lambda x: scipy.special.logsumexp(x), "wengert.scipy.special.logsumexp"),
        (lambda x: np.sum(scipy.linalg.expm(np.outer(x, x))), "wengert.scipy.linalg.expm"),
        (lambda x: scipy.interpolate.CubicSpline(np.arange(3.0), x)(0.5), "wengert.scipy.interpolate.CubicSpline"),
        (lambda x: np.sum(np.array(x)), "wg.asarray"),
    ],
)
def test_where_there_is_one_like_scipys_it_is_named(f, instead):
    with pytest.raises(LostGradientError, match=instead) as raised:
        wg.grad(f)(np.ones(3))
    assert ("call wengert" in str(raised.value)) is instead.startswith("wengert")
