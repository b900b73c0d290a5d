"""``mxnet.gluon.data.vision``: transforms of images. Data sets that would be downloaded are not here."""

from wengert.dialects.mxnet.gluon.data.vision import transforms

__all__ = ["transforms"]
