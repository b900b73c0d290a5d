"""mx.io, mx.image, and what gluon.data.vision makes of images."""

import gzip
import struct

import numpy as np
import pytest

from wengert.dialects import mxnet as mx
from wengert.dialects.mxnet import gluon, nd
from wengert.dialects.mxnet.gluon.data.vision import transforms
from wengert.errors import ArgumentError

ROWS, LABELS = np.arange(10.0).reshape(5, 2), np.arange(5)


def labels(iterator):
    return [batch.label[0].asnumpy().astype(int).tolist() for batch in iterator]


# Iterators -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("handling", "first", "second"),
    [
        ("pad", [[0, 1], [2, 3], [4, 0]], [[0, 1], [2, 3], [4, 0]]),
        ("discard", [[0, 1], [2, 3]], [[0, 1], [2, 3]]),
        ("roll_over", [[0, 1], [2, 3]], [[4, 0], [1, 2], [3, 4]]),
    ],
)
def test_the_last_batch(handling, first, second):
    iterator = mx.io.NDArrayIter(ROWS, LABELS, 2, last_batch_handle=handling)
    assert labels(iterator) == first
    iterator.reset()
    assert labels(iterator) == second


def test_batches_say_what_they_have():
    iterator = mx.io.NDArrayIter({"a": ROWS, "b": nd.array(ROWS)}, LABELS, batch_size=2)
    *_, last = iterator
    assert last.pad == 1
    assert [d.shape for d in last.data] == [(2, 2), (2, 2)]
    assert last.data[0].dtype == np.float32
    assert [(d.name, d.shape) for d in iterator.provide_data] == [("a", (2, 2)), ("b", (2, 2))]
    assert iterator.provide_label[0].name == "softmax_label"
    assert str(last) == "DataBatch: data shapes: [(2, 2), (2, 2)] label shapes: [(2,)]"


def test_shuffled_batches_keep_labels_with_their_rows():
    iterator = mx.io.NDArrayIter(ROWS, LABELS, 5, shuffle=True)
    batch = iterator.next()
    assert sorted(batch.label[0].asnumpy().tolist()) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(batch.data[0].asnumpy()[:, 0], 2 * batch.label[0].asnumpy())
    with pytest.raises(StopIteration):
        iterator.next()


def test_without_labels():
    batch = next(mx.io.NDArrayIter(ROWS, batch_size=5))
    assert batch.label == []


def test_errors_of_iterators():
    with pytest.raises(ArgumentError, match="one length"):
        mx.io.NDArrayIter(ROWS, LABELS[:2], 2)
    with pytest.raises(ArgumentError, match="batch_size=6"):
        mx.io.NDArrayIter(ROWS, batch_size=6)
    with pytest.raises(ArgumentError, match="last_batch_handle"):
        mx.io.NDArrayIter(ROWS, last_batch_handle="loop")
    with pytest.raises(ArgumentError, match="list"):
        mx.io.DataBatch(nd.ones((2,)))


# Images ----------------------------------------------------------------------------------------------------------


def image(h, w, dtype="uint8"):
    return nd.array(np.arange(h * w * 3).reshape(h, w, 3), dtype=dtype)


def test_resizing_interpolates_between_centres():
    ramp = nd.array(np.arange(4.0).reshape(1, 4, 1))
    assert mx.image.imresize(ramp, 2, 1).asnumpy().ravel().tolist() == [0.5, 2.5]
    assert mx.image.imresize(ramp, 8, 1).asnumpy().ravel().tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]
    same = image(3, 4)
    np.testing.assert_array_equal(mx.image.imresize(same, 4, 3).asnumpy(), same.asnumpy())
    assert mx.image.imresize(same, 8, 6).dtype == np.uint8
    with pytest.raises(mx.MXNetError, match="interp"):
        mx.image.imresize(same, 2, 2, interp=9)


