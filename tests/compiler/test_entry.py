import gc
import sys
import weakref
from contextvars import ContextVar
from dataclasses import replace
from types import CellType

import numpy as np
import pytest
from tests.compiler.arrays import misaligned, read_only
from tests.compiler.entries import FLOAT, ROW, SUM, UNKNOWN, Holder, X, Y, add_kernel, adder, one_result, operands

from wengert.compiler import errstate
from wengert.compiler.native import OBJECTS, Launch
from wengert.compiler.operands import (
    Again,
    Array,
    At,
    Contents,
    Equal,
    Exact,
    Number,
    Operands,
    Quiet,
    Same,
    Sized,
    slot_offset,
)


class Sub(np.ndarray):
    pass


class Liar:
    """Says that it is an array of three floats."""

    @property
    def __array_interface__(self):
        return {"shape": (3,), "typestr": "<f8", "data": (8, False), "version": 3}

    __class__ = np.ndarray
    shape, dtype, ndim, size = (3,), FLOAT, 1, 3


# Arguments --------------------------------------------------------------------------------------------------------


def test_what_fits_runs(kind):
    f = adder(kind=kind).function
    result = f(X, Y)
    assert type(result) is np.ndarray
    assert result.flags.owndata
    assert np.array_equal(result, SUM)
    assert not np.shares_memory(result, f(X, Y))


@pytest.mark.parametrize(
    "x",
    [
        np.repeat(X, 2)[::2],
        np.arange(3.0)[::-1][::-1],
        np.array([2.0, 1.0, 0.0])[::-1],
        misaligned(X),
        read_only(X),
        X.astype(np.dtype("f8", metadata={"unit": "m"})),
    ],
)
def test_arrays_that_lie_awkwardly_in_memory_serve_too(kind, x):
    assert np.array_equal(adder(kind=kind).function(x, Y), SUM)


COLUMNS = np.asfortranarray(np.arange(6.0).reshape(2, 3))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("x", [COLUMNS, COLUMNS.copy("C"), np.repeat(COLUMNS, 2, 0)[::2], misaligned(COLUMNS)])
def test_either_order_serves_unless_the_other_one_is_refused(kind, x, turned):
    asked = Array((2, 3), FLOAT, turned=turned)
    expected = (x.T if turned else x).ravel() + (x.T if turned else x).ravel()
    for strict in (False, True):
        given = operands(replace(asked, strict=strict), replace(asked, strict=strict))
        found = adder((2, 3), kind, given).function(x, x)
        if strict and (x.flags.c_contiguous if turned else x.flags.f_contiguous):
            assert found == (*UNKNOWN, 2, [])
        else:
            np.testing.assert_array_equal(found.ravel(), expected)


def test_an_array_in_the_other_order_is_not_written(kind):
    asked = Array((2, 3), FLOAT, written=True, turned=True)
    f = adder((2, 3), kind, operands(asked, Array((2, 3), FLOAT, turned=True))).function
    assert f(COLUMNS.copy("C"), COLUMNS) == (*UNKNOWN, 2, [])
    np.testing.assert_array_equal(f(COLUMNS.copy("F"), COLUMNS).ravel(), 2 * COLUMNS.T.ravel())


BAD = [
    None, 1, 1.0, True, "abc", b"abc", [0.0, 1.0, 2.0], (0.0, 1.0, 2.0), {}, object(), np.float64(1), np.float32(1),
    X.astype("f4"), X.astype(int), X.astype(complex), X.astype(">f8"), X.astype(object), X > 1, np.zeros((3, 1)),
    np.zeros(4), np.zeros(0), np.zeros(()), np.zeros((1, 3)), X.view(Sub), np.ma.masked_array(X, X > 1),
    X[None].view(np.matrix), np.broadcast_to(1.0, (2**40,)), np.zeros(3, "f8,f8"), np.zeros(3, "M8[s]"),
    np.zeros(3, "S8"), Liar(), np.ndarray, np.recarray(3, FLOAT), np.array(["a", "b", "c"]), memoryview(X), len, type,
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda x: type(x).__name__)
def test_everything_else_goes_to_the_slow_path(kind, bad):
    f = adder(kind=kind).function
    assert f(bad, Y) == (*UNKNOWN, 2, [])
    assert f(X, bad) == (*UNKNOWN, 2, [])
    assert np.array_equal(f(X, Y), SUM)


