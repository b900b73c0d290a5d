"""Where a function keeps what it uses besides its arguments: cells, variables of modules, attributes, items.

And what was in containers, so that changes are seen, and undone.
"""

import weakref
from collections.abc import Callable
from gc import get_referents
from operator import is_
from types import CellType, MappingProxyType, MemberDescriptorType
from typing import Any

from wengert.compiler.containers import own_kind, refill

__all__ = [
    "ABSENT", "Ancestors", "Cell", "ClassContents", "ClassItem", "ClassOf", "Contents", "Item", "Place",
    "Referent", "Shown", "Slot", "TupleItem",
]  # fmt: skip

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "nothing"})()
"""What is found in a place that is no longer there."""


class Place:
    """Something that holds a value, which can be looked up and replaced."""

    __slots__ = ("holder", "key", "name")

    def __init__(self, holder: Any, key: Any, name: str):
        self.holder, self.key, self.name = holder, key, name

    @property
    def identity(self) -> tuple:
        """What two records of one place have in common."""
        return id(self.holder), self.key

    def get(self) -> Any:
        """What is there now, or `ABSENT`."""
        raise NotImplementedError

    def set(self, value: Any) -> None:
        """Put something else there."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.name


class Item(Place):
    """An item of a list or dictionary; variables of modules and attributes are items of theirs.

    Of a container that lies in a place the items are the same where another one lies there: ``around`` is the place.
    """

    __slots__ = ("around",)

    def __init__(self, holder: Any, key: Any, name: str, around: Place | None = None):
        super().__init__(holder, key, name)
        self.around = around

    @property
    def identity(self) -> tuple:
        """What two records of one place have in common."""
        return id(self.holder) if self.around is None else self.around.identity, self.key

    def get(self) -> Any:
        """What is there now, or `ABSENT`."""
        holder = self.holder
        if isinstance(holder, dict):
            return dict.get(holder, self.key, ABSENT)
        try:
            return list.__getitem__(holder, self.key) if isinstance(holder, list) else holder[self.key]
        except (KeyError, IndexError):
            return ABSENT

    def set(self, value: Any) -> None:
        """Put something else there; whatever the container's own class does besides, the function has done."""
        base = own_kind(self.holder)
        if value is ABSENT:
            base.pop(self.holder, self.key, None)
        else:
            base.__setitem__(self.holder, self.key, value)


class TupleItem(Place):
    """An item of the tuple in another place: to put something there, that gets another tuple."""

    __slots__ = ()

    @property
    def identity(self) -> tuple:
        """What two records of one place have in common."""
        return self.holder.identity, self.key

    def get(self) -> Any:
        """What is there now, or `ABSENT`."""
        around = self.holder.get()
        is_there = isinstance(around, tuple) and self.key < len(around)
        return tuple.__getitem__(around, self.key) if is_there else ABSENT

    def set(self, value: Any) -> None:
        """Put something else there."""
        around = self.holder.get()
        parts = list(around)
        parts[self.key] = value
        self.holder.set(type(around)(*parts) if hasattr(around, "_fields") else tuple(parts))


class Shown(Item):
    """An item of a dictionary that another one shows: what is put back where it lies is back here, too."""

    __slots__ = ()

    def set(self, value: Any) -> None:
        """Nothing can be put here."""


class ClassOf(Place):
    """The class of an object, which may be given another one; the object is not kept alive if that can be."""

    __slots__ = ("owner",)

    def __init__(self, owner: Any, name: str):
        self.owner: Callable[[], Any]
        try:
            self.owner = weakref.ref(owner)
        except TypeError:
            self.owner = lambda: owner
        super().__init__(None, id(owner), name)

    def get(self) -> Any:
        """What is there now, or `ABSENT`."""
        owner = self.owner()
        return ABSENT if owner is None else owner.__class__

    def set(self, value: Any) -> None:
        """Put something else there."""
        self.owner().__class__ = value


class Referent(Place):
    """Whether what a weak reference refers to is still there; it is not kept alive by this."""

    __slots__ = ()

    def __init__(self, holder: weakref.ref, name: str):
        super().__init__(holder, None, name)

    def get(self) -> Any:
        """The reference, or `ABSENT`."""
        return ABSENT if self.holder() is None else self.holder

    def set(self, value: Any) -> None:
        """Nothing can be put here."""


