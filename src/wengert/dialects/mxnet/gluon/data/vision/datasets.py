"""Data sets of images, from files that are there: nothing is downloaded."""

import gzip
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.dialects.mxnet.errors import MXNetError
from wengert.dialects.mxnet.gluon.data.dataset import Dataset
from wengert.dialects.mxnet.image import as_array

__all__ = ["MNIST", "FashionMNIST"]


class MNIST(Dataset):
    """Handwritten digits: images of shape (28, 28, 1) as bytes, and labels.

    Parameters
    ----------
    root : str
        Folder of the files ``train-images-idx3-ubyte.gz`` and so on.
    train : bool
        Whether the images for training, or those for tests.
    transform : function of image and label, optional
    """

    _FOLDER = "mnist"

    def __init__(self, root: str | None = None, train: bool = True, transform: Callable | None = None) -> None:
        self._root = os.path.expanduser(root or os.path.join("~", ".mxnet", "datasets", self._FOLDER))
        self._transform = transform
        part = "train" if train else "t10k"
        self._label = self._read(f"{part}-labels-idx1-ubyte.gz", 8).astype(np.int32)
        pixels = self._read(f"{part}-images-idx3-ubyte.gz", 16)
        self._data = as_array(pixels.reshape(len(self._label), 28, 28, 1))

    def _read(self, name: str, header: int) -> np.ndarray:
        path = os.path.join(self._root, name)
        if not os.path.exists(path):
            raise MXNetError(
                f"[{type(self).__name__}] the file {path} was required; it is not there, and nothing is downloaded; "
                f"put it there, or name its folder as root"
            )
        with gzip.open(path, "rb") as file:
            return np.frombuffer(file.read(), np.uint8, offset=header)

    def __getitem__(self, idx: Any) -> Any:
        image, label = self._data[idx], self._label[idx]
        return (image, label) if self._transform is None else self._transform(image, label)

    def __len__(self) -> int:
        return len(self._label)


class FashionMNIST(MNIST):
    """Articles of clothing in the format of `MNIST`."""

    _FOLDER = "fashion-mnist"
