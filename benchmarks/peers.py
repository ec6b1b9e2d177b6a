"""Time `convolve` on 12 megapixels of RGB bytes against libvips, OpenCV, kornia-rs and zignal, in one run.

    pip install pyvips pyvips-binary kornia-rs zignal-processing
    python benchmarks/peers.py [--cells sobel gaussian-10 ...] [--runs 7]

Each peer is called as its users call it, in its exact and its fast settings where it has both. All take turns; printed
are the least time of each, the median of the ratios of neighbours (ours / the peer's), and how far its bytes are from
the exact response, saturated, in the middle of the image: half a step and less is right, more is another filter
(libvips halves Sobel, and rounds Gaussians' weights to integers). Peers that are not installed are left out.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rivals import photograph
from scipy.ndimage import correlate

from convcli import convolve, load_kernel

Call = Callable[[], NDArray[Any]]
CELLS = (
    *("sobel", "prewitt", "scharr", "roberts", "kirsch", "robinson", "sobel_x", "box-3", "box-31"),
    *(f"gaussian-{sigma}" for sigma in (1, 2, 5, 10, 50)),
)
_MIDDLE = slice(1400, 1464)


def spec_of(cell: str) -> str:
    """The SPEC of a cell's kernel."""
    name, _, value = cell.partition("-")
    return f"{name}:{'sigma' if name == 'gaussian' else 'size'}={value}" if value else name


def opencv(cell: str, image: NDArray[Any]) -> Iterator[tuple[str, Call]]:
    """The right ways in OpenCV, in as few bits as they take."""
    name, _, value = cell.partition("-")
    kernel = load_kernel(spec_of(cell))
    if name == "gaussian":
        sigma = float(value)
        size = 2 * int(4 * sigma + 0.5) + 1
        yield "cv2 GaussianBlur", lambda: cv2.GaussianBlur(image, (size, size), sigma, None, sigma, 4)
    elif name == "box":
        yield "cv2 blur", lambda: cv2.blur(image, (int(value), int(value)))
    elif hasattr(kernel, "kernels"):

        def joined() -> NDArray[Any]:
            parts = [cv2.filter2D(image, cv2.CV_16S, each.weights) for each in kernel.kernels]
            if kernel.combine == "magnitude":
                first, second = (part.reshape(len(part), -1).astype(np.float32) for part in parts)
                return cv2.convertScaleAbs(cv2.magnitude(first, second)).reshape(image.shape)
            total = parts[0]
            for part in parts[1:]:
                cv2.max(total, part, total)
            return cv2.convertScaleAbs(cv2.max(total, 0.0))

        yield "cv2 in 16 bits", joined
    else:
        yield "cv2 in 16 bits", lambda: cv2.convertScaleAbs(cv2.filter2D(image, cv2.CV_16S, kernel.weights))


def vips(cell: str, image: NDArray[Any]) -> Iterator[tuple[str, Call]]:
    """What libvips has, integer and float."""
    import pyvips

    source = pyvips.Image.new_from_memory(image.data, image.shape[1], image.shape[0], image.shape[2], "uchar")

    def taken(result: Any) -> NDArray[Any]:
        return np.frombuffer(result.cast("uchar").write_to_memory(), np.uint8).reshape(image.shape)

    name, _, value = cell.partition("-")
    if name in ("sobel", "prewitt", "scharr"):
        yield f"vips {name}", lambda: taken(getattr(source, name)())
    elif name == "gaussian":
        yield "vips integer", lambda: taken(source.gaussblur(float(value), min_ampl=0.003, precision="integer"))
        if float(value) <= 10:
            yield "vips float", lambda: taken(source.gaussblur(float(value), min_ampl=0.0003, precision="float").rint())
    elif name in ("kirsch", "robinson"):
        weights = load_kernel(f"{'kirsch_x' if name == 'kirsch' else 'sobel_x'}").weights
        mask = pyvips.Image.new_from_list(weights.tolist())
        how = {"times": 8, "angle": "d45", "combine": "max", "precision": "integer"}
        yield "vips compass", lambda: taken(source.compass(mask, **how))
    elif name == "sobel_x":
        mask = pyvips.Image.new_from_list(load_kernel(name).weights.tolist())
        yield "vips conv", lambda: taken(source.conv(mask, precision="integer").abs())


