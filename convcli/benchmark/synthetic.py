"""Pictures made for measuring: a zone plate, which holds every frequency and direction once, with a little noise."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import FilterError, UsageError
from convcli.image.tone import full_range
from convcli.system.memory import available_bytes

_FORM = re.compile(r"(\d{1,9})[x×](\d{1,9})(?:[x×](\d{1,4}))?(?::(\w+))?", re.ASCII)
_DTYPES = {"u8": np.uint8, "u16": np.uint16, "f32": np.float32, "f64": np.float64}
_NOISE = 0.05  # of the full range, either way
_SEED = 0
_ROWS = 256


def parse_synthetic(text: str) -> tuple[tuple[int, int, int], np.dtype[Any]]:
    """Read `HxW`, `HxWxC` or `HxWxC:DEPTH`: (height, width, channels) and the sample type, u8 unless said.

    >>> parse_synthetic("480x640x3"), parse_synthetic("2048x2048x1:f32")
    (((480, 640, 3), dtype('uint8')), ((2048, 2048, 1), dtype('float32')))

    Raises
    ------
    UsageError
        for anything else.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None or 0 in (size := tuple(int(n or 1) for n in match.groups()[:3])):
        raise UsageError(
            f"--synthetic takes rows x columns x channels, such as 2048x2048x1 or 3000x4000x3:f32; not {text!r}"
        )
    depth = match[4] or "u8"
    if depth not in _DTYPES:
        raise UsageError(f"--synthetic {text}: unknown depth {depth!r}: expected {', '.join(_DTYPES)}")
    return (size[0], size[1], size[2]), np.dtype(_DTYPES[depth])


def synthetic_image(size: tuple[int, int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return a made picture (height, width, channels), the same one every time.

    In each channel cos(pi r^2 / n + c), with r the distance from the middle, n the longest side and c a phase of the
    channel's, and noise of 5% of the range; the local frequency grows from 0 in the middle to 1/2 at the middle of the
    longest side.

    >>> synthetic_image((4, 6, 1), np.dtype(np.uint8)).shape
    (4, 6, 1)
    """
    height, width, channels = size
    needed, there = 2 * height * width * channels * dtype.itemsize, available_bytes()
    if there is not None and needed > there:
        raise FilterError(f"a synthetic image of {height}x{width}x{channels} does not fit into memory: ask for less")
    generator = np.random.default_rng(_SEED)
    pixels = np.empty(size, dtype)
    squares = (np.arange(width) - (width - 1) / 2) ** 2
    phases = 2 * np.pi / 3 * np.arange(channels)
    for top in range(0, height, _ROWS):
        rows = np.arange(top, min(top + _ROWS, height))
        radius = ((rows - (height - 1) / 2) ** 2)[:, np.newaxis] + squares
        wave = np.cos(np.pi * radius[..., np.newaxis] / max(height, width) + phases)
        noise = generator.uniform(-_NOISE, _NOISE, wave.shape)
        values = full_range(dtype) * (0.5 + (0.5 - _NOISE) * wave + noise)
        pixels[rows] = values if dtype.kind == "f" else np.rint(values)
    return pixels
