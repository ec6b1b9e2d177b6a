"""The registry of backends: what must be known of each before its module is imported.

A backend is one module of this folder, named as in its entry here, which holds all that it does: its forms and their
costs, what it refuses, what it does natively, and its correlators. The entry holds what help texts and the planner read
without importing it: a line for people, the libraries and devices it computes with, and the shipped seconds of its cost
terms. This module imports neither numpy nor any of those libraries.
"""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["REGISTRY", "BackendEntry", "Library", "automatic_backends", "backend_names", "entry_of"]


class Library(NamedTuple):
    """A library that a backend computes with.

    `package` is what is imported, `distributions` are the names under which installers know it, and `extra` is the
    extra of convcli that installs it, empty for one that is always installed.
    """

    title: str
    package: str
    distributions: tuple[str, ...]
    extra: str = ""


class BackendEntry(NamedTuple):
    """What is known of a backend without importing its module.

    Parameters
    ----------
    name : str
        The word of `--backend`, and the name of the module in this folder.
    summary : str
        One line for people.
    seconds : Mapping of str to float
        Shipped seconds for a unit of each of its cost terms, on one core and in float32. `run` and `load` count once,
        `call` at least once a tile.
    each_sample : tuple of str
        Terms that every form for one kernel on all channels counts at least once for each output sample: what the
        least time of the backend is estimated by.
    whole_images : bool
        Whether it may filter whole images by itself, without tiles.
    automatic : bool
        Whether `auto` considers it.
    library : Library, optional
        What it computes with, beside numpy.
    devices : tuple of str
        Where it can compute.
    """

    name: str
    summary: str
    seconds: Mapping[str, float]
    each_sample: tuple[str, ...] = ()
    whole_images: bool = False
    automatic: bool = True
    library: Library | None = None
    devices: tuple[str, ...] = ("cpu",)

    @property
    def module(self) -> str:
        """Full name of the backend's module."""
        return f"convcli.convolution.backends.{self.name}"

    @property
    def installed(self) -> bool:
        """Whether its library is installed."""
        from importlib.util import find_spec

        return self.library is None or find_spec(self.library.package) is not None


_OPENCV_DISTRIBUTIONS = (
    "opencv_python_headless",
    "opencv_python",
    "opencv_contrib_python_headless",
    "opencv_contrib_python",
)

REGISTRY: tuple[BackendEntry, ...] = (
    BackendEntry(
        "direct",
        "the definition in NumPy: shifted copies, runs of rows, or running sums of a box",
        {"sample": 6.23e-10, "pass": 1.28e-10, "call": 1.94e-06, "run": 0.000688},
        each_sample=("sample", "pass"),
    ),
    BackendEntry(
        "im2col",
        "windows unrolled into a matrix, and one matrix product",
        {
            "sample": 7.87e-10,
            "unroll": 3.36e-10,
            "window": 3.49e-11,
            "bank_unroll": 8.18e-10,
            "weight": 9.01e-09,
            "product": 1.35e-11,
            "call": 5.29e-06,
            "run": 6.63e-06,
        },
        each_sample=("sample", "unroll", "window"),
    ),
    BackendEntry(
        "kn2row",
        "a matrix product for each kernel column, or for each weight of a bank",
        {
            "sample": 5.42e-10,
            "pass": 3.08e-10,
            "level": 2.95e-11,
            "weight": 1.32e-09,
            "band": 1.99e-11,
            "tap": 3.49e-11,
            "product": 1.31e-11,
            "call": 1.39e-05,
            "run": 5.35e-05,
        },
        each_sample=("sample", "pass"),
    ),
    BackendEntry(
        "winograd",
        "3x3 kernels with fewer multiplications, F(2x2, 3x3) and F(4x4, 3x3)",
        {
            "input": 3.57e-10,
            "output": 7.83e-09,
            "product": 3.12e-12,
            "weight": 1.18e-06,
            "call": 4.07e-06,
            "run": 0.000177,
        },
        each_sample=("input", "output"),
    ),
    BackendEntry(
        "fft",
        "overlap-save in tiles by FFTW, for large kernels",
        {
            "transform": 1.64e-10,
            "sample": 1.09e-11,
            "product": 4.75e-10,
            "spectrum": 1.32e-10,
            "call": 9.17e-05,
            "run": 0.0001,
            "load": 0.04,
        },
        each_sample=("transform", "sample"),
        library=Library("pyfftw", "pyfftw", ("pyfftw",)),
    ),
    BackendEntry(
        "opencv",
        "OpenCV's filter2D, sepFilter2D and boxFilter",
        {
            "tile": 2.23e-10,
            "dense": 1.64e-10,
            "tap": 3.8e-11,
            "double_tap": 6.66e-11,
            "spectrum": 1.64e-08,
            "pass": 1.27e-10,
            "length": 1.15e-10,
            "add": 1e-10,
            "box": 1.43e-09,
            "double_spectrum": 1.03e-08,
            "whole_box": 2.36e-09,
            "plane": 1e-10,
            "byte": 1e-10,
            "byte_tap": 6.51e-11,
            "byte_spectrum": 3.16e-08,
            "byte_pass": 4e-11,
            "byte_length": 7.02e-11,
            "byte_box": 9.58e-10,
            "call": 1.59e-05,
            "run": 5e-06,
        },
        whole_images=True,
        library=Library("opencv", "cv2", _OPENCV_DISTRIBUTIONS),
    ),
    BackendEntry(
        "torch",
        "PyTorch's conv2d, on the CPU or a GPU",
        {"sample": 5e-09, "product": 2e-11, "call": 5e-05, "run": 0.0001, "load": 2},
        each_sample=("sample",),
        # It takes seconds to load, and what it computes on depends on the machine.
        automatic=False,
        library=Library("torch", "torch", ("torch",), extra="torch"),
        devices=("cpu", "cuda"),
    ),
)

_BY_NAME = {entry.name: entry for entry in REGISTRY}


def backend_names() -> tuple[str, ...]:
    """Return the names of all backends, in the order in which they are listed for people."""
    return tuple(entry.name for entry in REGISTRY)


def automatic_backends() -> tuple[str, ...]:
    """Return the names of those that `auto` chooses from."""
    return tuple(entry.name for entry in REGISTRY if entry.automatic)


def entry_of(name: str) -> BackendEntry:
    """Return the entry called `name`.

    >>> entry_of("torch").devices
    ('cpu', 'cuda')
    """
    return _BY_NAME[name]
