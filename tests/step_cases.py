"""What to run each step of pipelines with, and how."""

import numpy as np

from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.execution.program import Pipeline
from convcli.pipeline.weights.store import WeightStore

RNG = np.random.default_rng(7)
IMAGE = RNG.normal(size=(12, 15, 3)).astype(np.float32) * 40 + 100
SIZE = (12, 15, 3)
HE = "weights: {init: he, seed: 0}\n"

# What to run each step with: options, and sources beside `input` (three channels) and `one` (its first).
CASES = {
    "filter": ["sobel_x", "{kernel: gaussian:sigma=2, extent: full, stride: [2, 3]}", "{kernel: sobel, extent: valid}"],
    "conv": [
        "{out: 4, kernel: 3}",
        "{out: 6, kernel: [3, 2], stride: [2, 1], padding: [1, 0], dilation: 2, groups: 3, padding_mode: reflect}",
        "{out: 3, kernel: 4, padding: same, groups: channels, bias: false}",
        "{weights: [[[[1, 2]], [[0, 1]], [[3, '1/2']]]], padding: [0, 1], padding_mode: circular}",
    ],
    "gated_conv": ["{out: 4, kernel: 3, padding: 1, activation: relu}"],
    "partial_conv": [
        "{out: 4, kernel: 3, padding: 1}",
        "{kernel: 3, groups: channels, holes: zero, stride: 2}",
        "{out: 4, kernel: 3, normalize: weights}",
    ],
    "deformable_conv": [],  # below: it wants offsets
    "transposed_conv": [
        "{out: 4, kernel: 3, stride: 2, padding: 1, output_padding: 1}",
        "{out: 6, kernel: [2, 3], stride: [1, 3], groups: 3, dilation: 2}",
    ],
    "mask": [],  # below: it wants a mask
    "max_pool": ["2", "{size: 3, stride: 2, padding: 1, ceil: true}", "{size: [2, 3], stride: 1, dilation: 2}"],
    "average_pool": ["2", "{size: 3, stride: 2, padding: 1, ceil: true, count_padding: false}"],
    "global_average_pool": [""],
    "global_max_pool": [""],
    "relu": [""],
    "leaky_relu": ["", "0.2"],
    "sigmoid": [""],
    "tanh": [""],
    "softmax": ["", "positions"],
    "batch_norm": ["", "{mean: [1, 2, 3], variance: [1, 4, 9], scale: [1, 1, 2], shift: [0, 1, 0]}"],
    "abs": [""],
    "clip": ["", "{low: 90, high: 110}", "{low: null, high: 100}"],
    "threshold": ["100", "{at: 100, mode: keep}", "{at: 100, mode: below, value: 1}"],
    "to_linear": [""],
    "to_srgb": [""],
    "fill": ["0", "white"],
    "concat": [" @input, one"],
    "add": [" @input, one", "[1, -1] @input, input", "0.5", "{factors: [2], value: -1}"],
    "multiply": [" @input, one, one", "2", "0.5 @input, one"],
    "divide": [" @input, one", "255", "{floor: 50} @one, input"],
    "sqrt": ["", "{floor: 0}"],
    "exp": ["", "2"],
    "log": ["", "10", "{base: 2, floor: 0.5}"],
    "power": ["2", "-0.5", "{exponent: 0.5, floor: 0}"],
    "invert": [""],
    "constant": ["white", "[1, 2]"],
    "select": ["2", "[3, 1, 1]"],
    "image": [],  # in test_image_files: it wants a file
    "max_over_channels": [""],
    "magnitude": [" @input, input", "l1 @input, input"],
    "direction": [" @input, input"],
    "gray": [""],
    "upsample": ["2", "{scale: [1, 3], mode: bilinear}", "{scale: 2, mode: bilinear, align_corners: true}"],
    "resize": ["[7, 9]", "{scale: 0.333}", "{scale: 2.5, mode: lanczos}", "{mode: cubic} @input, cut"],
    "median": ["3", "[3, 5]", "7"],
    "rank": ["{size: 3, percent: 20}", "{size: [1, 3], percent: 100}"],
    "minimum": ["3"],
    "maximum": ["[1, 5]"],
    "erode": ["3", "{size: 5, shape: ellipse}"],
    "dilate": ["3", "{size: 5, shape: cross}"],
    "open": ["3"],
    "close": ["[3, 5]"],
    "bilateral": ["{sigma_space: 2, sigma_color: 30}"],
    "nlmeans": ["20", "{strength: 20, patch: 3, search: 5, sigma: 10}"],
    "equalize": [""],
    "to_lab": [""],
    "from_lab": [""],
    "to_ycbcr": [""],
    "from_ycbcr": [""],
    "to_hsv": [""],
    "from_hsv": [""],
    "pad": ["2", "{by: [0, 4], mode: constant, value: white}", "{top: 1, left: 20, mode: wrap}"],
    "crop": ["{top: 2, left: 3}", "{top: 1, height: 4, width: 5}"],
    "pixel_shuffle": ["1"],
    "pixel_unshuffle": ["3"],
    "flatten": [""],
    "linear": ["5"],
    "attention": ["", "{channels: 4, out: 6, heads: 2, scale: 0.1}"],
    "non_maximum_suppression": [" @input, input, input"],
    "hysteresis": ["{low: 90, high: 120}"],
    "zero_crossings": ["", "4"],
    "match_template": [" @input, cut"],
    "deconvolve": ["{kernel: gaussian:sigma=1, noise: 0.01}", "{kernel: gaussian:sigma=1, padding: wrap}"],
    "spectrum": [""],
}


def document(step, options, head=HE):
    """A document that ends in one step."""
    options, _, sources = options.partition("@")
    return parse_document(
        f"""{head}
steps:
  - crop: {{height: 4, width: 5}}
    name: cut
  - max_over_channels:
    name: one
    from: input
  - {step}: {options}
    from: [{sources or "input"}]
"""
    )


def run(document, image=IMAGE, white=255.0, alpha=None):
    height, width, channels = image.shape
    return Pipeline(document).program((height, width, channels), white).run(image, alpha)[0]


def step(name, options, image=IMAGE, white=255.0):
    return run(document(name, options), image, white)


def channelwise(function, image=IMAGE):
    return np.stack([function(image[..., c].astype(np.float64)) for c in range(image.shape[2])], axis=2)


def with_files(text, files, image=IMAGE, alpha=None):
    store = WeightStore()
    store.get = lambda given, shape, *rest, **more: files[given].astype(np.float32).reshape(shape)
    made = parse_document(text)
    object.__setattr__(made, "store", store)
    return run(made, image, alpha=alpha)
