"""The public function, and the plan behind it."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from convcli.convolution.backends import get_backend
from convcli.convolution.bank import Bank
from convcli.convolution.execution.tiles import Task, measure, run_tiles, run_whole
from convcli.convolution.geometry import AxisGeometry, axis_geometry
from convcli.convolution.options import ConvolveOptions, available_threads, both
from convcli.convolution.planning.costs import Form, Run, Way, load_of, takes_whole, ways
from convcli.convolution.planning.planner import Choice, ProfileKey, choose
from convcli.errors import FilterError, UsageError
from convcli.image.tone import Finish
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel
from convcli.system.threads import run_tasks

# Kernels within these leave room for samples and sums of them in float32.
_LEAST_SINGLE, _MOST_SINGLE = 1e-30, 1e30
# 16 MB of float32.
_FEW_SAMPLES = 1 << 22
_SAMPLE_TYPES = ("uint8", "uint16", "int16", "float32", "float64")


def convolve(
    image: ArrayLike,
    kernel: AnyKernel | ArrayLike,
    *,
    padding: str = "reflect101",
    padding_value: float | tuple[float, ...] = 0.0,
    extent: str = "same",
    flip: bool = False,
    anchor: tuple[int, int] | None = None,
    stride: int | tuple[int, int] = 1,
    dilation: int | tuple[int, int] = 1,
    backend: str = "auto",
    precision: str = "single",
    threads: int | None = None,
    device: str = "auto",
    out_dtype: DTypeLike | None = None,
) -> NDArray[Any]:
    """Lay a kernel on every pixel of an image and sum the products (correlation; convolution with `flip`).

    `out[y, x] = sum_uv image[y + u - a, x + v - b] * weights[u, v]`, the anchor (a, b) being the middle of the kernel
    (h // 2, w // 2) unless given.

    Parameters
    ----------
    image
        (height, width) or (height, width, channels) of u8, u16, i16, f32 or f64. Each channel is filtered by itself.
    kernel
        A Kernel, a CompositeKernel, or a 2-D array of weights.
    padding
        Where samples outside the image come from: reflect101, reflect, replicate, constant or wrap.
    padding_value
        The sample outside for `constant`, in the image's units; one number, or one a channel.
    extent
        `same`: as large as the image; `valid`: only where the kernel fits; `full`: wherever it touches.
    flip
        Turn the kernel, with its anchor, by 180 degrees first.
    anchor, stride, dilation
        (rows, columns); but for the anchor one number serves for both. A strided result is the unstrided one at
        `[::sy, ::sx]`.
    backend
        auto takes the one that is predicted to be fastest; else direct, im2col, kn2row, winograd, fft, opencv or torch.
    precision
        `double` computes in float64, as f64 images always are.
    threads
        How many; as many as this process has cores for if None. The result does not depend on it.
    device
        For torch: auto, cpu or cuda.
    out_dtype
        uint8, uint16 or int16 asks for the result rounded half to even and saturated; else it is float32 (or float64).

    Returns
    -------
    An array of the image's number of dimensions.

    Raises
    ------
    UsageError
        An argument is wrong whatever the image.
    FilterError
        This image cannot be filtered so: it is empty, of another type, or smaller than a `valid` kernel.

    Examples
    --------
    >>> ramp = np.tile(np.arange(5, dtype=np.uint8), (4, 1))
    >>> convolve(ramp, [[-1, 0, 1]])[0].tolist()
    [0.0, 2.0, 2.0, 2.0, 0.0]
    >>> convolve(ramp, np.full((3, 3), 1 / 9), extent="valid", out_dtype=np.uint8).tolist()
    [[1, 2, 3], [1, 2, 3]]
    """
    pixels = np.asarray(image)
    if pixels.ndim not in (2, 3):
        raise FilterError(f"an image has 2 or 3 dimensions (height, width, channels), not {pixels.ndim}")
    channels = pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
    if isinstance(kernel, Kernel | CompositeKernel):
        weights: AnyKernel | _Weights = kernel
    else:
        array = _weights(kernel)
        weights = array.shape, array.tobytes()
    given = padding, padding_value, extent, flip, anchor, stride, dilation, backend, precision, threads, device
    words = tuple(tuple(each) if isinstance(each, list | np.ndarray) else each for each in given)
    wanted = None if out_dtype is None else np.dtype(out_dtype)
    height, width, count = channels.shape
    plan = _planned((height, width, count), pixels.dtype, weights, words, wanted, ProfileKey())
    result = plan.run(channels)
    return result if pixels.ndim == 3 else result[:, :, 0]


_Weights = tuple[tuple[int, ...], bytes]


@lru_cache(maxsize=32)  # planning is mostly Python, which takes as long as a small kernel on a large image
def _planned(
    size: tuple[int, int, int],
    dtype: np.dtype[Any],
    kernel: AnyKernel | _Weights,
    words: tuple[Any, ...],
    wanted: np.dtype[Any] | None,
    profile: ProfileKey,  # that a plan goes by, and so part of what tells plans apart
) -> "Plan":
    padding, padding_value, extent, flip, anchor, stride, dilation, *rest = words
    options = ConvolveOptions(padding, padding_value, extent, flip, anchor, both(stride), both(dilation), *rest)
    if isinstance(kernel, tuple):
        shape, data = kernel
        kernel = Kernel("custom", np.frombuffer(data).reshape(shape))
    finish = None if wanted is None else Finish(wanted)
    if finish is not None and finish.dtype.name not in _SAMPLE_TYPES:
        raise UsageError(f"out_dtype must be one of {', '.join(_SAMPLE_TYPES)}, not {finish.dtype}")
    return plan_convolution(size, dtype, kernel, options, finish)


def _weights(array: ArrayLike) -> NDArray[np.float64]:
    weights = np.asarray(array, np.float64)
    if weights.ndim != 2 or weights.size == 0:
        raise UsageError(f"a kernel is a 2-D array of at least one weight, not of shape {weights.shape}")
    if not np.isfinite(weights).all():
        raise UsageError("a kernel's weights must be finite")
    return weights


@dataclass(frozen=True, eq=False)
class Plan:
    """A convolution that is ready to run on images of one size and sample type.

    `form` says how the backend goes about the kernel (`dense`, `passes` or `box`), `seconds` what it is predicted to
    take, and `runner_up` names the next of the other backends with its prediction, where there was a choice.
    """

    backend: str
    reason: str
    form: str
    seconds: float
    runner_up: tuple[str, float] | None
    input_size: tuple[int, int, int]
    output_size: tuple[int, int, int]
    _asked: Run
    _task: Task
    _finish: "Finish | _Bias | None"
    _parts: "tuple[Plan, ...]" = ()

    def run(self, pixels: NDArray[Any], out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Filter `pixels` (height, width, channels): the float response, or what the plan's Finish makes of it.

        `out`, of the output's size and type and of any strides, takes the result, which is then not made anew.
        """
        if pixels.shape != self.input_size:
            raise FilterError(f"this plan is for an image of {self.input_size}, not {pixels.shape}")
        task, finish = self._task, self._finish
        dtype = task.dtype if finish is None else finish.dtype
        if self._parts:
            return self._run_parts(pixels, np.empty(self.output_size, dtype) if out is None else out)
        whole = run_whole(pixels, task, dtype)
        if whole is None:
            return run_tiles(pixels, task, dtype, finish, out)
        if out is None:
            return whole
        out[...] = whole
        return out

    def _run_parts(self, pixels: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        ends = np.cumsum([part.output_size[2] for part in self._parts]).tolist()

        def do(number: int) -> None:
            part = self._parts[number]
            part.run(pixels, out[..., ends[number] - part.output_size[2] : ends[number]])

        run_tasks(len(ends), lambda: do, self._task.threads or available_threads())
        return out

    def ways(self) -> list[Way]:
        """List the forms in which the backend can do this, with what they cost; of several kernels, the first one."""
        return ways(self.backend, load_of(self._task.banks[0]), self._asked)

    def in_form(self, form: Form) -> "Plan":
        """Give this plan of one kernel in another form than was chosen, to compare them."""
        return replace(self, form=form.name, _task=replace(self._task, forms=(form,), kept=None), _parts=())

    def measure(self) -> None:
        """Let the backend spend up to seconds on making later runs of this very task faster, as FFTW can."""
        measure(self._task)


def plan_convolution(
    size: tuple[int, int, int],
    dtype: DTypeLike,
    kernel: AnyKernel,
    options: ConvolveOptions,
    finish: Finish | None = None,
    *,
    cold: bool = False,
) -> Plan:
    """Work out sizes and choose a backend for images of `size` (height, width, channels) and `dtype`.

    `cold` counts what a backend takes to load, for a process that filters once.

    Raises UsageError and FilterError, as `convolve` does.
    """
    dtype = np.dtype(dtype).newbyteorder("=")
    if dtype.name not in _SAMPLE_TYPES:
        raise FilterError(f"samples of type {dtype} are not filtered: expected {', '.join(_SAMPLE_TYPES)}")
    height, width, channels = size
    if 0 in size:
        raise FilterError(f"an image of {height} x {width} pixels and {channels} channels is empty")
    value = options.padding_value
    if isinstance(value, tuple) and len(value) not in (1, channels):
        raise FilterError(f"{len(value)} padding values were given for {channels} channels: give one, or one a channel")
    weights, anchor = laid_on_one_size(kernel, options)
    (anchor_y, anchor_x), (kernel_h, kernel_w) = anchor, weights[0].shape
    (stride_y, stride_x), (dilation_y, dilation_x) = options.stride, options.dilation
    rows = axis_geometry(height, kernel_h, anchor=anchor_y, extent=options.extent, stride=stride_y, dilation=dilation_y)
    columns = axis_geometry(
        width, kernel_w, anchor=anchor_x, extent=options.extent, stride=stride_x, dilation=dilation_x
    )
    work_dtype = np.dtype(np.float64 if options.precision == "double" or dtype == np.float64 else np.float32)
    if work_dtype == np.float32:
        _check_single(weights, options)
    banks = tuple(Bank.depthwise(each, channels) for each in weights)
    result = np.dtype(work_dtype if finish is None else finish.dtype)
    plain = options.stride == options.dilation == (1, 1) and (rows.output, columns.output) == (height, width)
    plain = plain and len(banks) == 1 and (finish is None or finish.only_converts)
    # Libraries compute in float32 unless given more.
    plain = plain and (work_dtype == np.float32 or dtype == np.float64)
    native = plain and takes_whole(dtype.name, result.name, channels, options.padding, value)
    # Few integers are made floats at once, sooner than threads would have shared their tiles.
    converted = plain and not native and result.kind == "f" and height * width * channels <= _FEW_SAMPLES
    converted = converted and takes_whole(result.name, result.name, channels, options.padding, value)
    run = Run(
        (rows.output, columns.output),
        options.stride,
        options.dilation,
        work_dtype.itemsize,
        result.itemsize if native or converted else 0,
        converted=converted,
        finished=result.kind != "f",
        cold=cold,
    )
    choice, after = choose([load_of(bank) for bank in banks], run, options.backend)
    combine = kernel.combine if isinstance(kernel, CompositeKernel) else "sum"
    task = _task(banks, combine, rows, columns, options, work_dtype, choice)
    return _plan(choice, after, size, run, task, finish)


# Padding in rows and columns, each the same at both ends or (before, after).
Pad = tuple[int | tuple[int, int], int | tuple[int, int]]
# A bank over at most so many positions is computed in parts of at least so many outputs, and so many parts at most.
_FEW_OUTPUTS, _PART_OUTPUTS, _MOST_PARTS = 1024, 64, 8
# Channels from which on one addition over all of them is quicker than one for each.
_MANY_CHANNELS = 16


@dataclass(frozen=True, eq=False)
class _Bias:
    """Adds a number to each channel of a response on its way into the output."""

    values: NDArray[Any]
    dtype: np.dtype[Any]

    def __call__(self, response: NDArray[Any], out: NDArray[Any]) -> None:
        if self.values.size >= _MANY_CHANNELS:
            np.add(response, self.values, out=out)
            return
        for channel, value in enumerate(self.values):
            np.add(response[..., channel], value, out=out[..., channel])


def correlate_bank(
    image: NDArray[Any],
    bank: Bank,
    *,
    backend: str = "auto",
    padding: str = "constant",
    padding_value: float = 0.0,
    pad: Pad = (0, 0),
    stride: int | tuple[int, int] = 1,
    dilation: int | tuple[int, int] = 1,
    threads: int | None = None,
    device: str = "auto",
    bias: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Correlate an image (height, width, inputs) with a bank, each edge padded by `pad` (rows, columns).

    The rules are those of torch.nn.functional.conv2d; pairs are rows, columns, and one of a `pad` may itself be a pair,
    before and after. `bias` holds a number for each output. Returns float32 (h, w, outputs), float64 for f64 images.

    >>> image = np.ones((3, 3, 2), np.float32)
    >>> correlate_bank(image, Bank(np.ones((1, 2, 2, 2)))).tolist()
    [[[8.0], [8.0]], [[8.0], [8.0]]]
    """
    options = ConvolveOptions(
        padding,
        padding_value,
        stride=both(stride),
        dilation=both(dilation),
        backend=backend,
        threads=threads,
        device=device,
    )
    if image.ndim != 3:
        raise FilterError(f"an image has 3 dimensions (height, width, channels), not {image.ndim}")
    height, width, channels = image.shape
    return plan_bank((height, width, channels), image.dtype, bank, options, pad, bias).run(image)


def plan_bank(
    size: tuple[int, int, int],
    dtype: DTypeLike,
    bank: Bank,
    options: ConvolveOptions,
    pad: Pad = (0, 0),
    bias: NDArray[Any] | None = None,
    *,
    cold: bool = False,
) -> Plan:
    """Plan `correlate_bank` for images of `size` (height, width, inputs) and `dtype`.

    Of the options, extent, flip, anchor and precision have no meaning here.
    """
    dtype = np.dtype(dtype).newbyteorder("=")
    if size[2] != bank.inputs:
        raise FilterError(f"this bank reads {bank.inputs} channels; the image is of shape {size}")
    edges = tuple(each if isinstance(each, tuple) else (each, each) for each in pad)
    rows, columns = (
        replace(
            axis_geometry(
                size[axis] + sum(edges[axis]),
                bank.size[axis],
                anchor=0,
                extent="valid",
                stride=options.stride[axis],
                dilation=options.dilation[axis],
            ),
            before=edges[axis][0],
            after=edges[axis][1],
        )
        for axis in (0, 1)
    )
    work_dtype = np.dtype(np.float64 if dtype == np.float64 else np.float32)
    output = rows.output, columns.output
    run = Run(output, options.stride, options.dilation, work_dtype.itemsize, cold=cold)
    choice, after = choose([load_of(bank)], run, options.backend)
    task = replace(_task((bank,), "sum", rows, columns, options, work_dtype, choice), kept={})
    finish = None if bias is None else _Bias(np.asarray(bias, work_dtype), work_dtype)
    plan = _plan(choice, after, size, run, task, finish)
    if bank.groups > 1 or bank.outputs < 2 * _PART_OUTPUTS or run.kept > _FEW_OUTPUTS:
        return plan
    # Too few positions to be shared out among cores, as in the deep layers of a network: its channels are.
    alone = replace(options, backend=choice.backend, threads=1)
    parts = []
    for some in np.array_split(np.arange(bank.outputs), min(bank.outputs // _PART_OUTPUTS, _MOST_PARTS)):
        part = slice(int(some[0]), int(some[-1]) + 1)
        share = None if bias is None else bias[part]
        parts.append(plan_bank(size, dtype, Bank(bank.weights[part]), alone, pad, share))
    return replace(plan, _parts=tuple(parts))


def _task(
    banks: tuple[Bank, ...],
    combine: str,
    rows: AxisGeometry,
    columns: AxisGeometry,
    options: ConvolveOptions,
    dtype: np.dtype[Any],
    choice: Choice,
) -> Task:
    return Task(
        banks,
        combine,
        rows,
        columns,
        options.dilation,
        options.padding,
        options.padding_value,
        dtype,
        get_backend(choice.backend),
        choice.forms,
        options.threads,
        options.device,
    )


def _plan(
    choice: Choice,
    after: Choice | None,
    size: tuple[int, int, int],
    asked: Run,
    task: Task,
    finish: "Finish | _Bias | None",
) -> Plan:
    runner_up = None if after is None else (after.backend, after.seconds)
    form = " and ".join(dict.fromkeys(form.name for form in choice.forms))
    return Plan(
        choice.backend, choice.reason, form, choice.seconds, runner_up, size, task.output_size, asked, task, finish
    )


def laid_on_one_size(kernel: AnyKernel, options: ConvolveOptions) -> tuple[list[NDArray[np.float64]], tuple[int, int]]:
    """Turn kernels as written into weights as laid on the image, all of one size with one anchor.

    Those of a composite that differ in size are surrounded with zeros, so that their anchors meet.
    """
    components = kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,)
    laid = []
    for component in components:
        (height, width), weights = component.size, component.weights
        anchor = options.anchor or component.anchor or (height // 2, width // 2)
        if not (0 <= anchor[0] < height and 0 <= anchor[1] < width):
            raise UsageError(
                f"anchor {anchor[0]},{anchor[1]} lies outside kernel {component.name!r} of {height}x{width}: "
                f"rows count from 0 to {height - 1}, columns from 0 to {width - 1}"
            )
        if options.flip:
            weights, anchor = weights[::-1, ::-1], (height - 1 - anchor[0], width - 1 - anchor[1])
        laid.append((weights, anchor))
    top, left = (max(anchor[axis] for _, anchor in laid) for axis in (0, 1))
    bottom, right = (max(weights.shape[axis] - anchor[axis] for weights, anchor in laid) for axis in (0, 1))
    aligned = []
    for weights, anchor in laid:
        whole = np.zeros((top + bottom, left + right))
        y, x = top - anchor[0], left - anchor[1]
        whole[y : y + weights.shape[0], x : x + weights.shape[1]] = weights
        aligned.append(whole)
    return aligned, (top, left)


def _check_single(weights: list[NDArray[np.float64]], options: ConvolveOptions) -> None:
    """Refuse weights and padding values that float32 would turn to zero or infinity."""
    for sizes in (*map(np.abs, weights), np.abs(options.padding_value)):
        largest = float(np.max(sizes))
        if not (largest == 0.0 or _LEAST_SINGLE < largest < _MOST_SINGLE):
            raise UsageError(
                f"a number of the size {largest:g} is too much for single precision: choose precision double"
            )
