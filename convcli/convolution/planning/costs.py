"""What each backend's way of computing costs: few terms a way, each times a coefficient in seconds.

A *term* counts something that takes time: samples that go through a pass, multiply-adds, matrix products, library
calls. Its coefficient says how long one takes on one core, in float32; the shipped ones were measured, and `convcli
tune` measures those of the machine at hand. Nothing here imports a backend, so that asking costs nothing.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.blas import longest_sum
from convcli.convolution.bank import Bank
from convcli.convolution.planning.transform_sizes import keeps_spectra, tile_count, transform_cost, transform_size
from convcli.kernel.factorize import is_box, low_rank

Terms = dict[str, float]

# Of the terms and what they mean; a profile measured for another version is not used.
MODEL_VERSION = 1

# Seconds a unit, on one core.
COEFFICIENTS: dict[str, float] = {
    "tile.read": 1.62e-10,
    "tile.split": 1.06e-09,
    "tile.finish": 1.28e-09,
    "tile.pass": 1e-10,
    "direct.sample": 6.23e-10,
    "direct.pass": 1.28e-10,
    "direct.call": 1.94e-06,
    "direct.run": 0.000688,
    "im2col.sample": 7.87e-10,
    "im2col.unroll": 3.36e-10,
    "im2col.window": 3.49e-11,
    "im2col.bank_unroll": 8.18e-10,
    "im2col.weight": 9.01e-09,
    "im2col.product": 1.35e-11,
    "im2col.call": 5.29e-06,
    "im2col.run": 6.63e-06,
    "kn2row.sample": 5.42e-10,
    "kn2row.pass": 3.08e-10,
    "kn2row.level": 2.95e-11,
    "kn2row.weight": 1.32e-09,
    "kn2row.band": 1.99e-11,
    "kn2row.tap": 3.49e-11,
    "kn2row.product": 1.31e-11,
    "kn2row.call": 1.39e-05,
    "kn2row.run": 5.35e-05,
    "winograd.input": 3.57e-10,
    "winograd.output": 7.83e-09,
    "winograd.product": 3.12e-12,
    "winograd.weight": 1.18e-06,
    "winograd.call": 4.07e-06,
    "winograd.run": 0.000177,
    "fft.transform": 1.64e-10,
    "fft.sample": 1.09e-11,
    "fft.product": 4.75e-10,
    "fft.spectrum": 1.32e-10,
    "fft.call": 9.17e-05,
    "fft.run": 0.0001,
    "fft.load": 0.04,
    "opencv.tile": 2.23e-10,
    "opencv.dense": 1.64e-10,
    "opencv.tap": 3.8e-11,
    "opencv.double_tap": 6.66e-11,
    "opencv.spectrum": 1.64e-08,
    "opencv.pass": 1.27e-10,
    "opencv.length": 1.15e-10,
    "opencv.add": 1e-10,
    "opencv.box": 1.43e-09,
    "opencv.double_spectrum": 1.03e-08,
    "opencv.whole_box": 2.36e-09,
    "opencv.plane": 1e-10,
    "opencv.byte": 1e-10,
    "opencv.byte_tap": 6.51e-11,
    "opencv.byte_spectrum": 3.16e-08,
    "opencv.byte_pass": 4e-11,
    "opencv.byte_length": 7.02e-11,
    "opencv.byte_box": 9.58e-10,
    "opencv.call": 1.59e-05,
    "opencv.run": 5e-06,
    "torch.sample": 5e-09,
    "torch.product": 2e-11,
    "torch.call": 5e-05,
    "torch.run": 0.0001,
    "torch.load": 2,
}

# Cores that share the work of several tiles where the coefficients were measured.
SHIPPED_CORES = 2

# A kernel that is the sum of more products than this is left as it is.
MOST_PRODUCTS = 4
# OpenCV's filter2D multiplies spectra from so many places of a kernel on, of which a NaN fills the whole image
# (opencv/modules/imgproc/src/filter.dispatch.cpp), by bytes a sample.
SPECTRAL_PLACES = {1: 130, 4: 130, 8: 50}
# More channels than this OpenCV 5 takes for a third dimension (CV_CN_MAX; 512 in OpenCV 4).
OPENCV_CHANNELS = 128
# The longest column plus row that OpenCV's float32 sums one after another inside DESIGN's bound: a flat image under
# 101 + 101 reaches half of it.
_SEQUENTIAL_LENGTHS = 202
# What the sum of a mean's weights may differ from 1.
ROUNDING = 1e-12
# im2col unrolls banks of fewer inputs weight by weight.
_FEW_CHANNELS = 16
# Backends that do strides themselves.
_STRIDING = ("direct", "im2col", "kn2row", "torch")
# Rows and samples a row of a full tile, where backends do not go by the kernel.
_TILE_ROWS, _TILE_SAMPLES = 128, 2048


@dataclass(frozen=True)
class Load:
    """One bank, as far as its cost depends on it.

    `size` is that of each kernel; `weights` those that are not zero, in so many `rows` and `columns`, and `distinct`
    how many magnitudes they have; `products` how many products column x row it is the sum of, 0 where too many to be of
    use; `mirrored` whether these are symmetric or antisymmetric; `box` whether all weights are one number, and `mean`
    whether they then sum to 1. `inputs` and `outputs` are the channels of a group.
    """

    size: tuple[int, int]
    weights: int
    rows: int
    columns: int
    distinct: int
    products: int
    mirrored: bool
    box: bool
    shared: bool
    mean: bool = False
    inputs: int = 1
    outputs: int = 1
    groups: int = 1

    @property
    def channels(self) -> int:
        """Input channels in all."""
        return self.inputs * self.groups


@dataclass(frozen=True)
class Run:
    """What is asked of a bank: how many outputs, of which samples.

    `output` counts rows and columns after the stride. `itemsize` is that of the arithmetic, 4 or 8. `native` is the
    size of the samples where a library may filter the whole image as it is: 1, 4 or 8, else 0; `converted` says that
    they are made so before. `finished` says that responses become integers, `cold` that nothing is loaded or planned
    yet.
    """

    output: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    itemsize: int = 4
    native: int = 0
    converted: bool = False
    finished: bool = False
    cold: bool = False

    @property
    def kept(self) -> int:
        """Outputs of a channel."""
        return self.output[0] * self.output[1]

    @property
    def every(self) -> tuple[int, int]:
        """Rows and columns of the outputs at stride 1, which a backend computes that knows of no strides."""
        return tuple((n - 1) * s + 1 for n, s in zip(self.output, self.stride, strict=True))  # type: ignore[return-value]

    def span(self, size: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns that a kernel of `size` spans with its dilation."""
        return self.dilation[0] * (size[0] - 1) + 1, self.dilation[1] * (size[1] - 1) + 1


