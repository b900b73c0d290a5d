"""Saving and loading: pickles of tensors and of containers that hold them."""

import os
import pickle
from typing import Any

from wengert.dialects.torch.dtypes import check_device
from wengert.dialects.torch.errors import MissingError


def save(obj: Any, f: Any, pickle_module: Any = pickle, pickle_protocol: int = 2, **options: Any) -> None:
    """Write an object (a tensor, a dictionary of tensors …) to a file or to what has ``write``."""
    if isinstance(f, (str, os.PathLike)):
        with open(f, "wb") as file:
            pickle_module.dump(obj, file, pickle_protocol)
    else:
        pickle_module.dump(obj, f, pickle_protocol)


def load(
    f: Any, map_location: Any = None, pickle_module: Any = pickle, *, weights_only: Any = None, **options: Any
) -> Any:
    """Read what `save` has written. As with every pickle, load only files that you trust."""
    if isinstance(map_location, str) or hasattr(map_location, "type"):
        check_device("load", map_location)
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return _read(file, pickle_module)
    return _read(f, pickle_module)


def _read(file: Any, pickle_module: Any) -> Any:
    start = file.read(4)
    file.seek(-len(start), os.SEEK_CUR)
    if start == b"PK\x03\x04":
        raise MissingError(
            "[load] a file written by this dialect's torch.save was required; received an archive of PyTorch's own; "
            "convert it there to arrays: numpy.savez(f, **{k: v.numpy() for k, v in state.items()})"
        )
    return pickle_module.load(file)
