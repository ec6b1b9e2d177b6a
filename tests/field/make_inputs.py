"""Small files of the kinds that went wrong, or were refused, in the field; and beside them what is right.

    python make_inputs.py FOLDER        (needs numpy, tifffile, imagecodecs, pillow)

Each input is a few kilobytes, made here from a seed. FOLDER/expected.json says for each file what a reader must
find; FOLDER/right/NAME.npy holds the right samples, upright, (H, W, C), straight colours before alpha. Keys:

    about      what a user has
    shape, dtype, bands, sha256 (of the array's bytes, C order, little endian), pixels ([row, column]: samples)
    tolerance  levels that a lossy coding may differ by (0 where the key is absent)
    keep       tags, chunks or facts that an identity run into the same format must carry over, with their values
    drop       what must not be in the output any longer
    note       words of which one must be in a line on stderr
    refused    why it must be refused: exit status 1 and one clean line which holds one of `words`
    weights, anchor   of kernel files

Bit depths below 8 come as 0..255, 9 to 15 bits as 0..65535, as PNG's do. No file may make another library speak on
stderr, nor a traceback, nor take more than 5 s or 1 GB.
"""

import hashlib
import io
import json
import re
import struct
import sys
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageCms

H, W = 24, 32
rng = np.random.default_rng(20251128)
expected: dict[str, dict] = {}
folder = Path(sys.argv[1])
(folder / "right").mkdir(parents=True, exist_ok=True)


def add(name: str, data: bytes, about: str, right=None, bands: str = "", **facts) -> None:
    """Write one input, its right samples and its entry."""
    (folder / name).write_bytes(data)
    entry: dict = {"about": about}
    if right is not None:
        right = np.ascontiguousarray(right if right.ndim == 3 else right[:, :, None])
        np.save(folder / "right" / f"{name}.npy", right)
        default = {1: "gray", 3: "red green blue", 4: "red green blue alpha"}.get(right.shape[2], "")
        places = [(0, 0), (3, 5), (right.shape[0] - 1, right.shape[1] - 1)]
        entry |= {
            "shape": list(right.shape),
            "dtype": str(right.dtype),
            "bands": (bands or default).split(),
            "sha256": hashlib.sha256(right.astype(right.dtype.newbyteorder("<")).tobytes()).hexdigest(),
            "pixels": [[[y, x], [None if np.isnan(v) else v for v in right[y, x].tolist()]] for y, x in places],
        }
    expected[name] = entry | facts


def scene(dtype=np.uint8, channels: int = 1, top: float | None = None) -> np.ndarray:
    """A ramp with texture over the whole range of the type (up to `top`), (H, W, C)."""
    y, x = np.mgrid[0:H, 0:W]
    planes = [np.clip((x * (1 + c % 3) + 2 * y) / 150 + rng.uniform(0, 0.3, (H, W)), 0, 1) for c in range(channels)]
    unit = np.stack(planes, axis=2)
    if np.dtype(dtype).kind == "f":
        return unit.astype(dtype)
    low, high = (0, top) if top else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return np.rint(low + unit * (float(high) - low)).astype(dtype)


def tiff(array: np.ndarray, **options) -> bytes:
    out = io.BytesIO()
    shaped = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    options = {"photometric": "minisblack", "metadata": None} | options
    outer = {key: options.pop(key) for key in ("bigtiff", "byteorder", "imagej", "ome") if key in options}
    with tifffile.TiffWriter(out, **outer) as writer:
        writer.write(shaped, **options)
    return out.getvalue()


def plain_tiff(height: int, width: int, strip: bytes, tags: dict[int, tuple[str, list]]) -> bytes:
    """A little-endian TIFF of one strip, for what tifffile does not write. Tags: number -> (struct letter, values)."""
    kinds = {"H": 3, "I": 4}
    tags = {
        256: ("H", [width]),
        257: ("H", [height]),
        273: ("I", [8]),
        278: ("H", [height]),
        279: ("I", [len(strip)]),
    } | tags
    values = strip + b"\0" * (len(strip) % 2)
    entries = b""
    for number, (kind, content) in sorted(tags.items()):
        packed = struct.pack(f"<{len(content)}{kind}", *content)
        if len(packed) > 4:
            packed, values = struct.pack("<I", 8 + len(values)), values + packed
        entries += struct.pack("<HHI", number, kinds[kind], len(content)) + packed.ljust(4, b"\0")
    directory = 8 + len(values)
    return struct.pack("<2sHI", b"II", 42, directory) + values + struct.pack("<H", len(tags)) + entries + bytes(4)


