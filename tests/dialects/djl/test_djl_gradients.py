import math
import threading

import numpy as np
import pytest

from wengert.dialects.djl import DataType, Engine, EngineException, IllegalStateException, NDIndex, NDManager, Shape
from wengert.errors import GradientError

collector = Engine.getInstance().newGradientCollector


@pytest.fixture
def manager():
    with NDManager.newBaseManager() as manager:
        yield manager


@pytest.fixture
def x(manager):
    x = manager.arange(4.0)
    x.setRequiresGradient(True)
    return x


def test_gradients_are_zero_before_and_overwritten_by_each_collector(x):
    assert str(x.getGradient()) == "ND: (4) cpu() float32\n[0., 0., 0., 0.]"
    with collector() as gc:
        y = x.dot(x).mul(2)
        assert str(y) == "ND: () cpu() float32\n28."
        gc.backward(y)
    assert str(x.getGradient()) == "ND: (4) cpu() float32\n[ 0.,  4.,  8., 12.]"
    with collector() as gc:
        gc.backward(x.sum())
    assert x.getGradient().toFloatArray() == [1, 1, 1, 1]


def test_gradients_add_up_within_a_collector(x):
    with collector() as gc:
        for n in (1, 2, 3):
            gc.backward(x.mul(2))
            assert x.getGradient().toFloatArray() == [2 * n] * 4


def test_what_a_collector_does_not_reach_is_zero_in_it(x):
    with collector() as gc:
        gc.backward(x.sum())
    with collector():
        assert x.getGradient().toFloatArray() == [0] * 4


def test_zero_gradients_is_zero_whatever_was_there(x):
    with collector() as gc:
        gc.backward(x.mul(math.nan))
        handle = x.getGradient()
        assert handle.isNaN().all().getBoolean()
        gc.zeroGradients()
        assert handle.toFloatArray() == x.getGradient().toFloatArray() == [0] * 4
        gc.backward(x.sum())
        assert x.getGradient().toFloatArray() == [1] * 4


def test_a_handle_on_the_gradient_is_its_memory_and_can_be_closed(x):
    with collector() as gc:
        gc.backward(x.sum())
    x.getGradient().muli(3)
    handle = x.getGradient()
    handle.close()
    assert x.getGradient() is not handle and x.getGradient().toFloatArray() == [3] * 4


def test_a_gradient_has_the_type_of_its_array(manager):
    x = manager.create(np.array([1.0, 2.0]))
    x.setRequiresGradient(True)
    assert x.getGradient().getDataType() is DataType.FLOAT64
    with collector() as gc:
        gc.backward(x.mul(x).toType(DataType.FLOAT32, False))
    assert x.getGradient().contentEquals(manager.create(np.array([2.0, 4.0])))


def test_gradients_that_nobody_asked_for(manager, x):
    with pytest.raises(IllegalStateException, match="setRequiresGradient"):
        manager.ones(Shape(2)).getGradient()
    assert x.hasGradient() and not x.mul(2).hasGradient()
    x.setRequiresGradient(False)
    assert not x.hasGradient()
    with pytest.raises(IllegalStateException):
        x.getGradient()


def test_one_collector_is_open_at_a_time(x):
    refused = []

    def elsewhere():
        with pytest.raises(IllegalStateException):
            collector()
        refused.append(True)

    with collector() as gc:
        with pytest.raises(IllegalStateException, match="one is open"):
            collector()
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        gc.backward(x.sum())
        assert refused and x.getGradient().toFloatArray() == [1] * 4
    gc.close()
    with pytest.raises(ZeroDivisionError), collector():
        raise ZeroDivisionError
    with collector():
        pass


def test_a_collector_without_with():
    gc = collector()
    gc.close()
    with pytest.raises(IllegalStateException, match="closed"):
        gc.backward(NDManager.newBaseManager().ones(Shape(1)))


