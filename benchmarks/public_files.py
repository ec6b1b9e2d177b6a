"""Read a folder of image files with convcli and hold every result against Pillow, tifffile and libvips.

    python benchmarks/public_files.py FOLDER [--jobs 2] [--only SUFFIX] [--list KIND] [--json FILE]

Needs pillow, tifffile with imagecodecs and, as a third opinion, pyvips. The files are any that one has: test suites of
image libraries, photographs, GeoTIFFs; none lies in this repository. Each file goes through `convcli filter FILE -k
identity -o out.npy` in a child process that is watched: exit status, every line on standard error, seconds, and the
peak of resident memory. What came out is compared with what the other readers find.

A file is counted under the first of these that holds:

    traceback   a traceback, a signal, or no answer within a minute
    foreign     a line on standard error that is not ours
    slow        more than 5 s, or more than 1 GB for fewer than 100 megapixels
    wrong       exit status 0, and samples on which at least two readers agree with each other and not with us, or the
                only reader that reads it does not
    damaged     called damaged or truncated by us, and read by every reader that knows the format, at least two
    agrees      exit status 0, and equal to a reader within the tolerance of the format
    alone       exit status 0, and no other reader reads it, or those that do differ from each other
    refused     one clean line and exit status 1
"""

import argparse
import io
import json
import logging
import os
import selectors
import subprocess
import sys
import tempfile
import warnings
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

KINDS = ("traceback", "foreign", "slow", "wrong", "damaged", "agrees", "alone", "refused")
SECONDS, LONGEST = 5.0, 60.0
MEMORY = 1 << 30
MOST_PIXELS = 400_000_000  # that other readers are asked for
# Levels of 255 by which lossy codings may differ between decoders; all others round by one at most.
TOLERANCE = {"jpeg": 3, "avif": 4, "heif": 4, "webp": 3, "jp2": 1.5, "jxl": 3}

# Runs in the child: one file a line on standard input, one JSON object a line on standard output.
CHILD = r"""
import io, json, os, sys, tempfile, time, traceback
sys.path.insert(0, os.getcwd())
from convcli.cli.app import run
sink = tempfile.TemporaryFile()
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

def peak(reset=False):
    if reset:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))

for line in sys.stdin:
    path, output = json.loads(line)
    if os.path.exists(output):
        os.unlink(output)
    kept = os.dup(2)
    sink.seek(0), sink.truncate()
    os.dup2(sink.fileno(), 2)
    before, started, status = peak(reset=True), time.perf_counter(), None
    try:
        status = run(["filter", path, "-k", "identity", "-o", output])
    except BaseException:
        sys.stderr.flush()
        os.write(2, traceback.format_exc().encode())
    seconds = time.perf_counter() - started
    sys.stderr.flush()
    os.dup2(kept, 2), os.close(kept)
    sink.seek(0)
    said = sink.read().decode("utf-8", "replace").splitlines()
    answers.write(json.dumps([status, said, seconds, peak() - before]) + "\n")
    answers.flush()
"""


class Child:
    """A process that filters one file after another and is begun anew where one kills it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory()
        self.output = os.path.join(self._folder.name, "out.npy")

    def ask(self, path: str) -> tuple[int | None, list[str], float, int]:
        """Filter one file: its exit status, what was said, seconds, and the memory that was added."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([path, self.output]).encode() + b"\n")
        process.stdin.flush()
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            answered = bool(ready.select(LONGEST))
        line = process.stdout.readline() if answered else b""
        if not line:
            process.kill()
            status = process.wait()
            self._process = None
            return None, [f"no answer within {LONGEST:g} s" if not answered else f"ended with {status}"], LONGEST, 0
        status, said, seconds, memory = json.loads(line)
        return status, said, seconds, memory


