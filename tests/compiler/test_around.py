"""What lies around a function, and answers for itself: modules, classes, slots, containers of the user's, references.

Every case is called, changed from outside, and called again; by itself and compiled it gives the same.
"""

import abc
import asyncio
import builtins
import collections
import concurrent.futures
import contextlib
import ctypes
import dataclasses
import enum
import functools
import gc
import importlib
import inspect
import io
import itertools
import mmap
import operator
import sys
import threading
import types
import weakref

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

import wengert as wg

ONE = np.ones(1)


def agree(case, is_compiled=True):
    """Whether a function gives the same, and is compiled or not; ``case()`` gives it, and what changes something."""
    found = []
    for wrap in (lambda f: f, wg.compile):
        function, *changes = case()
        function = wrap(function)
        values = []
        for change in (lambda: None, *changes):
            change()
            values += [np.array(function(ONE)).tolist() for _ in range(4)]
        found.append(values)
    assert found[1] == found[0]
    stats = function.stats()
    assert is_compiled == bool(stats["paths"] and not stats["given up"])


# Containers and tuples of the user's own ------------------------------------------------------------------------------


class Shifted(list):
    def __getitem__(self, i):
        return list.__getitem__(self, i) + 1.0


class Doubled(dict):
    writes = 0

    def __getitem__(self, key):
        return dict.__getitem__(self, key) * 2

    def __setitem__(self, key, value):
        self.writes += 1
        dict.__setitem__(self, key, value)


class Attributes(dict):
    __getattr__, __setattr__ = dict.__getitem__, dict.__setitem__


class Backwards(list):
    def __iter__(self):
        return reversed(self)


class Endless(list):
    def __len__(self):
        return 10**9


def test_containers_whose_items_are_looked_up_in_their_own_way():
    def listed():
        held = Shifted([1.0, 2.0])
        return lambda x: x * held[0], lambda: held.append(1.0)

    def named():
        held = Doubled(w=np.ones(1))

        def step(x):
            held["w"] = held["w"] + x
            return held["w"] * held.writes

        return step, lambda: held.update(w=np.ones(1))

    def by_attribute():
        held = Attributes(w=np.ones(1), rate=0.5)

        def step(x):
            held.w = held.w - held.rate * x
            return held.w

        return step, lambda: held.update(rate=0.25)

    for case in (listed, named, by_attribute):
        agree(case)


@pytest.mark.parametrize("kind", [Backwards, Endless])
def test_containers_that_say_in_their_own_way_what_they_hold(kind):
    def case():
        held = kind([1.0, 2.0])
        return lambda x: x * next(iter(held)), lambda: held.append(3.0)

    agree(case, is_compiled=False)
    assert wg.compile(lambda held: np.ones(3).sum())(kind([1.0])) == 3


Pair = collections.namedtuple("Pair", "a b")


class Named(Pair):
    @property
    def total(self):
        return self.a + self.b


class InCentimetres(Pair):
    def __new__(cls, metres, b=1.0):
        return super().__new__(cls, np.asarray(metres) * 100, b)


class Counted(collections.namedtuple("Counted", "a")):
    total = property(lambda self: self.a.sum())

    def __new__(cls, n):
        return super().__new__(cls, np.ones(n))


@pytest.mark.parametrize(("cls", "parts"), [(Named, (ONE, 2.0)), (InCentimetres, (ONE,)), (Counted, (1,))])
def test_named_tuples_that_are_made_in_their_own_way(cls, parts):
    def case():
        held = types.SimpleNamespace(pair=cls(*parts))
        return lambda x: x * held.pair.a, lambda: setattr(held, "pair", cls(*parts))

    agree(case, is_compiled=cls is Named)
    given, pair = wg.compile(lambda pair: pair.a * 2), cls(*parts)
    assert [given(pair).tolist() for _ in range(4)] == [(pair.a * 2).tolist()] * 4


def test_keys_that_are_equal_and_of_other_classes():
    def case():
        held = types.SimpleNamespace(table={1: 2.0})
        return lambda x: x * isinstance(next(iter(held.table)), bool), lambda: setattr(held, "table", {True: 2.0})

    agree(case)


# Slots ----------------------------------------------------------------------------------------------------------------