def saved(picture: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(array: np.ndarray, colour: int, before: bytes = b"", plte: bytes = b"") -> bytes:
    rows = b"".join(b"\0" + row.tobytes() for row in array)
    header = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], 8, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + before + plte + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def bmp(
    width: int, height: int, bits: int, compression: int, body: bytes, palette=b"", masks=(), version=40, tail=b""
) -> bytes:
    head = struct.pack(
        "<IiiHHIIiiII", version, width, height, 1, bits, compression, len(body), 2835, 2835, len(palette) // 4, 0
    )
    head = (
        (head + struct.pack(f"<{len(masks)}I", *masks)).ljust(version, b"\0")
        if version > 40
        else head + struct.pack(f"<{len(masks)}I", *masks)
    )
    if tail:  # version 5 with an embedded profile: its kind, then (after 60 bytes) where it lies and how long it is
        head = (
            head[:56]
            + b"DEBM"
            + head[60:112]
            + struct.pack("<II", len(head) + len(palette) + len(body), len(tail))
            + bytes(4)
        )
    start = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(body) + len(tail), 0, 0, start) + head + palette + body + tail


profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
profile = (
    profile[:24] + struct.pack(">6H", 2025, 1, 1, 0, 0, 0) + profile[36:]
)  # its date is the only thing that changes

# --- bands and their roles ---------------------------------------------------------------------------------------
a = scene(np.uint16, 5)
add(
    "bands5_u16.tif",
    tiff(a, planarconfig="contig", extrasamples=[0] * 4),
    "5 bands of a satellite, no alpha among them",
    a,
    "gray data data data data",
    keep={"ExtraSamples": [0, 0, 0, 0]},
)
a = scene(np.uint8, 2)
add(
    "bands2_u8.tif",
    tiff(a, planarconfig="contig", extrasamples=[0]),
    "two measurements a pixel",
    a,
    "gray data",
    keep={"ExtraSamples": [0]},
)
a = scene(np.uint16, 4)
add(
    "rgb_nir_u16.tif",
    tiff(a, photometric="rgb", extrasamples=[0]),
    "colour and near infrared",
    a,
    "red green blue data",
    keep={"ExtraSamples": [0]},
)
add(
    "rgb_unassociated_u16.tif",
    tiff(a, photometric="rgb", extrasamples=[2]),
    "colour with straight alpha",
    a,
    "red green blue alpha",
)
a = scene(np.uint8, 4)
a[..., 3] = np.maximum(a[..., 3], 1)
stored = np.dstack([np.rint(a[..., :3] * (a[..., 3:] / 255.0)), a[..., 3:]]).astype(np.uint8)
straight = np.dstack([np.rint(np.minimum(255, stored[..., :3] * 255.0 / stored[..., 3:])), stored[..., 3:]]).astype(
    np.uint8
)
add(
    "rgb_associated_u8.tif",
    tiff(stored, photometric="rgb", extrasamples=[1]),
    "colour multiplied by its alpha",
    straight,
    tolerance=1,
)
a = scene(np.uint8, 4)
a[:6, :8, 3] = 0
add("alpha0.png", png(a, 6), "colours kept under full transparency (a game's texture); identity must not clear them", a)