def by_pillow(path: str) -> np.ndarray | None:
    """Read with Pillow: (H, W, C), upright, RGB(A) or gray in its own depth; None where it cannot."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # beyond twice of which it refuses
    try:
        with Image.open(path) as image:
            image.load()
            turned = ImageOps.exif_transpose(image) if image.format != "AVIF" else image
            if turned.mode in ("P", "PA"):
                transparent = "transparency" in turned.info or turned.mode == "PA"
                turned = turned.convert("RGBA" if transparent else "RGB")
            if turned.mode == "1":
                turned = turned.convert("L")
            if turned.mode in ("L", "RGB") and "transparency" in turned.info:
                turned = turned.convert("LA" if turned.mode == "L" else "RGBA")
            if turned.mode in ("YCbCr", "La", "RGBa", "HSV", "RGBX"):
                turned = turned.convert({"La": "LA", "RGBa": "RGBA"}.get(turned.mode, "RGB"))
            if turned.mode in ("CMYK", "LAB"):
                return None  # a matter of profiles, in which readers differ rightly
            samples = np.asarray(turned)
            bits = image.tag_v2.get(258, (8,))[0] if image.format == "TIFF" else 8
            if bits not in (1, 8, 16, 32, 64):
                return None  # handed out unscaled
            if turned.mode == "I" and image.format in ("PNG", "PPM"):
                samples = samples.astype(np.uint16)
            return samples if samples.ndim == 3 else samples[:, :, None]
    except Exception:  # whatever another library does with a file is its affair
        return None


def by_tifffile(path: str) -> np.ndarray | None:
    """Read the first page of a TIFF with tifffile and imagecodecs; None for what it hands out as it is stored."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            if page.photometric.name not in ("MINISBLACK", "MINISWHITE", "RGB", "PALETTE") or page.tags.get(274):
                return None
            samples = page.asrgb() if page.photometric.name == "PALETTE" else page.asarray()
            if samples.ndim == 3 and page.planarconfig == 2 and page.samplesperpixel > 1:
                samples = np.moveaxis(samples, 0, 2)
            bits = page.bitspersample
            if isinstance(bits, tuple) or page.photometric.name == "PALETTE":
                bits = samples.dtype.itemsize * 8
            if samples.dtype == np.bool_:
                samples = samples.astype(np.uint8) * 255
            elif samples.dtype.kind == "u" and bits < 8 * samples.dtype.itemsize:
                most = np.iinfo(samples.dtype).max
                samples = np.rint(samples * (most / (2**bits - 1))).astype(samples.dtype)
            if page.photometric.name == "MINISWHITE" and samples.dtype.kind == "u":
                samples = np.iinfo(samples.dtype).max - samples
            extra = page.extrasamples
            if 1 in extra:
                return None  # associated alpha is stored multiplied
            return samples if samples.ndim == 3 else samples[:, :, None] if samples.ndim == 2 else None
    except Exception:  # as above
        return None


def by_vips(path: str) -> np.ndarray | None:
    """Read with libvips, upright; None where it cannot, is not there, or reads another kind of colour."""
    try:
        import pyvips
    except (ImportError, OSError):
        return None
    try:
        image = pyvips.Image.new_from_file(path, access="sequential", fail_on="error").autorot()
        if image.interpretation in ("cmyk", "lab", "labs", "xyz", "scrgb") or image.width * image.height > MOST_PIXELS:
            return None
        samples = image.numpy()
        return samples if samples.ndim == 3 else samples[:, :, None]
    except Exception:  # as above
        return None


def unit(samples: np.ndarray) -> np.ndarray:
    """Samples as float64 where white is 1; floats and signed integers as they are."""
    if samples.dtype == np.bool_:
        return samples.astype(np.float64)
    if samples.dtype.kind == "u" and samples.dtype.itemsize < 4:
        return samples / float(np.iinfo(samples.dtype).max)
    return samples.astype(np.float64)


def same(ours: np.ndarray, theirs: np.ndarray, tolerance: float) -> bool:
    """Whether two readings are one picture; gray may be three equal bands, and opaque alpha may be left out."""
    a, b = unit(ours), unit(theirs)
    if a.shape[:2] != b.shape[:2]:
        return False
    a, b = (
        v[..., :-1] if v.shape[2] in (2, 4) and v.shape[2] != w.shape[2] and np.all(v[..., -1] >= 1) else v
        for v, w in ((a, b), (b, a))
    )
    if a.shape[2] != b.shape[2]:
        if {a.shape[2], b.shape[2]} not in ({1, 3}, {2, 4}):
            return False
        a, b = np.broadcast_arrays(a, b) if 1 in (a.shape[2], b.shape[2]) else (spread(a), spread(b))
    if a.shape[2] in (2, 4):  # where nothing shows, colours may differ
        shown = np.minimum(a[..., -1:], b[..., -1:]) > 0
        if not np.allclose(a[..., -1], b[..., -1], rtol=0, atol=tolerance, equal_nan=True):
            return False
        a, b = a * shown, b * shown
    scale = max(1.0, float(np.nanmax(np.abs(b), initial=0.0)))
    close = np.isclose(a, b, rtol=0, atol=tolerance * scale, equal_nan=True)
    return bool(close.mean() > 0.9995 if tolerance > 1.6 / 255 else close.all())