class Private:
    __slots__ = ("__n", "__w")

    def __init__(self):
        self.__n, self.__w = 0, np.zeros(1)

    def use(self, x):
        self.__n += 1
        self.__w = self.__w + x
        return self.__w * self.__n

    def reset(self):
        self.__w = np.ones(1)


class Base:
    __slots__ = iter(("r",))

    def use(self, x):
        return x * (self.r if hasattr(self, "r") else 0.5)


class Derived(Base):
    __slots__ = ()
    r = property(lambda self: Base.r.__get__(self) * 2)


class Twice(Base):
    __slots__ = ("r",)

    def use(self, x):
        return x * self.r * Base.r.__get__(self)


class Intercepted(Base):
    def __getattribute__(self, name):
        found = object.__getattribute__(self, name)
        return found * 2 if name == "r" else found


@dataclasses.dataclass(slots=True)
class Record:
    r: np.ndarray

    def use(self, x):
        self.r = self.r + x
        return self.r


def test_private_slots():
    def case():
        held = Private()
        return lambda x: held.use(x), held.reset

    agree(case)


@pytest.mark.parametrize("cls", [Base, Derived, Twice, Intercepted, Record])
def test_slots_and_what_goes_by_their_names(cls):
    def case():
        held = cls(np.ones(1)) if cls is Record else cls()
        slot = cls.r if cls is Record else Base.r
        slot.__set__(held, np.ones(1))
        if cls is Twice:
            held.r = 2.0
        return lambda x: held.use(x), lambda: slot.__set__(held, np.full(1, 3.0))

    agree(case, is_compiled=cls is not Intercepted)


def test_slots_that_are_filled_and_emptied():
    def case():
        held = Base()
        return lambda x: held.use(x), lambda: setattr(held, "r", 3.0), lambda: delattr(held, "r")

    agree(case)


def test_slots_of_objects_of_libraries():
    def case():
        line = CubicSpline([0.0, 1.0, 2.0], [0.0, 1.0, 4.0])
        return lambda x: line(x * 0.5), lambda: line.c.__imul__(2)

    agree(case)


# Modules --------------------------------------------------------------------------------------------------------------

cfg = None
"""The module, while there is one."""
BY_NAME = {
    "attribute": lambda x: x * cfg.rate,
    "getattr": lambda x: x * getattr(cfg, "ra" + "te"),
    "all": lambda x: x * sum(getattr(cfg, name) for name in ("rate",)),
    "attrgetter": lambda x: x * RATE_OF(cfg),
    "vars": lambda x: x * vars(cfg)["rate"],
    "dict": lambda x: x * cfg.__dict__["rate"],
    "passed on": lambda x: x * rate_of(cfg),
    "its own": lambda x: x * cfg.lazy,
    "held": lambda x: x * HOLDER.module.rate,
    "object": lambda x: x * getattr(HOLDER, "mod" + "ule").rate,
    "caught": lambda x: x * missing_or_rate(),
}
ELSEWHERE = {
    "globals": lambda x: x * globals()["cfg"].rate,
    "eval": lambda x: eval("x * cfg.rate"),
    "modules": lambda x: x * sys.modules["module_of_a_user"].rate,
    "imported": lambda x: x * importlib.import_module("module_of_a_user").rate,
}
IMPORTS = {
    "as": "import module_of_a_user as other\n    return x * getattr(other, 'rate')",
    "inner as": "import package_of_a_user.inner as other\n    return x * vars(other)['rate']",
    "inner": "import package_of_a_user.inner\n    return x * getattr(package_of_a_user.inner, 'rate')",
    "from": "from module_of_a_user import rate\n    return x * rate",
    "relative": "from .module_of_a_user import rate\n    return x * rate",
    "sibling": "from . import inner\n    return x * inner.rate",
    "made": "import module_of_a_user as m\n    m.n = getattr(m, 'n', 0) + 1\n    return x * m.n * m.rate",
}
HOLDER = types.SimpleNamespace(module=None)
RATE_OF = operator.attrgetter("rate")


def rate_of(module):
    return module.rate


def missing_or_rate():
    try:
        return cfg.missing
    except AttributeError:
        return cfg.rate


