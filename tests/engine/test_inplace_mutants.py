"""Can the random programs see a broken engine? Each mutant takes one safeguard away, and must be found out."""

import sys

import numpy as np
from tests.engine import runners
from tests.engine.programs import Program

import wengert as wg
from wengert.errors import FreedGraphError

LARGE = [(600,), (24, 25)]


def replace(monkeypatch, name, make):
    """Replace a global of the engine, in each of its modules, by ``make(what it was)``."""
    owners = [m for key, m in list(sys.modules.items()) if key.startswith("wengert") and name in vars(m)]
    assert owners, f"the engine has no '{name}' any more"
    for module in owners:
        monkeypatch.setattr(module, name, make(vars(module)[name]))


def is_caught(check, options=None, seeds=range(400)):
    for seed in seeds:
        try:
            check(Program(seed, no_grad=wg.no_grad, **(options or {})))
        except (AssertionError, FreedGraphError):
            return True
    return False


def test_a_sound_engine_is_not_accused():
    assert not is_caught(runners.check_backward, seeds=range(100))


def test_writing_into_buffers_that_are_held_is_seen(monkeypatch):
    replace(monkeypatch, "_is_held", lambda f: lambda base: False)
    assert is_caught(runners.check_backward)


def test_adding_into_cotangents_that_are_held_is_seen(monkeypatch):
    replace(monkeypatch, "ALONE", lambda n: 10**6)
    assert is_caught(runners.check_backward)
    assert is_caught(runners.check_backward, {"shapes": LARGE})


def test_index_arrays_that_are_not_copied_are_seen(monkeypatch):
    replace(monkeypatch, "freeze", lambda f: lambda index: np.asarray(index) if isinstance(index, list) else index)
    assert is_caught(runners.check_backward)


def test_gradients_to_overwritten_duplicates_are_seen(monkeypatch):
    replace(monkeypatch, "_survivors", lambda f: lambda c, *rest: c)
    assert is_caught(runners.check_backward)


def test_a_written_region_that_keeps_its_old_cotangent_is_seen(monkeypatch):
    replace(monkeypatch, "_without_region", lambda f: lambda g, *rest: g)
    assert is_caught(runners.check_backward)


def test_skipping_writes_from_other_places_of_the_same_array_is_seen(monkeypatch):
    replace(monkeypatch, "_same_place", lambda f: lambda *places: True)
    assert is_caught(runners.check_backward)


def test_moving_a_buffer_into_another_memory_order_is_seen(monkeypatch):
    def in_c_order(own):
        def mutant(base, value):
            before = base._value
            own(base, value)
            if base._value is not before and isinstance(base._value, np.ndarray):
                base._value = base._value.copy(order="C")

        return mutant

    replace(monkeypatch, "own_buffer", in_c_order)
    assert is_caught(runners.check_backward)


def test_moving_a_tensor_to_a_result_of_another_memory_order_is_seen(monkeypatch):
    replace(monkeypatch, "_movable", lambda f: lambda t, result: not result._is_view and result._spec is t._spec)
    assert is_caught(runners.check_backward)


def test_views_that_stay_with_a_buffer_that_the_base_has_left_are_seen(monkeypatch):
    replace(monkeypatch, "window", lambda f: lambda view: view._array)
    assert is_caught(runners.check_backward)


def test_forgetting_what_a_partial_write_leaves_is_seen(monkeypatch):
    replace(monkeypatch, "_selects_all", lambda f: lambda index: True)
    assert is_caught(runners.check_backward)


def test_keeping_tensors_of_lower_levels_as_the_programs_own_is_seen(monkeypatch):
    replace(monkeypatch, "alias", lambda f: lambda value: value)
    assert is_caught(runners.check_mixed)


def test_nodes_of_views_that_outlive_a_write_are_seen(monkeypatch):
    def relink_once(relink):
        return lambda view, node: relink(view, node) if view._at is None else None

    monkeypatch.setattr(wg.Tensor._family.view, "_relink", relink_once(wg.Tensor._family.view._relink))
    assert is_caught(runners.check_backward)
