"""Colourings: which columns (or rows) of a sparse matrix can be computed together, and where its entries are then.

Gebremedhin, Manne and Pothen, What color is your Jacobian? (SIAM Review 47, 2005) has the theory. Both colourings are
greedy, taken in the order of falling degree.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Plan:
    """A pattern of non-zeros with a colouring of it; made once, used for every evaluation.

    Attributes
    ----------
    pattern : scipy.sparse.csr_array of bool
        Where the matrix may have entries.
    colors : ndarray of int
        The colour of each column (of each row, if `by_rows`): those of one colour are computed by one product.
    by_rows : bool
        Whether rows are computed (reverse mode) or columns (forward mode, and symmetric matrices).
    """

    pattern: Any
    colors: np.ndarray
    by_rows: bool
    color: np.ndarray
    """For each entry the compressed product that has it."""
    place: np.ndarray
    """For each entry its place there."""

    @property
    def count(self) -> int:
        """Number of colours: how many products an evaluation takes."""
        return int(self.colors.max(initial=-1)) + 1

    def seeds(self, dtype: Any) -> np.ndarray:
        """The vectors to multiply with, one row for each colour."""
        seeds = np.zeros((self.count, self.colors.size), dtype)
        seeds[self.colors, np.arange(self.colors.size)] = 1
        return seeds

    def matrix(self, compressed: np.ndarray) -> Any:
        """The sparse matrix, from the products with all seeds."""
        from scipy import sparse

        entries = compressed[self.color, self.place]
        return sparse.csr_array((entries, self.pattern.indices, self.pattern.indptr), shape=self.pattern.shape)


def jacobian_plan(pattern: Any, mode: str = "auto") -> Plan:
    """A colouring of the columns, or of the rows where these have fewer entries in common."""
    by_rows = mode == "reverse"
    if mode == "auto":
        by_rows = _longest(pattern.tocsc()) < _longest(pattern)
    rows, columns = _numbers(pattern)
    lines, across = (pattern, pattern.tocsc()) if by_rows else (pattern.tocsc(), pattern)
    colors = _apart(lines, across)
    return Plan(pattern, colors, by_rows, colors[rows if by_rows else columns], columns if by_rows else rows)


def hessian_plan(pattern: Any) -> Plan:
    """A star colouring of a symmetric pattern: each entry can be read off its column's product, or its row's."""
    pattern = (pattern + pattern.T).tocsr()
    pattern.sort_indices()
    colors = _star(pattern)
    rows, columns = _numbers(pattern)
    # In a row a colour that occurs once shows the entry itself; else the entry on the other side of the diagonal does.
    key = rows * (colors.max(initial=0) + 1) + colors[columns]
    _, inverse, times = np.unique(key, return_inverse=True, return_counts=True)
    alone = times[inverse] == 1
    return Plan(pattern, colors, False, np.where(alone, colors[columns], colors[rows]), np.where(alone, rows, columns))


def _numbers(pattern: Any) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of each entry."""
    return np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr)), pattern.indices


def _longest(lines: Any) -> int:
    return int(np.diff(lines.indptr).max(initial=0))


def _apart(lines: Any, across: Any) -> np.ndarray:
    """Colours for lines such that no two of one colour have an entry in common place."""
    colors = [-1] * (len(lines.indptr) - 1)
    lists, crossing = _lists(lines), _lists(across)
    for j in _by_degree(lines):
        forbidden = {colors[k] for i in lists[j] for k in crossing[i]}
        colors[j] = _first_free(forbidden)
    return np.array(colors, np.intp)


def _star(pattern: Any) -> np.ndarray:
    """Colours for the columns of a symmetric pattern: neighbours differ, and no path of four has two colours only."""
    near = [[j for j in row if j != i] for i, row in enumerate(_lists(pattern))]
    colors = [-1] * len(near)
    for v in _by_degree(pattern):
        forbidden: set[int] = set()
        for w in near[v]:
            if colors[w] < 0:
                forbidden.update(colors[x] for x in near[w])
                continue
            forbidden.add(colors[w])
            for x in near[w]:
                if colors[x] >= 0 and any(y != w and colors[y] == colors[w] for y in near[x]):
                    forbidden.add(colors[x])
        colors[v] = _first_free(forbidden)
    return np.array(colors, np.intp)


def _lists(lines: Any) -> list[list[int]]:
    indices, indptr = lines.indices.tolist(), lines.indptr.tolist()
    return [indices[start:stop] for start, stop in itertools.pairwise(indptr)]


def _by_degree(lines: Any) -> list[int]:
    return np.argsort(-np.diff(lines.indptr), kind="stable").tolist()


def _first_free(forbidden: set[int]) -> int:
    color = 0
    while color in forbidden:
        color += 1
    return color