@pytest.fixture
def module(monkeypatch):
    """A module with a variable, that goes by several names; what changes it."""
    made = types.ModuleType("module_of_a_user")
    made.rate = 2.0
    exec("def __getattr__(name):\n    if name == 'lazy': return rate\n    raise AttributeError(name)", vars(made))
    monkeypatch.setitem(globals(), "cfg", made)
    monkeypatch.setattr(HOLDER, "module", made)
    package = types.ModuleType("package_of_a_user")
    package.inner, package.__path__ = made, []
    for name in ("module_of_a_user", "package_of_a_user.module_of_a_user", "package_of_a_user.inner"):
        monkeypatch.setitem(sys.modules, name, made)
    monkeypatch.setitem(sys.modules, "package_of_a_user", package)
    return made


@pytest.mark.parametrize("way", [*BY_NAME, *ELSEWHERE])
def test_variables_of_modules_by_any_name(module, way):
    def case():
        module.rate = 2.0
        return (BY_NAME | ELSEWHERE)[way], lambda: setattr(module, "rate", 5.0)

    agree(case, is_compiled=way in BY_NAME)


@pytest.mark.parametrize("way", IMPORTS)
def test_modules_that_are_imported_inside(module, way):
    def case():
        vars(module).pop("n", None)
        module.rate = 2.0
        around = {"__name__": "package_of_a_user.user", "__package__": "package_of_a_user"}
        exec(f"def f(x):\n    {IMPORTS[way]}", around)
        return around["f"], lambda: setattr(module, "rate", 5.0)

    agree(case)