# --- missing samples, georeferencing, calibration ------------------------------------------------------------------
geokeys = (34735, "H", 16, (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633), True)
where = [
    (33550, "d", 3, (30.0, 30.0, 0.0), True),
    (33922, "d", 6, (0.0, 0.0, 0.0, 500000.0, 5200000.0, 0.0), True),
    geokeys,
]
gdal = '<GDALMetadata>\n  <Item name="OFFSET" sample="0" role="offset">0</Item>\n  <Item name="UNIT" sample="0" role="unittype">m</Item>\n</GDALMetadata>'
a = scene(np.int16, top=2400) - np.int16(120)
a[4:9, 10:15] = -9999
geo = [*where, (42112, "s", 0, gdal, True), (42113, "s", 0, "-9999", True)]
add(
    "dem_i16.tif",
    tiff(a, extratags=geo),
    "heights in metres, -9999 where there is none, below sea level too",
    a,
    keep={
        "GDAL_NODATA": "-9999",
        "GDAL_METADATA": gdal,
        "ModelPixelScale": [30, 30, 0],
        "ModelTiepoint": [0, 0, 0, 500000, 5200000, 0],
        "GeoKeyDirectory": list(geokeys[3]),
    },
)
a = scene(np.float32) * np.float32(40) - np.float32(12)
a[2:4, 2:9] = np.nan
turned = (34264, "d", 16, (10.0, 2.0, 0, 4e5, 2.0, -10.0, 0, 6e6, 0, 0, 0, 0, 0, 0, 0, 1.0), True)
rpc = (50844, "d", 92, tuple(np.round(rng.normal(size=92), 3).tolist()), True)
add(
    "f32_nan.tif",
    tiff(a, extratags=[turned, geokeys, rpc, (42113, "s", 0, "nan", True)]),
    "temperatures with NaN for clouds, a turned grid",
    a,
    keep={"ModelTransformation": list(turned[3]), "RPC": list(rpc[3]), "GDAL_NODATA": "nan"},
)
a = scene(np.uint16)
add(
    "imagej.tif",
    tiff(a, imagej=True, resolution=(4.0, 4.0), metadata={"unit": "um", "min": 100.0, "max": 4000.0}),
    "a microscope's picture, 0.25 um a pixel",
    a,
    keep={"ImageJ": "unit", "XResolution": 4.0},
)
stack = np.stack([scene(np.uint16)[..., 0] for _ in range(3)])
ome = tiff(
    stack,
    ome=True,
    metadata={
        "axes": "CYX",
        "PhysicalSizeX": 0.1,
        "PhysicalSizeXUnit": "µm",
        "Channel": {"Name": ["DAPI", "GFP", "RFP"]},
    },
)
ome = re.sub(rb"urn:uuid:[0-9a-f-]{36}", b"urn:uuid:" + b"0" * 36, ome)
add(
    "stack.ome.tif",
    ome,
    "three channels of a microscope, one a page",
    stack[0],
    pages=3,
    keep={"OME-XML": ["PhysicalSizeX", "DAPI"]},
)
stack = np.stack([scene(np.uint16)[..., 0] for _ in range(20)])
np.save(folder / "right" / "pages20_u16.all.npy", stack)
add("pages20_u16.tif", tiff(stack), "20 pages of 16 bits", stack[0], pages=20, all_pages="pages20_u16.all.npy")