@dataclass(frozen=True)
class Form:
    """How a backend goes about a bank: `dense`, `passes` or `box`, in tiles or, natively, on the `whole` image."""

    name: str
    whole: bool = False


@dataclass(frozen=True)
class Way:
    """One form with its terms, and the number of tiles, which cores share."""

    form: Form
    terms: Terms
    tiles: int

    def seconds(self, coefficients: Mapping[str, float], cores: int) -> float:
        """Predict how long it takes on so many cores."""
        once = sum(coefficients[term] * count for term, count in self.terms.items() if term.endswith(_ONCE))
        shared = sum(coefficients[term] * count for term, count in self.terms.items() if not term.endswith(_ONCE))
        return once + shared * math.ceil(self.tiles / cores) / self.tiles


# Terms of what is done once, whatever the number of cores.
_ONCE = (".run", ".load")


def load_of(bank: Bank) -> Load:
    """Look at a bank's weights.

    >>> load = load_of(Bank.depthwise(np.ones((3, 5)), 3))
    >>> load.weights, load.products, load.box, load.groups
    (15, 1, True, 3)
    """
    outputs, inputs, height, width = bank.weights.shape
    if bank.shared is None:
        places = height * width
        per_group = outputs // bank.groups
        return Load(
            (height, width),
            places,
            height,
            width,
            places,
            0,
            False,
            False,
            False,
            False,
            inputs,
            per_group,
            bank.groups,
        )
    return replace(_load_of_kernel(bank.shared.tobytes(), width), groups=bank.groups)


