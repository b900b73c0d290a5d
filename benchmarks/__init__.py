"""Wengert side by side with other automatic differentiation libraries.

`python -m benchmarks` measures, prints and draws; `python -m benchmarks --help` says how.

Read the files in this order:

    peers.py      one small class per library: make a leaf, name a function, take a gradient
    workload.py   what a workload declares: its cases, and the budget beside each of them
    workloads/    one file per workload: the same program for every peer
    worker.py     the child process in which one peer runs
    runner.py     drives the workers in turn, and compares their gradients before any timing
    machine.py    what the numbers were measured on
    report.py     the tables
    chart.py      the picture for the README

How a number comes about. Every peer lives in a process of its own, which stays warm. A case is
first built everywhere and its gradients are compared: one that disagrees stops the case. Then the
peers take turns (A B C, A B C, ...), short ones, so that a busy moment of the machine falls on
everybody. A turn has two halves, of which the better counts; the figure is the median over the
rounds. All peers get the same number of threads (PyTorch, whose threads suffer most on a busy
machine, has all of them in one half of its turn and one in the other), and Python's garbage
collector as it is by default, emptied before each turn. What only a fresh process can tell
(memory, import time, one very long tape) starts one for each round and each peer, in the same
alternation.
"""