def test_numbers_of_arguments(kind):
    f = adder(kind=kind).function
    assert f() == (*UNKNOWN, 0, [])
    assert f(X) == (*UNKNOWN, 1, [])
    assert f(X, Y, X) == (*UNKNOWN, 3, [])
    assert f(*[X] * 300) == (*UNKNOWN, 300, [])
    assert f(X, y=Y) == (*UNKNOWN, 1, ["y"])
    assert f(x=X, y=Y) == (*UNKNOWN, 0, ["x", "y"])
    assert f(X, Y, z=X) == (*UNKNOWN, 2, ["z"])


def test_arguments_by_name(kind):
    f = adder(kind=kind, names=["other"]).function
    assert np.array_equal(f(X, other=Y), SUM)
    assert np.array_equal(f(X, **{"ot" + "her": Y}), SUM)
    assert f(X, another=Y) == (*UNKNOWN, 1, ["another"])
    assert f(X, Y) == (*UNKNOWN, 2, [])
    assert f(other=Y) == (*UNKNOWN, 0, ["other"])


@pytest.mark.parametrize(("cls", "value"), [(float, 2.5), (np.float64, np.float64(2.5))])
def test_numbers_are_inputs(kind, cls, value):
    f = adder((), kind, operands(Number(cls), Number(cls))).function
    result = f(value, cls(4))
    assert result == 6.5
    assert type(result) is np.float64
    assert f(value, 1) == (*UNKNOWN, 2, [])
    assert f(value, np.float32(1)) == (*UNKNOWN, 2, [])
    assert f(value, np.array(1.0)) == (*UNKNOWN, 2, [])


def test_arrays_without_axes(kind):
    f = adder((), kind, operands(Array((), FLOAT), Array((), FLOAT))).function
    assert f(np.array(1.0), np.array(2.0)) == 3.0
    assert f(np.array(1.0), np.float64(2.0)) == (*UNKNOWN, 2, [])


def test_arrays_without_elements(kind):
    f = adder((0, 3), kind).function
    assert f(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0, 3)
    assert f(np.zeros((3, 0)), np.zeros((0, 3))) == (*UNKNOWN, 2, [])


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (Equal(1), [1], [True, 1.0, 2, np.int64(1), "1", None]),
        (Equal(10**30), [10**30], [10**30 + 1]),
        (Equal("mean"), ["mean", "".join(["me", "an"])], ["sum", b"mean", None]),
        (Same(True), [True], [1, np.True_, False]),
        (Same(None), [None], [0, False]),
        (At(id(X)), [X], [Y, X.copy(), None]),
    ],
)
def test_fixed_arguments(kind, check, good, bad):
    given = operands(Array((3,), FLOAT), Array((3,), FLOAT))
    given.argument(2, check)
    f = adder(kind=kind, given=given, nargs=3).function
    for value in good:
        assert np.array_equal(f(X, Y, value), SUM)
    for value in bad:
        assert f(X, Y, value) == (*UNKNOWN, 3, [])


@pytest.mark.skipif(errstate.variable() is None, reason="NumPy keeps it otherwise")
@pytest.mark.parametrize("how", errstate.HOWS)
@pytest.mark.parametrize("error", ["divide", "over", "under", "invalid"])
def test_what_numpy_is_to_do_about_errors(kind, error, how):
    given = operands(Array((3,), FLOAT), Array((3,), FLOAT))
    given.context(errstate.variable(), Quiet())
    f = adder(kind=kind, given=given).function
    with np.errstate(**{error: how}, call=print):
        loud = how not in ("ignore", "warn")
        assert (f(X, Y)[0] == "slow") == loud == errstate.is_loud()
    assert np.array_equal(f(X, Y), SUM)


def nested():
    given = Operands()
    array = Array((3,), FLOAT)
    box = given.argument(0, Sized(dict, 2))
    pair = given.key(box, "pair", Sized(tuple, 2))
    given.item(pair, 0, array, pointer=0)
    given.item(pair, 1, Same(None))
    parts = given.key(box, "parts", Sized(list, 1))
    given.item(parts, 0, array, pointer=1)
    return given


