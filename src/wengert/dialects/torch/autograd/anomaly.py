"""Anomaly detection: not there; asking for it is refused where it would change what a program does."""

from typing import Any

from wengert.dialects.torch.errors import MissingError


class detect_anomaly:
    """Refused: undefined gradients are not looked for."""

    def __init__(self, check_nan: bool = True):
        raise MissingError(
            "[detect_anomaly] anomaly detection is not available; look for NaN with x.register_hook on the tensors of "
            "interest, or check the gradients with torch.isnan"
        )


class set_detect_anomaly:
    """Switching anomaly detection off is accepted, switching it on refused."""

    def __init__(self, mode: bool, check_nan: bool = True):
        if mode:
            detect_anomaly()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: Any) -> None:
        pass


def is_anomaly_enabled() -> bool:
    """`False`."""
    return False
