"""What each NumPy function is made of, one file per family; `wengert.compiler.lower` puts them together.

A handler gets the `Builder`, shape and dtype of the result, and the arguments of the call, in which values of the graph
stand for those of the program. It returns the value of the call, or `None` where the call has to stay one.
"""
