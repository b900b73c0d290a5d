"""Derivative rules, one file per family of NumPy functions. Importing this package registers them."""

from wengert.rules import elementwise, indexing, nn, products, reductions, shaping, sorting, windows

__all__ = ["elementwise", "indexing", "nn", "products", "reductions", "shaping", "sorting", "windows"]
