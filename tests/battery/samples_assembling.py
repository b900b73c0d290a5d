"""Samples of arrays put together from parts, of sampled functions, and of products that take axes."""

import numpy as np
from tests.battery.samples import A, P, args, fortran, ints, real, samples, singular

# Inserting, deleting, blocks -------------------------------------------------------------------------------------

samples(
    np.insert,
    args(A(4), 1, A()),
    args(A(4), 1, A(2)),
    args(A(2, 3), 2, A(2)),
    args(A(2, 3), 1, A(3), 0),
    args(A(2, 3), -1, A(2), axis=1),
    args(A(2, 3), [0, 2], A(2, 2), axis=1),
    args(A(2, 3), [1], A(2, 2), 1),
    args(A(4), slice(0, 4, 2), A(2)),
    args(A(4), ints(1, 1, 3), A(3)),
    args(A(3), [0, -1], A(2)),
    args(A(4), np.array([True, False, True, False]), 5.0),
    args(A(4), [], A(0)),
    args(A(4), 4, [1.0, 2.0]),
    args(A(2, 2, 2), [0, 1], A(2, 1), 1),
    args(A(0), 0, A(2)),
)
samples(
    np.delete,
    args(A(4), 1),
    args(A(2, 3), -1, 1),
    args(A(2, 3), [0, 0, 2], axis=1),
    args(A(4), slice(None, None, 2)),
    args(A(4), np.array([True, False, True, True])),
    args(A(2, 3), []),
    args(fortran(A(2, 3)), ints(1), 0),
)
samples(np.resize, args(A(3), (2, 4)), args(A(2, 3), 4), args(A(0), 2), args(A(3), (0, 2)), args(A(), new_shape=3))
samples(
    np.block,
    args([[A(2, 2), A(2, 1)], [A(1, 3)]]),
    args([A(2), A(), 1.0]),
    args(A(2)),
    args([[A(2)], [A(2)]]),
    args([[[A(2, 1, 1)]], [[A(1, 1, 1)]]]),
)

# Scales ----------------------------------------------------------------------------------------------------------

samples(
    np.logspace,
    args(A(), A(), 4),
    args(A(2), A(2), num=3, endpoint=False, base=2.0, axis=-1),
    args(A(), A(), 3, base=P()),
    args(A(), A(2), 3, base=P(2)),
    args(A(2), A(), 3, base=P(2), axis=1),
    real(A(), 1.0, 3, dtype=np.float32),
)
samples(
    np.geomspace,
    args(P(), P(), 4),
    args(-P(2), -P(2), num=3, endpoint=False, axis=-1),
    args(P(2, 1), P(3), 3, axis=1),
    args(P(), 4, 1),
    args(P(), 4, 0),
    real(P(), P(), 3, dtype=np.float32),
)

# Outside of the real numbers -------------------------------------------------------------------------------------

samples(
    (np.emath.sqrt, np.emath.log, np.emath.log2, np.emath.log10), args(A(3)), args(P(2, 2)), args(-P()), args(ints(-1))
)
samples(
    (np.emath.arccos, np.emath.arcsin, np.emath.arctanh),
    args(np.array([0.5, -1.6, 1.4])),
    args(0.3 * P(2, 2)),
    args(-1.5 - P()),
)
samples(np.emath.logn, args(2.0, A(3)), args(1 + P(3), A(3)), args(P(), -1.5))
samples(np.emath.power, args(A(3), 2), args(P(2), ints(-1, 2)), args(A(3), A(3)), args(2, ints(-1)))

# Sampled functions -----------------------------------------------------------------------------------------------

