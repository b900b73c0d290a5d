"""What becomes of each public function of NumPy and SciPy on tensors: the table behind the page on coverage.

What has a rule, or is known to have none by nature, stands in the registry. Here is the rest: functions that are not
about arrays of numbers, with the reason, and a few that NumPy runs without asking tensors.
"""

import functools
import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import wengert.rules.special  # noqa: F401 (registers the rules; so do the others, which it imports)
from wengert.primitive import REGISTRY, Plain, Primitive, needs
from wengert.scipy import _MODULES as _TWINS

STATUSES = ("differentiable", "zero gradient by nature", "not differentiable", "not about arrays", "missing")
TWINS = tuple(sorted([f"scipy.{name}" for name in _TWINS if name != "special"] + [
    "scipy.sparse.linalg", "scipy.spatial.distance",
]))  # fmt: skip
"""SciPy's modules in Python; `wengert.scipy` has functions of the same names that record."""
MODULES = ("numpy", "numpy.linalg", "numpy.fft", "numpy.emath", "numpy.lib.stride_tricks", "scipy.special", *TWINS)
"""Where public functions are looked for."""
SHOWN_FILE = Path(__file__).with_name("coverage_shown.json")
"""What the test battery's samples have shown of each function, as the battery writes it."""

# Functions outside the registry ----------------------------------------------------------------------------------

_MAKING = "makes an array out of numbers; wengert has one for tensors (wg.zeros, wg.asarray …)"
_FILES = "reads or writes files, text or memory"
_TYPES = "about types"
_SETTINGS = "about settings and versions"
_TEXT = "makes text"
_INDICES = "makes integers, from integers"
_DATES = "about dates, which tensors do not hold"
_WINDOWS = "makes a window from its length"
_FUNCTIONS = "about functions; what the function does to tensors is recorded"

NOT_ABOUT_ARRAYS: dict[str, str] = {
    **dict.fromkeys((
        "arange", "array", "asanyarray", "asarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray",
        "asmatrix", "bmat", "empty", "eye", "from_dlpack", "full", "identity", "ones", "require", "tri",
        "zeros",
    ), _MAKING),
    **dict.fromkeys((
        "frombuffer", "fromfile", "fromregex", "fromstring", "genfromtxt", "load", "loadtxt", "memmap", "save",
        "savetxt", "savez", "savez_compressed",
    ), _FILES),
    **dict.fromkeys((
        "isdtype", "isscalar", "issubdtype", "iterable", "mintypecode", "promote_types", "typename", "isfortran",
    ), _TYPES),
    **dict.fromkeys((
        "errstate", "get_include", "get_printoptions", "getbufsize", "geterr", "geterrcall", "info", "printoptions",
        "set_printoptions", "setbufsize", "seterr", "seterrcall", "show_config", "show_runtime", "test",
    ), _SETTINGS),
    **dict.fromkeys(("base_repr", "binary_repr", "format_float_positional", "format_float_scientific"), _TEXT),
    **dict.fromkeys((
        "broadcast_shapes", "diag_indices", "indices", "mask_indices", "ndindex", "tril_indices", "triu_indices",
    ), _INDICES),
    **dict.fromkeys((
        "busday_count", "busday_offset", "busdaycalendar", "datetime_as_string", "datetime_data", "is_busday", "isnat",
    ), _DATES),
    **dict.fromkeys(("bartlett", "blackman", "hamming", "hanning", "kaiser"), _WINDOWS),
    **dict.fromkeys(("frompyfunc", "fromfunction", "fromiter", "vectorize"), _FUNCTIONS),
    **dict.fromkeys(("nested_iters", "as_strided"), "about memory, past which nothing can be recorded"),
}  # fmt: skip
"""Names of NumPy's functions to which no tensor belongs, and why."""

