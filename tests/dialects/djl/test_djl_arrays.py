import math

import numpy as np
import pytest

from wengert.dialects.djl import (
    DataType,
    Device,
    Engine,
    IllegalArgumentException,
    IllegalStateException,
    IndexOutOfBoundsException,
    NDArrays,
    NDIndex,
    NDList,
    NDManager,
    Shape,
)


@pytest.fixture
def manager():
    with NDManager.newBaseManager() as manager:
        yield manager


# Shapes, types, making --------------------------------------------------------------------------------------------


def test_shapes():
    shape = Shape(2, 3, 4)
    assert str(shape) == "(2, 3, 4)" and str(Shape()) == "()" and str(Shape(4)) == "(4)"
    assert (shape.size(), shape.size(1), shape.size(0, 2), shape.dimension()) == (24, 3, 8, 3)
    assert (shape.get(1), shape.head(), shape.tail(), shape.slice(1)) == (3, 2, 4, Shape(3, 4))
    assert shape.addAll(Shape(5)) == Shape(2, 3, 4, 5) == shape.add(5)
    assert Shape(-1, 2).size() == -1 and Shape().isScalar()
    with pytest.raises(IndexOutOfBoundsException):
        Shape().head()
    with pytest.raises(IllegalArgumentException):
        Shape(-2)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (4.0, DataType.FLOAT32),
        (4, DataType.INT32),
        (2**40, DataType.INT64),
        (True, DataType.BOOLEAN),
        ([1, 2.5], DataType.FLOAT32),
        ([[1, 2], [3, 4]], DataType.INT32),
        (np.array([1.0]), DataType.FLOAT64),
        (np.array([1], np.int8), DataType.INT8),
    ],
)
def test_overloads_of_create_follow_the_types_of_python(manager, data, kind):
    assert manager.create(data).getDataType() is kind


def test_arange_is_whole_or_not_as_its_arguments_are(manager):
    assert str(manager.arange(4.0)) == "ND: (4) cpu() float32\n[0., 1., 2., 3.]"
    assert str(manager.arange(4)) == "ND: (4) cpu() int32\n[ 0,  1,  2,  3]"
    assert manager.arange(1, 7, 2).toIntArray() == [1, 3, 5]
    assert manager.arange(0, 1, 0.5).toFloatArray() == [0.0, 0.5]


def test_making(manager):
    assert manager.create([1.0, 2, 3, 4], Shape(2, 2)).getShape() == Shape(2, 2)
    assert manager.create(Shape(2, 0)).size() == 0
    assert manager.full(Shape(2), 7).toIntArray() == [7, 7]
    assert manager.eye(2).toFloatArray() == [1, 0, 0, 1]
    assert manager.eye(2, 3, 1, DataType.INT32).toIntArray() == [0, 1, 0, 0, 0, 1]
    assert manager.linspace(0, 1, 3).toFloatArray() == [0, 0.5, 1]
    assert manager.zeros(Shape(2), DataType.INT64).getDataType() is DataType.INT64
    with pytest.raises(IllegalArgumentException, match=r"shape \(3\)"):
        manager.create([1.0, 2.0], Shape(3))
    with pytest.raises(IllegalArgumentException, match="gpu"):
        manager.zeros(Shape(2), DataType.FLOAT32, Device.gpu())


def test_random_numbers_start_from_a_seed(manager):
    def draw():
        manager.getEngine().setRandomSeed(3)
        return [
            manager.randomNormal(Shape(2)),
            manager.randomNormal(5.0, 0.1, Shape(2, 2), DataType.FLOAT64),
            manager.randomUniform(1, 2, Shape(3)),
            manager.randomInteger(0, 9, Shape(3)),
            manager.truncatedNormal(Shape(4)),
            manager.randomPermutation(5),
            manager.randomMultinomial(10, manager.create([0.5, 0.5])),
        ]

    first, second = draw(), draw()
    assert all(a.contentEquals(b) for a, b in zip(first, second, strict=True))
    assert [a.getDataType() for a in first[:4]] == [
        DataType.FLOAT32,
        DataType.FLOAT64,
        DataType.FLOAT32,
        DataType.INT64,
    ]
    assert first[6].sum().getLong() == 10