# --- moving pictures -------------------------------------------------------------------------------------------------
frames = [scene(np.uint8, 3) // 64 * 85 for _ in range(4)]
np.save(folder / "right" / "anim.all.npy", np.stack(frames))
pictures = [Image.fromarray(f) for f in frames]
times = [40, 120, 80, 400]
moving = {"pages": 4, "all_pages": "anim.all.npy", "durations_ms": times}
gif = [p.quantize(64, dither=Image.Dither.NONE) for p in pictures]
add(
    "anim.gif",
    saved(gif[0], "GIF", save_all=True, append_images=gif[1:], duration=times, loop=3, disposal=2),
    "an animated GIF, its timing and 3 loops",
    np.asarray(gif[0].convert("RGB")),
    **moving,
    loop=3,
)
add(
    "anim.png",
    saved(pictures[0], "PNG", save_all=True, append_images=pictures[1:], duration=times, loop=3),
    "an animated PNG",
    frames[0],
    **moving,
    loop=3,
)
add(
    "anim.webp",
    saved(pictures[0], "WEBP", save_all=True, append_images=pictures[1:], duration=times, loop=3, lossless=True),
    "an animated WebP; an opaque alpha band beside the colours is right too",
    frames[0],
    **moving,
    loop=3,
)

# --- TIFF: bit depths, sample types, layouts, codecs --------------------------------------------------------------------
for bits in (2, 4, 6, 10, 12, 14):
    small = scene(np.uint8 if bits < 8 else np.uint16, top=2**bits - 1)
    most = 255 if bits < 8 else 65535
    wide = np.rint(small * (most / (2**bits - 1))).astype(small.dtype)
    ones = (small >> np.arange(bits - 1, -1, -1) & 1).astype(np.uint8)  # (H, W, bits), the highest bit first
    packed = np.packbits(ones.reshape(H, -1), axis=1).tobytes()
    one_strip = plain_tiff(H, W, packed, {258: ("H", [bits]), 259: ("H", [1]), 262: ("H", [1]), 277: ("H", [1])})
    add(f"bits{bits:02}.tif", one_strip, f"{bits} bits a sample, packed", wide)
for name, dtype, about in (
    ("i8", np.int8, "signed bytes"),
    ("i32", np.int32, "counts, 32 bits"),
    ("u32", np.uint32, "labels, 32 bits"),
    ("f16", np.float16, "half floats; float32 of the same values is right too"),
):
    a = scene(dtype)
    add(f"{name}.tif", tiff(a), about, a)
a = scene() > 100
np.save(out := io.BytesIO(), a[..., 0])
add("bool.npy", out.getvalue(), "a mask as numpy holds it", a.astype(np.uint8) * 255)
a = scene(np.uint8, 3)
add("planar_u8.tif", tiff(np.moveaxis(a, 2, 0), photometric="rgb", planarconfig="separate"), "planes apart", a)
a = scene(np.int16)
add("big_endian_i16.tif", tiff(a, byteorder=">"), "big-endian", a)
a = scene(np.float32)
add("bigtiff_f32.tif", tiff(a, bigtiff=True), "BigTIFF", a)
add("predictor3_f32.tif", tiff(a, compression="zlib", predictor=3), "floating-point predictor", a)
a = scene(np.uint16, 3)
add(
    "tiled_predictor2_u16.tif",
    tiff(a, photometric="rgb", tile=(16, 16), compression="zlib", predictor=2),
    "tiles, horizontal predictor",
    a,
)
add("zstd_u16.tif", tiff(a, photometric="rgb", compression="zstd"), "ZSTD", a)
a = scene(np.uint8, 3)
for codec, options in (
    ("jpeg2000", {}),
    ("jpegxl", {}),
    ("jpegxr", {}),
    ("png", {}),
    ("lerc", {}),
    ("webp", {"lossless": True}),
):
    add(
        f"codec_{codec}.tif",
        tiff(a, photometric="rgb", tile=(16, 16), compression=codec, compressionargs=options),
        f"a TIFF of tiles by {codec}, lossless",
        a,
    )
a = scene(np.uint8, 3)
whole = tiff(a, photometric="rgb", compression="lzw")
place = whole.index(imagecodecs.lzw_encode(a.tobytes())[:64]) + 1200
add(
    "lzw_damaged.tif",
    whole[:place] + b"\xff" * 40 + whole[place + 40 :],
    "LZW codes overwritten in the middle",
    refused="damaged LZW",
    words=["damaged", "LZW"],
)
a = scene(np.int8)
add(
    "i8_lzw_oversize_tile.tif",
    tiff(a, compression="lzw", tile=(128, 128)),
    "signed bytes, LZW, a tile larger than the image",
    a,
)
add(
    "cmyk_i8_tiled.tif",
    tiff(scene(np.int8, 4), photometric="separated", tile=(16, 16), compression="lzw"),
    "signed CMYK, which has no meaning",
    refused="signed inks",
    words=["CMYK", "int8", "i8", "signed"],
)
row = scene(np.uint16, top=0x6FFF)[..., 0]
log = b"".join(
    bytes([W]) + (r >> 8).astype(np.uint8).tobytes() + bytes([W]) + (r & 255).astype(np.uint8).tobytes() for r in row
)
add(
    "logl16.tif",
    plain_tiff(
        H, W, log, {258: ("H", [16]), 259: ("H", [34676]), 262: ("H", [32844]), 277: ("H", [1]), 339: ("H", [2])}
    ),
    "SGI LogL luminance",
    refused="a coding nobody here decodes",
    words=["LogL", "SGI", "34676", "32844"],
)

# --- TIFF: palettes and inks ---------------------------------------------------------------------------------------------
colours = rng.integers(0, 256, (256, 3))
index = scene()[..., 0]
table = [int(v) * 257 for v in colours.T.ravel()]
base = {258: ("H", [8]), 259: ("H", [1]), 262: ("H", [3]), 277: ("H", [1])}
add(
    "palette_u8map.tif",
    plain_tiff(H, W, index.tobytes(), base | {320: ("H", [int(v) for v in colours.T.ravel()])}),
    "a palette written as 0..255 where 0..65535 is meant",
    colours[index].astype(np.uint8),
)
opacity = scene()[..., 0]
add(
    "palette_alpha.tif",
    plain_tiff(
        H,
        W,
        np.dstack([index, opacity]).tobytes(),
        base | {258: ("H", [8, 8]), 277: ("H", [2]), 338: ("H", [2]), 320: ("H", table)},
    ),
    "a palette, and alpha beside the index",
    np.dstack([colours[index], opacity]).astype(np.uint8),
)
bit = (scene()[..., 0] > 100).astype(np.uint8)
two = [colours[0], colours[1]]
add(
    "palette_1bit.tif",
    plain_tiff(
        H,
        W,
        np.packbits(bit, axis=1).tobytes(),
        base | {258: ("H", [1]), 320: ("H", [int(c[k]) * 257 for k in range(3) for c in two])},
    ),
    "a palette of two colours",
    np.asarray(two)[bit].astype(np.uint8),
)
for name, inks in (("cmyk_u16", scene(np.uint16, 4)), ("cmyk_f32", scene(np.float32, 4))):
    most = 65535.0 if inks.dtype == np.uint16 else 1.0
    light = (1 - inks[..., :3] / most) * (1 - inks[..., 3:] / most) * most
    add(
        f"{name}.tif",
        tiff(inks, photometric="separated"),
        "inks without a profile: (1 - ink)(1 - black)",
        light.astype(inks.dtype) if most == 1 else np.rint(light).astype(inks.dtype),
        tolerance=1 if most > 1 else 1e-6,
        note=["CMYK"],
    )

# --- a camera's raw file ---------------------------------------------------------------------------------------------------
out = io.BytesIO()
with tifffile.TiffWriter(out) as writer:
    dng = [(50706, "B", 4, (1, 4, 0, 0), True), (50708, "s", 0, "Camera", True)]
    writer.write(scene(np.uint8, 3), photometric="rgb", subfiletype=1, subifds=1, extratags=dng, metadata=None)
    cfa = [(33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True)]
    writer.write(
        rng.integers(0, 4096, (60, 80), dtype=np.uint16), photometric=32803, subfiletype=0, extratags=cfa, metadata=None
    )
add(
    "preview.dng",
    out.getvalue(),
    "a raw file: 80 x 60 sensor samples and a preview of 32 x 24",
    refused="only its preview is a picture; --page preview takes it",
    words=["preview"],
)

# --- BMP ----------------------------------------------------------------------------------------------------------------------
wide = rng.integers(0, 4, (9, 13), dtype=np.uint8)  # a width that is no multiple of 4, runs of one colour
four = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [250, 240, 90]], np.uint8)
quads = b"".join(bytes([b, g, r, 0]) for r, g, b in four)
runs = b"".join(b"".join(bytes([1, v]) for v in line) + b"\0\0" for line in wide[::-1])[:-2] + b"\0\1"
add("rle8_odd.bmp", bmp(13, 9, 8, 1, runs, quads), "run lengths at a width of 13", four[wide])
body = b"".join(line.tobytes().ljust(16, b"\0") for line in wide[::-1])
triples = b"".join(bytes([b, g, r]) for r, g, b in four) + bytes(3 * 252)
add(
    "os2.bmp",
    b"BM"
    + struct.pack("<IHHIIHHHH", 26 + len(triples) + len(body), 0, 0, 26 + len(triples), 12, 13, 9, 1, 8)
    + triples
    + body,
    "OS/2's header, a palette of triples",
    four[wide],
)
word = scene(np.uint16)[..., 0]
r, g, b = word >> 11, word >> 5 & 63, word & 31
full = np.dstack([np.rint(r * 255 / 31), np.rint(g * 255 / 63), np.rint(b * 255 / 31)]).astype(np.uint8)
add(
    "fields565.bmp",
    bmp(W, H, 16, 3, word[::-1].tobytes(), masks=(0xF800, 0x07E0, 0x001F)),
    "5, 6 and 5 bits: white is 255, not 248",
    full,
    tolerance=1,
)
wider = scene(np.uint32, top=2**30 - 1)[..., 0]
r, g, b = wider & 1023, wider >> 10 & 1023, wider >> 20 & 1023
full = np.dstack([np.rint(v * 255 / 1023) for v in (r, g, b)]).astype(np.uint8)
add(
    "fields10.bmp",
    bmp(W, H, 32, 3, wider[::-1].tobytes(), masks=(1023, 1023 << 10, 1023 << 20)),
    "10 bits a colour; right, or refused",
    full,
    tolerance=1,
    or_refused=True,
)
a = scene(np.uint8, 3)
add(
    "v5_profile.bmp",
    bmp(W, H, 24, 0, a[::-1, :, ::-1].tobytes(), version=124, tail=profile),
    "version 5 with a colour profile",
    a,
    keep={"ICC": len(profile)},
    note=["profile", "ICC"],
)