def spread(gray_and_alpha: np.ndarray) -> np.ndarray:
    """Gray with alpha as three equal colours with alpha."""
    if gray_and_alpha.shape[2] != 2:
        return gray_and_alpha
    return gray_and_alpha[..., [0, 0, 0, 1]]


def format_of(path: str) -> str:
    """Name of the coding as far as the tolerance depends on it, by the first bytes."""
    with open(path, "rb") as file:
        start = file.read(16)
    if start.startswith(b"\xff\xd8"):
        return "jpeg"
    if start[4:8] == b"ftyp":
        return "avif"
    if start[8:12] == b"WEBP":
        return "webp"
    if start[4:8] == b"jP  " or start.startswith(b"\xff\x4f\xff\x51"):
        return "jp2"
    if start.startswith(b"\xff\x0a") or start[4:8] == b"JXL ":
        return "jxl"
    if start[:4] in (b"II*\0", b"MM\0*"):
        return "tiff"
    return "other"


def judge(path: str, child: Child) -> tuple[str, str]:
    """Kind of a file, one of KINDS, and a line about it."""
    status, said, seconds, memory = child.ask(path)
    text = " | ".join(said)
    if status is None or "Traceback" in text:
        return "traceback", text[-300:]
    foreign = [line for line in said if not line.startswith(("convcli: ", "wrote "))]
    if foreign:
        return "foreign", foreign[0][:200]
    ours = np.load(child.output) if status == 0 else None
    megapixels = 0 if ours is None else ours.shape[0] * ours.shape[1] / 1e6
    if seconds > SECONDS or (memory > MEMORY and megapixels < 100):
        return "slow", f"{seconds:.1f} s, {memory / 1e6:.0f} MB, {megapixels:.1f} MP: {text[:150]}"
    coding = format_of(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        readings = {"pillow": by_pillow(path), "vips": by_vips(path)}
        if coding == "tiff":
            readings["tifffile"] = by_tifffile(path)
    found = {name: samples for name, samples in readings.items() if samples is not None}
    if ours is None:
        damaged = any(word in text for word in ("damaged", "truncated"))
        if damaged and len(found) == len(readings):
            return "damaged", text[:250]
        return "refused", text[:250]
    ours = ours if ours.ndim == 3 else ours[:, :, None]
    tolerance = TOLERANCE.get(coding, 3.0 if coding == "tiff" and "JPEG" in text else 1.01) / 255
    agreeing = [name for name, theirs in found.items() if same(ours, theirs, tolerance)]
    if agreeing:
        return "agrees", ", ".join(agreeing)
    if not found:
        return "alone", "no other reader"
    shapes = ", ".join(f"{name} {theirs.shape} {theirs.dtype}" for name, theirs in found.items())
    told = f"ours {ours.shape} {ours.dtype}; {shapes}; {text[-160:]}"
    readers = list(found.values())
    if len(readers) == 1 or any(same(a, b, tolerance) for index, a in enumerate(readers) for b in readers[index + 1 :]):
        return "wrong", told
    return "alone", told


def main() -> int:
    """Judge all files of a folder; exit status 1 if any is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", help="only files whose names end so")
    parser.add_argument(
        "--list", nargs="*", default=list(KINDS[:5]), choices=KINDS, help="kinds of which each file is told"
    )
    parser.add_argument("--json", type=Path, help="write every file's kind and line")
    arguments = parser.parse_args()
    logging.disable()  # of tifffile, on tags
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, errors="backslashreplace", line_buffering=True)
    paths = sorted(str(p) for p in arguments.folder.rglob("*") if p.is_file() and p.stat().st_size)
    if arguments.only:
        paths = [p for p in paths if p.lower().endswith(arguments.only.lower())]
    counts: Counter[str] = Counter()
    kept: dict[str, list[tuple[str, str]]] = defaultdict(list)
    shares = [paths[start :: arguments.jobs] for start in range(arguments.jobs)]

    def work(share: list[str]) -> None:
        child = Child()
        for path in share:
            kind, line = judge(path, child)
            counts[kind] += 1
            kept[kind].append((path, line))
            if kind in arguments.list:
                print(f"{kind}: {path}: {line}")

    with ThreadPoolExecutor(arguments.jobs) as pool:
        list(pool.map(work, shares))
    repositories = len({Path(p).relative_to(arguments.folder).parts[0] for p in paths})
    print(f"{len(paths)} files of {repositories} folders: " + ", ".join(f"{counts[kind]} {kind}" for kind in KINDS))
    if arguments.json:
        arguments.json.write_text(json.dumps(kept, indent=1, ensure_ascii=True))
    return int(any(counts[kind] for kind in KINDS[:5]))


if __name__ == "__main__":
    sys.exit(main())
