"""Pipelines from Python: an array in, an array out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from convcli.convolution.plan import SAMPLE_TYPES
from convcli.errors import FilterError, UsageError, check_word
from convcli.image.model import Image
from convcli.pipeline.document.model import Document
from convcli.pipeline.document.named import find_document
from convcli.pipeline.execution.program import Computing, Pipeline
from convcli.process.choices import SIGNED
from convcli.process.pipeline_on_image import pipeline_mapping, run_image, white_of, write_samples


def apply(
    image: ArrayLike | Image,
    pipeline: str | os.PathLike[str] | Document,
    *,
    constants: Mapping[str, object] = MappingProxyType({}),
    signed: str = "auto",
    out_dtype: DTypeLike | None = None,
    backend: str = "auto",
    threads: int | None = None,
    device: str = "auto",
) -> NDArray[Any]:
    """Run an image through a pipeline, as `convcli run` does.

    Parameters
    ----------
    image : array_like, shape (height, width) or (height, width, channels), or Image
        Samples of u8, u16, i16, f32 or f64. Of an `Image`, as `read_image` returns it, opacity is known as such.
    pipeline : str, os.PathLike or Document
        A name (`canny`), with constants (`canny:low=20`), the path of a YAML file, or steps in one line
        (`gray | gaussian:sigma=2 | sobel`). `convcli.pipeline.document.named.find_document` reads one once for many
        images.
    constants : mapping of str to number or str
        Constants in place of the document's own.
    signed : {'auto', 'clip', 'abs', 'offset', 'stretch'}
        How the result becomes samples of an integer type; `auto`: as the document says.
    out_dtype : dtype, optional
        uint8, uint16 or int16 asks for a picture: the result mapped, rounded half to even and saturated, white being
        the largest sample. Else it is float32, in the document's units.
    backend, threads, device
        As for `convolve`.

    Returns
    -------
    ndarray, shape (rows, columns, channels)
        The result; without its last axis where the image has two and the result one channel.

    Raises
    ------
    DocumentError
        The pipeline is none, or does not fit the image.
    UsageError, FilterError
        An argument is wrong, or the image is of another type or shape.

    Examples
    --------
    >>> ramp = np.tile(np.arange(0, 50, 10, dtype=np.uint8), (4, 1))
    >>> apply(ramp, "box:size=3 | threshold:at=15", out_dtype=np.uint8)[0].tolist()
    [0, 0, 255, 255, 255]
    >>> apply(ramp, "canny", constants={"low": 10, "high": 20}).shape
    (4, 5)
    """
    check_word("signed mapping", signed, SIGNED)
    pixels = image.pixels if isinstance(image, Image) else np.asarray(image)
    if pixels.ndim not in (2, 3) or pixels.size == 0:
        raise FilterError(f"an image has 2 or 3 dimensions (height, width, channels), not the shape {pixels.shape}")
    if pixels.dtype.name not in SAMPLE_TYPES:
        raise FilterError(f"samples are of {', '.join(SAMPLE_TYPES)}, not {pixels.dtype}")
    wanted = None if out_dtype is None else np.dtype(out_dtype)
    if wanted is not None and wanted.name not in SAMPLE_TYPES:
        raise UsageError(f"out_dtype must be one of {', '.join(SAMPLE_TYPES)}, not {wanted}")
    if signed != "auto" and (wanted is None or wanted.kind == "f"):
        raise UsageError(f"signed={signed!r} is how a result becomes integers: give out_dtype too")
    laid = image if isinstance(image, Image) else Image(pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis])
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in constants.items()}
    if isinstance(pipeline, Document):
        if texts:
            raise UsageError("constants are settled when a document is read: give them to find_document")
        document = pipeline
    else:
        document = find_document(os.fspath(pipeline), texts)
    result: NDArray[Any] = run_image(laid, Pipeline(document, Computing(backend, threads, device)))
    if wanted is not None:
        samples = np.empty(result.shape, wanted)
        mapping = None if wanted.kind == "f" else pipeline_mapping(document, signed)
        write_samples(result, samples, mapping, white_of(document, laid.pixels.dtype), threads)
        result = samples
    return result[:, :, 0] if pixels.ndim == 2 and result.shape[2] == 1 else result