# --- JPEG 2000, AVIF -------------------------------------------------------------------------------------------------------------
codes = saved(Image.fromarray(index), "JPEG2000")
at = codes.index(b"colr") - 4
box = lambda kind, data: struct.pack(">I", 8 + len(data)) + kind + data  # noqa: E731
pclr = box(b"pclr", struct.pack(">HB3B", 256, 3, 7, 7, 7) + colours.astype(np.uint8).tobytes())
extra = pclr + box(b"cmap", b"".join(struct.pack(">HBB", 0, 1, k) for k in range(3)))
srgb = box(b"colr", bytes([1, 0, 0]) + struct.pack(">I", 16))


def jp2_header(data: bytes, inside: bytes) -> bytes:
    """The file with what follows ihdr in its header box replaced."""
    start = data.index(b"jp2h") - 4
    size = struct.unpack(">I", data[start : start + 4])[0]
    return data[:start] + box(b"jp2h", data[start + 8 : start + 30] + inside) + data[start + size :]


add("palette.jp2", jp2_header(codes, srgb + extra), "JPEG 2000 with a palette", colours[index].astype(np.uint8))
a = scene(np.uint8, 3)
lines = box(b"res ", box(b"resc", struct.pack(">HHHHBB", 11811, 1, 11811, 1, 0, 0)))  # 11811 dots a metre: 300 dpi
add(
    "resolution.jp2",
    jp2_header(saved(Image.fromarray(a), "JPEG2000"), box(b"colr", bytes([2, 0, 0]) + profile) + lines),
    "JPEG 2000 with a profile and 300 dpi",
    a,
    keep={"ICC": len(profile), "dpi": 300},
    note=["profile", "resolution"],
)
a = scene()
add(
    "limited_gray.avif",
    saved(Image.fromarray(a[..., 0]), "AVIF", quality=100, range="limited", subsampling="4:0:0"),
    "one channel of 16..235: black is 0, white 255",
    a,
    tolerance=4,
)

