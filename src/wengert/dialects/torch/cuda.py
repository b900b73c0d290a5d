"""There is no GPU here: what asks whether there is one is told so."""

from typing import Any

from wengert.dialects.torch.dtypes import check_device


def is_available() -> bool:
    """`False`."""
    return False


def device_count() -> int:
    """0."""
    return 0


def current_device() -> int:
    """Refused: there is none."""
    check_device("cuda", "cuda")
    return 0


def manual_seed(seed: int) -> None:
    """Nothing: there is no generator to seed."""


manual_seed_all = manual_seed


def empty_cache() -> None:
    """Nothing: there is no cache."""


def synchronize(device: Any = None) -> None:
    """Refused: there is no device."""
    check_device("cuda", "cuda")
