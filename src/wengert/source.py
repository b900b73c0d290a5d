"""The text of the functions that a declaration is turned into; `generate` compiles it.

The text for ``np.multiply``, slightly shortened, to read the templates by::

    def forward(a0, a1):
        if a0.__class__ is Tensor or a0.__class__ is View:
            level = a0._level
            x0 = a0._value; p0 = a0._node; s0 = a0._spec
        elif a0.__class__ in PLAIN: ...
        else:
            return slow((a0, a1), ())
        ...                                       # the same for a1
        y = x0 * x1
        t = Tensor(); t._value = y; t._spec = sy; t._level = level
        if p0 is None and p1 is None or floor() > level: ...
        n = Node(); n.rule = rule; n.order = next(ORDER); n.spec = sy; n.p0 = p0; n.p1 = p1
        n.s0 = x1 if p0 is not None else None
        n.s1 = x0 if p1 is not None else None
        t._node = n
        return t

    def backward(node, g, heap, nodes, grads):
        ...                                       # the same as below for p1
        p = node.p0
        if p is not None:
            o = p.order
            c = g * node.s0
            if p.spec is not node.spec: c = fit(c, p.spec)
            if o not in grads:
                grads[o] = c
                if not heap or o < heap[0]: return p
                heappush(heap, o); nodes[o] = p
            elif p.spec.large: add_large(grads, o, c)
            else: grads[o] = grads[o] + c
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from wengert.primitive import Primitive, needs

# ---------------------------------------------------------------------------------------------------------------
# Source of primitives with a fixed number of operands
# ---------------------------------------------------------------------------------------------------------------


class Source:
    """Writes the functions of one primitive."""

    def __init__(self, p: Primitive, family: Any):
        self.p, self.family = p, family
        self.n = len(p.operands)
        self.rules = p.rules if p.scatter is None else (p.scatter,)
        self.differentiable = [i for i, rule in enumerate(self.rules) if rule is not None]
        self.slot = {i: k for k, i in enumerate(self.differentiable)}
        self.saved = self._saved()
        self.large_steps = self._large_steps()

    # Large arrays -----------------------------------------------------------------------------------------------

    @property
    def large_forward(self) -> bool:
        """Whether large operands go to a function of their own (`large`)."""
        return self.p.kind == "elementwise" and not self.p.params and self.n <= 2 and not self.p.variadic

    @property
    def whole(self) -> bool:
        """Whether large operands go to compiled programs (`planned`): of reductions, running sums and the like."""
        p = self.p
        moves = p.view or p.moves or p.variadic or p.scatter
        return (self.n == 1 or p.broadcasts) and p.kind in ("linear", "general") and not moves

    def _large_steps(self) -> dict[int, tuple[str, ...]]:
        """Operands whose cotangents have such a function, with the names of what it needs beside `g`."""
        if not self.large_forward:
            return {}
        steps = {}
        for i in self.differentiable:
            names = tuple(name for name in self._needed(i) if name != "g")
            if not isinstance(self._partial(i), int) or self._partial(i) == -1:
                steps[i] = names
        known = {*self.p.operands, "y"}
        return steps if all(known.issuperset(names) for names in steps.values()) else {}

    def _large_backward(self) -> str:
        """The backward function for large results."""
        lines = ["def rule_large(node, g, heap, nodes, grads):"]
        for i in reversed(self.differentiable):
            last = i == self.differentiable[0]
            lines += [f"p = {self._parent(i)}", "if p is not None:"]
            if i not in self.large_steps:
                lines += [f"    {line}" for line in self._send(i, False, False, last)]
                continue
            arguments = "".join(f", {self._load(name, False)}" for name in self.large_steps[i])
            broadcast = ["o = p.order", f"c = fitted{i}(p.spec, g{arguments})", *self._put(last)]
            skip = ["    if not heap or o < heap[0]:", "        return p"] if last else []
            sent = [
                "o = p.order",
                f"c = large{i}(grads, o, g{arguments})",
                "if c is not None:",
                "    grads[o] = c",
                *skip,
                "    heappush(heap, o); nodes[o] = p",
            ]
            lines += [f"    {line}" for line in if_else("p.spec is node.spec", sent, broadcast)]
        return "\n    ".join(lines)

    # What is kept -----------------------------------------------------------------------------------------------

    def _saved(self) -> dict[str, set[int]]:
        """Names to keep on the node, and the operands whose rules need each."""
        saved: dict[str, set[int]] = {}
        for i in self.differentiable:
            for name in self._needed(i):
                if name not in ("g", "like", "buffer"):
                    saved.setdefault(name, set()).add(i)
        return saved

    def _needed(self, i: int) -> tuple[str, ...]:
        """Names that the rule of operand `i` needs; of an identity or constant partial, what is left of them."""
        partial = self._partial(i)
        if partial is None:
            return needs(self.rules[i])
        return (partial,) if isinstance(partial, str) else ()

    def _partial(self, i: int) -> Any:
        """A constant, or the name of the operand that the partial is equal to; `None` if it has to be called."""
        if self.p.kind != "elementwise" or "g" in (names := needs(self.rules[i])):
            return None
        if not names:
            return self.rules[i]()
        if len(names) == 1:
            probe = object()
            try:
                if self.rules[i](probe) is probe:
                    return names[0]
            except Exception:
                return None
        return None

    # Names in the generated text --------------------------------------------------------------------------------

    def _raw(self, name: str) -> str:
        """The forward function's variable for a name of a rule."""
        if name in self.p.operands:
            return f"x{self.p.operands.index(name)}"
        return name

    def _parent(self, i: int) -> str:
        """Where the node keeps the parent of operand `i`."""
        k = self.slot[i]
        return f"node.p{k}" if len(self.differentiable) <= 2 else f"node.p0[{k}]"

    def _load(self, name: str, graph: bool) -> str:
        """Where the node keeps a saved value; in a recorded pass, as a tensor that knows its history."""
        k = list(self.saved).index(name)
        place = f"node.s{k}" if len(self.saved) <= 2 else f"node.s0[{k}]"
        if not graph or name in self.p.params:
            return place
        if name == "y":
            return f"lift({place}, node, grads.level)"
        i = self.p.operands.index(name)
        return f"lift({place}, {self._parent(i)}, grads.level)" if i in self.slot else place

    # The functions ----------------------------------------------------------------------------------------------

    def texts(self) -> dict[str, Callable[[], str]]:
        """What writes each function: `forward`, `core`, `rule`, `graph` and, of views, `link`."""
        parts = {"forward": self._forward, "core": self._core}
        for suffix in ("", "_complex"):
            for name in ("rule", "graph"):
                parts[name + suffix] = partial(self._backward, name + suffix, bool(suffix), name == "graph")
        if self.large_steps:
            parts["rule_large"] = self._large_backward
        if self.p.view:
            parts["link"] = self._link
        return parts

    def _forward(self) -> str:
        operands = [f"a{i}" for i in range(self.n)]
        params = [f"{k}={v!r}" for k, v in self.p.params.items()]
        lines = [f"def forward({', '.join(operands + params)}):"]
        for i in range(self.n):
            lines += self._operand(i)
        lines += [*self._admitted(), *self._value(), *self._record("a0")]
        return "\n    ".join(lines)

    def _operand(self, i: int) -> list[str]:
        """Take operand `i` apart into value, parent and shape record, or leave for the slow path."""
        operands = "".join(f"a{k}, " for k in range(self.n))
        leave = f"return slow(({operands}), ({''.join(f'{k}, ' for k in self.p.params)}))"
        lines = [f"if a{i}.__class__ is Tensor or a{i}.__class__ is View:"]
        if i == 0:
            lines.append("    level = a0._level")
        else:
            lines += [
                "    if level is None:",
                f"        level = a{i}._level",
                f"    elif level is not a{i}._level:",
                f"        {leave}",
            ]
        lines.append(f"    x{i} = a{i}._value; p{i} = a{i}._node; s{i} = a{i}._spec")
        if self.n > 1:
            lines += [
                f"elif a{i}.__class__ in PLAIN:",
                *(["    level = None"] if i == 0 else []),
                f"    x{i} = a{i}; p{i} = None",
                f"    if a{i}.__class__ is float or a{i}.__class__ is int: s{i} = WEAK",
                f"    else: s{i} = MANY if a{i}.__class__ is ndarray and a{i}.size > LEAST else FEW",
            ]
        lines += ["else:", f"    {leave}"]
        if i == self.n - 1 and self.n > 1:
            lines += ["if level is None:", f"    {leave}"]
        return lines

    def _value(self) -> list[str]:
        """The result and its record; large arrays go to a function of their own, at no cost to small ones."""
        call = self._call()
        if not self.large_forward:
            return [*self._computed(call), *self._result_spec()]
        same = "" if self.n == 1 else "s0 is s1 and "
        values = ", ".join(f"x{i}" for i in range(self.n))
        bulk = "s0.bulk" if self.n == 1 else "(s0.bulk or s1.bulk)"
        other = [*self._computed(f"large({values}) if {bulk} else {call}"), *self._result_spec()]
        if self._settle() or self.family.refuse is not None or self.p.casts:
            return other
        return if_else(f"{same}s0.plain", [f"y = {call}", "sy = s0"], other)

    def _call(self, operator: bool = True) -> str:
        values = [f"x{i}" for i in range(self.n)]
        if not operator:
            return self._written_out(values)
        if self.p.operator == "[]":
            return "x0[index]"
        if self.p.operator and self.n == 2:
            return f"{values[0]} {self.p.operator} {values[1]}"
        if self.p.operator:
            return f"{self.p.operator}{values[0]}"
        return self._written_out(values, specs=True)

    def _written_out(self, values: list[str], specs: bool = False) -> str:
        arguments = ", ".join([*values, *self.p.params])
        if isinstance(self.p.call, np.ufunc):
            return f"call({arguments})"
        # Inside another transformation the value is a wrapper, to which the primitive is one operation again.
        plain = " and ".join(f"{x}.__class__ in PLAIN" for x in values)
        if self.whole and specs:
            bulk = " or ".join(f"s{i}.bulk" for i in range(self.n))
            return f"((large if {bulk} else call) if {plain} else primitive)({arguments})"
        return f"(call if {plain} else primitive)({arguments})"

    def _result_spec(self) -> list[str]:
        """Shape and dtype of the result: for floats of one shape known without looking."""
        if self.p.kind != "elementwise" or self.n > 2 or self.p.casts:
            return [*self._settle(), "sy = spec_of(y)", *self._unpack_0d()]
        unknown = [*self._settle(), "sy = spec_of(y)"]
        if self.n == 1:
            return if_else("s0.real", ["sy = s0"], unknown)
        known = "(s0 is s1 or s1 is WEAK) and s0.real"
        return if_else(known, ["sy = s0"], if_else("s0 is WEAK and s1.real", ["sy = s1"], unknown))

    def _admitted(self) -> list[str]:
        """Refuse tensors that may not be used any more."""
        return [] if self.family.shut is None else ["if level.__class__ is Shut:", "    Shut.refuse()"]

    def _settle(self) -> list[str]:
        operands = "xs" if self.p.variadic else f"({''.join(f'x{i}, ' for i in range(self.n))})"
        settled = self.family.settle is not None and not self.p.view and "dtype" not in self.p.params
        return [f"y = settle(y, {operands})"] if settled else []

    def _computed(self, call: str) -> list[str]:
        """The call itself; what it raises in the family's own words."""
        if self.family.refuse is None:
            return [f"y = {call}"]
        operands = "xs" if self.p.variadic else f"({''.join(f'x{i}, ' for i in range(self.n))})"
        return [
            "try:",
            f"    y = {call}",
            "except (ValueError, TypeError) as error:",
            f"    raise refuse({self.p.name!r}, error, {operands}) from error",
        ]

    def _unpack_0d(self) -> list[str]:
        """Scalars stay scalars, also where a NumPy function makes arrays without axes."""
        return [] if self.p.view else ["if not sy.ndim and y.__class__ is ndarray:", "    y = y[()]"]

    def _record(self, source: str) -> list[str]:
        """Make the tensor and, where anything is recorded, its node."""
        parents = [f"p{i}" for i in self.differentiable]
        lines = [f"if p{i} is not None and floor() <= level: refuse_operand({i})" for i in self.p.missing]
        if not parents:
            return [*lines, f"{self._made()}; t._node = None", "return t"]
        if self.p.view:
            params = "".join(f"{k}, " for k in self.p.params)
            lines += [
                "if y.__class__ not in SCALARS:",
                f"    t = make_view({source}, x0, y, sy, p0, link, call, ({params}))",
                "    if t is not None:",
                "        return t",
                "    if not sy.ndim and y.__class__ is ndarray:",
                "        y = y[()]",
            ]
        lines += [
            self._made(),
            f"if {' and '.join(f'{p} is None' for p in parents)} or floor() > level:",
            "    t._node = None",
            "    return t",
            "n = Node(); n.order = next(ORDER); n.spec = sy",
            f"n.rule = {self._rule_choice()}",
        ]
        lines += self._keep_parents(parents)
        lines += self._keep_saved()
        return [*lines, "t._node = n", "return t"]

    def _made(self) -> str:
        """Make the tensor; where the class has a way of its own to be made, that is for its users."""
        new = "Tensor()" if type(self.family.tensor) is type else "make()"
        return f"t = {new}; t._value = y; t._spec = sy; t._level = level"

    def _rule_choice(self) -> str:
        usual = "rule" if self.p.kind == "linear" or not self.p.holomorphic else "rule if sy.real else rule_complex"
        if not self.large_steps:
            return usual
        rest = "rule" if usual == "rule" else "rule_complex"
        return f"rule if sy.plain else rule_large if sy.real else {rest}"

    def _keep_parents(self, parents: list[str]) -> list[str]:
        if len(parents) > 2:
            return [f"n.p0 = ({', '.join(parents)})", "n.p1 = None"]
        return [f"n.p{k} = {p}" for k, p in enumerate(parents)]

    def _keep_saved(self) -> list[str]:
        """Keep each saved value only if the rule of a recorded operand asks for it."""
        if len(self.saved) > 2:
            return [f"n.s0 = ({', '.join(self._raw(name) for name in self.saved)})"]
        lines = []
        for k, (name, users) in enumerate(self.saved.items()):
            value = self._raw(name)
            if len(users) < len(self.differentiable):
                condition = " or ".join(f"p{i} is not None" for i in sorted(users))
                value = f"{value} if {condition} else None"
            lines.append(f"n.s{k} = {value}")
        return lines

    def _core(self) -> str:
        """The same for operands already taken apart: values and parents as lists."""
        params = "".join(f", {k}" for k in self.p.params)
        values = "".join(f"x{i}, " for i in range(self.n))
        parents = "".join(f"p{i}, " for i in range(self.n))
        lines = [
            f"def core(level, values, parents, source{params}):",
            f"{values}= values",
            f"{parents}= parents",
            *self._computed(self._call(operator=False)),
            *self._settle(),
            "sy = spec_of(y)",
            *self._unpack_0d(),
            *self._record("source"),
        ]
        return "\n    ".join(lines)

    def _link(self) -> str:
        """A node for a view of something whose node is `p0`."""
        params = "".join(f"{k}, " for k in self.p.params)
        lines = [
            "def link(p0, sy, params):",
            f"{params}= params" if params else "pass",
            "n = Node(); n.order = next(ORDER); n.spec = sy; n.rule = rule; n.p0 = p0",
            *self._keep_saved(),
            "return n",
        ]
        return "\n    ".join(lines)

    def _backward(self, name: str, conjugate: bool, graph: bool) -> str:
        lines = [f"def {name}(node, g, heap, nodes, grads):"]
        if conjugate:
            lines.append("g = conj(g)")
        for i in reversed(self.differentiable):
            lines += [f"p = {self._parent(i)}", "if p is not None:"]
            lines += [f"    {line}" for line in self._send(i, conjugate, graph, last=i == self.differentiable[0])]
        return "\n    ".join(lines if len(lines) > 1 else [*lines, "pass"])

    def _send(self, i: int, conjugate: bool, graph: bool, last: bool = False) -> list[str]:
        """Add the cotangent of operand `i` to what waits at its node `p`, or put `p` in line.

        The last operand's node need not wait in line if it is newer than all that do: it is visited next.
        """
        if self.p.scatter is not None:
            arguments = [self._argument(name, graph) for name in needs(self.p.scatter)]
            return [
                "buffer = take_buffer(grads, p, heap, nodes, g)",
                f"grads[p.order] = scatter({', '.join(arguments)})",
            ]
        lines = ["o = p.order"]
        if self._partial(i) == -1 and not conjugate:
            # Subtracting from what waits saves the negation.
            lines += [
                "if p.spec is node.spec and not p.spec.large and o in grads:",
                "    grads[o] = grads[o] - g",
                "    return" if last else "    p = None",
                "if p is not None:",
            ]
            return lines + [f"    {line}" for line in self._wait(i, conjugate, graph, last)]
        return lines + self._wait(i, conjugate, graph, last)

    def _wait(self, i: int, conjugate: bool, graph: bool, last: bool) -> list[str]:
        contribution = self._contribution(i, graph)
        if last and not graph and not self.p.singular and contribution.startswith("g * "):
            contribution = f"multiply_large(g, {contribution[4:]}) if p.spec.large else {contribution}"
        lines = [f"c = {contribution}"]
        if self.p.singular:
            lines.append("c = guard(c, g)")
        if conjugate:
            lines.append("c = conj(c)")
        if self.p.kind == "elementwise" or self.p.broadcasts:
            other = " or c.dtype is not p.spec.dtype" if self.p.casts else ""
            if self.p.kind != "elementwise":  # of vecdot an operand may have the result's shape, and be broadcast
                other += " or c.shape != p.spec.shape"
            lines.append(f"if p.spec is not node.spec{other}: c = fit(c, p.spec)")
        else:
            lines.append("if p.spec.dtype is not node.spec.dtype: c = cast(c, p.spec.dtype)")
        return [*lines, *self._put(last)]

    @staticmethod
    def _put(last: bool) -> list[str]:
        """Leave a cotangent waiting at the node `p`."""
        skip = ["    if not heap or o < heap[0]:", "        return p"] if last else []
        return [
            "if o not in grads:",
            "    grads[o] = c",
            *skip,
            "    heappush(heap, o); nodes[o] = p",
            "elif p.spec.large: add_large(grads, o, c)",
            "else: grads[o] = grads[o] + c",
        ]

    def _contribution(self, i: int, graph: bool) -> str:
        partial = self._partial(i)
        if isinstance(partial, str):
            return f"g * {self._load(partial, graph)}"
        if partial is not None:
            return {0: "zeros(p.spec, g)", 1: "g", -1: "-g"}.get(partial, f"g * {partial!r}")
        names = needs(self.rules[i])
        rule = f"(large{i} if p.spec.bulk else f{i})" if self.whole and not graph else f"f{i}"
        call = f"{rule}({', '.join(self._argument(name, graph) for name in names)})"
        return call if self.p.kind != "elementwise" or "g" in names else f"g * {call}"

    def _argument(self, name: str, graph: bool) -> str:
        return {"g": "g", "like": "p.spec", "buffer": "buffer"}.get(name) or self._load(name, graph)


def if_else(condition: str, then: list[str], otherwise: list[str]) -> list[str]:
    """Both branches of a condition."""
    return [f"if {condition}:", *(f"    {line}" for line in then), "else:", *(f"    {line}" for line in otherwise)]