@lru_cache(maxsize=32)
def _load_of_kernel(data: bytes, width: int) -> Load:
    kernel: NDArray[np.float64] = np.frombuffer(data).reshape(-1, width)
    sizes = np.abs(kernel[kernel != 0])
    passes = low_rank(kernel, MOST_PRODUCTS) if min(kernel.shape) > 1 else None
    mirrored = passes is not None and all(_is_mirrored(factor) for product in passes for factor in product)
    return Load(
        (kernel.shape[0], width),
        sizes.size,
        int(kernel.any(axis=1).sum()),
        int(kernel.any(axis=0).sum()),
        len(set(sizes.tolist())),  # np.unique loads numpy.ma, which takes 8 ms
        0 if passes is None else len(passes),
        mirrored,
        box := is_box(kernel),
        shared=True,
        mean=box and bool(abs(kernel.flat[0] * kernel.size - 1.0) < ROUNDING),
    )


def _is_mirrored(factor: NDArray[np.float64]) -> bool:
    turned = factor[::-1]
    return bool((factor == turned).all() or (factor == -turned).all())


def takes_whole(source: str, target: str, channels: int, padding: str, value: float | tuple[float, ...]) -> bool:
    """Whether OpenCV pads and filters an image of `source` samples into `target` ones just as we do.

    >>> takes_whole("uint8", "uint8", 3, "reflect", 0.0), takes_whole("uint8", "float32", 3, "reflect", 0.0)
    (True, False)
    """
    same = source == target and target in ("uint8", "float32", "float64")
    plain = padding in ("reflect101", "reflect", "replicate") or (padding == "constant" and not np.any(value))
    return same and plain and channels <= OPENCV_CHANNELS


def refusal(
    backend: str, size: tuple[int, int], stride: tuple[int, int] = (1, 1), dilation: tuple[int, int] = (1, 1)
) -> str | None:
    """Say in one line why a backend cannot compute kernels of `size` so, or None where it can.

    >>> refusal("winograd", (5, 5))
    'winograd computes 3x3 kernels only, and this one is 5x5: choose kn2row, fft or auto'
    """
    if backend != "winograd":
        return None
    choose = "choose kn2row, fft or auto"
    if size != (3, 3):
        return f"winograd computes 3x3 kernels only, and this one is {size[0]}x{size[1]}: {choose}"
    if dilation != (1, 1):
        return f"winograd knows no dilation, and {dilation[0]},{dilation[1]} was asked for: {choose}"
    if stride != (1, 1):
        return f"winograd computes at stride 1 only, and {stride[0]},{stride[1]} was asked for: {choose}"
    return None


def ways(backend: str, load: Load, run: Run) -> list[Way]:
    """List the ways in which a backend can go about a bank; none where it cannot.

    >>> load = load_of(Bank.depthwise(np.ones((9, 9)), 1))
    >>> [way.form.name for way in ways("direct", load, Run((2048, 2048)))]
    ['dense', 'box', 'passes']
    """
    if refusal(backend, load.size, run.stride, run.dilation) is not None:
        return []
    found = list(_WAYS[backend](load, run))
    for way in found:
        way.terms[f"{backend}.run"] = 1.0
        if way.form.whole and run.converted:
            way.terms["tile.read"] = math.prod(run.every) * load.channels * run.itemsize / 4
        if not way.form.whole:
            read = math.prod(run.every) * load.channels * run.itemsize / 4
            way.terms["tile.read"] = read
            if run.stride != (1, 1) and backend in _STRIDING:
                way.terms["tile.split"] = read  # samples that lie a stride apart are laid side by side
            if run.finished:
                way.terms["tile.finish"] = run.kept * load.outputs * load.groups * run.itemsize / 4
    return found