def test_modules_that_are_imported_by_the_first_call(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("new_one", "new_two"):
        (tmp_path / f"{name}.py").write_text("rate = 2.0")
    names = iter(("new_one", "new_two"))

    def case():
        name, around = next(names), {"__name__": "user"}
        exec(f"def f(x):\n    import {name}\n    return x * {name}.rate", around)
        return around["f"], lambda: setattr(sys.modules[name], "rate", 5.0)

    agree(case)


def test_modules_that_are_arguments_or_of_a_class_of_their_own(module):
    def case():
        class Configuration(types.ModuleType):
            scale = 2.0
            rate = property(lambda self: self.scale)

        own = Configuration("configuration_of_a_user")
        return lambda x: x * own.rate, lambda: setattr(Configuration, "scale", 5.0)

    agree(case)
    fast = wg.compile(lambda x, given: x * given.rate)
    for rate in (2.0, 2.0, 2.0, 5.0, 5.0):
        module.rate = rate
        assert fast(ONE, module) == rate


@pytest.mark.parametrize("name", ["abs", "HYPER"])
def test_variables_that_go_before_pythons_own(name, monkeypatch):
    def case():
        monkeypatch.setattr(builtins, "HYPER", 2.0, raising=False)
        around = {"__name__": "user"}
        exec("def f(x): return x * abs(-2.0) * HYPER", around)
        change = {"abs": lambda: around.update(abs=lambda v: 7.0), "HYPER": lambda: setattr(builtins, "HYPER", 3.0)}
        return around["f"], change[name]

    agree(case)


# Classes --------------------------------------------------------------------------------------------------------------


def of_a_metaclass():
    class Meta(type):
        rate, store = 2.0, {"x": 1.0}
        through = property(lambda cls: cls.store["x"])

        def __instancecheck__(cls, value):
            return cls.rate > 2

    class Made(metaclass=Meta):
        pass

    def change():
        Meta.rate = Meta.store["x"] = 5.0

    return lambda x: x * Made.rate * Made.through * (2 if isinstance(x, Made) else 3), change


def of_other_bases():
    class Root:
        pass

    class First(Root):
        rate = 1.0

    class Second(Root):
        rate = 2.0

    class Derived(First):
        pass

    held = Derived()
    return lambda x: x * held.rate, lambda: setattr(Derived, "__bases__", (Second,))


def of_names_with_underscores():
    class Held(abc.ABC):
        __scale__ = 2.0

        @abc.abstractmethod
        def unused(self): ...

        def go(self, x):
            return x * getattr(self, "__scale__")  # noqa: B009 - as programs do that go by names

    held = type("Made", (Held,), {"unused": None})()
    return lambda x: held.go(x), lambda: setattr(Held, "__scale__", 5.0)


def of_classes_made_by_a_call():
    record = dataclasses.make_dataclass("Record", [("r", float)], namespace={"scale": 2.0})
    held = record(1.0)
    return lambda x: x * held.r * held.scale, lambda: setattr(record, "scale", 5.0), lambda: setattr(held, "r", 3.0)


def of_subclasses():
    class Root:
        pass

    class First(Root):
        rate = 1.0

    return lambda x: x * sum(c.rate for c in Root.__subclasses__()), lambda: type("Second", (First, Root), {})


CLASSES = [of_a_metaclass, of_other_bases, of_names_with_underscores, of_classes_made_by_a_call, of_subclasses]


@pytest.mark.parametrize("case", CLASSES)
def test_classes(case):
    agree(case, is_compiled=case is not of_subclasses)


# Numbers that answer for themselves -----------------------------------------------------------------------------------


class Metres(float):
    def __repr__(self):
        return f"{float(self):.1f} m"


class Unit(np.float64):
    def __repr__(self):
        return f"{float(self):.1f} m"


class Any(int):
    __hash__ = int.__hash__

    def __eq__(self, other):
        return True


class Way(enum.IntEnum):
    BACK = -1
    ON = 1

    def scaled(self, x):
        return x * self * HOLDER.scale


@pytest.mark.parametrize("cls", [Metres, Unit, Any])
def test_numbers_that_say_in_their_own_way_what_they_are(cls):
    def case():
        held = types.SimpleNamespace(d=cls(2.01))
        return lambda x: x * (held.d + 0), lambda: setattr(held, "d", cls(3.04))

    agree(case, is_compiled=cls is not Any)
    fast = wg.compile(lambda x, d: np.copysign(x, d))
    assert [float(fast(1.0, cls(v))) for v in (1.0, 1.0, 1.0, -1.0)] == [1.0, 1.0, 1.0, -1.0]
    fast = wg.compile(lambda x, d: np.copysign(x, d))
    assert np.signbit([float(fast(1.0, Metres(v))) for v in (0.0, 0.0, -0.0)]).tolist() == [False, False, True]


def test_whole_numbers_of_the_users_classes_that_are_arguments():
    fast = wg.compile(lambda x, way: way.scaled(x))
    for scale, way in itertools.product((2.0, 2.0, 3.0, 3.0), (Way.ON, Way.ON, Way.BACK)):
        HOLDER.scale = scale
        assert fast(ONE, way) == way * scale
    assert fast.stats()["paths"] and not fast.stats()["given up"]


@pytest.mark.parametrize("cls", [float, list, dict, tuple, np.ndarray, wg.Tensor])
def test_objects_that_lie_about_their_class(cls):
    def case():
        liar = type("Liar", (), {"__class__": property(lambda self: cls), "value": 2.0})()
        return lambda x: x * liar.value, lambda: setattr(liar, "value", 3.0)

    agree(case, is_compiled=False)
    liar, fast = type("Liar", (), {"__class__": cls, "value": 2.0})(), wg.compile(lambda x: x.value * 2)
    assert [fast(liar) for _ in range(3)] == [4.0] * 3


# What changes where nobody looks --------------------------------------------------------------------------------------


def an_iterators_method():
    following = itertools.count().__next__
    return lambda x: x * following(), lambda: None


def a_function_in_a_ufunc():
    held = {"r": 2.0}
    inside = np.frompyfunc(lambda t: t * held["r"], 1, 1)
    return lambda x: x * float(inside(3.0)), lambda: held.update(r=5.0)


def texts_in_an_array():
    texts = np.array(["2.0" + "0" * 40], np.dtypes.StringDType())
    return lambda x: x * float(texts[0]), lambda: texts.__setitem__(0, "3.0" + "0" * 40)


def objects_in_records():
    records = np.zeros(1, [("o", object)])
    records["o"][0] = [2.0]
    return lambda x: x * records["o"][0][0], lambda: records["o"][0].append(records["o"][0].pop() + 1)


def mapped_memory():
    memory = mmap.mmap(-1, 16)
    return lambda x: x * memory[0], lambda: memory.__setitem__(0, 4)


def what_a_pointer_shows():
    value = ctypes.c_double(2.0)
    pointer = ctypes.pointer(value)
    return lambda x: x * pointer.contents.value, lambda: setattr(value, "value", 4.0)


def what_is_wrong():
    error = ValueError(1)
    return lambda x: x * len(error.args), lambda: setattr(error, "args", (1, 2))


def a_lock():
    lock, held = threading.Lock(), {"r": 2.0}

    def inside(x):
        with lock:
            return x * held["r"]

    return inside, lambda: held.update(r=5.0)


SEEN = [a_function_in_a_ufunc, a_lock]
UNSEEN = [an_iterators_method, texts_in_an_array, objects_in_records, mapped_memory, what_a_pointer_shows]
UNSEEN += [what_is_wrong]


@pytest.mark.parametrize("case", SEEN + UNSEEN)
def test_what_changes_where_nobody_looks(case):
    agree(case, is_compiled=case in SEEN)


@pytest.mark.parametrize("save", [np.save, np.savez, functools.partial(np.savetxt, fmt="%g")])
def test_arrays_that_are_written_into_files(save):
    def size(x):
        file = io.BytesIO()
        save(file, x)
        return float(np.frombuffer(file.getvalue(), np.uint8).sum())

    fast = wg.compile(size)
    assert [fast(np.full(1, k)) for k in (1.0, 1.0, 2.0, 3.0)] == [size(np.full(1, k)) for k in (1.0, 1.0, 2.0, 3.0)]


# References, and what is kept alive -----------------------------------------------------------------------------------


class Known:
    v = 2.0

    def go(self):
        return self.v


class KnownBySlots:
    __slots__ = ("__weakref__", "v")

    def __init__(self):
        self.v = 2.0


def referred(kind):
    """What uses an object that only a list holds, by a weak reference, and the list."""
    held = [KnownBySlots() if kind == "slots" else Known(), Known()]
    if kind == "method":
        method = weakref.WeakMethod(held[0].go)
        return held, lambda x: x * (method()() if method() else 0.5)
    if kind == "array":
        held[0] = np.full(1, 2.0)
    if kind == "keys":
        table = weakref.WeakKeyDictionary(dict.fromkeys(held, 2.0))
        return held, lambda x: x * sum(table.values())
    if kind == "values":
        values = weakref.WeakValueDictionary(enumerate(held))
        return held, lambda x: x * sum(known.v for known in values.values())
    known = weakref.ref(held[0])
    if kind == "array":
        return held, lambda x: x * (0.5 if known() is None else known())
    return held, lambda x: x * (0.5 if known() is None else known().v)


@pytest.mark.parametrize("kind", ["object", "keys", "values", "slots", "method", "array"])
def test_what_only_weak_references_are_known_to_hold(kind):
    found = []
    for wrap in (lambda f: f, wg.compile):
        held, function = referred(kind)
        function = wrap(function)
        before = [function(ONE).tolist() for _ in range(4)]
        held.pop(0)
        gc.collect()
        found.append(before + [function(ONE).tolist() for _ in range(3)])
    assert found[1] == found[0]
    assert (not function.stats()["given up"]) == (kind in ("object", "keys", "values"))


def only_reads(held, x):
    return held.w.sum() * x


def writes_another(held, x):
    held.b[:] = held.b + x
    return held.w.sum() * x


def puts_another(held, x):
    held.b = held.b + x
    return held.w.sum() * held.rate


@pytest.mark.parametrize("use", [only_reads, writes_another, puts_another])
def test_arrays_that_are_replaced_are_let_go(use):
    held = types.SimpleNamespace(w=np.ones(100), b=np.ones(1), rate=0.5)
    fast = wg.compile(lambda x: use(held, x))
    for _ in range(4):
        fast(ONE)
    alive = weakref.ref(held.w)
    held.w = np.zeros(100)
    for _ in range(4):
        fast(ONE)
    gc.collect()
    assert alive() is None
    assert fast.stats()["recordings"] == 1


class Loaded:
    """A model with methods that a step does not call."""

    def __init__(self):
        self.tools, self.w = __import__("math"), np.ones(2)

    def restore(self, text):
        self.w = eval(text)

    def safe(self):
        try:
            return np.errstate(all="raise")
        except FloatingPointError:
            return None

    def step(self, x):
        return np.sum(self.w * x)


def test_that_methods_nobody_calls_do_not_matter():
    model = Loaded()
    fast = wg.compile(lambda x: model.step(x))
    assert [fast(np.ones(2)) for _ in range(3)] == [2, 2, 2]
    assert fast.stats()["given up"] == []
    model.restore("np.full(2, 3.0)")
    assert fast(np.ones(2)) == 6

    def with_text(x):
        model.restore("np.full(2, 5.0)")
        return model.step(x)

    assert wg.compile(with_text)(np.ones(2)) == 10


class Reading:
    """Methods that read a variable by a name which their code does not tell."""

    forward = staticmethod(lambda x: x * globals()["RATE"])

    def __init__(self, x=0.0):
        self.x = x * globals()["RATE"]

    def step(self, x):
        return x * globals()["RATE"]

    def again(self, x):
        return self.step(x)


RATE = 1.0


@pytest.mark.parametrize("made", [
    lambda: wg.compile(Reading().step), lambda: wg.compile(Reading().again), lambda: wg.compile(lambda x: Reading(x).x),
    lambda: wg.compile(Reading.forward), lambda: wg.compile(lambda x: Reading().step(x)),
])  # fmt: skip
def test_that_methods_which_are_called_do_matter(made, monkeypatch):
    fast = made()
    for rate in (1.0, 2.0, 3.0, 4.0):
        monkeypatch.setitem(globals(), "RATE", rate)
        assert fast(np.ones(1))[0] == rate


# Which object something is --------------------------------------------------------------------------------------------


def by_is(held):
    return lambda x: x * 2 if x is held.w else x * 3


def by_any(held):
    return lambda x: x * (2 if any(x is w for w in held.all) else 3)


def by_operator(held):
    return lambda x: x * (2 if operator.is_(x, held.w) else 3)


def by_a_functions_other_name(held):
    same = operator.is_not
    return lambda x: x * (2 if same(x, held.w) else 3)


@pytest.mark.parametrize("made", [by_is, by_any, by_operator, by_a_functions_other_name])
@pytest.mark.parametrize("kind", [float, int])
def test_arguments_that_are_arrays_of_what_is_around(made, kind):
    given, other = np.ones((2, 2), kind), np.ones((2, 2), kind)
    held = types.SimpleNamespace(w=given, all=[other * 2, given])
    function = made(held)
    fast = wg.compile(function)
    for x in (other, other, other, other, given, given, other):
        assert fast(x).tolist() == function(x).tolist()
    held.w = held.all[1] = other
    for x in (other, given, given, given, other):
        assert fast(x).tolist() == function(x).tolist()
    held.w = held.all[1] = given = given.T
    for x in (other, other, other.T, given, other):
        assert fast(x).tolist() == function(x).tolist()
    assert fast.stats()["paths"]


def test_arrays_around_that_become_the_same():
    def case():
        held = types.SimpleNamespace(a=np.ones(1), b=np.ones(1))
        return lambda x: x * (2 if held.a is held.b else held.a), lambda: setattr(held, "a", held.b)

    agree(case)


def test_identities_that_are_keys():
    def by_one():
        table = {id(ONE): 7.0}
        return lambda x: x * table[id(x)], lambda: table.update({id(ONE): 8.0})

    def by_a_tuple():
        table, of = {(id(ONE), 1): 7.0}, id
        return lambda x: x * table[of(x), 1], lambda: table.update({(id(ONE), 1): 8.0})

    def within_a_call():
        given = [2.0]
        return lambda x: x * len({id(part) for part in (x, given, x)}) * given[0], lambda: given.__setitem__(0, 3.0)

    for case in (by_one, by_a_tuple, within_a_call):
        agree(case, is_compiled=case is within_a_call)


def test_modules_of_users_that_have_the_names_of_pythons(tmp_path, monkeypatch):
    text = "class Medium:\n    def __init__(self): self.k = 2.0\nspeed, medium = 2.0, Medium()\ndef step(x):\n"
    (tmp_path / "wave.py").write_text(text + "    return x * speed * medium.k\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "wave", None)  # what is there is put back afterwards
    del sys.modules["wave"]
    own = importlib.import_module("wave")

    def case():
        own.speed = own.medium.k = 2.0
        return own.step, lambda: setattr(own, "speed", 3.0), lambda: setattr(own.medium, "k", 5.0)

    agree(case)


# What holds something, and has it in ways of its own ------------------------------------------------------------------


def first(held, *_):
    return held[0]


class Called:
    def __init__(self, held):
        self.held = held

    def __call__(self, *_):
        return self.held[0]


def in_a_setter(held):
    class Written:
        @property
        def w(self):
            return self._w

        @w.setter
        def w(self, v):
            self._w = v * held[0]

    own = Written()
    own.w = ONE

    def step(x):
        own.w = x
        return own.w

    return step


def in_a_deleter(held):
    class Emptied:
        w = property(lambda self: self._w, None, lambda self: setattr(self, "_w", np.ones(1) * held[0]))

    own = Emptied()
    own._w = ONE

    def step(x):
        del own.w
        return own.w * x

    return step


def in_a_property(held):
    own = type("Own", (), {"w": property(functools.partial(first, held))})()
    return lambda x: x * own.w


def in_a_static_method(held):
    own = type("Own", (), {"w": staticmethod(Called(held))})
    return lambda x: x * own.w()


def in_a_class_method(held):
    own = type("Own", (), {"w": classmethod(functools.partial(first, held))})
    return lambda x: x * own.w()


def in_a_thread(held):
    own = threading.Thread()
    own.w = held
    return lambda x: x * own.w[0]


def in_a_generators_context(held):
    state = {"w": 1.0}

    @contextlib.contextmanager
    def scaled():
        before, state["w"] = state["w"], held[0]
        try:
            yield
        finally:
            state["w"] = before

    return scaled()(lambda x: x * state["w"])


def in_a_null_context(held):
    around = contextlib.nullcontext(held)

    def step(x):
        with around as w:
            return x * w[0]

    return step


def in_a_slice(held):
    class Index:
        __index__ = staticmethod(lambda: int(held[0]))

    own, numbers = slice(0, Index()), np.arange(5.0)
    return lambda x: x * numbers[own].sum()


def in_a_key(held):
    key = functools.cmp_to_key(lambda a, b: (a - b) * (1 if held[0] > 2 else -1))
    return lambda x: x * sorted([1, 3], key=key)[0]


def in_a_factory(held):
    own = collections.defaultdict(lambda: held[0])
    return lambda x: x * (own.default_factory() if len(own) == 0 else 1)


def in_a_reference(held):
    known = Known()
    own = type("Own", (weakref.ref,), {})(known)
    own.w = held
    return lambda x: x * own.w[0] * known.v


def in_a_cell(held):
    cell = types.CellType(held)
    return lambda x: x * cell.cell_contents[0]


HOLDING = [in_a_setter, in_a_deleter, in_a_property, in_a_static_method, in_a_class_method, in_a_thread]
HOLDING += [in_a_generators_context, in_a_null_context, in_a_slice, in_a_key, in_a_factory]
HOLDING += [in_a_reference, in_a_cell]


@pytest.mark.parametrize("made", HOLDING)
def test_lists_that_something_holds_in_a_way_of_its_own(made):
    def case():
        held = [2.0]
        return made(held), lambda: held.__setitem__(0, 3.0)

    agree(case)


def test_attributes_that_are_set_on_what_holds_others():
    def of_a_thread():
        own = threading.Thread()
        own.w = 2.0
        return lambda x: x * own.w, lambda: setattr(own, "w", 3.0)

    def of_a_cell():
        own = types.CellType(2.0)
        return lambda x: x * own.cell_contents, lambda: setattr(own, "cell_contents", 3.0)

    def of_a_default_dictionary():
        own = collections.defaultdict(lambda: 2.0)
        return lambda x: x * own.default_factory(), lambda: setattr(own, "default_factory", lambda: 3.0)

    def of_a_method_caller():
        w = np.full(1, 2.0)
        dot = operator.methodcaller("dot", w)
        return lambda x: x * dot(x), lambda: w.__setitem__(0, 3.0)

    for case in (of_a_thread, of_a_cell, of_a_default_dictionary, of_a_method_caller):
        agree(case)


def test_what_other_threads_tell():
    def of_a_future():
        future = concurrent.futures.Future()
        future.set_result(w := np.full(1, 2.0))
        return lambda x: x * future.result(), lambda: w.__setitem__(0, 3.0)

    def of_an_event():
        event = asyncio.Event()
        return lambda x: x * (3 if event.is_set() else 2), event.set

    for case in (of_a_future, of_an_event):
        agree(case, is_compiled=False)


# Names for what finds others ------------------------------------------------------------------------------------------

everything, run, at_frame, at_module = globals, eval, sys._getframe, importlib.import_module
REGISTERED = sys.modules
TOOLS = {"all": globals}
OTHER_NAMES = {
    "globals": lambda x: x * everything()["RATE"],
    "eval": lambda x: x * run("RATE"),
    "builtins": lambda x: x * builtins.eval("RATE"),
    "frame": lambda x: x * at_frame().f_globals["RATE"],
    "current frame": lambda x: x * inspect.currentframe().f_globals["RATE"],
    "module": lambda x: x * at_module(__name__).RATE,
    "modules": lambda x: x * REGISTERED[__name__].RATE,
    "held": lambda x: x * TOOLS["all"]()["RATE"],
    "of a function": lambda x: x * rate_of.__globals__["RATE"],
}


@pytest.mark.parametrize("way", OTHER_NAMES)
def test_what_finds_variables_by_other_names(way, monkeypatch):
    def case():
        monkeypatch.setitem(globals(), "RATE", 2.0)
        return OTHER_NAMES[way], lambda: monkeypatch.setitem(globals(), "RATE", 3.0)

    agree(case, is_compiled=False)


def test_functions_with_other_builtins():
    def case():
        own = vars(builtins) | {"abs": lambda v: 2.0}
        around = {"__name__": "user", "__builtins__": own}
        exec("def f(x): return x * abs(-1.0)", around)
        return around["f"], lambda: own.update(abs=lambda v: 3.0)

    agree(case, is_compiled=False)


@pytest.mark.parametrize(
    "which", [threading.get_ident, threading.get_native_id, lambda: threading.current_thread().name]
)
def test_what_is_kept_for_each_thread(which):
    kept, found = {which(): 2.0}, []
    fast = wg.compile(lambda x: x * kept[which()])
    before = [float(fast(ONE)[0]) for _ in range(4)]

    def other():
        kept[which()] = 5.0
        found.append(fast(ONE))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert (before, found) == ([2.0] * 4, [5.0])
    assert fast.stats()["given up"]


# Attributes in their order, and those that are missing ----------------------------------------------------------------


def in_order(held):
    def step(x):
        for name, value in vars(held).items():
            x = x if name[0] == "_" else (x + 1) * value
        return x

    return step


def again_at_the_end(held):
    value = held.a
    del held.a
    held.a = value


@pytest.mark.parametrize("kind", ["object", "module", "class", "dataclass"])
def test_the_order_of_attributes(kind):
    def case():
        if kind == "dataclass":
            held = dataclasses.make_dataclass("Held", ["a", "b"])(1.0, 2.0)
        else:
            held = types.ModuleType("held") if kind == "module" else type("Held", (), {})
            held = held() if kind == "object" else held
            held.a, held.b = 1.0, 2.0
        return in_order(held), lambda: again_at_the_end(held), lambda: setattr(held, "b", 3.0)

    agree(case)


def when_wrong(held):
    def step(x):
        try:
            return x * held.rate
        except Exception:
            return x

    return step


def when_anything_is_wrong(held):
    def step(x):
        try:
            return x * held.rate
        except:  # noqa: E722 - as programs do
            return x

    return step


@pytest.mark.parametrize("made", [when_wrong, when_anything_is_wrong])
@pytest.mark.parametrize("kind", [types.ModuleType, lambda name: lambda: name])
def test_attributes_that_are_missing_at_first(made, kind):
    def case():
        held = kind("held")
        return made(held), lambda: setattr(held, "rate", 3.0)

    agree(case)
