"""Convolutions that look where they are told to, count what is known, or let a gate decide."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from convcli.convolution.bank import Bank
from convcli.operators import deformable, gated, partial
from convcli.pipeline.steps.base import Maps, NotNegativePair, Prepared, Setting, Step, StepError, pair, size_text
from convcli.pipeline.steps.convs import Bank4, Bias, Conv
from convcli.pipeline.steps.files import beside, picture
from convcli.pipeline.steps.properties import Facts, Shape
from convcli.pipeline.weights.store import WEIGHT, Weights, inline, inline_shape

Field = Annotated[str | None, Meta(description="file.npy, file.npz:name or file.safetensors:name, (rows, columns, n).")]


class GatedConv(Conv, frozen=True, kw_only=True):
    """Convolve twice and multiply: `activation(conv(x)) * sigmoid(gate(x))`. Yu et al. (2019).

        - gated_conv: {out: 32, kernel: 3, padding: 1, activation: relu, weights: {init: he, seed: 0}}

    Options are those of `conv`; `gate_weights` and `gate_bias` are the gate's, as `weights` and `bias`. In a document's
    file of weights they are `ID.gate.weight` and `ID.gate.bias`.
    """

    name: ClassVar[str] = "gated_conv"

    unless_told: ClassVar[dict[str, str]] = Conv.unless_told | {
        "gate_weights": "drawn as weights are; else the document's own, weights: beside its steps",
    }

    activation: Literal["none", "relu", "leaky_relu", "sigmoid", "tanh"] = "none"
    gate_weights: Bank4 = None
    gate_bias: Bias = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.gate_weights, list):
            inline_shape(self.gate_weights, 4, "gate_weights")
            inline(self.gate_weights, "gate_weights")

    def wanted(self) -> Iterable[tuple[str, Any, str]]:
        yield from super().wanted()
        yield "gate_weights", self._gate(), f"gate.{WEIGHT}"

    def biased(self) -> Iterable[tuple[Any, Any, str]]:
        yield from super().biased()
        yield self.gate_bias, self._gate(), ".gate"

    def _gate(self) -> Weights:
        if self.gate_weights is not None or isinstance(self.weights, list | str):
            return self.gate_weights
        return self.weights  # drawn alike, but not the same numbers: the place is another

    def facts(self, *inputs: Shape) -> Facts:
        one = super().facts(*inputs)
        outputs = one.output[2]
        gate = one.parameters + outputs * ((self.gate_bias is not False) - (self.bias is not False))
        return _changed(one, parameters=one.parameters + gate, macs=2 * one.macs, linear=False)

    def bank(self, *inputs: Shape, setting: Setting) -> Bank | None:
        return None

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        self.output(*inputs)
        shape, store = self.weight_shape(*inputs), setting.weights
        weights = store.get(self.weights, shape, setting.place)
        bias = store.biases(self.bias, self.weights, shape[0], setting.place)
        own, place = self._gate(), f"{setting.place}.gate"
        gate = store.get(own, shape, place, option="gate_weights")
        gate_bias = store.biases(self.gate_bias, own, shape[0], place)

        def run(maps: Maps) -> Maps:
            return gated.gated_conv(
                maps,
                weights,
                gate,
                bias,
                gate_bias,
                activation=self.activation,
                stride=pair(self.stride),
                padding=self.padding,
                dilation=pair(self.dilation),
                groups=self.groups_of(inputs[0][2]),
                padding_mode=self.padding_mode,
                backend=setting.backend,
                threads=setting.threads,
                device=setting.device,
            )

        return Prepared(run)


class PartialConv(Conv, frozen=True, kw_only=True):
    """Convolve what is known: `W (x * m) * sum(1) / sum(m) + bias`, m being 1 where a sample is known.

        - partial_conv: {kernel: 3, padding: 1, groups: channels, bias: false, weights: "blur.npy"}
        - partial_conv: {out: 16, kernel: 3, padding: 1}
          from: [input, alpha]

    Options are those of `conv`, with zeros around the image, which are not known. Not known are NaN samples, and those
    where a second input is 0 (`alpha`: transparent ones). Where nothing in the window is known the result is NaN, so
    that the next partial_conv knows; `holes: zero` makes it 0. Liu et al., Image inpainting for irregular holes (2018).
    """

    name: ClassVar[str] = "partial_conv"
    most_inputs: ClassVar[int | None] = 2

    padding_mode: Literal["zeros"] = "zeros"
    holes: Literal["nan", "zero"] = "nan"

    def output(self, *inputs: Shape) -> Shape:
        if len(inputs) == 2:
            _check_mask(inputs[1], inputs[0])
        return super().output(*inputs)

    def facts(self, *inputs: Shape) -> Facts:
        self.output(*inputs)
        return _changed(super().facts(*inputs), linear=False)

    def bank(self, *inputs: Shape, setting: Setting) -> Bank | None:
        return None

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        self.output(*inputs)
        weights = setting.weights.get(self.weights, self.weight_shape(*inputs), setting.place)
        bias = setting.weights.biases(self.bias, self.weights, len(weights), setting.place)

        def run(maps: Maps, *given: Maps) -> Maps:
            known = ~np.isnan(maps)
            if given:
                known &= given[0] != 0
            response, mask = partial.partial_conv(
                maps,
                known.astype(np.float32),
                weights,
                bias,
                stride=pair(self.stride),
                padding=self.padding,
                dilation=pair(self.dilation),
                groups=self.groups_of(inputs[0][2]),
                backend=setting.backend,
                threads=setting.threads,
                device=setting.device,
            )
            if self.holes == "nan":
                np.copyto(response, np.nan, where=mask == 0)
            return response

        return Prepared(run)


class DeformableConv(Conv, frozen=True, kw_only=True):
    """Correlate with taps that are moved, each by its own offset at each place. Dai et al. (2017), Zhu et al. (2019).

        - conv: {out: 18, kernel: 3, padding: 1}
          name: offsets
        - deformable_conv: {out: 16, kernel: 3, padding: 1, weights: {init: he, seed: 0}}
          from: [input, offsets]
        - deformable_conv: {out: 16, kernel: 3, padding: 1, offsets: "moved.npy"}

    Offsets, a second input or a file, are as large as the result: rows and columns of tap (0, 0), of tap (0, 1) and so
    on, for each of n equal parts of the channels. A third input, or the file `mask`, holds a factor for each tap.
    Samples lie between four others in straight lines, and are 0 outside the image.
    """

    name: ClassVar[str] = "deformable_conv"
    most_inputs: ClassVar[int | None] = 3

    padding: NotNegativePair = 0
    padding_mode: Literal["zeros"] = "zeros"
    unless_told: ClassVar[dict[str, str]] = Conv.unless_told | {
        "offsets": "the second input",
        "mask": "the third input where there is one; else every factor is 1",
    }

    offsets: Field = None
    mask: Field = None

    def output(self, *inputs: Shape) -> Shape:
        rows, columns, outputs = super().output(*inputs)
        if (self.offsets is None) == (len(inputs) == 1):
            raise StepError("needs its offsets once: as a second input, from: [input, offsets], or as a file, offsets")
        if self.mask is not None and len(inputs) == 3:
            raise StepError("mask: is given as a third input too: drop one of them")
        if len(inputs) > 1:
            self._check_offsets(inputs[1], (rows, columns), inputs[0][2])
        if len(inputs) > 2:
            self._check_factors(inputs[2], inputs[1])
        return rows, columns, outputs

    def facts(self, *inputs: Shape) -> Facts:
        self.output(*inputs)
        return _changed(super().facts(*inputs), linear=False)

    def bank(self, *inputs: Shape, setting: Setting) -> Bank | None:
        return None

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        rows, columns, _ = self.output(*inputs)
        weights = setting.weights.get(self.weights, self.weight_shape(*inputs), setting.place)
        bias = setting.weights.biases(self.bias, self.weights, len(weights), setting.place)
        own_offsets = own_mask = None
        if self.offsets is not None:
            own_offsets = _field(self.offsets, "offsets", setting)
            self._check_offsets(_shape_of(own_offsets), (rows, columns), inputs[0][2])
        if self.mask is not None:
            own_mask = _field(self.mask, "mask", setting)
            self._check_factors(_shape_of(own_mask), inputs[1] if own_offsets is None else _shape_of(own_offsets))

        def run(maps: Maps, *given: Maps) -> Maps:
            return deformable.deformable_conv(
                maps,
                given[0] if own_offsets is None else own_offsets,
                weights,
                bias,
                given[1] if len(given) > 1 else own_mask,
                stride=pair(self.stride),
                padding=pair(self.padding),
                dilation=pair(self.dilation),
                groups=self.groups_of(inputs[0][2]),
                threads=setting.threads,
            )

        return Prepared(run)

    def _check_offsets(self, shape: Shape, size: tuple[int, int], channels: int) -> None:
        deformable.offset_parts(shape, size, self.kernel_size(), channels)

    def _check_factors(self, mask: Shape, offsets: Shape) -> None:
        wanted = (*offsets[:2], offsets[2] // 2)
        if mask != wanted:
            raise StepError(f"mask: is of {size_text(mask)}, and goes with these offsets at {size_text(wanted)}")


class Mask(Step, frozen=True, kw_only=True):
    """Make samples NaN, and so unknown to partial_conv, where a second input is 0.

    - mask:
      from: [input, alpha]
    - mask: scratches.png            # black, or transparent, where nothing is known
    """

    name: ClassVar[str] = "mask"
    main: ClassVar[str | None] = "file"
    most_inputs: ClassVar[int | None] = 2

    unless_told: ClassVar[dict[str, str]] = {"file": "the second input"}

    file: Annotated[str | None, Meta(description="An image beside the document, black where nothing is known.")] = None

    def located(self, folder: Path) -> Self:
        return self if self.file is None else msgspec.structs.replace(self, file=beside(folder, self.file))

    def check_files(self) -> None:
        if self.file is not None:
            picture(self.file)

    def output(self, *inputs: Shape) -> Shape:
        if (self.file is None) == (len(inputs) == 1):
            raise StepError("takes a second input, from: [input, alpha], or a file, and not both")
        if self.file is not None:
            _check_mask(_shape_of(self._drawn()), inputs[0], self.file)
        else:
            _check_mask(inputs[1], inputs[0])
        return inputs[0]

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        self.output(*inputs)
        own = None if self.file is None else self._drawn()

        def run(maps: Maps, *given: Maps) -> Maps:
            holed: Maps = np.where((given[0] if own is None else own) == 0, np.float32(np.nan), maps)
            return holed

        return Prepared(run)

    def _drawn(self) -> NDArray[Any]:
        """The mask in the file, of one channel: its alpha where it has any, else its brightest colour."""
        image = picture(self.file or "")
        drawn: NDArray[Any] = image.pixels[..., -1:] if image.alpha else image.pixels.max(axis=2, keepdims=True)
        return drawn


def _check_mask(mask: Shape, image: Shape, name: str = "mask") -> None:
    if mask[:2] != image[:2] or mask[2] not in (1, image[2]):
        raise StepError(f"{name}: is of {size_text(mask)}, and must go with an input of {size_text(image)}")


def _field(reference: str, option: str, setting: Setting) -> NDArray[np.float32]:
    field = setting.weights.field(reference, option)
    if field.ndim != 3:
        raise StepError(f"{option}: {reference} has {field.ndim} dimensions, and must have (rows, columns, n)")
    return field


def _shape_of(maps: NDArray[Any]) -> Shape:
    return maps.shape[0], maps.shape[1], maps.shape[2]


def _changed(facts: Facts, **fields: Any) -> Facts:
    return replace(facts, **fields)