def kornia(cell: str, image: NDArray[Any]) -> Iterator[tuple[str, Call]]:
    """kornia-rs: Gaussians and boxes."""
    from kornia_rs import imgproc

    name, _, value = cell.partition("-")
    if name == "gaussian" and hasattr(imgproc, "gaussian_blur"):
        size = 2 * int(4 * float(value) + 0.5) + 1
        yield "kornia-rs", lambda: np.asarray(imgproc.gaussian_blur(image, (size, size), (float(value), float(value))))


def zignal(cell: str, image: NDArray[Any]) -> Iterator[tuple[str, Call]]:
    """zignal: Gaussians, boxes and Sobel."""
    import zignal

    source = zignal.Image.from_numpy(image)
    name, _, value = cell.partition("-")
    if name == "gaussian":
        yield "zignal", lambda: source.gaussian_blur(float(value)).to_numpy()[..., :3]
    elif name == "box":
        yield "zignal", lambda: source.box_blur(int(value) // 2).to_numpy()[..., :3]
    elif name == "sobel":
        yield "zignal gray", lambda: source.sobel().to_numpy()


PEERS = {"cv2": opencv, "pyvips": vips, "kornia_rs": kornia, "zignal": zignal}


def farthest(cell: str, image: NDArray[Any], result: NDArray[Any]) -> float:
    """The largest distance from the exact response, saturated, in a window that no padding reaches."""
    if result.shape != image.shape:
        return float("nan")
    kernel = load_kernel(spec_of(cell))
    parts = kernel.kernels if hasattr(kernel, "kernels") else (kernel,)
    reach = parts[0].weights.shape[0]
    around = slice(_MIDDLE.start - reach, _MIDDLE.stop + reach)
    patch = image[around, around].astype(np.float64)
    exact = [np.stack([correlate(patch[..., channel], part.weights) for channel in range(3)], axis=2) for part in parts]
    if len(parts) == 1:
        value = np.abs(exact[0]) if cell == "sobel_x" else exact[0]
    elif kernel.combine == "magnitude":
        value = np.sqrt(exact[0] ** 2 + exact[1] ** 2)
    else:
        value = np.max(exact, axis=0)
    inner = np.clip(value[reach:-reach, reach:-reach], 0, 255)
    return float(np.abs(result[_MIDDLE, _MIDDLE].astype(np.float64) - inner).max())


def seconds(call: Call) -> float:
    """Time one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print each cell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", nargs="+", default=list(CELLS))
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    image = photograph()
    present = [name for name in PEERS if find_spec(name)]
    print(f"peers: {', '.join(present)}; left out: {', '.join(PEERS.keys() - present) or 'none'}")
    print(f"{'cell':12} {'way':18} {'ms':>8} {'ours / its':>10} {'farthest':>9}")
    for cell in options.cells:
        kernel = load_kernel(spec_of(cell))
        mapped = cell == "sobel_x"

        def ours(kernel: Any = kernel, mapped: bool = mapped) -> NDArray[Any]:
            if not mapped:
                return convolve(image, kernel, out_dtype=np.uint8)
            return cv2.convertScaleAbs(convolve(image, kernel, out_dtype=np.int16))

        calls = {"convcli": ours} | {way: call for name in present for way, call in PEERS[name](cell, image)}
        errors = {way: farthest(cell, image, call()) for way, call in calls.items()}
        rounds = [{way: seconds(call) for way, call in calls.items()} for _ in range(options.runs)]
        for way in calls:
            ratio = statistics.median(each["convcli"] / each[way] for each in rounds)
            least = min(each[way] for each in rounds) * 1e3
            print(f"{cell:12} {way:18} {least:8.1f} {ratio:10.2f} {errors[way]:9.2f}", flush=True)


if __name__ == "__main__":
    main()
