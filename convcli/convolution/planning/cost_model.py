"""The cost model: what is asked of a backend, and terms that count what takes time.

A *term* counts samples that go through a pass, multiply-adds, matrix products or library calls. Its coefficient says
how many seconds a unit takes on one core, in float32; the shipped ones were measured, and `convcli tune` measures those
of the machine at hand. Which terms a backend's forms have is written in the backend's own module.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.registry import REGISTRY
from convcli.convolution.bank import Bank
from convcli.kernel.factorize import is_box, low_rank

Terms = dict[str, float]

# Of the terms and what they mean; a profile measured for another version is not used.
MODEL_VERSION = 1

# Seconds a unit, on one core: of what is done to tiles above every backend, then those of each backend.
COEFFICIENTS: dict[str, float] = {
    "tile.read": 1.62e-10,
    "tile.split": 1.06e-09,
    "tile.finish": 1.28e-09,
    "tile.pass": 1e-10,
} | {f"{entry.name}.{term}": seconds for entry in REGISTRY for term, seconds in entry.seconds.items()}

# Cores that share the work of several tiles where the coefficients were measured.
SHIPPED_CORES = 2

# A kernel that is the sum of more products than this is left as it is.
MOST_PRODUCTS = 4
# What the sum of a mean's weights may differ from 1.
ROUNDING = 1e-12
# Rows and samples a row of a full tile, where backends do not go by the kernel.
TILE_ROWS, TILE_SAMPLES = 128, 2048


class BankSummary(NamedTuple):
    """One bank, as far as its cost depends on it.

    `size` is that of each kernel; `weights` those that are not zero, in so many `rows` and `columns`, and `distinct`
    how many magnitudes they have; `products` how many products column x row it is the sum of, 0 where too many to be of
    use; `mirrored` whether these are symmetric or antisymmetric; `box` whether all weights are one number, and `mean`
    whether they then sum to 1; `shared` whether one kernel filters every channel. `inputs` and `outputs` are the
    channels of a group.
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


class WholeImageRequest(NamedTuple):
    """What a library that filters whole images by itself must know to tell whether it would give the same.

    Its result must have the image's size and need nothing but conversion: `source` and `target` name the sample types,
    `padding` the mode, and `zero` says that a constant padding is zero.
    """

    source: str
    target: str
    padding: str
    zero: bool = True