_NUMBERS = "makes numbers, from orders"
_POLYNOMIALS = "makes polynomials, from orders"
_SCIPYS_OWN = "SciPy's own, which refuses recorded values"
_NOT_DEFINED = "not defined by its operands alone, and so without a derivative; recorded values are refused"
_NO_RULE = "there is a derivative, but no rule; recorded values are refused"

SPECIAL_NOT_ABOUT_ARRAYS: dict[str, str] = {
    **dict.fromkeys(("geterr", "seterr", "test"), _SETTINGS),
    **dict.fromkeys((
        "bernoulli", "euler", "factorial2", "factorialk", "mathieu_even_coef", "mathieu_odd_coef", "stirling2",
        "fresnelc_zeros", "fresnels_zeros", "fresnel_zeros", "ai_zeros", "bi_zeros", "ber_zeros", "bei_zeros",
        "berp_zeros", "beip_zeros", "ker_zeros", "kei_zeros", "kerp_zeros", "keip_zeros", "kelvin_zeros", "erf_zeros",
        "jn_zeros", "jnp_zeros", "jnjnp_zeros", "jnyn_zeros", "y0_zeros", "y1_zeros", "y1p_zeros", "yn_zeros",
        "ynp_zeros", "obl_cv_seq", "pro_cv_seq",
    ), _NUMBERS),
    **dict.fromkeys((
        "roots_legendre", "roots_chebyt", "roots_chebyu", "roots_chebyc", "roots_chebys", "roots_jacobi",
        "roots_laguerre", "roots_genlaguerre", "roots_hermite", "roots_hermitenorm", "roots_gegenbauer",
        "roots_sh_legendre", "roots_sh_chebyt", "roots_sh_chebyu", "roots_sh_jacobi", "p_roots", "t_roots", "u_roots",
        "c_roots", "s_roots", "j_roots", "l_roots", "la_roots", "h_roots", "he_roots", "cg_roots", "ps_roots",
        "ts_roots", "us_roots", "js_roots",
    ), _NUMBERS),
    **dict.fromkeys((
        "legendre", "chebyt", "chebyu", "chebyc", "chebys", "jacobi", "laguerre", "genlaguerre", "hermite",
        "hermitenorm", "gegenbauer", "sh_legendre", "sh_chebyt", "sh_chebyu", "sh_jacobi",
    ), _POLYNOMIALS),
}  # fmt: skip
"""The same of `scipy.special`."""

SPECIAL_WITHOUT_RULES: dict[str, str] = {
    **dict.fromkeys(("mathieu_a", "mathieu_b", "zetac", "besselpoly", "tklmbda"), _NO_RULE),
    **dict.fromkeys((
        "obl_ang1", "obl_ang1_cv", "obl_cv", "obl_rad1", "obl_rad1_cv", "obl_rad2", "obl_rad2_cv", "pro_ang1",
        "pro_ang1_cv", "pro_cv", "pro_rad1", "pro_rad1_cv", "pro_rad2", "pro_rad2_cv",
    ), _NO_RULE),
    **dict.fromkeys(("chndtridf", "ncfdtridfd", "ncfdtridfn", "nctdtridf"), _NO_RULE),
    **dict.fromkeys((
        "ellip_harm", "ellip_harm_2", "ellip_normal", "lmbda", "lqmn", "lqn", "pbdn_seq", "pbdv_seq", "pbvv_seq",
        "riccati_jn", "riccati_yn",
    ), _NO_RULE),
}  # fmt: skip
"""Functions of `scipy.special` that refuse recorded values."""

AS_WRITTEN = {
    "numpy": {"row_stack"},
    "numpy.fft": {"fftfreq", "rfftfreq"},
    "scipy.special": {
        "assoc_laguerre", "h1vp", "h2vp", "ivp", "jvp", "kvp", "lambertw", "sinc", "softplus", "yvp", "zeta",
    },
}  # fmt: skip
"""Functions in plain Python that do nothing but call others, which are recorded."""

FLAT = {np.round, np.around, np.fix}
"""Functions made of others whose derivative is zero everywhere."""


