"""The version of PyTorch whose behaviour the dialect follows."""

__version__ = "2.13.0+cpu"
cuda = None
git_version = "unknown"
