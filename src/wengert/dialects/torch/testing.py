"""Comparing tensors in tests."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.torch.creation import as_tensor
from wengert.dialects.torch.errors import OptionError
from wengert.dialects.torch.tensor import Tensor

TOLERANCES = {
    np.dtype(np.float16): (1e-3, 1e-5), np.dtype(np.float32): (1.3e-6, 1e-5), np.dtype(np.float64): (1e-7, 1e-7),
    np.dtype(np.complex64): (1.3e-6, 1e-5), np.dtype(np.complex128): (1e-7, 1e-7),
}  # fmt: skip


def assert_close(
    actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None, atol: float | None = None,
    equal_nan: bool = False, check_device: bool = True, check_dtype: bool = True, check_layout: bool = True,
    check_stride: bool = False, msg: Any = None,
) -> None:  # fmt: skip
    """Raise `AssertionError` unless two tensors (or collections of them) are equal within tolerances."""
    if (rtol is None) != (atol is None):
        raise OptionError("[assert_close] both rtol and atol, or neither, were required")
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        pairs = [(actual[key], expected[key]) for key in expected]
        if set(actual) != set(expected):
            raise AssertionError(f"The keys of the mappings do not match: {sorted(actual)} and {sorted(expected)}")
    elif isinstance(actual, Sequence) and isinstance(expected, Sequence) and not isinstance(actual, str):
        if len(actual) != len(expected):
            raise AssertionError(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}")
        pairs = list(zip(actual, expected, strict=True))
    else:
        _compare(as_tensor(actual), as_tensor(expected), rtol, atol, equal_nan, check_dtype, msg)
        return
    for a, b in pairs:
        assert_close(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=check_dtype, msg=msg)


def _compare(a: Tensor, b: Tensor, rtol: Any, atol: Any, equal_nan: bool, check_dtype: bool, msg: Any) -> None:
    if a.shape != b.shape:
        raise AssertionError(msg or f"The values for attribute 'shape' do not match: {a.shape} != {b.shape}.")
    if check_dtype and a.dtype is not b.dtype:
        raise AssertionError(msg or f"The values for attribute 'dtype' do not match: {a.dtype} != {b.dtype}.")
    if rtol is None:
        known = [TOLERANCES.get(t._spec.dtype, (0.0, 0.0)) for t in (a, b)]
        rtol, atol = max(k[0] for k in known), max(k[1] for k in known)
    x, y = np.asarray(bare(a)), np.asarray(bare(b))
    close = np.isclose(x, y, rtol, atol, equal_nan)
    if not np.all(close):
        wrong = int(np.sum(~close))
        raise AssertionError(
            msg
            or f"Tensor-likes are not close!\n\nMismatched elements: {wrong} / {x.size} ({100 * wrong / x.size:.1f}%)\n"
            f"Greatest absolute difference: {np.max(np.abs(x - y))} (up to {atol} allowed)"
        )
