"""The workloads of the compiler's benchmark; `benchmarks/compile.py` says how they are measured.

Each workload is one program, written once over NumPy's names with ordinary loops; JAX gets its `lax.scan` where the
loop runs over time, and C code written by hand says what the machine could do.

    systems.py        what is compared, and how each takes and compiles a gradient
    workload.py       what a workload declares, and the list of them all
    elementwise.py, models.py, geometry.py, sequences.py, networks.py        the programs
    floor_c, floor.py the hand-written C, compiled when the benchmark starts, if there is a compiler
    child.py          the process in which one system runs
    rounds.py         the systems take turns
    busy.py           the same beside a program that keeps one core
    table.py          the report
"""