def test_containers(kind):
    f = adder(kind=kind, given=nested(), nargs=1).function
    good = {"pair": (X, None), "parts": [Y]}
    assert np.array_equal(f(good), SUM)
    pair = type("Pair", (tuple,), {})
    for bad in (
        {}, {"pair": (X, None)}, good | {"more": 1}, good | {"pair": [X, None]}, good | {"pair": (X,)},
        good | {"pair": (X, 1)}, good | {"parts": []}, good | {"parts": [X, Y]}, good | {"parts": (Y,)},
        {"pair": (X, None), "part": [Y]}, {1: 2, 3: 4}, [good], type("D", (dict,), {})(good),
        good | {"pair": pair((X, None))},
    ):  # fmt: skip
        assert f(bad) == (*UNKNOWN, 1, [])


def test_keys_with_comparisons_that_raise():
    class Key:
        def __hash__(self):
            return hash("pair")

        def __eq__(self, other):
            raise ValueError("not comparable")

    f = adder(given=nested(), nargs=1).function
    assert f({Key(): 1, "parts": [Y]}) == (*UNKNOWN, 1, [])


def test_containers_that_change_while_they_are_looked_at():
    class Key:
        def __hash__(self):
            return hash("other")

        def __eq__(self, _):
            outer.clear()
            gc.collect()
            return False

    given, array = Operands(), Array((3,), FLOAT)
    box = given.argument(0, Sized(dict, 2))
    pair = given.key(box, "pair", Sized(tuple, 2))
    given.key(box, "other", Same(None, empty=True))
    given.item(pair, 0, array, pointer=0)
    given.item(pair, 1, array, pointer=1)
    f = adder(given=given, nargs=1).function
    for _ in range(10):  # each collects all garbage of the process
        outer = {"pair": (X.copy(), Y.copy()), Key(): 1}
        assert np.array_equal(f(outer), SUM)


def test_operands_know_what_they_lie_in():
    given = nested()
    with pytest.raises(ValueError, match="tuple or list"):
        given.item(0, 0, Same(None))
    with pytest.raises(ValueError, match="with an item 2"):
        given.item(1, 2, Same(None))
    with pytest.raises(ValueError, match="dictionary"):
        given.key(1, "a", Same(None))
    with pytest.raises(ValueError, match="certain class"):
        given.slot(0, "a", Same(None))
    with pytest.raises(ValueError, match="pointer"):
        given.argument(0, Array((3,), FLOAT))
    with pytest.raises(ValueError, match="slot"):
        slot_offset(Holder, "missing")


def test_context_variables(kind):
    variable, unset = ContextVar("variable", default=3), ContextVar("unset")
    given = operands(Array((3,), FLOAT), Array((3,), FLOAT))
    given.context(variable, Equal(3))
    given.context(unset, Same(None, empty=True))
    f = adder(kind=kind, given=given).function
    assert np.array_equal(f(X, Y), SUM)
    token = variable.set(4)
    assert f(X, Y) == (*UNKNOWN, 2, [])
    variable.reset(token)
    assert np.array_equal(f(X, Y), SUM)
    before = sys.getrefcount(variable.get())
    for _ in range(100):
        f(X, Y)
    assert abs(sys.getrefcount(variable.get()) - before) < 20
    unset.set(1)
    assert f(X, Y) == (*UNKNOWN, 2, [])


def test_the_same_object_again(kind):
    given = operands(Array((3,), FLOAT), Array((3,), FLOAT))
    given.argument(2, Again(1))
    f = adder(kind=kind, given=given, nargs=3).function
    assert np.array_equal(f(X, Y, Y), SUM)
    assert f(X, Y, X) == (*UNKNOWN, 3, [])
    assert f(X, Y, Y.copy()) == (*UNKNOWN, 3, [])


def test_objects_that_must_differ(kind):
    given = operands(Array((3,), FLOAT), Array((3,), FLOAT))
    given.distinct(0, "arrays")
    given.distinct(1, "arrays")
    given.distinct(given.fixed(X, Exact(np.ndarray)), "arrays", varies=False)
    f = adder(kind=kind, given=given).function
    assert np.array_equal(f(X.copy(), Y), SUM)
    for pair in ((Y, Y), (X, Y), (Y, X)):
        assert f(*pair) == (*UNKNOWN, 2, [])


def test_the_order_of_keys(kind):
    given = operands(Array((3,), FLOAT), Array((3,), FLOAT))
    given.argument(2, Sized(dict, 2, ("left", "right")))
    f = adder(kind=kind, given=given, nargs=3).function
    assert np.array_equal(f(X, Y, {"left": 0, "right": 0}), SUM)
    assert np.array_equal(f(X, Y, {"".join(["le", "ft"]): 0, "right": 0}), SUM)
    for other in ({"right": 0, "left": 0}, {"left": 0, 1: 0}, {"left": 0}, {}):
        assert f(X, Y, other) == (*UNKNOWN, 3, [])