# Reading the registry --------------------------------------------------------------------------------------------


def public_functions() -> Iterator[str]:
    """The full name of each public function and class."""
    for module_name in MODULES:
        module = _module(module_name)
        names = module.__all__ if module_name.startswith("scipy") else dir(module)
        kept = _has_numbers if module_name in TWINS else callable
        yield from (f"{module_name}.{name}" for name in sorted(names) if name[0] != "_" and kept(getattr(module, name)))


def _has_numbers(thing: Any) -> bool:
    """Of SciPy's modules: functions and classes, but no errors and warnings; objects are the distributions."""
    if isinstance(thing, type):
        return not issubclass(thing, Exception)
    return callable(thing) and not inspect.ismodule(thing)


def function_of(name: str) -> Any:
    """The function of a full name; of SciPy's modules in Python, `wengert.scipy`'s where it has that name."""
    module_name, _, short = name.rpartition(".")
    original = getattr(_module(module_name), short)
    return (
        getattr(importlib.import_module(f"wengert.{module_name}"), short, original)
        if module_name in TWINS
        else original
    )


def _module(name: str) -> Any:
    return np.emath if name == "numpy.emath" else importlib.import_module(name)


def status(name: str) -> str:
    """What becomes of a function on tensors, one of `STATUSES`; `name` is in full, as ``"numpy.linalg.det"``.

    >>> status("numpy.sin"), status("numpy.argmax"), status("numpy.load")
    ('differentiable', 'zero gradient by nature', 'not about arrays')
    """
    return _judged(name)[0]


def reason(name: str) -> str:
    """Why a function has no rule; empty where it has one, or where nothing is known of it."""
    return _judged(name)[1]


def _judged(name: str) -> tuple[str, str]:
    module_name, _, short = name.rpartition(".")
    if module_name in TWINS:
        ours = function_of(name)
        if ours is getattr(_module(module_name), short):
            return "not differentiable", _SCIPYS_OWN
        return ("not differentiable", _NOT_DEFINED) if getattr(ours, "refuses", False) else ("differentiable", "")
    function = getattr(_module(module_name), short)
    special = module_name == "scipy.special"
    if special and short in importlib.import_module("wengert.scipy.special").__all__:
        return "differentiable", ""
    known = REGISTRY.get(function) if getattr(function, "__hash__", None) else None
    if isinstance(known, Plain) or function in FLAT or (isinstance(known, Primitive) and _is_flat(known)):
        return "zero gradient by nature", ""
    if known is not None or short in AS_WRITTEN.get(module_name, ()):
        return "differentiable", ""
    if isinstance(function, type):
        return "not about arrays", "a class"
    outside = SPECIAL_NOT_ABOUT_ARRAYS if special else NOT_ABOUT_ARRAYS
    if short in outside:
        return "not about arrays", outside[short]
    if special and short in SPECIAL_WITHOUT_RULES:
        return "not differentiable", SPECIAL_WITHOUT_RULES[short]
    return "missing", ""


def _is_flat(p: Primitive) -> bool:
    """Whether all partials are declared to be zero."""
    return p.kind == "elementwise" and all(rule is None or (not needs(rule) and rule() == 0) for rule in p.rules)


# What a derivative can do -----------------------------------------------------------------------------------------

COLUMNS = ("reverse", "forward", "second order", "compiled")
_ANSWERS = {"y": "yes", "n": "no", "i": "in part", "-": "–"}
_COMPILED = {"yes": "native", "no": "a call"}


@functools.cache
def _shown() -> dict[str, str]:
    groups = json.loads(SHOWN_FILE.read_text(encoding="utf-8"))
    return {name: letters for letters, names in groups.items() for name in names}


