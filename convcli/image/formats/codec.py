"""What the codec of an image format has to do, and the settings that it is given. Imports neither numpy nor OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from convcli.image.model import Image
    from convcli.system.output_file import Sink

DEFAULT_QUALITY = 95  # of encoders that lose


@dataclass(frozen=True, eq=False)
class EncoderSettings:
    """How an image is to be encoded.

    Parameters
    ----------
    format : str
        The name of the format, for a codec that writes several.
    quality : int, optional
        1 to 100, by default what the format's encoder takes for good.
    compression : str
        `fast`, `balanced` or `small`.
    threads : int
        How many cores may be used; the bytes do not depend on it.
    """

    format: str
    quality: int | None = None
    compression: str = "balanced"
    threads: int = 1


class Codec(Protocol):
    """What the module that `Format.codec` names has to have; `write` is missing where a format is only read."""

    def read(self, data: bytes, name: str, threads: int) -> Image:
        """Decode a file's bytes, upright and in RGB(A) order.

        Parameters
        ----------
        data : bytes
            The whole file.
        name : str
            What messages call it.
        threads : int
            How many cores may be used; most codecs use one.

        Raises
        ------
        ImageReadError
            For a file that is cut short, damaged, too large, or of a kind that is not decoded.
        """

    def write(self, image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
        """Encode samples that the format holds to `sink`, piece by piece; return notes of what was lost."""
