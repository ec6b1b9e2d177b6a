"""XMP packets, as far as what they claim may be true no longer. Source: XMP specification part 1; Ultra HDR 1.1."""

import re

_GAIN_MAP = b"http://ns.adobe.com/hdr-gain-map/1.0/"
_PARTS = re.compile(
    rb"""\s+(?:xmlns:)?hdrgm(?::\w+)?\s*=\s*(?:"[^"]*"|'[^']*')"""  # attributes, and the name's own declaration
    rb"""|<hdrgm:(\w+)[^>]*?(?:/>|>.*?</hdrgm:\1\s*>)\s*"""
    rb"""|<(G?Container):Directory\b.*?</\2:Directory\s*>\s*"""  # the list of pictures behind this one
    rb"""|\s+xmlns:(?:G?Container|Item|GItem)\s*=\s*(?:"[^"]*"|'[^']*')""",
    re.DOTALL,
)


def without_gain_map(packet: bytes) -> tuple[bytes, bool]:
    r"""Return a packet without what it says of a gain map, and whether it said anything.

    Parameters
    ----------
    packet : bytes
        XMP, with the usual prefixes.

    Returns
    -------
    bytes, bool
        The same bytes where it says nothing of one.

    Examples
    --------
    >>> without_gain_map(b'<a xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" dc:format="x"/>')
    (b'<a dc:format="x"/>', True)
    """
    if _GAIN_MAP not in packet and b"hdrgm:" not in packet:
        return packet, False
    return _PARTS.sub(b"", packet), True