def test_contents_that_must_be_the_same(kind):
    table = np.arange(6).reshape(2, 3)
    given = operands(Array((3,), FLOAT), Array((3,), FLOAT))
    given.fixed(table, Contents(table, table.tobytes()), pointer=3)
    f = adder(kind=kind, given=given, pointers=4).function
    assert np.array_equal(f(X, Y), SUM)
    table[1, 1] = 7
    assert f(X, Y) == (*UNKNOWN, 2, [])
    table[1, 1] = 4
    assert np.array_equal(f(X, Y), SUM)


# Captured state ---------------------------------------------------------------------------------------------------


def holding(kind, **settings):
    holder = Holder()
    holder.value = Y.copy()
    given = operands(Array((3,), FLOAT))
    captured = given.fixed(holder, Exact(Holder))
    given.slot(captured, "value", Array((3,), FLOAT), pointer=1)
    return holder, captured, adder(kind=kind, given=given, nargs=1, **settings).function


def test_slots_are_read_at_each_call(kind):
    holder, _, f = holding(kind)
    assert np.array_equal(f(X), SUM)
    holder.value = 2 * Y
    assert np.array_equal(f(X), X + 2 * Y)
    for other in (None, 3, np.zeros(4)):
        holder.value = other
        assert f(X) == (*UNKNOWN, 1, [])
    del holder.value
    assert f(X) == (*UNKNOWN, 1, [])


def test_empty_slots(kind):
    holder = Holder()
    given = operands(Array((3,), FLOAT), Array((3,), FLOAT))
    given.slot(given.fixed(holder, Exact(Holder)), "other", Same(None, empty=True))
    f = adder(kind=kind, given=given).function
    assert np.array_equal(f(X, Y), SUM)
    holder.other = None
    assert f(X, Y) == (*UNKNOWN, 2, [])


def test_attributes_of_arguments(kind):
    class Open:
        pass

    given, one, other = Operands(), Open(), Open()
    box = given.argument(0, Exact(Open))
    given.attribute(box, "value", Array((3,), FLOAT), pointer=0)
    given.attribute(box, "more", Array((3,), FLOAT), pointer=1)
    f = adder(kind=kind, given=given, nargs=1).function
    one.value, one.more, other.value = X, Y, X[::-1]
    assert np.array_equal(f(one), SUM)
    assert f(other)[:2] == UNKNOWN
    other.more = Y
    before = sys.getrefcount(X), sys.getrefcount(Y)
    for _ in range(100):
        assert np.array_equal(f(other), X[::-1] + Y)
    assert (sys.getrefcount(X), sys.getrefcount(Y)) == before
    assert f(3)[:2] == UNKNOWN
    with pytest.raises(ValueError, match="certain class"):
        given.attribute(1, "value", Same(None))


def test_cells(kind):
    cell = CellType(Y)
    given = operands(Array((3,), FLOAT))
    given.slot(given.fixed(cell), "cell_contents", Array((3,), FLOAT), pointer=1)
    f = adder(kind=kind, given=given, nargs=1).function
    assert np.array_equal(f(X), SUM)
    cell.cell_contents = 2 * Y
    assert np.array_equal(f(X), X + 2 * Y)
    del cell.cell_contents
    assert f(X) == (*UNKNOWN, 1, [])


def test_what_is_captured_stays_alive_during_the_run(kind):
    holder = Holder()
    holder.value = np.arange(3.0)
    watch = weakref.ref(holder.value)
    dead = []

    def let_go(_):
        holder.value = None
        gc.collect()
        dead.append(watch() is None)

    given = operands(Array((3,), FLOAT))
    given.slot(given.fixed(holder, Exact(Holder)), "value", Array((3,), FLOAT), pointer=1)
    launches = [Launch.python(let_go, [(OBJECTS, 0)]), Launch.kernel(add_kernel(), ROW, 3)]
    f = adder(kind=kind, given=given, nargs=1, launches=launches).function
    assert np.array_equal(f(Y), SUM)
    assert dead == [False]
    gc.collect()
    assert watch() is None


