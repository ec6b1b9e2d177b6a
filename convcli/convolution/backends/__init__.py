"""The backends, in one table; each is imported when it is first used.

A backend correlates a tile (height, width, inputs) with a bank (outputs, inputs / groups, kh, kw): valid, stride 1,
undilated. All else is done once, above, in convcli.convolution.execution, so that it works on every backend alike.
"""

from importlib import import_module

from convcli.convolution.backends.base import Backend

_MODULES = {
    "direct": "convcli.convolution.backends.direct",
    "im2col": "convcli.convolution.backends.im2col",
    "kn2row": "convcli.convolution.backends.kn2row",
    "winograd": "convcli.convolution.backends.winograd",
    "fft": "convcli.convolution.backends.fft",
    "opencv": "convcli.convolution.backends.opencv",
    "torch": "convcli.convolution.backends.torch",
}


def get_backend(name: str) -> Backend:
    """Import the backend called `name`, one of the table above."""
    backend: Backend = import_module(_MODULES[name]).BACKEND
    return backend
