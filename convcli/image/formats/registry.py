"""What each image format can hold, and how a path names one.

Imports neither numpy nor cv2: the command line checks where it is going before it loads anything to get there.
"""

import os
from dataclasses import dataclass

from convcli.errors import OutputError, nearest

# Where a format lacks a depth, the nearest of these that it has is taken: first those that lose least.
_FALLBACKS = {
    "u8": ("u16", "f32"),
    "u16": ("f32", "u8"),
    "i16": ("u16", "f32", "u8"),
    "f32": ("u16", "u8"),
    "f64": ("f32", "u16", "u8"),
}


@dataclass(frozen=True)
class Format:
    """One output format: its name, its file name suffixes, and what its samples may be.

    `depths` are u8, u16, i16, f32, f64. `colour` says that it takes three channels. All take one: where a format has no
    gray of its own, a gray picture is written as three equal channels, which loses nothing. `alpha` says that a channel
    of opacity fits. `metadata` names what it holds beside the pixels: exif, xmp, icc, resolution. `sides` are the least
    and the most pixels a side that its encoder takes, and common decoders read.
    """

    name: str
    suffixes: tuple[str, ...]
    depths: tuple[str, ...]
    alpha: bool = False
    colour: bool = True
    metadata: tuple[str, ...] = ()
    label: str = ""
    sides: tuple[int, int] = (1, 2**31 - 1)

    @property
    def title(self) -> str:
        """The name for people: `PNG`, `JPEG 2000`.

        >>> FORMATS["jp2"].title
        'JPEG 2000'
        """
        return self.label or self.name.upper()

    def check(self, depth: str, channels: int, alpha: bool) -> None:
        """Raise OutputError, saying what to do instead, unless this format holds such samples.

        >>> FORMATS["png"].check("f32", 3, alpha=False)
        Traceback (most recent call last):
        convcli.errors.OutputError: PNG cannot hold f32 (it holds u8, u16): write .tiff, .pfm or .npy
        """
        if depth not in self.depths:
            held = ", ".join(self.depths)
            raise OutputError(f"{self.title} cannot hold {depth} (it holds {held}): write {_suffixes_holding(depth)}")
        if alpha and not self.alpha:
            better = _suffixes_holding(depth, alpha=True)
            raise OutputError(f"{self.title} cannot hold transparency: say --alpha drop, or write {better}")
        colours = channels - alpha
        if self.name != "npy" and colours not in (1, 3):
            raise OutputError(f"{self.title} cannot hold {colours} colour channels, only gray or RGB: write .npy")
        if colours == 3 and not self.colour:
            raise OutputError(f"{self.title} holds only gray: say --gray, or write .ppm")

    def check_size(self, height: int, width: int) -> None:
        """Raise OutputError unless a picture of this size can be written.

        >>> FORMATS["webp"].check_size(100, 20000)
        Traceback (most recent call last):
        convcli.errors.OutputError: WebP holds at most 16383 pixels a side, not 20000 x 100: write .png or .tiff
        """
        least, most = self.sides
        size = f"{width} x {height}: write .png or .tiff"
        if max(height, width) > most:
            raise OutputError(f"{self.title} holds at most {most} pixels a side, not {size}")
        if min(height, width) < least:
            raise OutputError(f"{self.title} is written from {least} pixels a side on, not {size}")

    def nearest_depth(self, depth: str) -> str:
        """Return `depth` where this format holds it, else the one that loses least.

        >>> FORMATS["png"].nearest_depth("f32"), FORMATS["jpeg"].nearest_depth("u16")
        ('u16', 'u8')
        """
        return next(d for d in (depth, *_FALLBACKS[depth], *self.depths) if d in self.depths)


_EVERYTHING = ("exif", "xmp", "icc", "resolution")
_TIFF_DEPTHS = ("u8", "u16", "i16", "f32", "f64")

