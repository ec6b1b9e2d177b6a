"""Random cases of steps that PyTorch has too, and how they run here: for benchmarks/torch_steps.py and the suite."""

from typing import Any

import numpy as np

from convcli.operators import activations, attention, conv, dense, normalise, pooling, resample, shuffle, transposed

STEPS = (
    "conv",
    "transposed_conv",
    "max_pool",
    "average_pool",
    "batch_norm",
    "upsample",
    "pixel_shuffle",
    "pixel_unshuffle",
    "activation",
    "linear",
    "attention",
)
Arrays = dict[str, np.ndarray]
Options = dict[str, Any]


def ours(step: str, arrays: Arrays, options: Options) -> np.ndarray:
    """Run a case by convcli."""
    x, weights, bias = arrays["x"], arrays.get("weights"), arrays.get("bias")
    if step == "conv":
        return conv.conv(x, weights, bias, **options)
    if step == "transposed_conv":
        return transposed.transposed_conv(x, weights, bias, **options)
    if step in ("max_pool", "average_pool"):
        return getattr(pooling, step)(x, **options)
    if step == "batch_norm":
        given = arrays["mean"], arrays["variance"], arrays.get("scale"), arrays.get("shift")
        return normalise.batch_norm(x, *given, **options)
    if step == "upsample":
        return resample.upsample(x, **options)
    if step in ("pixel_shuffle", "pixel_unshuffle"):
        return getattr(shuffle, step)(x, **options)
    if step == "activation":
        rest = {name: value for name, value in options.items() if name != "name"}
        return getattr(activations, options["name"])(x, **rest)
    if step == "linear":
        return dense.linear(dense.flatten(x), weights, bias)
    return attention.attention(x, arrays["query"], arrays["key"], arrays["value"], **options)


def random_case(step: str, generator: np.random.Generator, small: bool = False) -> tuple[Arrays, Options]:
    """Make up a case: its arrays and its options; `small` for files."""
    return _Cases(generator, small).make(step)


