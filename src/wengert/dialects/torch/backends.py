"""Switches between implementations, of which there is one here: they may be set, and change nothing."""

from types import SimpleNamespace

__all__ = ["cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]


def _absent() -> bool:
    return False


cudnn = SimpleNamespace(
    enabled=False, benchmark=False, deterministic=True, allow_tf32=False, is_available=_absent, version=lambda: None
)
cuda = SimpleNamespace(matmul=SimpleNamespace(allow_tf32=False), is_built=_absent)
mps = SimpleNamespace(is_available=_absent, is_built=_absent)
mkl, mkldnn, openmp = (SimpleNamespace(enabled=False, is_available=_absent) for _ in range(3))