class Slot(Place):
    """An attribute that a class has declared in ``__slots__``, whatever else goes by its name."""

    __slots__ = ("member",)

    def __init__(self, holder: Any, member: MemberDescriptorType, name: str):
        super().__init__(holder, member.__name__, name)
        self.member = member

    @property
    def identity(self) -> tuple:
        """What two records of one place have in common."""
        return id(self.holder), self.member

    def get(self) -> Any:
        """What is there now, or `ABSENT`."""
        try:
            return self.member.__get__(self.holder)
        except AttributeError:
            return ABSENT

    def set(self, value: Any) -> None:
        """Put something else there."""
        if value is ABSENT:
            self.member.__delete__(self.holder)
        else:
            self.member.__set__(self.holder, value)

    def is_shadowed(self) -> bool:
        """Whether something else goes by its name."""
        return next(vars(c)[self.key] for c in type(self.holder).__mro__ if self.key in vars(c)) is not self.member


class Ancestors(Slot):
    """What a class is made of."""

    __slots__ = ()

    def __init__(self, cls: type):
        super().__init__(cls, vars(type)["__mro__"], f"what {cls.__name__} is made of")

    def set(self, value: Any) -> None:
        """Nothing can be put here."""


class ClassItem(Place):
    """Something that a class holds."""

    __slots__ = ()

    def get(self) -> Any:
        """What is there now, or `ABSENT`."""
        return vars(self.holder).get(self.key, ABSENT)

    def set(self, value: Any) -> None:
        """Put something else there."""
        type.__setattr__(self.holder, self.key, value)  # whatever its own class says about that


class Cell(Place):
    """A variable of a function around."""

    __slots__ = ()

    def __init__(self, holder: CellType, name: str):
        super().__init__(holder, None, name)

    def get(self) -> Any:
        """What is there now, or `ABSENT`."""
        try:
            return self.holder.cell_contents
        except ValueError:
            return ABSENT

    def set(self, value: Any) -> None:
        """Put something else there."""
        if value is ABSENT:
            del self.holder.cell_contents
        else:
            self.holder.cell_contents = value


class Contents:
    """What a list, dictionary, set or queue holds when this is made.

    Parameters
    ----------
    container : list, dict, mappingproxy, set or collections.deque
    in_order : bool
        Whether the parts are compared: a dictionary's keys, what is in a set or queue. What lies at the places of a
        list, and attributes, are looked up there.
    """

    __slots__ = ("container", "in_order", "parts", "values")

    def __init__(self, container: Any, in_order: bool):
        self.container, self.in_order = container, in_order
        self.note()

    def note(self) -> None:
        """Let what is in the container now be what it holds: places may have got something else since."""
        container = self.container
        self.parts = tuple(container)
        self.values = tuple(container.values()) if isinstance(container, (dict, MappingProxyType)) else ()

    def has_size(self) -> bool:
        """Whether the container has as many parts as it had."""
        return len(self.container) == len(self.parts)

    def is_same(self) -> bool:
        """Whether the container is as it was, as far as it is compared."""
        if len(self.container) != len(self.parts):
            return False
        return not self.in_order or all(map(is_, tuple(self.container), self.parts))

    def holds_the_same(self) -> bool:
        """Whether the container has its parts at their places; of a dictionary its keys."""
        return self.has_size() and all(map(is_, tuple(self.container), self.parts))

    def restore(self) -> None:
        """Give the container what was in it."""
        if not self.holds_the_same() and not isinstance(self.container, MappingProxyType):
            refill(self.container, self.parts, self.values)


class ClassContents(Contents):
    """What a class holds: others may be put before those that it inherits."""

    __slots__ = ("cls",)

    def __init__(self, cls: type):
        (namespace,) = get_referents(vars(cls))
        super().__init__(namespace, in_order=False)
        self.cls = cls

    def restore(self) -> None:
        """Take away what has been put there; what was there before is in places of its own."""
        for name in self.container.keys() - set(self.parts):
            type.__delattr__(self.cls, name)