class _Cases:
    def __init__(self, generator: np.random.Generator, small: bool) -> None:
        self._generator, self._small = generator, small

    def make(self, step: str) -> tuple[Arrays, Options]:
        arrays, options = getattr(self, step)()
        return {name: array.astype(np.float32) for name, array in arrays.items()}, options

    def size(self) -> tuple[int, int]:
        most = 9 if self._small else 40
        return self.number(1, most), self.number(1, most)

    def number(self, least: int, most: int) -> int:
        return int(self._generator.integers(least, most, endpoint=True))

    def numbers(self, least: int, most: int) -> list[int]:
        return [self.number(least, most), self.number(least, most)]

    def either(self, *choices: Any) -> Any:
        return choices[self.number(0, len(choices) - 1)]

    def samples(self, *shape: int) -> np.ndarray:
        return self._generator.standard_normal(shape)

    def channels(self) -> tuple[int, int, int]:
        """Input and output channels a group, and groups."""
        if self._small:
            return self.either((1, 1, 1), (3, 2, 1), (1, 1, 3), (2, 3, 2), (1, 2, 2))
        return self.either((1, 1, 1), (3, 8, 1), (1, 1, 6), (2, 3, 4), (17, 20, 1), (1, 3, 5), (40, 33, 1), (16, 4, 2))

    def conv(self) -> tuple[Arrays, Options]:
        inputs, outputs, groups = self.channels()
        height, width = self.size()
        mode = self.either("zeros", "zeros", "zeros", "reflect", "replicate", "circular")
        most = 4 if mode == "zeros" else min(height, width, 5) - 1
        kernel, stride, dilation = self.numbers(1, 5), self.numbers(1, 4), self.numbers(1, 3)
        padding = self.either("same", "valid", self.numbers(0, most), self.numbers(0, most), self.numbers(0, most))
        if padding == "same":
            stride = [1, 1]
            if mode in ("reflect", "circular"):  # PyTorch allows as much as the image, at most
                mode = "zeros"
        if self.either(0, 0, 1):
            kernel = [3, 3]
        arrays = {
            "x": self.samples(height, width, inputs * groups),
            "weights": self.samples(outputs * groups, inputs, *kernel),
        }
        if self.either(True, False):
            arrays["bias"] = self.samples(outputs * groups)
        given = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "padding_mode": mode}
        return arrays, given

    def transposed_conv(self) -> tuple[Arrays, Options]:
        inputs, outputs, groups = self.channels()
        height, width = (max(n // 2, 1) for n in self.size())
        stride, dilation = self.numbers(1, 4), self.numbers(1, 4)
        one_too_many = self.number(0, 19) == 0
        more = [self.number(0, max(s, d) - 1 + one_too_many) for s, d in zip(stride, dilation, strict=True)]
        arrays = {
            "x": self.samples(height, width, inputs * groups),
            "weights": self.samples(inputs * groups, outputs, *self.numbers(1, 5)),
        }
        if self.either(True, False):
            arrays["bias"] = self.samples(outputs * groups)
        return arrays, {
            "stride": stride,
            "padding": self.numbers(0, 3),
            "output_padding": more,
            "dilation": dilation,
            "groups": groups,
        }

    def max_pool(self) -> tuple[Arrays, Options]:
        options = {**self.pool(), "dilation": self.numbers(1, 3)}
        return {"x": self.samples(*self.size(), self.number(1, 10))}, options

    def average_pool(self) -> tuple[Arrays, Options]:
        options = {**self.pool(), "count_padding": self.either(True, False), "divisor": self.either(None, None, 3)}
        return {"x": self.samples(*self.size(), self.number(1, 10))}, options

    def pool(self) -> Options:
        kernel = self.numbers(1, 5)
        return {
            "kernel": kernel,
            "stride": self.either(None, self.numbers(1, 4), self.numbers(1, 6)),
            "padding": [self.number(0, n // 2 + (self.number(0, 9) == 0)) for n in kernel],
            "ceil": self.either(True, False),
        }

    def batch_norm(self) -> tuple[Arrays, Options]:
        channels = self.number(1, 20)
        arrays = {
            "x": self.samples(*self.size(), channels),
            "mean": self.samples(channels),
            "variance": self.samples(channels) ** 2,
        }
        if self.either(True, False):
            arrays |= {"scale": self.samples(channels), "shift": self.samples(channels)}
        return arrays, {"epsilon": self.either(1e-5, 1e-3)}

    def upsample(self) -> tuple[Arrays, Options]:
        scale = self.either(self.numbers(1, 4), [self.number(2, 9) / 2, self.number(3, 10) / 3])
        given = {"scale": scale, "mode": self.either("nearest", "bilinear"), "align_corners": self.either(True, False)}
        size = self.size()
        if given["mode"] == "nearest":
            given["align_corners"] = False
            # A fraction that happens to double the size, or to leave it, PyTorch takes for a 2 or a 1 in images of some
            # sizes, and not in others.
            ratios = [int(n * s) / n for n, s in zip(size, scale, strict=True)]
            if any(ratio in (1, 2) and ratio != s for ratio, s in zip(ratios, scale, strict=True)):
                given["scale"] = [3, 2]
        return {"x": self.samples(*size, self.number(1, 10))}, given

    def pixel_shuffle(self) -> tuple[Arrays, Options]:
        factor = self.number(1, 4)
        return {"x": self.samples(*self.size(), factor**2 * self.number(1, 4))}, {"factor": factor}

    def pixel_unshuffle(self) -> tuple[Arrays, Options]:
        factor = self.number(1, 4)
        height, width = (n // factor * factor or factor for n in self.size())
        return {"x": self.samples(height, width, self.number(1, 4))}, {"factor": factor}

    def activation(self) -> tuple[Arrays, Options]:
        name = self.either("relu", "leaky_relu", "sigmoid", "tanh", "softmax")
        options: Options = {"name": name}
        if name == "leaky_relu":
            options["slope"] = self.either(0.01, 0.2)
        return {"x": 10 * self.samples(*self.size(), self.number(1, 10))}, options

    def linear(self) -> tuple[Arrays, Options]:
        height, width = self.size()
        channels, outputs = self.number(1, 10), self.number(1, 30)
        arrays = {
            "x": self.samples(height, width, channels),
            "weights": self.samples(outputs, height * width * channels) / (height * width * channels) ** 0.5,
        }
        if self._small:
            arrays["weights"] = arrays["weights"][:3]
        if self.either(True, False):
            arrays["bias"] = self.samples(len(arrays["weights"]))
        return arrays, {}

    def attention(self) -> tuple[Arrays, Options]:
        channels, heads = self.number(1, 10), self.number(1, 3)
        inner, outer = heads * self.number(1, 8), heads * self.number(1, 8)
        height, width = (max(n // 2, 1) for n in self.size())
        arrays = {
            "x": self.samples(height, width, channels),
            "query": self.samples(inner, channels),
            "key": self.samples(inner, channels),
            "value": self.samples(outer, channels),
        }
        return arrays, {"heads": heads}
