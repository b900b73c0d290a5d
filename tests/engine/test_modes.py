"""Recording and training modes: context managers and decorators, per thread and per task."""

import asyncio
import inspect
import threading

import numpy as np
import pytest

import wengert as wg


def leaf():
    return wg.tensor([1.0, 2.0], requires_grad=True)


def modes():
    return wg.is_recording(), wg.is_training()


def test_recording_is_on_and_training_off_by_default():
    assert modes() == (True, False)


def test_no_grad_records_nothing():
    x = leaf()
    with wg.no_grad():
        y = x * 2
        assert not wg.is_recording()
    assert not y.requires_grad
    assert y.grad_fn is None
    assert (x * 2).requires_grad


def test_modes_nest_and_come_back():
    with wg.no_grad():
        with wg.enable_grad():
            assert wg.is_recording()
            with wg.no_grad():
                assert not wg.is_recording()
            assert wg.is_recording()
        assert not wg.is_recording()
    assert wg.is_recording()


def test_training_and_recording_are_independent():
    with wg.train_mode():
        assert modes() == (True, True)
        with wg.no_grad():
            assert modes() == (False, True)
            with wg.predict_mode():
                assert modes() == (False, False)
            assert modes() == (False, True)
    assert modes() == (True, False)


@pytest.mark.parametrize("mode", [wg.no_grad, wg.enable_grad, wg.train_mode, wg.predict_mode])
def test_an_exception_restores_the_mode(mode):
    before = modes()
    with pytest.raises(KeyError), mode():
        raise KeyError
    assert modes() == before


@pytest.mark.parametrize("mode", [wg.no_grad, wg.enable_grad, wg.train_mode, wg.predict_mode])
def test_one_mode_object_may_be_entered_again_inside_itself(mode):
    before = modes()
    shared = mode()
    with shared, shared:
        inside = modes()
    with shared:
        assert modes() == inside
    assert modes() == before


@pytest.mark.parametrize("decorator", [wg.no_grad, wg.no_grad()])
def test_a_decorated_function_runs_in_the_mode(decorator):
    @decorator
    def f(x, *, scale=1.0):
        """Scaled."""
        assert not wg.is_recording()
        return x * scale

    assert not f(leaf(), scale=3.0).requires_grad
    assert (f.__name__, f.__doc__) == ("f", "Scaled.")
    assert wg.is_recording()


def test_a_decorated_recursive_function_restores_the_mode():
    @wg.no_grad
    def f(n):
        return wg.is_recording() or (n and f(n - 1))

    assert not f(5)
    assert wg.is_recording()


def test_a_decorated_function_that_raises_restores_the_mode():
    @wg.train_mode
    def f():
        raise KeyError

    with pytest.raises(KeyError):
        f()
    assert not wg.is_training()


def test_decorated_methods_get_their_object():
    class Model:
        scale = 3.0

        @wg.no_grad()
        def predict(self, x):
            return x * self.scale

    assert not Model().predict(leaf()).requires_grad


# Generators ------------------------------------------------------------------------------------------------------


@wg.no_grad
def counting(log):
    try:
        for i in range(3):
            log.append((i, wg.is_recording()))
            received = yield i
            log.append((received, wg.is_recording()))
    except KeyError as error:
        log.append((type(error), wg.is_recording()))
        yield "caught"
    finally:
        log.append(("closed", wg.is_recording()))
    return "done"


def test_a_decorated_generator_has_the_mode_inside_and_not_where_it_waits():
    log = []
    assert inspect.isgeneratorfunction(counting)
    generator = counting(log)
    assert next(generator) == 0
    assert wg.is_recording()
    assert generator.send("sent") == 1
    assert wg.is_recording()
    assert generator.throw(KeyError()) == "caught"
    assert list(generator) == []
    assert log == [(0, False), ("sent", False), (1, False), (KeyError, False), ("closed", False)]


def test_a_decorated_generator_can_be_closed_and_delegated_to():
    log = []
    generator = counting(log)
    next(generator)
    generator.close()
    assert log[-1] == ("closed", False)

    def outer():
        return (yield from counting(log))

    generator, values = outer(), []
    try:
        while True:
            values.append(next(generator))
    except StopIteration as stop:
        assert stop.value == "done"
    assert values == [0, 1, 2]


def test_a_decorated_generator_that_raises_restores_the_mode():
    @wg.no_grad
    def failing():
        yield 1
        raise KeyError

    generator = failing()
    next(generator)
    with pytest.raises(KeyError):
        next(generator)
    assert wg.is_recording()


# Threads and tasks -----------------------------------------------------------------------------------------------


def test_a_new_thread_starts_recording():
    seen = []
    with wg.no_grad(), wg.train_mode():
        thread = threading.Thread(target=lambda: seen.append(modes()))
        thread.start()
        thread.join()
    assert seen == [(True, False)]


def test_a_mode_of_one_thread_is_not_seen_by_another():
    inside, leave = threading.Event(), threading.Event()

    def work():
        with wg.no_grad():
            inside.set()
            leave.wait()

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    recorded = (leaf() * 2).requires_grad
    leave.set()
    thread.join()
    assert recorded


def test_asyncio_tasks_have_modes_of_their_own():
    async def task(mode, log):
        with mode():
            for _ in range(3):
                await asyncio.sleep(0)
                log.append(wg.is_recording())

    async def main():
        off, on = [], []
        await asyncio.gather(task(wg.no_grad, off), task(wg.enable_grad, on))
        return off, on, wg.is_recording()

    assert asyncio.run(main()) == ([False] * 3, [True] * 3, True)


def test_a_decorated_coroutine_has_the_mode_for_its_whole_run():
    @wg.no_grad
    async def f(x):
        await asyncio.sleep(0)
        return x * 2

    async def main():
        results = await asyncio.gather(f(leaf()), f(leaf()))
        return [y.requires_grad for y in results], wg.is_recording()

    assert asyncio.run(main()) == ([False, False], True)
    assert inspect.iscoroutinefunction(f)


def test_a_decorated_asynchronous_generator_has_the_mode_inside_only():
    @wg.no_grad
    async def produce():
        for _ in range(2):
            await asyncio.sleep(0)
            yield wg.is_recording()

    async def main():
        return [(inside, wg.is_recording()) async for inside in produce()]

    assert asyncio.run(main()) == [(False, True)] * 2


# What the modes touch --------------------------------------------------------------------------------------------


def test_backward_works_under_no_grad():
    x = leaf()
    y = np.sum(x * x)
    with wg.no_grad():
        y.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])
    assert not x.grad.requires_grad


def test_gradients_are_not_recorded_unless_asked_for():
    x = leaf()
    np.sum(x * x).backward()
    assert not x.grad.requires_grad


def test_leaves_may_be_written_under_no_grad_and_stay_leaves():
    x = leaf()
    with wg.no_grad():
        x -= 0.5
        x[0] = 7.0
        x *= 2
    assert x.is_leaf
    assert x.requires_grad
    np.testing.assert_array_equal(x.data, [14.0, 3.0])


def test_a_tensor_that_does_not_require_grad_records_nothing():
    assert not (wg.tensor([1.0]) * 2).requires_grad


def test_a_leaf_can_be_made_under_no_grad():
    with wg.no_grad():
        x = leaf()
    np.sum(x * x).backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])


def test_a_view_made_under_no_grad_carries_no_gradient_but_shares_memory():
    x = leaf() * 1.0
    with wg.no_grad():
        view = x[:1]
    assert not view.requires_grad
    view[...] = 5.0
    np.testing.assert_array_equal(x.data, [5.0, 2.0])
