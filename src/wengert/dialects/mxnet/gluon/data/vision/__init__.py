"""``mxnet.gluon.data.vision``: data sets of images, and transforms."""

from wengert.dialects.mxnet.gluon.data.vision import datasets, transforms
from wengert.dialects.mxnet.gluon.data.vision.datasets import MNIST, FashionMNIST

__all__ = ["MNIST", "FashionMNIST", "datasets", "transforms"]
