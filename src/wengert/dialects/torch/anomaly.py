"""Anomaly detection: backward passes that stop at the first undefined gradient."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import bare
from wengert.dialects.torch import graph
from wengert.dialects.torch.errors import TorchError

_enabled = [False]


class set_detect_anomaly:
    """Switch anomaly detection on or off: at once, and back again where it is used as a context manager."""

    def __init__(self, mode: bool, check_nan: bool = True):
        self._before = _enabled[0]
        _enabled[0] = bool(mode and check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: Any) -> None:
        _enabled[0] = self._before


class detect_anomaly:
    """Inside, a backward pass raises an error where it meets NaN, which names the operation that gave it."""

    def __init__(self, check_nan: bool = True):
        self._check_nan = check_nan

    def __enter__(self) -> None:
        self._outer = set_detect_anomaly(True, self._check_nan)

    def __exit__(self, *exception: Any) -> None:
        self._outer.__exit__()


def is_anomaly_enabled() -> bool:
    """Whether backward passes look for NaN."""
    return _enabled[0]


@contextmanager
def watched(heads: list) -> Iterator[None]:
    """Look at every gradient of a pass from these heads, if that is asked for."""
    if not _enabled[0]:
        yield
        return
    found = [(node, tape.hooked(node).hooks, _check(user)) for node, user in _reachable(heads)]
    for _, hooks, check in found:
        hooks.append(check)
    try:
        yield
    finally:
        for _, hooks, check in found:
            hooks.remove(check)


def _reachable(heads: list) -> list:
    """The nodes that a pass visits, each with the name of an operation that sends it a gradient."""
    seen: dict[int, tuple] = {}
    waiting = [(node, "the seed") for node, _ in heads]
    while waiting:
        node, user = waiting.pop()
        if id(node) in seen or node.rule is tape.freed:
            continue
        seen[id(node)] = node, user
        name = graph.default_name(node) if not isinstance(node, tape.Leaf) else ""
        waiting += [(parent, name) for parent in graph.parents(node) if parent is not None]
    return [(node, user) for node, user in seen.values() if not hasattr(node.rule, "of_output")]


def _check(user: str) -> Any:
    def check(g: Any, recorded: bool) -> None:
        value = bare(g)
        if np.any(np.isnan(value)):
            raise TorchError(
                f"[detect_anomaly] gradients without NaN were required: Function '{user}' returned nan values in its "
                f"0th output; received shape {np.shape(value)}; look at what goes into that operation"
            )
        return g

    return check
