"""The child process in which one peer runs, and its parent's end of the line."""

import gc
import multiprocessing
import traceback
from statistics import median
from time import perf_counter

import numpy as np

from . import peers, workloads

SHORTEST = 2e-4  # seconds: one reading of the clock covers at least this much work


class PeerFailed(Exception):
    """The peer raised, died or took too long; the message fits into a table."""


class Child:
    """What a worker can be asked for, one method each."""

    def __init__(self, name: str):
        self.name = name
        self.peer = None
        self.run = None

    def prepare(self, workload: str, case: str):
        """Build the program; gives its value and gradients, and the seconds of one call.

        Those of a second call: a gradient that was left over from the first would show.
        """
        self.peer = self.peer or peers.load(self.name)
        self.run = workloads.load(workload).case(case).program(self.peer)
        self.run()
        start = perf_counter()
        value, gradients = self.run()
        seconds = perf_counter() - start
        return [self.peer.read(a) for a in (value, *gradients)], seconds

    def time(self, block: float, seconds: float) -> float:
        """Return the seconds of a call: the better half of a turn."""
        gc.collect()
        halves = []
        for threads in self.peer.thread_choices:
            if threads:
                self.peer.use_threads(threads)
            halves.append(self.median(block / 2, seconds))
        return min(halves)

    def median(self, block: float, seconds: float) -> float:
        """Return the median seconds of a call, over a block of calls (a single one if it is long)."""
        run, times = self.run, []
        repeats = max(1, round(SHORTEST / seconds))
        if seconds < block:
            run()  # the caches were somebody else's
        end = perf_counter() + block
        while not times or perf_counter() < end:
            start = perf_counter()
            for _ in range(repeats):
                run()
            times.append((perf_counter() - start) / repeats)
        return median(times)

    def drop(self) -> None:
        """Let go of the program and its arrays."""
        self.run = None
        gc.collect()

    def measure(self, workload: str, case: str) -> dict:
        """Return the numbers of a `Measured` case; asked once, of a fresh process."""
        numbers = workloads.load(workload).case(case).measure(self.name)
        if "gradient" in numbers:
            numbers["gradient"] = [np.asarray(numbers["gradient"])]
        return numbers


def settle_allocator() -> None:
    """Make every process look as if it had once held a large array, as most programs have.

    Until then the C library gives freed memory back at once and fetches it anew, page by page: 3 times
    the cost of an operation on 10⁴ elements, in some processes and not in others, by mere chance.
    """
    np.empty(30_000_000, dtype=np.uint8)


def serve(connection, kind: type[Child], name: str) -> None:
    """Answer requests until the parent hangs up."""
    settle_allocator()
    child = kind(name)
    while True:
        try:
            method, arguments = connection.recv()
        except EOFError:
            return
        try:
            answer = getattr(child, method)(*arguments)
        except Exception as error:
            traceback.print_exc()
            connection.send((f"{type(error).__name__}: {error}", None))
        else:
            connection.send(("", answer))


class Worker:
    """The parent's end: `worker.ask("time", 0.1, seconds)` calls that method over there."""

    def __init__(self, name: str, timeout: float, kind: type[Child] = Child):
        context = multiprocessing.get_context("spawn")
        self.timeout = timeout
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, kind, name), daemon=True)
        self.process.start()
        theirs.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, method: str, *arguments):
        try:
            self.connection.send((method, arguments))
            if not self.connection.poll(self.timeout):
                self.close()
                raise PeerFailed(f"no answer within {self.timeout:.0f} s")
            error, answer = self.connection.recv()
        except (EOFError, OSError) as closed:
            self.process.join(5)
            raise PeerFailed(f"the process ended with status {self.process.exitcode}") from closed
        if error:
            raise PeerFailed(error)
        return answer

    def is_alive(self) -> bool:
        return self.process.is_alive()

    def close(self) -> None:
        self.connection.close()
        self.process.join(2)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