def _direct(load: Load, run: Run) -> Iterator[Way]:
    tiles = _tiles(load, run)
    yield Way(Form("dense"), _direct_dense(load, run), tiles)
    if load.box:
        height, width = (n.bit_length() + n.bit_count() - 1 for n in load.size)
        samples = run.kept * load.channels * run.itemsize / 4
        passes = {"direct.pass": samples * (height + width), "direct.call": (height + width + 3.0) * tiles}
        yield Way(Form("box"), {"direct.sample": samples, **passes}, tiles)
    yield from _separated(_direct_dense, load, run)


def _direct_dense(load: Load, run: Run) -> Terms:
    outputs = run.kept * run.itemsize / 4
    # Neighbouring weights of a row may go together, up to 11 of them.
    runs = load.rows * run.stride[1] * math.ceil(load.size[1] / run.stride[1] / 11)
    by_rows = runs * 4.0 + 0.9 * load.rows * load.size[1]
    if load.shared:
        passes = min(load.weights + load.distinct, by_rows)
        samples = outputs * load.channels
    else:
        passes = min(2 * load.weights, by_rows) * load.inputs
        samples = outputs * load.outputs * load.groups
    calls = passes * _tiles(load, run) * (1 if load.shared else load.outputs * load.groups)
    return {"direct.sample": samples, "direct.pass": samples * passes, "direct.call": calls}


def _kn2row(load: Load, run: Run) -> Iterator[Way]:
    yield Way(Form("dense"), _kn2row_dense(load, run), _tiles(load, run))
    yield from _separated(_kn2row_dense, load, run)


def _kn2row_dense(load: Load, run: Run) -> Terms:
    outputs = run.kept * run.itemsize / 4
    if load.shared:
        samples = outputs * load.channels
        (height, width), (rows, columns) = load.size, run.span(load.size)
        # Bands lie along the longer side, in steps of 8 or 16 outputs.
        if 2 * width >= 3 * height and width > 2:
            lines, taps, reach, beyond, kind = load.rows, width, columns, 15 * run.stride[1], "level"
        else:
            beyond = (7 if height <= 8 else 15) * run.stride[0]
            lines, taps, reach, kind = load.columns, height, rows, "band"
        # Long bands go in parts, whose sums are added in pairs.
        parts = math.ceil(taps / longest_sum(load.size))
        return {
            "kn2row.sample": samples,
            "kn2row.pass": samples * lines * parts,
            f"kn2row.{kind}": samples * lines * (reach + beyond * parts),
            "kn2row.call": 2.0 * lines * parts * _tiles(load, run),
        }
    taps = load.weights * load.groups
    return {
        "kn2row.sample": outputs * load.outputs * load.groups,
        "kn2row.tap": outputs * taps * (load.inputs + load.outputs),
        "kn2row.product": outputs * taps * load.inputs * load.outputs,
        "kn2row.call": 2.0 * taps * _tiles(load, run),
        "kn2row.weight": float(load.weights * load.inputs * load.outputs * load.groups),
    }


def _im2col(load: Load, run: Run) -> Iterator[Way]:
    yield Way(Form("dense"), _im2col_dense(load, run), _tiles(load, run))
    yield from _separated(_im2col_dense, load, run)


def _im2col_dense(load: Load, run: Run) -> Terms:
    outputs = run.kept * run.itemsize / 4
    height, width = load.size
    if load.shared:
        # A row is unrolled along the kernel's columns, once for all output rows that read it.
        unrolled = run.every[0] * run.output[1] * width * load.channels * run.itemsize / 4
        windows = outputs * height * width * load.channels
        calls = 2.0 * width * _tiles(load, run)
        terms = {"im2col.sample": outputs * load.channels, "im2col.unroll": unrolled, "im2col.window": windows}
        return {**terms, "im2col.call": calls}
    columns = width * (height if load.inputs < _FEW_CHANNELS else 1)
    return {
        "im2col.sample": outputs * load.outputs * load.groups,
        "im2col.bank_unroll": outputs * columns * load.channels,
        "im2col.product": outputs * height * width * load.channels * load.outputs,
        "im2col.call": float(columns * load.groups * _tiles(load, run)),
        "im2col.weight": float(height * width * load.inputs * load.outputs * load.groups),
    }


