import pytest


@pytest.fixture(params=["Entry", "PlainEntry"])
def kind(request):
    """Either kind of entry: native, and in Python."""
    from wengert.compiler import native, plain

    return getattr(native if request.param == "Entry" else plain, request.param)
