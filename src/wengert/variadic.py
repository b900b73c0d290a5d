"""The text of the functions of primitives with any number of operands; the rest of it is in `source`."""

from typing import Any

from wengert.primitive import Primitive, needs
from wengert.source import Source

__all__ = ["VariadicSource"]


class VariadicSource(Source):
    """The same with operands in a list: parents are a tuple, and the one rule is called for each that is recorded."""

    def __init__(self, p: Primitive, family: Any):
        self.p, self.family, self.n = p, family, 0
        self.rules = p.rules
        self.saved = {name: {0} for name in needs(p.rules[0]) if name not in ("g", "like", "i")}
        self.large_steps = {}

    def _forward(self) -> str:
        params = "".join(f", {k}={v!r}" for k, v in self.p.params.items())
        leave = f"return slow(operands, ({''.join(f'{k}, ' for k in self.p.params)}))"
        like = {"tensor": "; likes.append(a._spec)", "plain": "; likes.append(spec_of(a))"}
        if "likes" not in self.saved:
            like = dict.fromkeys(like, "")
        lines = [
            f"def forward(*operands{params}):",
            "xs, parents, likes, level = [], [], [], None",
            "for a in operands:",
            "    if a.__class__ is Tensor or a.__class__ is View:",
            "        if level is None:",
            "            level = a._level",
            "        elif level is not a._level:",
            f"            {leave}",
            "        x = a._value",
            "        if x.__class__ not in PLAIN:",
            f"            {leave}",
            f"        xs.append(x); parents.append(a._node){like['tensor']}",
            "    elif a.__class__ in PLAIN:",
            f"        xs.append(a); parents.append(None){like['plain']}",
            "    else:",
            f"        {leave}",
            "if level is None:",
            f"    {leave}",
            *self._admitted(),
        ]
        return "\n    ".join([*lines, *self._body("call")])

    def _core(self) -> str:
        params = "".join(f", {k}" for k in self.p.params)
        return "\n    ".join(
            [
                f"def core(level, xs, parents, source{params}):",
                "likes = [*map(spec_of, xs)]",
                *self._body("(primitive if any(isinstance(x, Wrapper) for x in xs) else call)"),
            ]
        )

    def _body(self, function: str) -> list[str]:
        arguments = ", ".join(["*xs", *(f"{k}={k}" for k in self.p.params)])
        keep = [f"n.s{k} = {name}" for k, name in enumerate(self.saved)]
        if len(self.saved) > 2:
            keep = [f"n.s0 = ({', '.join(self.saved)})"]
        return [
            *self._computed(f"{function}({arguments})"),
            *self._settle(),
            "sy = spec_of(y)",
            *self._unpack_0d(),
            self._made(),
            "if floor() > level or not any(parents):",
            "    t._node = None",
            "    return t",
            "n = Node(); n.order = next(ORDER); n.spec = sy",
            f"n.rule = {self._rule_choice()}",
            "n.p0 = tuple(parents); n.p1 = None",
            *keep,
            "t._node = n",
            "return t",
        ]

    def _load(self, name: str, graph: bool) -> str:
        k = list(self.saved).index(name)
        place = f"node.s{k}" if len(self.saved) <= 2 else f"node.s0[{k}]"
        if graph and name == "xs":
            return f"[lift(x, q, grads.level) for x, q in zip({place}, node.p0, strict=True)]"
        return f"lift({place}, node, grads.level)" if graph and name == "y" else place

    def _argument(self, name: str, graph: bool) -> str:
        return "i" if name == "i" else super()._argument(name, graph)

    def _backward(self, name: str, conjugate: bool, graph: bool) -> str:
        names = needs(self.rules[0])
        lines = [f"def {name}(node, g, heap, nodes, grads):", "g = conj(g)" if conjugate else "pass"]
        if "i" in names:
            lines += ["for i, p in enumerate(node.p0):", "    if p is None: continue"]
            lines += [f"    {line}" for line in self._send(0, conjugate, graph)]
        else:
            arguments = ", ".join(self._argument(name, graph) for name in names)
            lines += [f"for p, c in zip(node.p0, f0({arguments}), strict=True):", "    if p is None: continue"]
            lines += ["    o = p.order"] + [f"    {line}" for line in self._wait(0, conjugate, graph, False)[1:]]
        return "\n    ".join(lines)