def _winograd(load: Load, run: Run) -> Iterator[Way]:
    outputs = run.kept * run.itemsize / 4
    terms = {
        "winograd.input": outputs * load.channels,
        "winograd.output": outputs * load.outputs * load.groups,
        "winograd.product": outputs * load.channels * load.outputs,
        "winograd.call": float(_tiles(load, run)),
        "winograd.weight": float(load.inputs * load.outputs * load.groups),
    }
    yield Way(Form("dense"), terms, _tiles(load, run))


def _fft(load: Load, run: Run) -> Iterator[Way]:
    span, every = run.span(load.size), run.every
    planes = load.channels if load.shared else 2 * load.channels + load.outputs * load.groups
    size = transform_size(every, span, run.itemsize, planes)
    tiles = tile_count(every, span, size)
    samples = size[0] * size[1] * run.itemsize / 4
    cost = transform_cost(size, run.itemsize) * run.itemsize / 4
    channels, outputs = load.channels, load.channels if load.shared else load.outputs * load.groups
    terms = {
        "fft.transform": tiles * cost * (channels + outputs) / 2,
        "fft.sample": tiles * samples * (channels + outputs) / 2,
        "fft.call": tiles * (channels + outputs),
    }
    if not load.shared:
        terms["fft.product"] = tiles * samples * load.inputs * load.outputs * load.groups
        pairs = load.inputs * load.outputs * load.groups
        kept = keeps_spectra(size, pairs, run.itemsize)
        terms["fft.spectrum"] = cost * pairs * (1 if kept else tiles)
    if run.cold:
        terms["fft.load"] = 1.0
        terms["fft.spectrum"] = cost
    yield Way(Form("dense"), terms, tiles)


