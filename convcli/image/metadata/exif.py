"""EXIF, as far as a filter must touch it: the orientation, the size, and the thumbnail, which shows the old picture.

EXIF is a small TIFF file: a header with the byte order, then directories (IFD) of 12-byte entries. It comes from
strangers, so every offset is checked, and a block that makes no sense is left alone. Edits are made in place, so that
all other bytes (maker notes, with their absolute offsets, included) stay where they were.

Source: CIPA DC-008 (Exif 2.32), section 4.6.
"""

from convcli.image.metadata.tiff_directories import SUB_DIRECTORIES, Block

_ORIENTATION = 0x0112
_IMAGE_SIZE = (0x0100, 0x0101)
_PIXEL_SIZE = (0xA002, 0xA003)
_THUMBNAIL_START, _THUMBNAIL_BYTES = 0x0201, 0x0202


def orientation_of(exif: bytes | None) -> int:
    r"""Return the orientation (1 to 8) that a block states, and 1, upright, where it states none that makes sense.

    Parameters
    ----------
    exif : bytes or None
        A block.

    Returns
    -------
    int
        1 to 8.

    Examples
    --------
    >>> orientation_of(b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0")
    6
    >>> orientation_of(b"nonsense")
    1
    """
    block = Block(exif or b"")
    for entry in block.entries(block.word(4)):
        if entry.tag == _ORIENTATION:
            value = block.integer(entry)
            return value if value is not None and 1 <= value <= 8 else 1
    return 1


def has_structure(exif: bytes) -> bool:
    """Whether the block starts as one must and has a directory with an entry in it."""
    block = Block(exif)
    return next(block.entries(block.word(4)), None) is not None


def correct_exif(exif: bytes, stored_size: tuple[int, int] | None, size: tuple[int, int]) -> tuple[bytes, bool]:
    """Return a block corrected for the upright picture that it goes with.

    The orientation becomes 1. The size tags are set where the picture has another size or was turned. What follows the
    first directory is the thumbnail, which shows the picture before it was filtered, and is dropped.

    Parameters
    ----------
    exif : bytes
        The block of the file that was read.
    stored_size : tuple of int, optional
        (height, width) that the file held, before it was turned upright.
    size : tuple of int
        (height, width) of the picture now.

    Returns
    -------
    bytes, bool
        The block, the same byte for byte if all of it was true already, and whether a thumbnail was dropped.
    """
    block = Block(bytearray(exif))
    first = block.word(4)
    if orientation_of(exif) != 1:
        _set(block, first, {_ORIENTATION: 1})
        stored_size = None
    if stored_size != size:
        height, width = size
        _set(block, first, dict(zip(_IMAGE_SIZE, (width, height), strict=True)))
        for entry in list(block.entries(first)):
            if entry.tag == SUB_DIRECTORIES[0]:
                _set(block, block.word(entry.place), dict(zip(_PIXEL_SIZE, (width, height), strict=True)))
    dropped = _drop_thumbnail(block, first)
    return bytes(block.data), dropped


def _set(block: Block, directory: int, values: dict[int, int]) -> None:
    for entry in list(block.entries(directory)):
        if entry.tag in values and block.integer(entry) is not None:
            block.set_integer(entry, values[entry.tag])


def _drop_thumbnail(block: Block, first: int) -> bool:
    """Unlink the second directory; cut its bytes off where they end the block, else blank those that are its alone."""
    place = block.next_place(first)
    second = block.word(place) if place is not None else 0
    if place is None or second == 0:
        return False
    kept = [(0, 8), *block.extent(first)]
    dropped = block.extent(second)
    tags = {entry.tag: block.integer(entry) for entry in block.entries(second)}
    start, length = tags.get(_THUMBNAIL_START), tags.get(_THUMBNAIL_BYTES)
    if start and length:
        dropped.append((start, start + length))
    block.data[place : place + 4] = bytes(4)
    last_kept = max(stop for _, stop in kept)
    last_kept += last_kept % 2
    if min(begin for begin, _ in dropped) >= last_kept - 1:
        del block.data[last_kept:]
        return True
    for begin, stop in dropped:
        end = min(stop, len(block.data))
        if all(end <= keep_from or begin >= keep_to for keep_from, keep_to in kept):
            block.data[begin:end] = bytes(max(0, end - begin))
    return True
