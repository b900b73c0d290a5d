"""One thread for the linear algebra of a solver, whose matrices are small while the user's function needs the cores.

NumPy and SciPy bring an OpenBLAS each, with threads of its own. Those of SciPy's go on spinning for a while after each
product, in the hope of another one, and take cores away from the function that is being solved for.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_lock = threading.Lock()
_running = 0
_pools: list[Any] | None = None
_numbers: list[int] = []


def _solver_pools() -> list[Any]:
    """The thread pools of linear algebra libraries that belong to SciPy alone."""
    global _pools
    if _pools is None:
        import scipy.linalg  # noqa: F401 (loads SciPy's library, which is not to be found before)
        import threadpoolctl

        blas = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
        # The folder tells whose it is: NumPy's own file is called libscipy_openblas, too.
        _pools = [pool for pool in blas if any(part.startswith("scipy") for part in Path(pool.filepath).parent.parts)]
    return _pools


@contextmanager
def one_solver_thread() -> Iterator[None]:
    """Give SciPy's linear algebra one thread as long as some solver runs, in whichever thread.

    The numbers are the process's: so the first solver to start takes them down and the last to end puts them back.
    """
    global _running, _numbers
    with _lock:
        if not _running:
            pools = _solver_pools()
            _numbers = [pool.num_threads for pool in pools]
            for pool in pools:
                pool.set_num_threads(1)
        _running += 1
    try:
        yield
    finally:
        with _lock:
            _running -= 1
            if not _running:
                for pool, number in zip(_solver_pools(), _numbers, strict=True):
                    pool.set_num_threads(number)