def test_results_are_stored(kind):
    answer = one_result()
    answer.result(0)
    answer.store(1, Holder, "value")
    holder, captured, f = holding(kind, answer=answer)
    assert captured == 1
    assert np.array_equal(f(X), X + Y)
    assert np.array_equal(f(X), 2 * X + Y)
    assert np.array_equal(holder.value, 2 * X + Y)
    before = sys.getrefcount(None)
    for _ in range(100):
        f(X)
    assert sys.getrefcount(holder.value) <= 3
    assert abs(sys.getrefcount(None) - before) < 20


def test_written_arguments(kind):
    given = operands(Array((3,), FLOAT, written=True), Array((3,), FLOAT))
    f = adder(kind=kind, given=given).function
    assert np.array_equal(f(X.copy(), Y), SUM)
    long = np.arange(8.0)
    assert np.array_equal(f(long[:3], long[3:6]), long[:3] + long[3:6])
    for bad in (read_only(X), np.arange(6.0)[::2], misaligned(X)):
        assert f(bad, Y) == (*UNKNOWN, 2, [])
    assert f(X, X) == (*UNKNOWN, 2, [])
    assert f(long[:3], long[2:5]) == (*UNKNOWN, 2, [])
    assert f(long[2:5], long[:3]) == (*UNKNOWN, 2, [])
    assert f(long[:3], long[:6:2]) == (*UNKNOWN, 2, [])


ONE = 0x3FF0000000000000
"""The whole number whose bits are those of 1.0."""


def test_whole_numbers_are_inputs(kind):
    f = adder((), kind, operands(Number(float), Number(int))).function
    assert f(2.0, ONE) == 3.0
    assert f(2.0, 0) == 2.0
    for bad in (True, 2**63, -(2**63) - 1, 2**200, 1.0, np.int64(1), None):
        assert f(2.0, bad) == (*UNKNOWN, 2, [])


def test_results_are_stored_in_dictionaries_and_lists(kind):
    box, items = {"sum": None, "other": 1}, [None, 2]
    given = operands(Array((3,), FLOAT), Array((3,), FLOAT))
    first, second = given.fixed(box), given.fixed(items, Sized(list, 2))
    answer = one_result()
    answer.result(0)
    answer.result(0)
    answer.store_index(second, 0)
    answer.store_key(first, "sum")
    f = adder(kind=kind, given=given, answer=answer).function
    before = sys.getrefcount("sum")
    for k in range(100):
        x = X + k
        assert np.array_equal(f(x, Y), x + Y)
        assert np.array_equal(box["sum"], x + Y)
        assert items[0] is box["sum"]
    assert list(box) == ["sum", "other"]
    assert sys.getrefcount(items[0]) <= 4
    assert abs(sys.getrefcount("sum") - before) < 5
    items.append(1)
    assert f(X, Y) == (*UNKNOWN, 2, [])


def test_results_are_copied_into_arrays(kind):
    into = np.zeros(3)
    given = operands(Array((3,), FLOAT, written=True), Array((3,), FLOAT))
    answer = one_result()
    answer.copy(2, 0, 24)
    f = adder(kind=kind, given=given, answer=answer).function
    for k in range(1, 4):
        result = f(into, Y)
        assert np.array_equal(result, k * Y)
        assert np.array_equal(into, k * Y)
        assert not np.shares_memory(result, into)
    assert f(into, into) == (*UNKNOWN, 2, [])
    assert f(read_only(X), Y) == (*UNKNOWN, 2, [])
    with pytest.raises(ValueError, match="nothing may follow a store"):
        answer.result(0)


def test_sizes_of_sets_and_items_of_known_tuples(kind):
    names, pair = {"a", "b"}, (X.copy(), 1)
    given = Operands()
    given.fixed(names, Sized(set, 2))
    known = given.fixed(pair, Same(pair))
    given.item(known, 0, Array((3,), FLOAT), pointer=0)
    given.argument(0, Array((3,), FLOAT), pointer=1)
    f = adder(kind=kind, given=given, nargs=1).function
    assert np.array_equal(f(Y), SUM)
    pair[0][:] = 0
    assert np.array_equal(f(Y), Y)
    names.discard("a")
    assert f(Y) == (*UNKNOWN, 1, [])
    names.add("c")
    assert np.array_equal(f(Y), Y)
    names.add("d")
    assert f(Y) == (*UNKNOWN, 1, [])