def _opencv(load: Load, run: Run) -> Iterator[Way]:
    every, size, taps = run.every, run.span(load.size), load.weights
    samples = every[0] * every[1] * load.channels * run.itemsize / 4
    places = size[0] * size[1]
    tiles = math.prod(math.ceil(n / most) for n, most in zip(every, _large_tile(load, run), strict=True))
    if not load.shared or load.channels > OPENCV_CHANNELS:
        planes = samples * load.outputs
        calls = 2.0 * load.inputs * load.outputs * load.groups * tiles
        terms = {**_filter2d(places, taps, planes, run.itemsize), "opencv.plane": planes, "opencv.call": calls}
        yield Way(Form("dense"), terms, tiles)
        return
    lengths = sum((n + 1) // 2 if load.mirrored else n for n in size)
    # Running sums err too much for double precision.
    box = load.box and run.dilation == (1, 1) and run.itemsize == 4
    if run.native:
        # OpenCV shares the work by itself, whatever our tiles would be.
        yield from (
            Way(Form(name, whole=True), {"opencv.call": 1.0, **terms}, SHIPPED_CORES)
            for name, terms in _opencv_whole(load, run, samples, lengths)
        )
    # A tile's own border is computed in vain.
    samples *= math.prod((n + k - 1) / n for n, k in zip(_large_tile(load, run), size, strict=True))
    common = {"opencv.tile": samples, "opencv.call": 3.0 * tiles}
    yield Way(Form("dense"), {**common, **_filter2d(places, taps, samples, run.itemsize)}, tiles)
    if load.products and _exact_in_sequence(size, run.itemsize):
        passes = {"opencv.pass": samples * load.products, "opencv.length": samples * lengths * load.products}
        yield Way(Form("passes"), {**common, **passes, "opencv.add": samples * (load.products - 1)}, tiles)
    if box:
        yield Way(Form("box"), {**common, "opencv.box": samples * _box_effort(load)}, tiles)


def _opencv_whole(load: Load, run: Run, samples: float, lengths: int) -> Iterator[tuple[str, Terms]]:
    """List OpenCV's ways with a whole image as it is, undilated."""
    places = load.size[0] * load.size[1]
    if run.native == 1:
        spectral = places >= SPECTRAL_PLACES[1]
        dense = {"opencv.byte_spectrum": samples} if spectral else {"opencv.byte_tap": samples * load.weights}
        yield "dense", {"opencv.byte": samples, **dense}
        if load.products == 1:
            yield "passes", {"opencv.byte_pass": samples, "opencv.byte_length": samples * lengths}
        if load.mean:
            yield "box", {"opencv.byte_box": samples * _box_effort(load, 0.25)}
        return
    yield "dense", _filter2d(places, load.weights, samples, run.itemsize)
    if load.products == 1 and _exact_in_sequence(load.size, run.itemsize):
        yield "passes", {"opencv.pass": samples, "opencv.length": samples * lengths}
    if load.box and run.itemsize == 4:
        yield "box", {"opencv.whole_box": samples * _box_effort(load)}


def _box_effort(load: Load, few: float = 0.4) -> float:
    """OpenCV has special sums of 3 and 5, which take a part of the time of larger ones."""
    return few if max(load.size) <= 5 else 1.0


def _filter2d(places: int, taps: int, samples: float, itemsize: int) -> Terms:
    if places >= SPECTRAL_PLACES[itemsize]:
        return {"opencv.spectrum" if itemsize == 4 else "opencv.double_spectrum": samples}
    # In double precision filter2D goes without the processor's wide instructions.
    return {"opencv.dense": samples, "opencv.tap" if itemsize == 4 else "opencv.double_tap": samples * taps}


def _exact_in_sequence(size: tuple[int, int], itemsize: int) -> bool:
    return itemsize == 8 or sum(size) <= _SEQUENTIAL_LENGTHS


def _torch(load: Load, run: Run) -> Iterator[Way]:
    outputs = run.kept * run.itemsize / 4
    taps = load.size[0] * load.size[1]
    terms = {
        "torch.sample": outputs * (load.channels + load.outputs * load.groups),
        "torch.product": outputs * taps * load.channels * load.outputs,
        "torch.call": float(_tiles(load, run)),
    }
    if run.cold:
        terms["torch.load"] = 1.0
    yield Way(Form("dense"), terms, _tiles(load, run))


def _separated(dense: Callable[[Load, Run], Terms], load: Load, run: Run) -> Iterator[Way]:
    """Passes by a backend's own ways with a column and with a row, as execution.separable runs them."""
    if not load.products or min(load.size) == 1:
        return
    (height, width), products = load.size, load.products
    upright = Run((run.output[0], run.every[1] + run.span(load.size)[1] - 1), (run.stride[0], 1), (run.dilation[0], 1))
    level = Run(run.output, (1, run.stride[1]), (1, run.dilation[1]))
    total: Terms = {}
    # A mirrored factor has half as many magnitudes as weights.
    for part, each in ((upright, (height, 1)), (level, (1, width))):
        taps = max(each)
        distinct = 1 if load.box else (taps + 1) // 2 if load.mirrored else taps
        line = replace(
            load,
            mean=False,
            size=each,
            weights=taps,
            rows=each[0],
            columns=each[1],
            distinct=distinct,
            products=0,
            box=False,
        )
        for name, count in dense(line, replace(part, itemsize=run.itemsize)).items():
            total[name] = total.get(name, 0.0) + count * products
    samples = run.kept * load.channels * run.itemsize / 4
    total["tile.pass"] = samples * products
    yield Way(Form("passes"), total, _tiles(load, run))


def _tiles(load: Load, run: Run) -> int:
    """How many tiles of the usual size there are."""
    width = _TILE_SAMPLES // max(load.channels, load.outputs * load.groups) or 1
    return math.ceil(run.output[0] / _TILE_ROWS) * math.ceil(run.output[1] / max(width, 4 * run.span(load.size)[1]))


def _large_tile(load: Load, run: Run) -> tuple[int, int]:
    """Rows and columns of OpenCV's tiles."""
    (height, width), (rows, columns) = run.every, run.span(load.size)
    return min(height, max(256, 4 * rows)), min(width, max(_TILE_SAMPLES // load.channels or 1, 4 * columns))


_WAYS: Mapping[str, Callable[[Load, Run], Iterator[Way]]] = {
    "direct": _direct,
    "im2col": _im2col,
    "kn2row": _kn2row,
    "winograd": _winograd,
    "fft": _fft,
    "opencv": _opencv,
    "torch": _torch,
}