# --- JPEG ----------------------------------------------------------------------------------------------------------------------------
a = np.kron(scene(np.uint8, 3)[::4, ::4], np.ones((8, 8, 1), np.uint8))
jpeg = saved(Image.fromarray(a), "JPEG", quality=95, subsampling=0)
decoded = np.asarray(Image.open(io.BytesIO(jpeg)))
orientation = b"Exif\0\0" + struct.pack("<2sHIHHHIiI", b"II", 42, 8, 1, 274, 9, 1, 6, 0)
add(
    "exif_slong.jpg",
    jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(orientation) + 2) + orientation + jpeg[2:],
    "turned, the orientation stored as a signed long",
    np.rot90(decoded, -1),
    tolerance=3,
)
claim = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="kept" hdrgm:Version="1.0"/></rdf:RDF></x:xmpmeta>'
packet = b"http://ns.adobe.com/xap/1.0/\0" + claim
gain = saved(Image.fromarray(scene()[..., 0]), "JPEG")
mpf = (
    b"MPF\0"
    + struct.pack("<2sHIH", b"II", 42, 8, 2)
    + struct.pack("<HHIIHHIII", 0xB001, 4, 1, 2, 0xB002, 7, 32, 38, 0)
    + bytes(32)
)
segments = b"".join(b"\xff" + m + struct.pack(">H", len(s) + 2) + s for m, s in ((b"\xe1", packet), (b"\xe2", mpf)))
add(
    "gain_map.jpg",
    jpeg[:2] + segments + jpeg[2:] + gain,
    "a phone's HDR picture: a gain map behind it, and XMP that says so",
    decoded,
    tolerance=3,
    drop=["hdrgm:Version"],
    note=["gain map", "second picture"],
)
add("no_eoi.jpg", jpeg[:-2], "whole but for its end mark", decoded, tolerance=3)
scan = jpeg.index(b"\xff\xda") + 14
add(
    "cut_scan.jpg",
    jpeg[: (scan + len(jpeg)) // 2] + b"\xff\xd9",
    "half of its scan is missing",
    refused="truncated",
    words=["truncated", "damaged"],
)

# --- PNG -----------------------------------------------------------------------------------------------------------------------------
a = scene(np.uint8, 3)
meta = {
    "gAMA": struct.pack(">I", 45455),
    "cHRM": struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000),
    "sBIT": bytes([5, 6, 5]),
    "mDCV": struct.pack(">8H2I", 35400, 14600, 8500, 39850, 6550, 2300, 15635, 16450, 10000000, 50),
    "cLLI": struct.pack(">II", 10000000, 4000000),
    "bKGD": struct.pack(">HHH", 10, 20, 30),
    "pHYs": struct.pack(">IIB", 2, 1, 0),
    "tIME": struct.pack(">HBBBBB", 2024, 2, 29, 12, 30, 0),
    "tEXt": b"Title\0A test",
}
add(
    "chunks.png",
    png(a, 2, b"".join(chunk(k.encode(), v) for k, v in meta.items())),
    "what a PNG can say of itself",
    a,
    keep={k: v.hex() for k, v in meta.items()},
)
add(
    "trns_before_plte.png",
    png(index[:, :, None] % 16, 3, chunk(b"tRNS", b"\0\x80"), chunk(b"PLTE", colours[:16].astype(np.uint8).tobytes())),
    "tRNS before PLTE: right with its alpha, without, or refused, but no library may talk",
    np.dstack([colours[:16][index % 16], np.where(index % 16 == 0, 0, np.where(index % 16 == 1, 128, 255))]).astype(
        np.uint8
    ),
    or_refused=True,
)