# Printing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (28.0, "ND: () cpu() float32\n28."),
        ([0.0, 4.0, 8.0, 12.0], "ND: (4) cpu() float32\n[ 0.,  4.,  8., 12.]"),
        ([True, False], "ND: (2) cpu() boolean\n[ true, false]"),
        ([1, -20], "ND: (2) cpu() int32\n[  1, -20]"),
        ([0.5, 0.0625, -1.0], "ND: (3) cpu() float32\n[ 0.5   ,  0.0625, -1.    ]"),
        ([1000.5, 0.25], "ND: (2) cpu() float32\n[ 1.00050000e+03,  2.50000000e-01]"),
        ([math.nan, math.inf, 1.5], "ND: (3) cpu() float32\n[nan, inf, 1.5]"),
        ([[1.0, 2.0], [3.0, 4.0]], "ND: (2, 2) cpu() float32\n[[1., 2.],\n [3., 4.],\n]"),
        (np.array([10, 255], np.uint8), "ND: (2) cpu() uint8\n[0x0A, 0xFF]"),
        (np.zeros((0,), np.float32), "ND: (0) cpu() float32\n[]"),
        (np.zeros(1001, np.float32), "ND: (1001) cpu() float32\n[ Exceed max print size ]"),
    ],
)
def test_printed_form(manager, data, text):
    assert str(manager.create(data)) == manager.create(data).toString() == text


def test_long_rows_and_columns_are_cut(manager):
    rows = str(manager.arange(22.0).reshape(11, 2)).splitlines()
    assert rows[-1] == " ... 1 more]" and len(rows) == 12
    assert str(manager.arange(21)).endswith("18, 19, ... 1 more]")


def test_names_and_gradients_are_printed(manager):
    x = manager.ones(Shape(1))
    x.setName("w")
    x.setRequiresGradient(True)
    assert str(x) == "w: (1) cpu() float32 hasGradient\n[1.]"
    assert x.toDebugString(False) == "w: (1) cpu() float32 hasGradient"


# Operations -------------------------------------------------------------------------------------------------------


def test_arithmetic_keeps_single_precision(manager):
    x, n = manager.create([1.0, 4.0]), manager.create([1, 4])
    for result in (x.add(1), x.mul(0.1), x.div(3), n.div(3), n.mul(0.5), x.add(n), n.sqrt(), n.mean(), x.norm()):
        assert result.getDataType() is DataType.FLOAT32
    assert n.add(1).getDataType() is DataType.INT32
    assert (x + n).toFloatArray() == [2, 8] and (2 - x).toFloatArray() == [1, -2]
    assert (x @ x).getFloat() == 17 and (x == n).toBooleanArray() == [True, True]


def test_in_place(manager):
    x = manager.create([1.0, 4.0])
    same = x.addi(1).muli(x).subi(4).divi(3).powi(2).negi()
    assert same is x and x.toFloatArray() == [0, -49]
    assert x.absi() is x and x.toFloatArray() == [0, 49]
    assert x.modi(10).toFloatArray() == [0, 9]


def test_reductions(manager):
    x = manager.create([[1.0, 2.0], [3.0, 5.0]])
    assert x.sum([0]).toFloatArray() == [4, 7] and x.sum([1], True).getShape() == Shape(2, 1)
    assert (x.max().getFloat(), x.min([1]).toFloatArray(), x.prod().getFloat()) == (5, [1, 3], 30)
    assert x.mean([0, 1]).getFloat() == 2.75 and x.cumSum(1).toFloatArray() == [1, 3, 3, 8]
    assert (x.argMax().getLong(), x.argMin(0).toLongArray()) == (3, [0, 0])
    assert x.norm().getFloat() == pytest.approx(39**0.5) and x.norm(True).getShape() == Shape(1, 1)
    assert x.norm([1]).toFloatArray() == pytest.approx([5**0.5, 34**0.5]) and x.norm(1, [0], False).getFloat(1) == 7
    assert (x.all().getBoolean(), x.none().getBoolean(), x.countNonzero().getLong()) == (True, False, 4)
    values, positions = x.topK(1, 1)
    assert (values.toFloatArray(), positions.toLongArray()) == ([2, 5], [1, 1])