samples(
    (np.convolve, np.correlate),
    args(A(4), A(2)),
    args(A(2), A(4)),
    args(A(3), A(3), "same"),
    args(A(4), A(3), mode="same"),
    args(A(3), A(4), "same"),
    args(A(4), A(2), "valid"),
    args(A(1), A(3), "full"),
    args(A(6)[::-2], [1.0, 2.0], "full"),
    args(A(3), ints(1, 2), "full"),
)
samples(np.convolve, args(A(), A(2)), args(A(), 2.0))
POINTS = np.array([-2.1, -1.0, -0.3, 0.4, 1.2, 2.4])
PLACES = np.array([[-3.0, -1.5, 0.0], [0.3, 0.7, 2.9]])
samples(
    np.interp,
    real(PLACES, POINTS, A(6)),
    real(np.float64(0.1), POINTS, A(6)),
    real(PLACES, POINTS, A(6), left=A(), right=A()),
    real(PLACES, POINTS, A(6), 1.0, 2.0),
    real(PLACES, POINTS, A(6) + 1j * P(6)),
    real(PLACES, POINTS, A(6), period=np.float64(6.1)),
    real(PLACES, POINTS, A(6), period=-2.3),
    real(0.5, POINTS, A(6)),
    real(PLACES, [-1.9, 1.0], A(2)),
)
singular(
    np.interp,
    real(np.array([0.0, 1.0, 2.0, np.nan, 3.0, -1.0]), np.array([0.0, 1.0, 2.0]), A(3)),
    real(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0]), A(3)),
    real(np.array([0.0, 1.0, 2.0]), np.array([1.0]), A(1)),
)
EDGES = np.array([-1.7, -0.45, 0.62, 1.55])
samples(
    np.histogram_bin_edges,
    real(A(5), 3),
    real(A(5), "auto"),
    real(A(5), EDGES),
    real(A(5), bins=2, range=(np.float64(-1.0), np.float64(0.7))),
    real(A(0), 2),
    real(ints(1, 2), weights=A(2)),
)
samples(
    np.histogram,
    real(A(5), 3),
    real(A(5), EDGES, weights=A(5)),
    real(A(2, 3), 3, range=(-1.1, 0.7), weights=A(2, 3)),
    real(A(5), 2, density=True),
    real(A(5), bins=EDGES, density=True, weights=P(5)),
    real(A(5), 3, weights=A(5) + 1j * P(5)),
    real(ints(1, 2, 2, 5), 3, weights=A(4)),
)
samples(
    np.histogram2d,
    real(A(5), A(5), 3),
    real(A(5), A(5), [2, 3], [(-1.1, 1.1), (-2.1, 2.1)], None, A(5)),
    real(A(5), A(5), [2, EDGES], density=True, weights=P(5)),
    real(A(5), A(5), bins=EDGES, range=None),
)
samples(
    np.histogramdd,
    real(A(5, 3), 2),
    real((A(5), A(5)), (2, 3), range=[(-1.1, 1.1), None], weights=P(5)),
    real([A(5), A(5)], bins=[EDGES, EDGES], density=True, weights=P(5)),
)

# Products --------------------------------------------------------------------------------------------------------

samples(
    np.cross,
    args(A(3), A(2, 3)),
    args(A(2), A(2)),
    args(A(3, 2), A(3), axisa=0),
    args(A(3), A(3, 2), axisb=0),
    args(A(3, 2), A(3, 2), axis=0),
    args(A(2), A(4, 3), axisc=0),
    args(A(2, 3), A(2)),
    args(A(2, 1, 3), A(3, 3)),
)
samples(
    np.vecdot,
    args(A(2, 3), A(2, 3)),
    args(A(2, 3), A(3)),
    args(A(3), A(3)),
    args(A(2, 1, 3), A(2, 3)),
    args(A(3, 2), A(2, 3), axes=[0, 1]),
    args(A(3, 2), A(3, 2), axis=0, keepdims=True),
    args(A(2, 3), A(2, 3), keepdims=True),
    args(A(2, 0), A(0)),
)
samples(
    np.matvec,
    args(A(2, 3), A(3)),
    args(A(2, 3), A(4, 3)),
    args(A(2, 2, 3), A(3)),
    args(A(2, 2, 3), A(2, 3)),
    args(A(3, 2), A(4, 3), axes=[(1, 0), -1, 0]),
)
samples(
    np.vecmat,
    args(A(2), A(2, 3)),
    args(A(4, 2), A(2, 3)),
    args(A(2), A(2, 2, 3)),
    args(A(2, 2), A(2, 2, 3)),
    args(A(3), A(2, 3), axes=[0, (1, 0), 0]),
)
samples(np.matmul, args(A(3, 2), A(2, 3), axes=[(1, 0), (1, 0), (0, 1)]), args(A(3), A(2, 3), axes=[0, (1, 0), 0]))
samples(
    np.einsum,
    args("ij,jk,kl->il", A(2, 3), A(3, 2), A(2, 2), optimize=True),
    args("ij,jk,kl->li", A(2, 3), A(3, 2), A(2, 2), optimize="optimal"),
    args("ii,jk,k->", A(2, 2), A(3, 2), A(2), optimize=("greedy", 1000)),
    args("...i,ij,j->...", A(2, 2), A(2, 3), A(3), optimize=["einsum_path", (0, 1), (0, 1)]),
    args("i,j,k", A(2), A(1), A(2), optimize=["einsum_path", (0, 1, 2)]),
    args("ij,j", A(2, 3), ints(1, 2, 3), dtype=np.complex128, order="F", casting="safe"),
)
samples(
    np.einsum_path, args("ij,jk,kl->il", A(2, 3), A(3, 2), A(2, 2)), args("i,i,i", A(2), A(2), A(2), optimize="optimal")
)

# Without a gradient ----------------------------------------------------------------------------------------------

samples(np.ix_, args(ints(1, 2), [True, False]))
samples(np.packbits, args(ints([1, 0], [0, 1])), args(ints([1, 0], [0, 1]), axis=1, bitorder="little"))
samples(np.unpackbits, args(np.array([3], np.uint8)), args(np.array([3], np.uint8), axis=0, count=4, bitorder="little"))
samples(np.bitwise_count, args(ints(1, 3)))
samples(np.diag_indices_from, args(A(2, 2)))
samples((np.tril_indices_from, np.triu_indices_from), args(A(2, 3)), args(A(2, 3), k=1))
