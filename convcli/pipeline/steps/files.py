"""Files that options of steps name: kernels and images, looked for in the folder of the document."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ConvcliError
from convcli.image.model import Image
from convcli.image.reading import read_image
from convcli.image.tone import full_range
from convcli.kernel.catalogue import catalogue_folder, find
from convcli.kernel.files.notations import suffixes
from convcli.kernel.model import AnyKernel, CompositeKernel
from convcli.kernel.spec import load_kernel, split_spec
from convcli.pipeline.errors import StepError
from convcli.pipeline.file_version import FileVersion, file_version
from convcli.system.user_folders import expand_user

# Kernels are asked for several times a step, for sizes, costs and weights: as many as this are kept.
_MOST_KEPT = 64
_kept: dict[tuple[str, Path | None, FileVersion | None], AnyKernel] = {}


def beside(folder: Path, name: str) -> str:
    """Return the path of a file that a document in `folder` names.

    >>> beside(Path("nets"), "mask.png")
    'nets/mask.png'
    """
    return name if name.startswith("~") else str(folder / name)


def kernel_beside(folder: Path, spec: str) -> str:
    """Return a kernel SPEC in which the path of a kernel file is relative to the document's `folder`.

    >>> kernel_beside(Path("nets"), "own.yaml:sigma=2"), kernel_beside(Path("nets"), "gaussian:sigma=2")
    ('nets/own.yaml:sigma=2', 'gaussian:sigma=2')
    """
    base, _ = split_spec(spec)
    return beside(folder, spec) if base.lower().endswith(suffixes()) else spec


def step_kernel(spec: str) -> AnyKernel:
    """Return the kernel of a SPEC, kept in memory until its file changes.

    Raises
    ------
    KernelError
        If the SPEC names no kernel, or its file is not valid.
    """
    path = _kernel_file(spec)
    key = spec, path, None if path is None else file_version(path)
    if key not in _kept:
        kernel = load_kernel(spec)
        # A composite of the user's may name further files, of which the version of its own file says nothing.
        if isinstance(kernel, CompositeKernel) and path is not None and path.parent != catalogue_folder():
            return kernel
        if len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)), None)
        _kept[key] = kernel
        return kernel
    return _kept[key]


def _kernel_file(spec: str) -> Path | None:
    """Return the file that a SPEC reads; None where the weights are in the SPEC itself."""
    base, _ = split_spec(spec)
    return expand_user(base) if "/" in base or base.lower().endswith(suffixes()) else find(base)


def picture(path: str) -> Image:
    """Return the image in a file, kept in memory until the file changes.

    Raises
    ------
    StepError
        If the file cannot be read as an image.
    """
    return _picture(path, file_version(path))


@lru_cache(maxsize=8)
def _picture(path: str, _version: FileVersion | None) -> Image:
    """Read an image; another `_version` is another file."""
    try:
        return read_image(path)
    except ConvcliError as error:
        raise StepError(str(error)) from error


def maps_of(image: Image, white: float) -> NDArray[np.float32]:
    """Return the samples of an image as float32 (rows, columns, channels), scaled so that white is `white`."""
    return image.pixels.astype(np.float32) * np.float32(white / full_range(image.pixels.dtype))
