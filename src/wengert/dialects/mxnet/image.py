"""``mxnet.image``: reading, cutting and resizing images of shape (height, width, channels)."""

import io
from typing import Any

import numpy as np
from scipy import ndimage

from wengert.box import bare
from wengert.dialects.mxnet import rng
from wengert.dialects.mxnet.array import Array
from wengert.dialects.mxnet.errors import MXNetError
from wengert.dialects.mxnet.ndarray.ndarray import NDArray
from wengert.dialects.mxnet.numpy.array import boxed
from wengert.dialects.mxnet.util import is_np_array

__all__ = [
    "center_crop", "color_normalize", "fixed_crop", "imdecode", "imread", "imresize", "random_crop",
    "random_size_crop", "resize_short", "scale_down",
]  # fmt: skip

ORDERS = {0: 0, 1: 1, 2: 3}
"""Of splines, by MXNet's numbers of ways to interpolate: nearest neighbour, linear, cubic."""


def as_array(x: Any) -> Any:
    """An array of the dialect, of the class that is asked for at present."""
    if isinstance(x, Array):
        return x
    return boxed(np.asarray(x)) if is_np_array() else NDArray._box(np.asarray(x))


def imread(filename: str, flag: int = 1, to_rgb: bool = True) -> Any:
    """The image of a file, as bytes: in colours, or with ``flag=0`` in grey."""
    with open(filename, "rb") as file:
        return imdecode(file.read(), flag, to_rgb)


def imdecode(buf: Any, flag: int = 1, to_rgb: bool = True) -> Any:
    """The image that the bytes of a file describe. Needs Pillow."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MXNetError(
            "[imdecode] Pillow was required to read images; it is not there; pip install pillow"
        ) from error
    data = bytes(buf) if isinstance(buf, (bytes, bytearray, memoryview)) else bytes(bare(buf))
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB" if flag else "L"))
    pixels = pixels if flag else pixels[..., None]
    return as_array(np.ascontiguousarray(pixels if to_rgb else pixels[..., ::-1]))


def imresize(src: Any, w: int, h: int, interp: int = 1) -> Any:
    """An image in another size. Of pixels as areas: their centres are what is interpolated between."""
    if interp not in ORDERS:
        raise MXNetError(f"[imresize] interp 0 (nearest), 1 (linear) or 2 (cubic) was required; received {interp!r}")
    image = bare(as_array(src))
    rows, columns = (_centres(new, old) for new, old in ((h, image.shape[0]), (w, image.shape[1])))
    at = np.meshgrid(rows, columns, indexing="ij")
    pixels = image.astype(np.float64)
    made = [ndimage.map_coordinates(pixels[..., c], at, None, ORDERS[interp], "nearest") for c in range(image.shape[2])]
    scaled = np.stack(made, axis=-1)
    if image.dtype.kind in "iu":
        limits = np.iinfo(image.dtype)
        scaled = np.clip(np.rint(scaled), limits.min, limits.max)
    return as_array(scaled.astype(image.dtype))


def _centres(new: int, old: int) -> np.ndarray:
    """Where the centres of new pixels lie among the old ones."""
    return np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)


def resize_short(src: Any, size: int, interp: int = 1) -> Any:
    """An image whose shorter edge gets a length, in its proportions."""
    h, w = src.shape[:2]
    new_h, new_w = (size * h // w, size) if h > w else (size, size * w // h)
    return imresize(src, new_w, new_h, interp)


def scale_down(src_size: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of a crop, scaled down to fit an image of width and height `src_size`."""
    w, h = map(float, size)
    sw, sh = src_size
    w, h = (w * sh / h, sh) if sh < h else (w, h)
    w, h = (sw, h * sw / w) if sw < w else (w, h)
    return int(w), int(h)


def fixed_crop(src: Any, x0: int, y0: int, w: int, h: int, size: tuple[int, int] | None = None, interp: int = 1) -> Any:
    """A part of an image, resized to a width and height if these are given."""
    part = src[y0 : y0 + h, x0 : x0 + w]
    return part if size is None or (w, h) == tuple(size) else imresize(part, *size, interp)


def center_crop(src: Any, size: tuple[int, int], interp: int = 1) -> tuple:
    """The middle of an image in a width and height, and where that is: (x0, y0, width, height)."""
    h, w = src.shape[:2]
    new_w, new_h = scale_down((w, h), size)
    x0, y0 = (w - new_w) // 2, (h - new_h) // 2
    return fixed_crop(src, x0, y0, new_w, new_h, size, interp), (x0, y0, new_w, new_h)


def random_crop(src: Any, size: tuple[int, int], interp: int = 1) -> tuple:
    """Some part of an image in a width and height, and where that is: (x0, y0, width, height)."""
    h, w = src.shape[:2]
    new_w, new_h = scale_down((w, h), size)
    x0, y0 = (int(rng.generator().integers(0, room + 1)) for room in (w - new_w, h - new_h))
    return fixed_crop(src, x0, y0, new_w, new_h, size, interp), (x0, y0, new_w, new_h)


def random_size_crop(src: Any, size: tuple[int, int], area: Any, ratio: tuple[float, float], interp: int = 1) -> tuple:
    """Some part of an image, of a share of its area and of proportions within limits, resized; and where that is."""
    h, w = src.shape[:2]
    low, high = (area, 1.0) if isinstance(area, (int, float)) else area
    for _ in range(10):
        pixels = rng.generator().uniform(low, high) * h * w
        slope = np.exp(rng.generator().uniform(*np.log(ratio)))
        new_w, new_h = round(np.sqrt(pixels * slope)), round(np.sqrt(pixels / slope))
        if new_w <= w and new_h <= h:
            x0, y0 = (int(rng.generator().integers(0, room + 1)) for room in (w - new_w, h - new_h))
            return fixed_crop(src, x0, y0, new_w, new_h, size, interp), (x0, y0, new_w, new_h)
    return center_crop(src, size, interp)


def color_normalize(src: Any, mean: Any, std: Any = None) -> Any:
    """``(src - mean) / std``, for each channel."""
    centred = src if mean is None else src - mean
    return centred if std is None else centred / std
