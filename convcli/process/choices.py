"""The words that the options of a run may take.

Imports no numpy: the command line lists them in its help.
"""

from convcli.convolution.options import SIGNED

__all__ = ["ALPHA", "DEPTHS", "PIPELINE_ALPHA", "SIGNED"]

ALPHA = ("auto", "keep", "filter", "premultiply", "drop")
PIPELINE_ALPHA = ("keep", "drop")
DEPTHS = ("same", "u8", "u16", "f32")