def orders(name: str) -> dict[str, str]:
    """What a differentiable function has of `COLUMNS`: ``"yes"``, ``"no"``, ``"in part"`` (at some of its samples).

    The last column says what `wengert.compile` makes of it and of its derivative: ``"native"`` code, ``"a call"`` of
    NumPy's function, or ``"in part"`` native. The battery's samples have shown it; ``"–"`` stands for functions
    without samples under their own names.

    >>> orders("numpy.sin")
    {'reverse': 'yes', 'forward': 'yes', 'second order': 'yes', 'compiled': 'native'}
    """
    answers = [_ANSWERS[letter] for letter in _shown().get(name, "----")]
    return dict(zip(COLUMNS, [*answers[:3], _COMPILED.get(answers[3], answers[3])], strict=True))


# The page --------------------------------------------------------------------------------------------------------

_SIGNS = {
    "differentiable": "differentiable",
    "zero gradient by nature": "plain result or zero derivative",
    "not differentiable": "no rule: refused when recorded",
    "not about arrays": "not about arrays",
    "missing": "missing",
}


def summary() -> str:
    """How many functions of each module are what, as a table in Markdown."""
    total = [0] * len(STATUSES)
    lines = [
        "| module | " + " | ".join(_SIGNS[status] for status in STATUSES) + " |",
        "| --- |" + " ---: |" * len(STATUSES),
    ]
    for module, entries in _by_module().items():
        counts = [sum(entry[1] == status for entry in entries) for status in STATUSES]
        total = [a + b for a, b in zip(total, counts, strict=True)]
        lines.append(f"| `{module}` | " + " | ".join(map(str, counts)) + " |")
    lines.append("| **all** | " + " | ".join(f"**{count}**" for count in total) + " |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """The page on coverage, in Markdown: each public function with what becomes of it."""
    lines = [
        "# Coverage",
        "",
        "What becomes of each public function of NumPy and SciPy on tensors. `wengert coverage --page` makes this page",
        "from the registry and from what the test battery's samples show; a test compares.",
        "",
        summary().rstrip(),
        "",
        "Of a differentiable function the tables say which derivatives there are, at the battery's samples:",
        "**reverse** and **forward** (first order), and **second order**; *in part*: at some samples; –: no samples",
        "under its name (plain Python made of functions that have some, or an object with methods). **Compiled**:",
        "what `wengert.compile` makes of the function and its reverse derivative, of real numbers: *native* code,",
        "*a call* of NumPy's or SciPy's function, which takes a microsecond more than it does by itself, or *in part*",
        "the one and the other. SciPy's modules in Python (`scipy.linalg` …) do not ask tensors: use",
        "`wengert.scipy.linalg` … with the same names.",
    ]
    for module, entries in _by_module().items():
        lines += ["", f"## {module}", *_differentiable(module, entries)]
        for status in STATUSES[1:]:
            groups: dict[str, list[str]] = {}
            for short, found, why in entries:
                if found == status:
                    groups.setdefault(why, []).append(f"`{short}`")
            for why, names in groups.items():
                lines += ["", f"**{_SIGNS[status]}**{f' ({why})' if why else ''}: {', '.join(names)}"]
    return "\n".join(lines) + "\n"


def _differentiable(module: str, entries: list[tuple[str, str, str]]) -> list[str]:
    """A table of a module's differentiable functions: those of which the same is known in one row."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for short, found, _ in entries:
        if found == "differentiable":
            rows.setdefault(tuple(orders(f"{module}.{short}").values()), []).append(f"`{short}`")
    head = ["", f"| differentiable | {' | '.join(COLUMNS)} |", "| --- |" + " --- |" * len(COLUMNS)]
    return head + [f"| {', '.join(names)} | {' | '.join(answers)} |" for answers, names in sorted(rows.items())[::-1]]


def _by_module() -> dict[str, list[tuple[str, str, str]]]:
    """The functions of each module: name, status, reason."""
    judged: dict[str, list[tuple[str, str, str]]] = {module: [] for module in MODULES}
    for name in public_functions():
        module, _, short = name.rpartition(".")
        judged[module].append((short, *_judged(name)))
    return judged
