"""Classes whose objects hold named parts that can be read without running code: named tuples and dataclasses."""

from inspect import getattr_static
from types import MemberDescriptorType

from wengert.transforms.containers import FIELDS

__all__ = ["is_named_tuple", "plain_fields"]


def is_named_tuple(cls: type) -> bool:
    """Whether objects of a class are tuples in memory, whose items have names, too."""
    return cls.__bases__ == (tuple,) and hasattr(cls, "_fields") and "__iter__" not in vars(cls)


def plain_fields(cls: type) -> tuple[str, ...]:
    """The fields of a dataclass that is a container of them, if reading them runs no code."""
    names = FIELDS.get(cls, ())
    if cls.__getattribute__ is not object.__getattribute__:
        return ()
    known = (getattr_static(cls, name, None) for name in names)
    return names if all(isinstance(x, MemberDescriptorType) or not hasattr(type(x), "__get__") for x in known) else ()
