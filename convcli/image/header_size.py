"""Size of a decoded picture, estimated from the header of its file, before any of it is decoded.

For planning what is done at the same time, not for deciding whether it can be done: nothing is checked.
"""

import struct

from convcli.errors import ImageReadError
from convcli.image.formats.registry import format_of

_START = 256  # bytes, which `format_of` asks for
# Where nothing is known of a file: many times its size.
_USUAL_COMPRESSION = 30


def decoded_bytes(path: str, file_bytes: int) -> int:
    """Estimate how many bytes the decoded picture in a file will take.

    Parameters
    ----------
    path : str
        The file.
    file_bytes : int
        Its size, from which the estimate is made where its header does not say.

    Returns
    -------
    int
        Bytes of the pixels as `read_image` gives them.

    Raises
    ------
    OSError
        Where the file cannot be opened.
    """
    with open(path, "rb") as file:
        found = format_of(file.read(_START))
        if found is not None:
            file.seek(0)
            try:
                size = found.decoded_bytes(file)
            except (struct.error, ValueError, LookupError, OverflowError, OSError, ImageReadError):
                # A damaged header: OSError is for an offset that no file can have.
                size = None
            if size is not None:
                return size
    return file_bytes * _USUAL_COMPRESSION
