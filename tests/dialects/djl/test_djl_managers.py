import numpy as np
import pytest

from wengert.dialects.djl import Engine, IllegalStateException, NDArrays, NDIndex, NDList, NDManager, Shape

USES = {
    "method": lambda x: x.add(1),
    "operator": lambda x: x * 2,
    "reflected": lambda x: 1 - x,
    "function": np.sin,
    "reduction": lambda x: x.max([0]),
    "comparison": lambda x: x.eq(1),
    "position": lambda x: x.argMax(),
    "reading": lambda x: x.toFloatArray(),
    "index": lambda x: x.get(0),
    "write": lambda x: x.set(NDIndex(0), 1),
    "in place": lambda x: x.addi(1),
    "second operand": lambda x: NDManager.newBaseManager().ones(Shape(4)).add(x),
    "second operand in place": lambda x: NDManager.newBaseManager().ones(Shape(4)).addi(x),
    "concat": lambda x: NDArrays.concat(NDList(x, x)),
    "copy": lambda x: x.duplicate(),
    "array": np.asarray,
    "attach": lambda x: x.attach(NDManager.newBaseManager()),
    "gradient": lambda x: x.setRequiresGradient(True),
    "stop": lambda x: x.stopGradient(),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_what_belonged_to_a_closed_manager_is_refused(use):
    with NDManager.newBaseManager() as base:
        with base.newSubManager() as scope:
            x = scope.ones(Shape(4))
            leftovers = [x, x.mul(2), x.get("0:4"), x.mul(base.ones(Shape(4)))]
        for left in leftovers:
            assert left.isReleased() and str(left) == "This array is already closed"
            with pytest.raises(IllegalStateException, match="closed"):
                use(left)


def test_results_belong_to_the_manager_of_the_first_operand():
    with NDManager.newBaseManager() as base, base.newSubManager() as scope:
        x, y = base.ones(Shape(2)), scope.ones(Shape(2))
        assert x.add(y).getManager() is base and y.add(x).getManager() is scope
        assert y.eq(1).getManager() is scope and y.reshape(1, 2).sum().getManager() is scope
        x.setRequiresGradient(True)
        with Engine.getInstance().newGradientCollector():
            assert y.mul(x).getManager() is scope and x.mul(y).exp().getManager() is base


def test_attached_and_detached_arrays_live_on():
    with NDManager.newBaseManager() as base:
        with base.newSubManager() as scope:
            x = scope.arange(4.0)
            attached, view, detached = x.add(1), x.reshape(2, 2), scope.ones(Shape(1))
            attached.attach(base)
            view.attach(base)
            detached.detach()
            lent = base.ones(Shape(2))
            lent.tempAttach(scope)
            returned = scope.ret(x.mul(3))
        assert attached.toFloatArray() == [1, 2, 3, 4] and view.sum().getFloat() == 6
        assert lent.getManager() is base and lent.sum().getFloat() == 2 and returned.getFloat(1) == 3
    assert detached.getFloat() == 1 and view.isReleased()


def test_a_manager_closes_those_below_it():
    base = NDManager.newBaseManager()
    child = base.newSubManager()
    x = child.newSubManager().ones(Shape(2))
    assert child.getParentManager() is base
    base.close()
    base.close()
    assert x.isReleased() and not child.isOpen()
    for refused in (lambda: child.ones(Shape(1)), child.newSubManager):
        with pytest.raises(IllegalStateException, match="closed"):
            refused()


def test_a_capped_manager_takes_no_more():
    with NDManager.newBaseManager() as manager:
        x = manager.ones(Shape(1))
        manager.cap()
        assert x.add(1).getFloat() == 2
        with pytest.raises(IllegalStateException, match="capped"):
            manager.ones(Shape(1))


def test_one_array_is_closed_and_the_rest_goes_on():
    with NDManager.newBaseManager() as manager:
        x = manager.arange(4.0)
        part = x.get("1:")
        part.close()
        with x.mul(2) as y:
            assert y.getFloat(1) == 2
        assert y.isReleased() and part.isReleased() and x.sum().getFloat() == 6


def test_arrays_that_nobody_holds_are_let_go():
    with NDManager.newBaseManager() as manager:
        kept = manager.ones(Shape(3))
        manager.ones(Shape(5))
        assert [a is kept for a in manager.getManagedArrays()] == [True]
