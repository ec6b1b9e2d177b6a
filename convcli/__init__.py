"""Filter images by convolution: any kernel, any padding, any backend.

    from convcli import apply, convolve, read_image, write_image

    image = read_image("photo.png")
    response = convolve(image.pixels, "gabor:sigma=4,theta=45", padding="wrap")
    edges = apply(image, "canny", constants={"low": 20})

The names are looked up when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convcli.convolution.convolve import convolve
    from convcli.image.reading import read_image
    from convcli.image.writing import write_image
    from convcli.kernel.model import Kernel
    from convcli.kernel.spec import load_kernel
    from convcli.process.apply import apply

__version__ = "0.1.0"

__all__ = ["Kernel", "__version__", "apply", "convolve", "load_kernel", "read_image", "write_image"]

_HOMES = {
    "Kernel": "convcli.kernel.model",
    "apply": "convcli.process.apply",
    "convolve": "convcli.convolution.convolve",
    "load_kernel": "convcli.kernel.spec",
    "read_image": "convcli.image.reading",
    "write_image": "convcli.image.writing",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module and keep it."""
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    if name == "load_kernel":
        import_module("convcli.image")  # adds pictures to the notations that kernels are read in
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