FORMATS = {
    entry.name: entry
    for entry in (
        Format("png", (".png",), ("u8", "u16"), alpha=True, metadata=_EVERYTHING),
        Format("jpeg", (".jpg", ".jpeg", ".jpe", ".jfif"), ("u8",), metadata=_EVERYTHING, sides=(1, 65500)),
        Format("tiff", (".tiff", ".tif"), _TIFF_DEPTHS, alpha=True, metadata=_EVERYTHING),
        Format(
            "webp", (".webp",), ("u8",), alpha=True, metadata=("exif", "xmp", "icc"), label="WebP", sides=(1, 16383)
        ),
        Format("avif", (".avif",), ("u8",), alpha=True, metadata=("exif", "xmp", "icc"), sides=(1, 32768)),
        Format(
            "jp2", (".jp2",), ("u8", "u16"), alpha=True, label="JPEG 2000", sides=(32, 2**31 - 1)
        ),  # OpenCV halves it five times
        Format("bmp", (".bmp", ".dib"), ("u8",), alpha=True, metadata=("resolution",)),
        Format("pgm", (".pgm",), ("u8", "u16"), colour=False),
        Format("ppm", (".ppm",), ("u8", "u16")),
        Format("pnm", (".pnm",), ("u8", "u16")),
        Format("pam", (".pam",), ("u8", "u16"), alpha=True),
        Format("pfm", (".pfm",), ("f32",)),
        Format("hdr", (".hdr", ".pic"), ("f32",), label="Radiance HDR"),
        Format("npy", (".npy",), _TIFF_DEPTHS, alpha=True),
    )
}
_ONLY_READ = {
    ".gif": "GIF, with its 256 colours, is only read",
    ".pbm": "PBM, with its two shades, is only read",
}
ALIASES = {"jpg": "jpeg", "tif": "tiff", "jpeg2000": "jp2", "j2k": "jp2"}


def format_for(path: str | os.PathLike[str] | None, name: str | None = None) -> Format:
    """Return the format that `name` says, or else the suffix of `path`.

    Raises OutputError, with the known suffixes, when neither says one.

    >>> format_for("out/edges.JPG").name
    'jpeg'
    >>> format_for("-", "png").name
    'png'
    """
    known = sorted(FORMATS)
    if name is not None:
        wanted = name.lower().removeprefix(".")
        if f".{wanted}" in _ONLY_READ:
            raise OutputError(f"{_ONLY_READ[f'.{wanted}']}; say --format png")
        found = FORMATS.get(ALIASES.get(wanted, wanted))
        if found is None:
            raise OutputError(f"unknown format {name!r}: expected {', '.join(known)}{nearest(wanted, known)}")
        return found
    shown = "" if path is None else os.fspath(path)
    suffix = os.path.splitext(shown)[1].lower()
    for entry in FORMATS.values():
        if suffix in entry.suffixes:
            return entry
    suffixes = [s for entry in FORMATS.values() for s in entry.suffixes]
    if suffix in _ONLY_READ:
        raise OutputError(f"{_ONLY_READ[suffix]}; write .png", where=shown)
    if suffix:
        problem = f"unknown suffix {suffix!r}"
    elif shown:
        problem = "no suffix says which format to write"
    else:
        problem = "no format to write was named"
    raise OutputError(
        f"{problem}; end it in one of {' '.join(suffixes)}, or say --format{nearest(suffix, suffixes)}", where=shown
    )


def _suffixes_holding(depth: str, alpha: bool = False) -> str:
    """Name the suffixes of the formats that hold a depth, as `.tiff, .pfm or .npy`."""
    # HDR is not advised: it holds nothing negative, which most responses are in part.
    entries = [f for f in FORMATS.values() if depth in f.depths and (f.alpha or not alpha) and f.name != "hdr"]
    holding = [f.suffixes[0] for f in entries]
    if len(holding) > 4:
        holding = [s for s in holding if s in {".png", ".tiff", ".npy"}]
    return ", ".join(holding[:-1]) + " or " + holding[-1] if len(holding) > 1 else holding[0]
