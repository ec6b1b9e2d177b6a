"""Files that are no image of a known format, and what to do about each: for the message that refuses one."""

_SHOWN_START = 40  # bytes

# What people do try, by what it starts with.
_SIGNATURES = (
    (b"%PDF", "a PDF document; export its page as PNG"),
    (b"8BPS", "a Photoshop document; export it as PNG or TIFF"),
    (b"\x76\x2f\x31\x01", "an OpenEXR image; convert it to TIFF"),
    (b"\xff\x0a", "a JPEG XL image; convert it to PNG"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image; convert it to PNG"),
    (b"\x1f\x8b", "gzip-compressed; unpack it first"),
    (b"PK\x03\x04", "a ZIP archive; unpack it first"),
)


def description(data: bytes) -> str:
    r"""Return what a file that is no known image seems to be, and what to do about it.

    Parameters
    ----------
    data : bytes
        The start of the file.

    Examples
    --------
    >>> description(b"PK\x03\x04")
    'a ZIP archive; unpack it first'
    >>> description(b"width height")
    "it is text, starting 'width height'"
    """
    for start, what in _SIGNATURES:
        if data.startswith(start):
            return what
    if data[4:8] == b"ftyp":
        return "HEIF or a video, which OpenCV does not decode; convert it to JPEG or PNG"
    start = data[:_SHOWN_START]
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in start):
        return f"it is text, starting {' '.join(start.decode().split())!r}"
    return f"it starts with the bytes {start[:8].hex(' ')}, as none of the known formats does"
