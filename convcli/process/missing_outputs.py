"""What becomes of missing samples in an output: NaN, the nodata value, or 0 and a note."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.image.formats.registry import Format
from convcli.image.tone import convert_depth


def output_nodata(nodata: float | None, source: np.dtype[Any], target: np.dtype[Any]) -> float | None:
    """Return the value that stands for missing samples in an output.

    Parameters
    ----------
    nodata : float, optional
        The value in the image that it is made from.
    source, target : dtype
        Sample types of that image and of the output.

    Returns
    -------
    float or None
        NaN for floats; the value itself, brought to the range of another integer type, for integers; None where the
        type cannot hold it.

    Examples
    --------
    >>> u8, u16, f32 = np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32)
    >>> output_nodata(255, u8, u8), output_nodata(255, u8, u16), output_nodata(-9999, f32, u8) is None
    (255.0, 65535.0, True)
    """
    if nodata is None:
        return None
    if target.kind == "f":
        return np.nan
    limits = np.iinfo(target)
    if source.kind != "f" and source != target:
        if not np.iinfo(source).min <= nodata <= np.iinfo(source).max:
            return None
        return float(convert_depth(np.full((1, 1, 1), nodata, source), target)[0, 0, 0])
    return float(nodata) if limits.min <= nodata <= limits.max and nodata == int(nodata) else None


class MissingOutputs:
    """The missing samples of one output.

    Parameters
    ----------
    source, target : dtype
        Sample types of the image and of the output.
    nodata : float, optional
        The value of missing samples in the image.
    rule : str
        `ignore` or `spread`: how missing samples are treated.
    nan : int
        How many samples of the image are NaN.

    Attributes
    ----------
    nodata : float or None
        The value of missing samples in the output, as `output_nodata` returns it.
    notes : tuple of str
        Lines that a user should see, after `finish`.
    """

    def __init__(self, source: np.dtype[Any], target: np.dtype[Any], nodata: float | None, rule: str, nan: int) -> None:
        self.notes: tuple[str, ...] = ()
        self.nodata = output_nodata(nodata, source, target)
        self._target = target
        self._floats = source.kind == "f"
        self._nan = nan if rule == "spread" else 0
        self._of_image = None if nodata is None else source.type(nodata) if self._floats else nodata
        self._rule = rule

    def finish(self, samples: NDArray[Any], missing: NDArray[np.bool_] | None, format_: Format) -> None:
        """Put into `samples` what stands for missing, in place, and take notes.

        Parameters
        ----------
        samples : ndarray
            Samples of the output, (height, width, channels).
        missing : ndarray of bool, optional
            Which of them are missing, (height, width, channels); those that it has no channel for are not.
        format_ : Format
            The format of the output.
        """
        if samples.dtype.kind == "f":
            self._note_nan(samples)
            return
        if missing is None:
            if self._nan:
                self.notes = (
                    f"{self._nan:,} samples of the image are NaN, and make {np.iinfo(samples.dtype).min} of every "
                    "sample that they reach: --missing ignore leaves them out",
                )
            return
        part = samples[..., : missing.shape[2]]
        number = int(missing.sum())
        value = 0 if self.nodata is None else int(self.nodata)
        np.copyto(part, value, where=missing)
        notes = []
        holds = "tiff_tags" in format_.metadata
        if number and (self.nodata is None or not holds):
            why = "no nodata value is known for them" if holds else f"{format_.title} has no place to say so"
            notes.append(f"{number:,} of {part.size:,} samples are missing and written as {value}: {why}")
        if number and self._rule == "spread":
            notes.append(f"{number:,} of {part.size:,} samples are missing: --missing ignore computes more of them")
        self.notes = (*notes, *self._keep_apart(part, missing))

    def _note_nan(self, samples: NDArray[Any]) -> None:
        if self._rule != "spread":
            return
        # The least sample is NaN where any is, which is found out sooner than how many there are.
        number = int(np.isnan(samples).sum()) if np.isnan(samples.min()) else 0
        if not number:
            return
        self.notes = (f"{number:,} of {samples.size:,} samples are NaN: --missing ignore computes more of them",)

    def _keep_apart(self, samples: NDArray[Any], missing: NDArray[np.bool_]) -> tuple[str, ...]:
        """Move known samples that came out as the nodata value to the next one, or they would be taken for missing."""
        if self.nodata is None:
            return ()
        value, limits = int(self.nodata), np.iinfo(samples.dtype)
        alike = (samples == value) & ~missing
        number = int(alike.sum())
        if not number:
            return ()
        other = value + 1 if value < limits.max else value - 1
        np.copyto(samples, other, where=alike)
        return (f"{number:,} samples that came out as {value}, the nodata value, are written as {other}",)

    def converted(self, pixels: NDArray[Any], alpha: bool) -> NDArray[Any]:
        """Return samples of the image in the output's type, new ones, what is missing among them as in `finish`."""
        dtype = self._target
        out = convert_depth(pixels, dtype)
        out = out.copy() if out is pixels else out
        colours = pixels.shape[2] - alpha
        missing = self._missing_of(pixels[..., :colours])
        if missing is None:
            return out
        value: float = np.nan
        if dtype.kind != "f":
            value = 0 if self.nodata is None else int(self.nodata)
        np.copyto(out[..., :colours], dtype.type(value), where=missing)
        if dtype.kind != "f" and dtype != pixels.dtype:
            self._keep_apart(out[..., :colours], missing)
        return out

    def _missing_of(self, pixels: NDArray[Any]) -> NDArray[np.bool_] | None:
        missing: NDArray[np.bool_] | None = np.isnan(pixels) if self._floats else None
        if self._of_image is not None:
            alike = np.asarray(pixels == self._of_image)
            missing = alike if missing is None else missing | alike
        return missing