def test_only_what_is_computed_inside_is_recorded(x):
    outside = x.mul(2)
    elsewhere = []
    with collector() as gc:
        thread = threading.Thread(target=lambda: elsewhere.append(x.mul(2)))
        thread.start()
        thread.join()
        for y in (outside, elsewhere[0]):
            with pytest.raises(EngineException, match="setRequiresGradient"):
                gc.backward(y)
    x.subi(1)
    assert x.toFloatArray() == [-1, 0, 1, 2] and x.hasGradient()


def test_a_second_backward_is_refused(x):
    with collector() as gc:
        y = x.mul(x)
        gc.backward(y)
        with pytest.raises(EngineException, match="earlier backward"):
            gc.backward(y)


def test_parameters_are_not_changed_while_they_are_recorded(x):
    with collector(), pytest.raises(GradientError):
        x.subi(1)


def test_stop_and_scale(x):
    with collector() as gc:
        gc.backward(x.mul(x.stopGradient()))
        assert x.getGradient().eq(x).all().getBoolean()
        gc.zeroGradients()
        y = x.scaleGradient(0.5)
        gc.backward(y)
        assert y.eq(x).all().getBoolean() and x.getGradient().toFloatArray() == [0.5] * 4


def test_writes_are_recorded(manager, x):
    with collector() as gc:
        y = x.mul(2)
        y.addi(x)
        y.set(NDIndex(0), 7)
        y.get("1").muli(10)
        gc.backward(y)
    assert x.getGradient().toFloatArray() == [0, 30, 3, 3]


def test_results_can_collect_gradients_too(x):
    with collector() as gc:
        y = x.mul(2)
        y.setRequiresGradient(True)
        gc.backward(y.mul(y))
    assert y.getGradient().toFloatArray() == [0, 4, 8, 12] and x.getGradient().toFloatArray() == [0, 8, 16, 24]


OPERATIONS = {
    "sqrt": lambda a: a.sqrt(),
    "atan": lambda a: a.atan(),
    "toDegrees": lambda a: a.toDegrees(),
    "softmax": lambda a: a.softmax(-1).square(),
    "logSoftmax": lambda a: a.logSoftmax([1]),
    "norm": lambda a: a.norm(),
    "norm of rows": lambda a: a.norm([1], True),
    "max": lambda a: a.max([0]),
    "prod": lambda a: a.prod(),
    "cumSum": lambda a: a.cumSum(0),
    "matMul": lambda a: a.matMul(a.transpose()),
    "pick": lambda a: a.get(NDIndex().addAllDim().addPickDim(a.getManager().create([0, 2]))),
    "mask": lambda a: a.booleanMask(a.gt(2)),
    "topK": lambda a: a.topK(2, 1).get(0),
    "concat": lambda a: a.concat(a.square(), 1),
    "split": lambda a: a.split(3, 1).get(1),
    "repeat": lambda a: a.repeat(1, 2).mul(a.tile(1, 2)),
    "rotate90": lambda a: a.rotate90(1, [0, 1]).mul(a.transpose()),
    "put": lambda a: a.put(a.getManager().create([0]), 1.0).square(),
    "flatten": lambda a: a.flatten().flip(0).mul(a.flatten()),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_gradients_of_operations(manager, operation):
    start = np.array([[1.0, 4.0, 2.5], [3.0, 0.5, 6.0]])
    x = manager.create(start)
    x.setRequiresGradient(True)
    with collector() as gc:
        gc.backward(operation(x))
    steps = 1e-6 * np.eye(6).reshape(6, 2, 3)
    values = [[float(operation(manager.create(start + sign * step)).sum()) for step in steps] for sign in (1, -1)]
    slopes = (np.array(values[0]) - values[1]) / 2e-6
    assert np.allclose(x.getGradient().toDoubleArray(), slopes, rtol=1e-6, atol=1e-7)


def test_control_flow(manager):
    a = manager.randomNormal(Shape(1))
    a.setRequiresGradient(True)
    with collector() as gc:
        b = a.mul(2)
        while b.norm().getFloat() < 1000:
            b = b.mul(2)
        d = b if b.sum().getFloat() > 0 else b.mul(100)
        gc.backward(d)
        assert str(a.getGradient().eq(d.div(a))) == "ND: (1) cpu() boolean\n[ true]"
