"""Files that are no image of a known format, and what to do about each: for the message that refuses one."""

import re

_SHOWN_START = 40  # bytes
_PNG = "convert it to PNG or TIFF"
_DEVELOP = "develop it to TIFF or JPEG, with darktable, RawTherapee or dcraw"

# What people do try, by what it starts with.
_SIGNATURES = (
    (b"%PDF", "a PDF document; export its page as PNG"),
    (b"%!PS", "PostScript (EPS); convert it to PNG, with Ghostscript or ImageMagick"),
    (b"\xc5\xd0\xd3\xc6", "PostScript (EPS) with a preview; convert it to PNG, with Ghostscript or ImageMagick"),
    (b"\x76\x2f\x31\x01", "an OpenEXR image; convert it to TIFF"),
    (b"SIMPLE  =", "a FITS file of astronomy; convert it to TIFF or, with astropy, to .npy"),
    (b"gimp xcf", "an XCF file of GIMP; export it as PNG or TIFF"),
    (b"FOVb", f"an X3F raw file of a Sigma camera; {_DEVELOP}"),
    (b"FUJIFILMCCD-RAW", f"a RAF raw file of a Fujifilm camera; {_DEVELOP}"),
    (b"II\x1a\0\0\0HEAPCCDR", f"a CRW raw file of a Canon camera; {_DEVELOP}"),
    (b"IIRO", f"an ORF raw file of an Olympus camera; {_DEVELOP}"),
    (b"IIRS", f"an ORF raw file of an Olympus camera; {_DEVELOP}"),
    (b"MMOR", f"an ORF raw file of an Olympus camera; {_DEVELOP}"),
    (b"IIU\0", f"an RW2 raw file of a Panasonic camera; {_DEVELOP}"),
    (b"\0MRM", f"an MRW raw file of a Minolta camera; {_DEVELOP}"),
    (b"II\xbc", "a JPEG XR image; convert it to TIFF"),
    (b"AT&TFORM", "a DjVu document; export its page as PNG"),
    (b"DDS ", f"a DDS texture; {_PNG}"),
    (b"\xabKTX", f"a KTX texture; {_PNG}"),
    (b"icns", f"icons of a Mac (ICNS); {_PNG}"),
    (b"FORM", f"an IFF picture; {_PNG}"),
    (b"\x59\xa6\x6a\x95", f"a Sun raster; {_PNG}"),
    (b"\x52\xcc", f"a Utah run-length (RLE) picture; {_PNG}"),
    (b"SDPX", f"a DPX picture of a film; {_PNG}"),
    (b"XPDS", f"a DPX picture of a film; {_PNG}"),
    (b"\x80\x2a\x5f\xd7", f"a Cineon picture of a film; {_PNG}"),
    (b"BPG\xfb", f"a BPG image; {_PNG}"),
    (b"FLIF", f"a FLIF image; {_PNG}"),
    (b"farbfeld", f"a farbfeld image; {_PNG}"),
    (b"/* XPM */", f"an XPM picture; {_PNG}"),
    (b"#define ", f"an XBM picture, or C; {_PNG}"),
    (b"\x89HDF", "an HDF5 file; write its array as .npy or TIFF"),
    (b"CDF", "a netCDF file; write its array as .npy or TIFF"),
    (b"\xd7\xcd\xc6\x9a", "a WMF drawing; export it as PNG"),
    (b"\x8aMNG", "an MNG animation; convert its frames to PNG"),
    (b"\x8bJNG", f"a JNG image; {_PNG}"),
    (b"\x1a\x45\xdf\xa3", "a Matroska or WebM video; export its frames as PNG"),
    (b"NRRD", "an NRRD file; write its array as .npy or TIFF"),
    (b"\x1f\x8b", "gzip-compressed; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed; unpack it first"),
    (b"BZh", "bzip2-compressed; unpack it first"),
    (b"\xfd7zXZ", "xz-compressed; unpack it first"),
    (b"PK\x03\x04", "a ZIP archive; unpack it first"),
)
_VIDEO_BRANDS = (b"isom", b"mp41", b"mp42", b"qt  ", b"M4V ", b"avc1", b"iso2", b"iso5", b"3gp4", b"3gp5", b"dash")
_SVG = re.compile(rb"<svg[\s>]|<!DOCTYPE svg", re.IGNORECASE)
_PARTS = 4096


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
    if data[128:132] == b"DICM":
        return "a DICOM file of medicine; convert it to TIFF, with dcm2img or pydicom"
    if data[4:8] == b"ftyp":
        return _media(data[8:12])
    text = data[:_PARTS].removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<") and _SVG.search(text):
        return "an SVG drawing; export it as PNG, with Inkscape or rsvg-convert"
    if text.startswith((b"<!DOCTYPE html", b"<!doctype html", b"<html")):
        return "a page of HTML, perhaps a server's message; get the picture itself"
    if text.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the picture itself; run git lfs pull"
    start = data[:_SHOWN_START]
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in start):
        return f"it is text, starting {' '.join(start.decode().split())!r}"
    return f"it starts with the bytes {start[:8].hex(' ')}, as none of the known formats does"


def _media(brand: bytes) -> str:
    if brand == b"crx ":
        return f"a CR3 raw file of a Canon camera; {_DEVELOP}"
    if brand in _VIDEO_BRANDS:
        return "a video; export its frames as PNG"
    return "HEIF of an unknown kind, or a video; convert it to JPEG or PNG"
