"""The words that the options of a run may take.

Imports no numpy: the command line lists them in its help.
"""

from convcli.system.output_path import EXISTING

__all__ = [
    "ALPHA",
    "COMPRESSIONS",
    "DEPTHS",
    "EXISTING",
    "PIPELINE_ALPHA",
    "SIGNED",
    "WITH_COMPRESSION",
    "WITH_QUALITY",
]

SIGNED = ("auto", "clip", "abs", "offset", "stretch")
ALPHA = ("auto", "keep", "filter", "premultiply", "drop")
PIPELINE_ALPHA = ("keep", "drop")
DEPTHS = ("same", "u8", "u16", "f32")
COMPRESSIONS = ("fast", "balanced", "small")

# The formats that each of an encoder's options speaks of.
WITH_QUALITY = ("jpeg", "webp", "avif", "jp2")
WITH_COMPRESSION = ("png", "tiff")