# --- GIF -----------------------------------------------------------------------------------------------------------------------------
still = saved(pictures[0].quantize(64, dither=Image.Dither.NONE), "GIF")
add(
    "frame_outside.gif",
    still[:6] + struct.pack("<HH", 20, 12) + still[10:],
    "a frame larger than the canvas, shown whole by other readers",
    np.asarray(pictures[0].quantize(64, dither=Image.Dither.NONE).convert("RGB")),
)
bomb = (
    b"GIF89a"
    + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0)
    + bytes(6)
    + b","
    + struct.pack("<HHHHB", 65534, 65534, 1, 1, 0)
    + b"\x02\x02D\x01\0;"
)
add(
    "bomb.gif",
    bomb,
    "4.3 gigapixels in 35 bytes",
    refused="more pixels than memory holds, found before decoding, within a second",
    words=["pixels"],
)

# --- formats that are read, and formats that are named ----------------------------------------------------------------------------------
a = scene(np.uint8, 3)
for kind, suffix in (("TGA", "tga"), ("PCX", "pcx"), ("QOI", "qoi"), ("SGI", "sgi"), ("ICO", "ico")):
    add(
        f"picture.{suffix}",
        saved(Image.fromarray(a), kind, **({"sizes": [(W, H)]} if kind == "ICO" else {})),
        f"a {kind} file",
        a,
    )