def test_shapes_of_arrays(manager):
    x = manager.arange(6.0).reshape(2, 3)
    assert x.reshape(Shape(-1, 2)).getShape() == Shape(3, 2) == x.transpose().getShape()
    assert x.expandDims(0).getShape() == Shape(1, 2, 3) and x.expandDims(0).squeeze([0]).getShape() == Shape(2, 3)
    assert x.flatten().getShape() == Shape(6) and x.reshape(1, 2, 3).flatten(0, 1).getShape() == Shape(2, 3)
    assert x.concat(x, 1).getShape() == Shape(2, 6) and NDArrays.stack(NDList(x, x)).getShape() == Shape(2, 2, 3)
    assert [part.getShape() for part in x.split([1], 1)] == [Shape(2, 1), Shape(2, 2)]
    assert x.tile(0, 2).getShape() == Shape(4, 3) and x.repeat(Shape(2, 6)).get("0").toFloatArray() == [
        0,
        0,
        1,
        1,
        2,
        2,
    ]
    assert x.flip(1).toFloatArray() == [2, 1, 0, 5, 4, 3] and x.broadcast(2, 2, 3).size() == 12
    assert (x.size(), x.size(1), x.isScalar(), x.isEmpty()) == (6, 3, False, False)
    assert x.rotate90(1, [0, 1]).toFloatArray() == [2, 5, 1, 4, 0, 3]


def test_choice(manager):
    x = manager.create([3.0, 1.0, 2.0])
    assert x.sort().toFloatArray() == [1, 2, 3] and x.argSort().toLongArray() == [1, 2, 0]
    assert x.argSort(0, False).toLongArray() == [0, 2, 1] and x.clip(1.5, 2.5).toFloatArray() == [2.5, 1.5, 2]
    assert x.take(manager.create([2, 0])).toFloatArray() == [2, 3]
    assert NDArrays.where(x.gt(1), x, x.neg()).toFloatArray() == [3, -1, 2]
    assert manager.create([1, 0]).oneHot(2).toFloatArray() == [0, 1, 1, 0]
    assert manager.create([[1.0, 2.0], [3.0, 4.0]]).sequenceMask(manager.create([1, 2])).toFloatArray() == [1, 0, 3, 4]
    assert x.gather(manager.create([1, 1]), 0).toFloatArray() == [1, 1]
    assert x.scatter(manager.create([1]), 9.0, 0).toFloatArray() == [3, 9, 2] and x.getFloat(1) == 1


def test_static_functions_take_a_number_first(manager):
    x = manager.create([1.0, 2.0])
    assert NDArrays.sub(3, x).toFloatArray() == [2, 1] and NDArrays.add(x, x, x).toFloatArray() == [3, 6]
    assert NDArrays.gt(1.5, x).toBooleanArray() == [True, False]
    assert NDArrays.subi(3, x) is x and x.toFloatArray() == [2, 1]


def test_numbers_are_read_in_their_own_type(manager):
    x = manager.create([[1.0, 2.0]])
    assert x.getFloat(0, 1) == 2 and x.toArray() == [1, 2]
    with pytest.raises(IllegalStateException, match="toType"):
        x.toIntArray()
    with pytest.raises(IllegalArgumentException):
        x.getFloat()
    assert x.toType(DataType.INT32, False).toIntArray() == [1, 2] and x.toType(DataType.FLOAT32, False) is x
    assert x.contentEquals(x.duplicate()) and not x.contentEquals(x.toType(DataType.FLOAT64, True))
    assert x.allClose(x.add(1e-9)) and manager.ones(Shape(2)).contentEquals(1)


def test_plain_numpy_functions_work(manager):
    x = manager.create([0.0, 1.0])
    assert np.exp(x).getFloat(0) == 1 and np.asarray(x).tolist() == [0, 1]


# Indices ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (("1:",), np.s_[1:]),
        ((":, 1:3",), np.s_[:, 1:3]),
        (("*, -1",), np.s_[:, -1]),
        (("..., ::2",), np.s_[..., ::2]),
        (("0, ...",), np.s_[0]),
        (("{}, {}:{}", 1, 0, 2), np.s_[1, 0:2]),
        ((1, 2), np.s_[1, 2]),
        ((NDIndex(1),), np.s_[1]),
        ((NDIndex().addAllDim().addSliceDim(1, 3),), np.s_[:, 1:3]),
        ((NDIndex.sliceAxis(1, 0, 2),), np.s_[:, :2]),
    ],
)
def test_indices(manager, index, expected):
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    part = manager.create(x).get(*index)
    assert part.toArray() == x[expected].ravel().tolist() and part.getShape() == x[expected].shape


