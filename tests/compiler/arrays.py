"""Arrays that lie in memory as few do."""

import numpy as np


def misaligned(array):
    raw = bytearray(array.nbytes + 1)
    found = np.frombuffer(raw, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    found[...] = array
    assert not found.flags.aligned
    return found


def read_only(array):
    found = array.copy()
    found.flags.writeable = False
    return found