add("picture.jxl", imagecodecs.jpegxl_encode(a, lossless=True), "a JPEG XL file", a)
svg = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="32" height="24"><rect width="32" height="24" fill="#258"/></svg>\n'
card = lambda *lines: b"".join(line.encode().ljust(80) for line in lines).ljust(2880)  # noqa: E731
fits = card(
    "SIMPLE  =                    T",
    "BITPIX  =                    8",
    "NAXIS   =                    2",
    f"NAXIS1  =                   {W}",
    f"NAXIS2  =                   {H}",
    "END",
)
dicom = bytes(128) + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, 0)
for name, data, word in (
    ("drawing.svg", svg, "SVG"),
    ("sky.fits", fits + scene().tobytes(), "FITS"),
    ("page.eps", saved(Image.fromarray(a), "EPS"), "PostScript|EPS"),
    ("scan.dcm", dicom, "DICOM"),
):
    add(
        name,
        data,
        f"a {word.split('|')[-1]} file",
        refused="not a picture that convcli reads; the line names the format and what to do",
        words=word.split("|"),
    )

# --- kernels -------------------------------------------------------------------------------------------------------------------------------
weights = np.array([[0, -1, 0.5], [-1, 5, -1], [0, -1, 0.25]])
text = lambda gap: "\n".join(gap.join(f"{v:g}" for v in line) for line in weights) + "\n"  # noqa: E731
np.save(out := io.BytesIO(), weights)
blob = np.exp(-(((np.mgrid[0:15, 0:15] - 7.0) ** 2 / np.array([2.0, 6.0])[:, None, None]).sum(axis=0)))
psf = np.rint(blob * 50000).astype(np.uint16)
binomial = np.outer([1, 2, 1], [1, 2, 1]) / 16
for name, data, about, right, anchor in (
    ("kernel.txt", b"# sharpen, lopsided\n" + text(" ").encode(), "rows of numbers", weights, [1, 1]),
    ("kernel.csv", text(",").encode(), "a spreadsheet's rows", weights, [1, 1]),
    ("kernel.json", json.dumps(weights.tolist()).encode(), "a list of lists", weights, [1, 1]),
    ("kernel.npy", out.getvalue(), "numpy's", weights, [1, 1]),
    (
        "kernel.mat",
        b"3 3 16 0\n1 2 1\n2 4 2\n1 2 1\n",
        "libvips' matrix: width, height, scale, offset",
        binomial,
        [1, 1],
    ),
    (
        "kernel.im",
        b"3x3+0+1: 0,-1,0.5 -1,5,-1 nan,-1,0.25\n",
        "ImageMagick's string, origin at column 0, row 1, a hole",
        np.where(np.arange(9).reshape(3, 3) == 6, 0, weights),
        [1, 0],
    ),
    ("psf16.tif", tiff(psf[..., None]), "a measured point spread; sum 1", psf / psf.sum(), [7, 7]),
):
    (folder / name).write_bytes(data)
    np.save(folder / "right" / f"{name}.npy", right.astype(np.float64))
    expected[name] = {
        "about": f"kernel: {about}",
        "weights": right.tolist() if right.size < 10 else f"right/{name}.npy",
        "anchor": anchor,
    }
(folder / "flat9.txt").write_text("0 -1 0 -1 5 -1 0 -1 0\n")
expected["flat9.txt"] = {
    "about": "kernel: nine numbers in a row",
    "refused": "say 3x3: or 1x9:",
    "words": ["3x3", "1x9"],
}

(folder / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
print(f"{len(expected)} inputs in {folder}")