def test_crops():
    x = image(6, 8)
    part, where = mx.image.center_crop(x, (4, 2))
    assert where == (2, 2, 4, 2)
    np.testing.assert_array_equal(part.asnumpy(), x.asnumpy()[2:4, 2:6])
    part, (x0, y0, w, h) = mx.image.random_crop(x, (3, 3))
    np.testing.assert_array_equal(part.asnumpy(), x.asnumpy()[y0 : y0 + h, x0 : x0 + w])
    part, _ = mx.image.random_size_crop(x, (5, 4), (0.3, 0.6), (0.8, 1.2))
    assert part.shape == (4, 5, 3)
    assert mx.image.resize_short(x, 3).shape == (3, 4, 3)
    assert mx.image.scale_down((4, 4), (8, 2)) == (4, 1)


def test_colours():
    x = nd.ones((1, 1, 3)) * 2
    assert mx.image.color_normalize(x, nd.array([1, 2, 0]), nd.array([1, 1, 4])).asnumpy().tolist() == [[[1, 0, 0.5]]]


def test_images_in_files(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    pixels = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    pillow.fromarray(pixels).save(tmp_path / "x.png")
    read = mx.image.imread(str(tmp_path / "x.png"))
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read.asnumpy(), pixels)
    assert mx.image.imread(str(tmp_path / "x.png"), flag=0).shape == (3, 3, 1)
    np.testing.assert_array_equal(
        mx.image.imdecode((tmp_path / "x.png").read_bytes(), to_rgb=False).asnumpy(), pixels[..., ::-1]
    )


def test_transforms():
    mx.random.seed(0)
    x = image(4, 6)
    chain = transforms.Compose([transforms.Resize((3, 2)), transforms.ToTensor(), transforms.Normalize(0.5, 0.25)])
    assert chain(x).shape == (3, 2, 3)
    assert transforms.Resize(2, keep_ratio=True)(x).shape == (2, 3, 3)
    assert transforms.CenterCrop(2)(x).shape == (2, 2, 3)
    assert transforms.RandomResizedCrop(3)(x).shape == (3, 3, 3)
    np.testing.assert_array_equal(transforms.RandomFlipLeftRight(p=1)(x).asnumpy(), x.asnumpy()[:, ::-1])
    np.testing.assert_array_equal(transforms.RandomFlipTopBottom(p=1)(x).asnumpy(), x.asnumpy()[::-1])
    assert transforms.RandomFlipLeftRight(p=0)(x) is x


def write_digits(folder):
    pixels = np.arange(2 * 784, dtype=np.int64).astype(np.uint8).reshape(2, 784)
    for part in ("train", "t10k"):
        with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(struct.pack(">II", 2049, 2) + bytes([7, 1]))
        with gzip.open(folder / f"{part}-images-idx3-ubyte.gz", "wb") as file:
            file.write(struct.pack(">IIII", 2051, 2, 28, 28) + pixels.tobytes())
    return pixels


@pytest.mark.parametrize("kind", [gluon.data.vision.MNIST, gluon.data.vision.FashionMNIST])
def test_digits_from_files(kind, tmp_path):
    pixels = write_digits(tmp_path)
    digits = kind(root=str(tmp_path), train=False)
    picture, label = digits[1]
    assert (len(digits), picture.shape, picture.dtype, int(label)) == (2, (28, 28, 1), np.uint8, 1)
    np.testing.assert_array_equal(picture.asnumpy().ravel(), pixels[1])
    changed = kind(str(tmp_path), transform=lambda x, y: (x.astype("float32") / 255, y))
    assert changed[0][0].dtype == np.float32
    loader = gluon.data.DataLoader(digits.transform_first(transforms.ToTensor()), 2)
    batch, names = next(iter(loader))
    assert (batch.shape, names.asnumpy().tolist()) == ((2, 1, 28, 28), [7, 1])


def test_digits_that_are_not_there(tmp_path):
    with pytest.raises(mx.MXNetError, match="nothing is downloaded"):
        gluon.data.vision.MNIST(root=str(tmp_path))