def test_arrays_as_indices(manager):
    x = manager.create([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    columns = manager.create([0, 2])
    assert x.get(":, {}", columns).toFloatArray() == [1, 3, 4, 6]
    picked = x.get(NDIndex().addAllDim().addPickDim(columns))
    assert (picked.toFloatArray(), picked.getShape()) == ([1, 6], Shape(2, 1))
    assert x.get(x.gt(4)).toFloatArray() == [5, 6] and x.get(manager.create([False, True])).getShape() == Shape(1, 3)


def test_writing_into_parts(manager):
    x = manager.zeros(Shape(2, 3))
    x.set(NDIndex("0, 1:"), manager.create([1.0, 2.0]))
    x.set(NDIndex(":, 0"), 7)
    x.set(NDIndex("1, 2"), lambda part: part.add(5))
    x.setScalar(NDIndex(1, 1), 4)
    assert x.toFloatArray() == [7, 1, 2, 7, 4, 5]
    x.set(x.gt(4), 0)
    assert x.toFloatArray() == [0, 1, 2, 0, 4, 0]
    x.get("1").addi(1)
    assert x.toFloatArray() == [0, 1, 2, 1, 5, 1]
    x.set([6, 5, 4, 3, 2, 1])
    assert x.toFloatArray() == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "index", [("1;2",), ("{}",), ("1", 2), ("..., ...",), ("{}", "1"), ("{}:", 1.5)], ids=lambda index: str(index)
)
def test_bad_indices(manager, index):
    with pytest.raises(IllegalArgumentException):
        manager.zeros(Shape(3, 3)).get(*index)


def test_lists(manager):
    x, y = manager.ones(Shape(1)), manager.zeros(Shape(2))
    y.setName("y")
    arrays = NDList(x).add(y)
    assert arrays.head() is x and arrays.get("y") is y and arrays.size() == 2 and arrays.contains("y")
    assert NDList(x).singletonOrThrow() is x and arrays.getShapes() == [Shape(1), Shape(2)]
    assert arrays.subNDList(1).head() is y and NDList([x]).addAll(NDList(y, y)).size() == 3
    with pytest.raises(IndexOutOfBoundsException):
        arrays.singletonOrThrow()
    with pytest.raises(IndexOutOfBoundsException):
        arrays.get("z")
    arrays.close()
    assert x.isReleased() and y.isReleased()


# Parts and elements by position -----------------------------------------------------------------------------------


def test_positions_may_name_less_than_the_array_holds(manager):
    x = manager.arange(20.0).reshape(-1, 4)
    assert x.gather(manager.create([[0, 0], [2, 1], [1, 2]]), 1).toArray() == [0, 0, 6, 5, 9, 10]
    written = manager.zeros(Shape(3, 3)).scatter(
        manager.create([[0], [2]]), manager.create([[1.0, 8.0], [2.0, 9.0]]), 1
    )
    assert written.toArray() == [1, 0, 0, 0, 0, 2, 0, 0, 0]
    assert x.gatherNd(manager.create([[0, 4], [1, 3]])).toArray() == [1, 19]
    assert x.gatherNd(manager.create([[1, 0]])).toArray() == [4, 5, 6, 7, 0, 1, 2, 3]


def test_the_same_text_of_an_index_may_be_read_again_and_again(manager):
    x = manager.arange(12.0).reshape(3, 4)
    for _ in range(2):
        assert x.get(":, 1").toArray() == [1, 5, 9]
        assert x.get("{}, 1:", 2).toArray() == [9, 10, 11]
        with pytest.raises(IllegalArgumentException):
            x.get("one")


def test_elements_by_their_index(manager):
    x = manager.arange(6.0).reshape(2, 3)
    assert (x.getFloat(1, 2), x.getFloat(-1, 0), manager.create(4.0).getFloat()) == (5, 3, 4)
    assert x.get(1, 2).isScalar() and x.get().contentEquals(x)
    x.get(1, 2).addi(1)
    assert x.getFloat(1, 2) == 6
    for wrong in (lambda: x.getFloat(1), lambda: x.getFloat()):
        with pytest.raises(IllegalArgumentException, match="one element"):
            wrong()
    x.close()
    for closed in (lambda: x.get(0), lambda: x.getFloat(0, 0), lambda: x.get("0")):
        with pytest.raises(IllegalStateException):
            closed()


def test_special_functions(manager):
    x = manager.create([0.25, 0.5])
    x.setRequiresGradient(True)
    assert x.erf().toArray() == pytest.approx([math.erf(0.25), math.erf(0.5)])
    assert x.erf().erfinv().toArray() == pytest.approx([0.25, 0.5])
    assert x.gammaln().toArray() == pytest.approx([math.lgamma(0.25), math.lgamma(0.5)])
    with Engine.getInstance().newGradientCollector() as gc:
        gc.backward(x.erf())
    assert x.getGradient().toArray() == pytest.approx([2 / math.sqrt(math.pi) * math.exp(-v * v) for v in (0.25, 0.5)])
