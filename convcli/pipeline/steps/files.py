"""Files that the options of steps name: kernels and images, looked for beside the document."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ConvcliError
from convcli.image.model import Image
from convcli.image.reading import read_image
from convcli.image.tone import full_range
from convcli.kernel.spec import split_spec
from convcli.pipeline.steps.base import StepError


def beside(folder: Path, name: str) -> str:
    """The path of a file that a document in `folder` names.

    >>> beside(Path("nets"), "mask.png")
    'nets/mask.png'
    """
    return name if name.startswith("~") else str(folder / name)


def kernel_beside(folder: Path, spec: str) -> str:
    """A SPEC, with the kernel file that it names found from the folder of the document.

    >>> kernel_beside(Path("nets"), "own.yaml:sigma=2"), kernel_beside(Path("nets"), "gaussian:sigma=2")
    ('nets/own.yaml:sigma=2', 'gaussian:sigma=2')
    """
    base, _ = split_spec(spec)
    return beside(folder, spec) if base.lower().endswith((".yaml", ".yml")) else spec


@lru_cache(maxsize=8)
def picture(path: str) -> Image:
    """Read an image. Raises StepError."""
    try:
        return read_image(path)
    except ConvcliError as error:
        raise StepError(str(error)) from error


def maps_of(image: Image, white: float) -> NDArray[np.float32]:
    """The samples of an image as float32 (rows, columns, channels), white being `white`."""
    return image.pixels.astype(np.float32) * np.float32(white / full_range(image.pixels.dtype))
