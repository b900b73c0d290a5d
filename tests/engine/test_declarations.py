"""What a declaration of a primitive may say: what could not be turned into right code is refused at once."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import RuleError
from wengert.primitive import REGISTRY, linear, primitive


@pytest.mark.parametrize("name", ["n", "t", "y", "level", "x0", "s1", "p0", "a", "g", "like", "xs", "sy", "parents"])
def test_a_keyword_named_like_a_variable_of_the_generated_code_is_refused(name):
    scope = {}
    exec(f"def scaled(v, {name}=2.0): return v * {name}", scope)
    before = len(REGISTRY)
    with pytest.raises(RuleError, match=rf"\[scaled\] keywords.*{name}.*'{name}_'"):
        linear(scope["scaled"], lambda g: g)
    assert len(REGISTRY) == before


def test_other_keywords_are_not():
    def scaled_by(v, n_=2.0, size=1, axis=0):
        return v * n_

    try:
        function = linear(scaled_by, lambda g, n_: g * n_)
        assert wg.grad(lambda v: function(v, n_=3.0))(1.0) == 3.0
    finally:
        for key in [key for key, known in REGISTRY.items() if getattr(known, "call", None) is scaled_by]:
            del REGISTRY[key]


@pytest.mark.parametrize("rules, message", [((), "one rule per operand"), ((lambda g, z: g,), r"received \['z'\]")])
def test_rules_fit_the_function(rules, message):
    with pytest.raises(RuleError, match=message):
        primitive(lambda v: np.sin(v), *rules, name="unfit")
