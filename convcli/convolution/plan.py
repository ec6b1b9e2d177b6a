"""The plan of a convolution: sizes, the backend chosen, and running it on images of one size."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from convcli.convolution.alignment import aligned_weights, laid_size
from convcli.convolution.backends.base import get_backend
from convcli.convolution.bank import Bank
from convcli.convolution.execution.tile_correlator import ResolvedCorrelation
from convcli.convolution.execution.tiles import measure, run_tiles, run_whole
from convcli.convolution.options import ConvolveOptions, available_threads
from convcli.convolution.padding import AxisGeometry, axis_geometry, padding_mode
from convcli.convolution.planning.cost_model import (
    ComputingForm,
    CorrelationRequest,
    CostedForm,
    WholeImageRequest,
    summarize,
)
from convcli.convolution.planning.planner import PlannedBackend, RunnerUp, choose
from convcli.convolution.shortcuts import choose_shortcut, fits_coarse_grid
from convcli.errors import FilterError, UsageError
from convcli.image.tone import Finish
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel
from convcli.system.threads import run_tasks

if TYPE_CHECKING:
    from convcli.convolution.execution.decimated import DecimatedGaussian
    from convcli.convolution.execution.fused import FusedSums
    from convcli.convolution.execution.missing_samples import MissingSamples

# Kernels within these leave room for samples and sums of them in float32.
_LEAST_SINGLE, _MOST_SINGLE = 1e-30, 1e30
SAMPLE_TYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float16", "float32", "float64")
# Samples that float32 does not hold are computed in float64.
_DOUBLE_TYPES = ("uint32", "int32", "float64")
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


@dataclass(frozen=True, eq=False)
class ConvolutionPlan:
    """A convolution that is ready to run on images of one size and sample type.

    `form` says how the backend goes about the kernel (`dense`, `passes` or `box`), `seconds` what it is predicted to
    take, and `runner_up` names the next of the other backends with its prediction, where there was a choice.
    """

    backend: str
    reason: str
    form: str
    seconds: float
    runner_up: RunnerUp | None
    input_size: tuple[int, int, int]
    output_size: tuple[int, int, int]
    _request: CorrelationRequest
    _resolved: ResolvedCorrelation
    _finish: Finish | _Bias | None
    _parts: "tuple[ConvolutionPlan, ...]" = ()
    _together: "FusedSums | DecimatedGaussian | None" = None
    _products: "tuple[tuple[ConvolutionPlan, ConvolutionPlan], ...]" = ()
    _at_once: "Callable[[], ConvolutionPlan] | None" = None

    @property
    def in_products(self) -> bool:
        """Whether a column and a row are laid on one after the other, so that no single response can be had."""
        return bool(self._products)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the result's samples."""
        return self._resolved.dtype if self._finish is None else self._finish.dtype

    def run(
        self, pixels: NDArray[Any], out: NDArray[Any] | None = None, gaps: "MissingSamples | None" = None
    ) -> NDArray[Any]:
        """Filter an image: the float response, or what the plan's Finish makes of it.

        Parameters
        ----------
        pixels : ndarray, shape (height, width, channels)
            An image of the plan's size.
        out : ndarray, optional
            Of the output's size and type and of any strides: takes the result, which is then not made anew.
        gaps : MissingSamples, optional
            What is missing of the image, and what becomes of it.

        Raises
        ------
        FilterError
            where the image has another size than was planned for.
        """
        if pixels.shape != self.input_size:
            raise FilterError(f"this plan is for an image of {self.input_size}, not {pixels.shape}")
        if self._products:
            return self._run_products(pixels, out, gaps)
        resolved, finish, dtype = self._resolved, self._finish, self.dtype
        if self._parts:
            return self._run_parts(pixels, np.empty(self.output_size, dtype) if out is None else out)
        if gaps is None and resolved.outside_missing:
            from convcli.convolution.execution.missing_samples import MissingSamples

            gaps = MissingSamples()
        if self._together is not None and gaps is None:
            done = self._together.run(pixels, resolved, dtype, finish, out)
            if done is not None:
                return done
        whole = run_whole(pixels, resolved, dtype)
        if whole is not None:
            if out is None:
                out = whole
            else:
                out[...] = whole
        if gaps is None:
            return run_tiles(pixels, resolved, dtype, finish, out) if whole is None or out is None else out
        from convcli.convolution.execution.gapped_tiles import run_gapped_tiles  # which most images do without

        return run_gapped_tiles(pixels, resolved, dtype, finish, out, gaps, known_done=whole is not None)

    def _run_parts(self, pixels: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        ends = np.cumsum([part.output_size[2] for part in self._parts]).tolist()

        def do(number: int) -> None:
            part = self._parts[number]
            part.run(pixels, out[..., ends[number] - part.output_size[2] : ends[number]])

        run_tasks(len(ends), lambda: do, self._resolved.threads or available_threads())
        return out

    def responses_at(self, pixels: NDArray[Any], places: NDArray[np.intp]) -> NDArray[np.float64]:
        """Compute single responses of one 2-D kernel on every channel, tap by tap, before anything is done to them.

        Parameters
        ----------
        pixels : ndarray, shape (height, width, channels)
            An image of the plan's size.
        places : ndarray of intp, shape (number,)
            Outputs, counted row by row.

        Returns
        -------
        ndarray of float64, shape (number, channels)
            Their responses, for less than all places where the kernel is so large that these would take long.
        """
        from convcli.convolution.execution.single_responses import responses_at  # for pictures that are looked at

        return responses_at(self._resolved, pixels, places)

    def _run_products(
        self, pixels: NDArray[Any], out: NDArray[Any] | None, gaps: "MissingSamples | None" = None
    ) -> NDArray[Any]:
        """Lay on each column, each row on its response, and add these."""
        if gaps is not None and self._at_once is not None:
            return self._at_once().run(pixels, out, gaps)  # weights on known samples are no product
        if len(self._products) == 1:
            ((column, row),) = self._products
            return row.run(column.run(pixels), out)
        if self._at_once is not None and pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
            return self._at_once().run(pixels, out)  # an infinity in two sums may be lost in their difference
        responses = (row.run(column.run(pixels)) for column, row in self._products)
        total = next(responses)
        for response in responses:
            total += response
        finish = self._finish
        if finish is None and out is None:
            return total
        result = np.empty(self.output_size, self.dtype) if out is None else out
        (finish or (lambda response, to: np.copyto(to, response)))(total, result)
        return result

    def costed_forms(self) -> list[CostedForm]:
        """List the forms in which the backend can do this, with what they cost; of several kernels, the first one."""
        return self._resolved.backend.costed_forms(summarize(self._resolved.banks[0]), self._request)

    def in_form(self, form: ComputingForm) -> "ConvolutionPlan":
        """Return this plan of one kernel in another form than was chosen, to compare them."""
        return replace(
            self, form=form.name, _resolved=replace(self._resolved, forms=(form,), kept=None), _parts=(), _together=None
        )

    def measure(self) -> None:
        """Let the backend spend up to seconds on making later runs of this very task faster, as FFTW can."""
        measure(self._resolved)


def plan_convolution(
    size: tuple[int, int, int],
    dtype: DTypeLike,
    kernel: AnyKernel,
    options: ConvolveOptions,
    finish: Finish | None = None,
    *,
    cold: bool = False,
) -> ConvolutionPlan:
    """Work out sizes and choose a backend for images of `size` (height, width, channels) and `dtype`.

    `cold` counts what a backend takes to load, for a process that filters once.

    Raises UsageError and FilterError, as `convolve` does.
    """
    dtype = np.dtype(dtype).newbyteorder("=")
    if dtype.name not in SAMPLE_TYPES:
        raise FilterError(f"samples of type {dtype} are not filtered: expected {', '.join(SAMPLE_TYPES)}")
    height, width, channels = size
    if 0 in size:
        raise FilterError(f"an image of {height} x {width} pixels and {channels} channels is empty")
    value = options.padding_value
    if isinstance(value, tuple) and len(value) not in (1, channels):
        raise FilterError(f"{len(value)} padding values were given for {channels} channels: give one, or one a channel")
    products = kernel.products if isinstance(kernel, Kernel) else None
    kept_apart = products is not None and not padding_mode(options.padding).missing
    shortcuts = options.backend == "auto" and working_type(dtype, options.precision) == np.float32
    if products is not None and kept_apart and not (shortcuts and fits_coarse_grid(products, options)):
        assert isinstance(kernel, Kernel)
        return _plan_products(size, dtype, kernel, options, finish, cold=cold)
    weights, anchor = aligned_weights(kernel, options)
    (anchor_y, anchor_x), (kernel_h, kernel_w) = anchor, weights[0].shape
    (stride_y, stride_x), (dilation_y, dilation_x) = options.stride, options.dilation
    rows = axis_geometry(height, kernel_h, anchor=anchor_y, extent=options.extent, stride=stride_y, dilation=dilation_y)
    columns = axis_geometry(
        width, kernel_w, anchor=anchor_x, extent=options.extent, stride=stride_x, dilation=dilation_x
    )
    work_dtype = working_type(dtype, options.precision)
    if work_dtype == np.float32:
        _check_single(weights, options)
    banks = tuple(Bank.depthwise(each, channels) for each in weights)
    result = np.dtype(work_dtype if finish is None else finish.dtype)
    same_size = options.stride == options.dilation == (1, 1) and (rows.output, columns.output) == (height, width)
    only_converts = len(banks) == 1 and (finish is None or finish.only_converts)
    whole = None
    # Libraries compute in float32 unless given more.
    if same_size and only_converts and (work_dtype == np.float32 or dtype == np.float64):
        padding = "constant" if padding_mode(options.padding).missing else options.padding
        whole = WholeImageRequest(dtype.name, result.name, padding, zero=not np.any(value))
    request = CorrelationRequest(
        (rows.output, columns.output),
        options.stride,
        options.dilation,
        work_dtype.itemsize,
        whole,
        finished=result.kind != "f",
        cold=cold,
    )
    summaries = tuple(summarize(bank) for bank in banks)
    planned, runner_up = choose(summaries, request, options.backend)
    combine = kernel.combine if isinstance(kernel, CompositeKernel) else "sum"
    alone, together = planned, None
    threshold = kernel.threshold if isinstance(kernel, CompositeKernel) else 0.0
    fusible = not (threshold or padding_mode(options.padding).missing)
    if shortcuts and fusible:
        together = choose_shortcut(weights, combine, dtype, options, request, channels, planned.seconds)
        if together is not None:
            planned, runner_up = together.planned, RunnerUp(summaries, request, together.planned.backend)
    anchor = anchor_y * dilation_y, anchor_x * dilation_x
    resolved = _resolve(banks, combine, rows, columns, options, work_dtype, alone, request, anchor)
    resolved = replace(resolved, threshold=threshold) if threshold else resolved
    return replace(_plan(planned, runner_up, size, request, resolved, finish), _together=together)


def working_type(dtype: np.dtype[Any], precision: str = "single") -> np.dtype[Any]:
    """Return the float type that samples of a type are computed in.

    >>> working_type(np.dtype(np.int16)).name, working_type(np.dtype(np.int32)).name
    ('float32', 'float64')
    """
    return np.dtype(np.float64 if precision == "double" or dtype.name in _DOUBLE_TYPES else np.float32)


def plan_bank(
    size: tuple[int, int, int],
    dtype: DTypeLike,
    bank: Bank,
    options: ConvolveOptions,
    pad: Pad = (0, 0),
    bias: NDArray[Any] | None = None,
    *,
    cold: bool = False,
) -> ConvolutionPlan:
    """ConvolutionPlan `correlate_bank` for images of `size` (height, width, inputs) and `dtype`.

    Of the options, extent, flip, anchor and precision have no meaning here.
    """
    dtype = np.dtype(dtype).newbyteorder("=")
    if size[2] != bank.inputs:
        raise FilterError(f"this bank reads {bank.inputs} channels; the image is of shape {size}")
    edges = tuple(each if isinstance(each, tuple) else (each, each) for each in pad)
    rows, columns = (
        axis_geometry(
            size[axis] + sum(edges[axis]),
            bank.size[axis],
            anchor=0,
            extent="valid",
            stride=options.stride[axis],
            dilation=options.dilation[axis],
        )._replace(before=edges[axis][0], after=edges[axis][1])
        for axis in (0, 1)
    )
    work_dtype = working_type(dtype)
    if padding_mode(options.padding).missing:
        raise UsageError(f"a bank over channels has no padding {options.padding}: choose constant")
    output = rows.output, columns.output
    request = CorrelationRequest(output, options.stride, options.dilation, work_dtype.itemsize, cold=cold)
    planned, runner_up = choose([summarize(bank)], request, options.backend)
    resolved = replace(_resolve((bank,), "sum", rows, columns, options, work_dtype, planned, request), kept={})
    finish = None if bias is None else _Bias(np.asarray(bias, work_dtype), work_dtype)
    plan = _plan(planned, runner_up, size, request, resolved, finish)
    if bank.groups > 1 or bank.outputs < 2 * _PART_OUTPUTS or request.kept > _FEW_OUTPUTS:
        return plan
    # Too few positions to be shared out among cores, as in the deep layers of a network: its channels are.
    alone = replace(options, backend=planned.backend, threads=1)
    parts = []
    for some in np.array_split(np.arange(bank.outputs), min(bank.outputs // _PART_OUTPUTS, _MOST_PARTS)):
        part = slice(int(some[0]), int(some[-1]) + 1)
        share = None if bias is None else bias[part]
        parts.append(plan_bank(size, dtype, Bank(bank.weights[part]), alone, pad, share))
    return replace(plan, _parts=tuple(parts))


def _resolve(
    banks: tuple[Bank, ...],
    combine: str,
    rows: AxisGeometry,
    columns: AxisGeometry,
    options: ConvolveOptions,
    dtype: np.dtype[Any],
    planned: PlannedBackend,
    request: CorrelationRequest,
    anchor: tuple[int, int] = (0, 0),
) -> ResolvedCorrelation:
    # What lies outside an image without padding is zero to the backends, and missing above them.
    outside_missing = padding_mode(options.padding).missing
    backend = get_backend(planned.backend)
    backend.load()
    return ResolvedCorrelation(
        banks,
        combine,
        rows,
        columns,
        options.dilation,
        "constant" if outside_missing else options.padding,
        0.0 if outside_missing else options.padding_value,
        dtype,
        backend,
        planned.forms,
        options.threads,
        anchor,
        request._replace(whole=None),
        options.device,
        outside_missing,
    )


def _plan(
    planned: PlannedBackend,
    runner_up: RunnerUp | None,
    size: tuple[int, int, int],
    request: CorrelationRequest,
    resolved: ResolvedCorrelation,
    finish: Finish | _Bias | None,
) -> ConvolutionPlan:
    form = " and ".join(dict.fromkeys(form.name for form in planned.forms))
    return ConvolutionPlan(
        planned.backend,
        planned.reason,
        form,
        planned.seconds,
        runner_up,
        size,
        resolved.output_size,
        request,
        resolved,
        finish,
    )


def _plan_products(
    size: tuple[int, int, int],
    dtype: np.dtype[Any],
    kernel: Kernel,
    options: ConvolveOptions,
    finish: Finish | None,
    *,
    cold: bool,
) -> ConvolutionPlan:
    """Plan a large kernel that is kept as products: each column on the image, then its row on what that gives.

    Padding goes along: whatever lies outside in a row, the column gives what it would give there.
    """
    assert kernel.products is not None
    _, anchor = laid_size(kernel, options)
    pairs = (kernel.products.turned(2) if options.flip else kernel.products).pairs
    last = finish if len(pairs) == 1 else None
    plans = []
    for column, row in pairs:
        on_rows, on_columns = (
            replace(options, flip=False, anchor=at, stride=stride, dilation=dilation)
            for at, stride, dilation in (
                ((anchor[0], 0), (options.stride[0], 1), (options.dilation[0], 1)),
                ((0, anchor[1]), (1, options.stride[1]), (1, options.dilation[1])),
            )
        )
        outside = np.asarray(options.padding_value) * column.sum()  # of a constant padding, after the column
        on_columns = replace(on_columns, padding_value=outside.tolist())
        upright = plan_convolution(size, dtype, Kernel("column", column[:, np.newaxis]), on_rows, cold=cold)
        level = Kernel("row", row[np.newaxis])
        between = upright.output_size
        plans.append((upright, plan_convolution(between, upright.dtype, level, on_columns, last, cold=cold)))
    each = [plan for pair in plans for plan in pair]
    return replace(
        each[-1],
        backend=" and ".join(dict.fromkeys(plan.backend for plan in each)),
        form="passes",
        seconds=sum(plan.seconds for plan in each),
        input_size=size,
        _finish=finish,
        _products=tuple(plans),
        _at_once=lambda: plan_convolution(size, dtype, replace(kernel, stored=kernel.weights), options, finish),
    )


def _check_single(weights: list[NDArray[np.float64]], options: ConvolveOptions) -> None:
    """Refuse weights and padding values that float32 would turn to zero or infinity."""
    for sizes in (*map(np.abs, weights), np.abs(options.padding_value)):
        largest = float(np.max(sizes))
        if not (largest == 0.0 or _LEAST_SINGLE < largest < _MOST_SINGLE):
            raise UsageError(
                f"a number of the size {largest:g} is too much for single precision: choose precision double"
            )
