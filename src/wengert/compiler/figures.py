"""What a compiled function tells of itself: how often it ran, and as what."""

from collections.abc import Iterator
from typing import Any

from wengert.compiler.arguments import described

__all__ = ["calls_of", "explained", "figures"]


def figures(function: Any) -> dict:
    """What `stats` gives: of a method, asked for at the class, the figures of all objects that there are."""
    own = [function, *[part for _, part in list(function._bound.values())]]
    parts = [inner for part in own for inner in _with_derivatives(part)]
    kinds = [kind for part in parts for kind in part._kinds]
    reasons = {part._reason for part in parts} | {kind.given_up for kind in kinds}
    reasons.update(*[part._derivatives.troubles() for part in parts])
    return {
        "calls": sum(map(calls_of, own)),
        "eager": sum(part._kinds.total("eager") + part._left + _total(part, "eager") for part in parts),
        "recordings": sum(part._kinds.total("recordings") for part in parts),
        "kinds": len(kinds),
        "paths": sum(len(kind.paths) for kind in kinds),
        "given up": sorted(reason for reason in reasons if reason),
        "seconds": sum(path.seconds for kind in kinds for path in kind.paths.values()),
    }


def calls_of(function: Any) -> int:
    """How often it has been called."""
    usual = function._kinds.total("calls") + function._shortcuts.runs
    return usual + _total(function, "calls") + function._left


def _total(function: Any, name: str) -> int:
    """A figure of calls that are differentiated from outside, and of those that write arguments with gaps."""
    return sum(getattr(part, name) for part in (function._derivatives, function._gapped) if part is not None)


def _with_derivatives(function: Any) -> Iterator[Any]:
    """The function, and what is compiled of its derivatives."""
    yield function
    for _, part in function._derivatives.parts():
        yield from _with_derivatives(part)


def explained(function: Any) -> str:
    """What `explain` gives: what has been recorded, how it runs, and what is left to NumPy."""
    stats = figures(function)
    lines = [
        f"{getattr(function, '__name__', function.function)}: {stats['calls']:,} calls, of which "
        f"{stats['recordings']} were recorded and {stats['eager']:,} left to the function; {stats['paths']} paths"
    ]
    if function._reason:
        lines.append(f"  left to the function from now on: {function._reason}")
    troubles = function._derivatives.troubles() - {None}
    lines += [f"  left to the function where derivatives are asked for: {trouble}" for trouble in troubles]
    for key, kind in list(function._kinds.known.items()):
        if kind.is_known():
            lines.append(f"for {', '.join(map(described, key[1:-1])) or 'no arguments'}")
            lines.append(kind.explained())
    lines += [f"its {name}, {part.explain()}" for name, part in function._derivatives.parts() if len(part._kinds)]
    return "\n".join(lines)
