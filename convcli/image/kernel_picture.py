"""Kernels as pictures: a point spread measured as an image, and weights drawn as one."""

import numpy as np

from convcli.errors import ImageReadError, KernelError
from convcli.image.formats.registry import format_for
from convcli.image.reading import decode_image
from convcli.image.tone import full_range
from convcli.image.writing import as_image, encode_image
from convcli.kernel.files.matrix_file import MatrixFile, single
from convcli.kernel.model import AnyKernel
from convcli.kernel.weights import MAX_WEIGHTS

# Of 16 bits, what stands for zero in the picture of a kernel with negative weights, and what for the largest weight.
_ZERO, _LARGEST = 32768, 65535


def read(data: bytes, where: str) -> MatrixFile:
    """Read the picture of a kernel, each pixel a weight.

    Parameters
    ----------
    data : bytes
        An image file of any format that is read.
    where : str
        The file, for messages.

    Returns
    -------
    MatrixFile
        The samples in the file's own units, to be scaled to sum 1 unless a SPEC says `normalize=none`.

    Raises
    ------
    KernelError
        For what is no image, has colours or transparent pixels, or is too large.
    """
    try:
        image = decode_image(data, where)
    except ImageReadError as error:
        raise KernelError(str(error)) from error
    bands = image.pixels[..., : image.size[2] - image.alpha]
    if image.size[0] * image.size[1] > MAX_WEIGHTS:
        raise KernelError(f"has more than {MAX_WEIGHTS} weights", where=where)
    if (bands != bands[..., :1]).any():
        what = "is a picture in colour, and a kernel has one weight a pixel"
        raise KernelError(what, where=where, advice="make it gray: convcli filter PICTURE -k identity --gray")
    if image.alpha and (image.pixels[..., -1] != full_range(image.pixels.dtype)).any():
        raise KernelError("has transparent pixels, which are no weights", where=where, advice="leave its opacity out")
    return MatrixFile(np.ascontiguousarray(bands[..., 0], np.float64), normalize="sum", notes=image.notes)


def write(kernel: AnyKernel, origin: str = "") -> bytes:
    """Return a PNG of 16 bits with a pixel a weight.

    Black is 0 and white the largest weight, so that a kernel of sum 1 reads back to within half a step of its largest
    weight. Where there are negative weights, mid-grey is 0, and the weight farthest from it black or white.

    Raises
    ------
    KernelError
        For a composite, and for weights that are all zero.
    """
    weights = single(kernel, "a picture").weights
    largest = float(np.abs(weights).max())
    if largest == 0.0:
        raise KernelError("has no weight but zero, of which no picture can be made", where=kernel.name)
    zero = _ZERO if weights.min() < 0.0 else 0
    samples = zero + weights / largest * (_LARGEST - zero)
    pixels = np.rint(samples).astype(np.uint16)[..., np.newaxis]
    return bytes(encode_image(as_image(pixels), format_for("k.png", None))[0])
