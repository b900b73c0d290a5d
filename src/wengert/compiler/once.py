"""Functions that are run again for their derivatives, so that they may do nothing but compute results."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from wengert.compiler.program import LEAVING, Node, Program
from wengert.compiler.results import Leaf
from wengert.primitive import REGISTRY, Primitive
from wengert.transforms.reverse import reached

__all__ = ["ASKS", "DIFFERENTIATES", "DRAWS", "LEFT", "SLOW", "WRITES", "Impure", "Once", "comparing", "is_compared"]

DRAWS = "it draws random numbers, and is differentiated from outside; compile what differentiates it"
DIFFERENTIATES = "it differentiates by what it is given, and is differentiated from outside; compile what does that"
WRITES = "it writes what it uses, and is differentiated from outside; compile what differentiates it"
ASKS = "it asks for classes, with `is`, or about gradients, and is differentiated from outside; compile what does that"
SLOW = "its own operations take less time than it takes as one, where it is differentiated from outside"
LEFT = "it is not compiled itself, and is differentiated from outside"
"""Why functions cannot be one operation of whatever differentiates them."""


class Impure(BaseException):  # no `except Exception` of the function's may go on from here
    """Raised where a function that is to be run again for its derivatives turns out to do more than compute results."""

    def __init__(self, why: str, lasts: bool):
        super().__init__(why)
        self.why, self.lasts = why, lasts
        self.followed: Callable = nullcontext
        """What the function itself is to run in, so that its way is known again."""


class Once:
    """What is known of a function that may only compute results, as it is run again for its derivatives.

    Some results depend on no argument by which anything is differentiated, or by truth values and whole numbers only.
    They are no tensors where the function itself is recorded, so they must not be, either, where its program runs.
    """

    def __init__(self) -> None:
        self.origins: list[set[int]] | None = None
        """For each result the numbers of the arguments that it is differentiated by, in any program that there is."""
        self.sources: list[set[int]] = []
        """The same of all arguments from which it comes by functions that give tensors, of whole numbers, too."""
        self.known: set[int] | None = None
        """The arguments whose numbers would be there."""
        self.left = 0
        """How often in a row it did more than compute results."""

    def note(
        self, program: Program, arguments: dict[int, Node], leaves: list[Leaf], function: Callable, given: list
    ) -> None:
        """Note from which arguments, given by their numbers, the results of a new program come.

        What a rule of a user's own gives, or an implicit function, may be differentiated by what its value does not
        show, and what is read out may not be read of a tensor: where a result seems not to come from all, a tape says.
        """
        giving = {p.name for p in REGISTRY.values() if isinstance(p, Primitive)}
        origins = _origins(program, arguments, leaves, _may_pass)
        inexact = [i for i, node in arguments.items() if node.spec.inexact]
        if any(not origin.issuperset(inexact) for origin in origins):
            taped = None if program.states else _taped(function, given, inexact)
            origins = [set(arguments)] * len(origins) if taped is None else taped
        sources = _origins(program, arguments, leaves, lambda node: node.name in giving)
        if self.origins is None or self.known is None:
            self.origins, self.sources, self.known = origins, sources, set(arguments)
        elif len(origins) == len(self.origins):
            self.origins = [one | other for one, other in zip(origins, self.origins, strict=True)]
            self.sources = [one | other for one, other in zip(sources, self.sources, strict=True)]
            self.known &= arguments.keys()
        else:
            self.known = set()

    def unknown(self) -> None:
        """There are programs that nobody looks at: nothing is known of any."""
        self.origins, self.sources, self.known = [], [], set()

    def fixed(self, asked: set[int], count: int) -> frozenset[int]:
        """The results, of so many, that are not differentiated by some arguments."""
        if self.origins is None or self.known is None or len(self.origins) != count or not asked <= self.known:
            return frozenset()
        return frozenset(j for j, origin in enumerate(self.origins) if not origin & asked)

    def tensors(self, wrapped: set[int], count: int) -> set[int]:
        """The results, of so many, that come from some arguments, in whatever way."""
        if self.known is None or len(self.sources) != count or not wrapped <= self.known:
            return set()
        return {j for j, source in enumerate(self.sources) if source & wrapped}


def _may_pass(node: Node) -> bool:
    """Whether derivatives may go through a call."""
    return (node.spec is None or node.spec.inexact) and node.name not in LEAVING


def _taped(function: Callable, given: list, inexact: list[int]) -> list[set[int]] | None:
    """The numbers of the arguments by which each result is differentiated; `None` where that cannot be seen."""
    try:
        with comparing():
            return reached(function, given, inexact)
    except (Exception, Impure):  # derivatives by some of them may be refused, which others are not asked for
        return None


def _origins(program: Program, arguments: dict[int, Node], leaves: list[Leaf], counts: Callable) -> list[set[int]]:
    """The numbers of the arguments from which each result comes by nodes that count."""
    masks = dict.fromkeys(program.nodes, 0)
    for i, node in arguments.items():
        masks[node] |= 1 << i
    for node in program.nodes:
        if counts(node):
            for o in node.operands:
                masks[node] |= masks[o]
    return [{i for i in arguments if leaf.node is not None and masks[leaf.node] >> i & 1} for leaf in leaves]


_comparing = threading.local()


@contextmanager
def comparing() -> Iterator[None]:
    """Inside, a function that has been seen to compute results only may be run, to compare them or for derivatives."""
    before, _comparing.on = is_compared(), True
    try:
        yield
    finally:
        _comparing.on = before


def is_compared() -> bool:
    """Whether this is inside of `comparing`."""
    return getattr(_comparing, "on", False)
