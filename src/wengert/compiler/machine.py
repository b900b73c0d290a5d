"""The processor that code is made for.

The environment variable WENGERT_VECTOR_BITS (128, 256 or 512) leaves its wider registers unused, and all instructions
that came with them: code is then as on a processor that has none.
"""

import functools
import os
import platform

import llvmlite.binding as llvm

__all__ = ["features", "multiplies_and_adds", "vector_bits"]

WITH_512_BITS = ("avx512", "avx10", "evex512")
WITH_256_BITS = ("avx", "fma", "f16c", "vaes", "vpclmulqdq", "xop", "fma4")
"""What the names of features of x86 begin with that came with wider registers."""


@functools.cache
def features() -> dict[str, bool]:
    """What the processor has, and is allowed to use; empty where LLVM does not know."""
    try:
        found = dict(llvm.get_host_cpu_features())
    except RuntimeError:
        return {}
    unused: tuple[str, ...] = ()
    if _wish() < 512:
        unused += WITH_512_BITS
    if _wish() < 256:
        unused += WITH_256_BITS
    return {name: has and not name.startswith(unused) for name, has in found.items()}


def vector_bits() -> int:
    """The size of the registers."""
    has = features()
    return 512 if has.get("avx512f") and has.get("avx512dq") else 256 if has.get("avx2") else 128


def multiplies_and_adds() -> bool:
    """Whether one instruction multiplies and adds, with one rounding."""
    return bool(features().get("fma")) or platform.machine() in ("aarch64", "arm64")


def _wish() -> int:
    wish = os.environ.get("WENGERT_VECTOR_BITS", "")
    return int(wish) if wish.isdecimal() else 512