class CorrelationRequest(NamedTuple):
    """What is asked of a bank: how many outputs, of which samples.

    `output` counts rows and columns after the stride. `itemsize` is that of the arithmetic, 4 or 8. `whole` is there
    where the image could be filtered as a whole. `finished` says that responses become integers, `cold` that nothing is
    loaded or planned yet.
    """

    output: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    itemsize: int = 4
    whole: WholeImageRequest | None = None
    finished: bool = False
    cold: bool = False

    @property
    def kept(self) -> int:
        """Outputs of a channel."""
        return self.output[0] * self.output[1]

    @property
    def units(self) -> float:
        """Outputs of a channel in units of float32, which coefficients hold for."""
        return self.kept * self.itemsize / 4

    @property
    def every(self) -> tuple[int, int]:
        """Rows and columns of the outputs at stride 1, which a backend computes that knows of no strides."""
        (height, width), (down, right) = self.output, self.stride
        return (height - 1) * down + 1, (width - 1) * right + 1

    def span(self, size: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns that a kernel of `size` spans with its dilation."""
        return self.dilation[0] * (size[0] - 1) + 1, self.dilation[1] * (size[1] - 1) + 1


class ComputingForm(NamedTuple):
    """A way of computing a bank: `dense`, `passes` or `box`, in tiles or, natively, on the `whole` image."""

    name: str
    whole: bool = False


class CostedForm(NamedTuple):
    """One form with its terms, and the number of tiles, which cores share."""

    form: ComputingForm
    terms: Terms
    tiles: int

    def seconds(self, coefficients: Mapping[str, float], cores: int) -> float:
        """Predict how long it takes on so many cores."""
        once = shared = 0.0
        for term, count in self.terms.items():
            if term.endswith(_ONCE):
                once += coefficients[term] * count
            else:
                shared += coefficients[term] * count
        return once + shared * math.ceil(self.tiles / cores) / self.tiles


# Terms of what is done once, whatever the number of cores.
_ONCE = (".run", ".load")


def summarize(bank: Bank) -> BankSummary:
    """Summarize a bank's weights.

    >>> summary = summarize(Bank.depthwise(np.ones((3, 5)), 3))
    >>> summary.weights, summary.products, summary.box, summary.groups
    (15, 1, True, 3)
    """
    outputs, inputs, height, width = bank.weights.shape
    if bank.shared is not None:
        return _summary_of_kernel(bank.shared.tobytes(), width)._replace(groups=bank.groups)
    places = height * width
    return BankSummary(
        (height, width),
        weights=places,
        rows=height,
        columns=width,
        distinct=places,
        products=0,
        mirrored=False,
        box=False,
        shared=False,
        inputs=inputs,
        outputs=outputs // bank.groups,
        groups=bank.groups,
    )


@lru_cache(maxsize=32)
def _summary_of_kernel(data: bytes, width: int) -> BankSummary:
    kernel: NDArray[np.float64] = np.frombuffer(data).reshape(-1, width)
    sizes = np.abs(kernel[kernel != 0])
    passes = low_rank(kernel, MOST_PRODUCTS) if min(kernel.shape) > 1 else None
    box = is_box(kernel)
    return BankSummary(
        (kernel.shape[0], width),
        weights=sizes.size,
        rows=int(kernel.any(axis=1).sum()),
        columns=int(kernel.any(axis=0).sum()),
        distinct=len(set(sizes.tolist())),  # np.unique loads numpy.ma, which takes 8 ms
        products=0 if passes is None else len(passes),
        mirrored=passes is not None and all(_is_mirrored(factor) for product in passes for factor in product),
        box=box,
        shared=True,
        mean=box and bool(abs(kernel.flat[0] * kernel.size - 1.0) < ROUNDING),
    )


def _is_mirrored(factor: NDArray[np.float64]) -> bool:
    turned = factor[::-1]
    return bool((factor == turned).all() or (factor == -turned).all())


def tile_terms(summary: BankSummary, request: CorrelationRequest, *, strides: bool) -> Terms:
    """Return the terms of what is done to tiles above every backend.

    `strides` says whether the backend strides by itself: samples that lie a stride apart are then laid side by side.
    """
    read = math.prod(request.every) * summary.channels * request.itemsize / 4
    terms = {"tile.read": read}
    if strides and request.stride != (1, 1):
        terms["tile.split"] = read
    if request.finished:
        terms["tile.finish"] = request.units * summary.outputs * summary.groups
    return terms


def usual_tiles(summary: BankSummary, request: CorrelationRequest) -> int:
    """Count the tiles of the usual size."""
    width = TILE_SAMPLES // max(summary.channels, summary.outputs * summary.groups) or 1
    rows, columns = request.output
    return math.ceil(rows / TILE_ROWS) * math.ceil(columns / max(width, 4 * request.span(summary.size)[1]))


def dense_and_separated(
    dense: Callable[[BankSummary, CorrelationRequest], Terms], summary: BankSummary, request: CorrelationRequest
) -> Iterator[CostedForm]:
    """List the dense form, whose terms `dense` counts, and that of columns then rows, where the kernel allows it."""
    yield CostedForm(ComputingForm("dense"), dense(summary, request), usual_tiles(summary, request))
    if summary.products and min(summary.size) > 1:
        yield _separated(dense, summary, request)


def _separated(
    dense: Callable[[BankSummary, CorrelationRequest], Terms], summary: BankSummary, request: CorrelationRequest
) -> CostedForm:
    """Count dense passes with a column and with a row, as execution.separable runs them."""
    (height, width), products = summary.size, summary.products
    (down, right), (below, beside) = request.stride, request.dilation
    between = request.output[0], request.every[1] + request.span(summary.size)[1] - 1
    upright = CorrelationRequest(between, (down, 1), (below, 1), request.itemsize)
    level = CorrelationRequest(request.output, (1, right), (1, beside), request.itemsize)
    total: Terms = {"tile.pass": request.units * summary.channels * products}
    for part, size in ((upright, (height, 1)), (level, (1, width))):
        taps = max(size)
        # A mirrored factor has half as many magnitudes as weights.
        distinct = 1 if summary.box else (taps + 1) // 2 if summary.mirrored else taps
        line = summary._replace(
            size=size,
            weights=taps,
            rows=size[0],
            columns=size[1],
            distinct=distinct,
            products=0,
            box=False,
            mean=False,
        )
        for name, count in dense(line, part).items():
            total[name] = total.get(name, 0.0) + count * products
    return CostedForm(ComputingForm("passes"), total, usual_tiles(summary, request))
