"""Every step: documented, strict, of the size it says, and giving what its definition gives."""

import gc
import inspect
import textwrap

import cv2
import msgspec
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage, signal, special

from convcli.image.writing import write_image
from convcli.pipeline.document.graph import document_properties
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.execution.program import Computing, Pipeline
from convcli.pipeline.steps.registry import STEPS
from convcli.pipeline.weights.store import WeightStore
from convcli.system.yaml_text import parse_yaml

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
    "partial_conv": ["{out: 4, kernel: 3, padding: 1}", "{kernel: 3, groups: channels, holes: zero, stride: 2}"],
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
    "add": [" @input, one", "[1, -1] @input, input"],
    "multiply": [" @input, one, one"],
    "max_over_channels": [""],
    "magnitude": [" @input, input", "l1 @input, input"],
    "direction": [" @input, input"],
    "gray": [""],
    "upsample": ["2", "{scale: [1, 3], mode: bilinear}", "{scale: 2, mode: bilinear, align_corners: true}"],
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


def test_there_is_a_case_for_every_step():
    assert set(CASES) == set(STEPS)


@pytest.mark.parametrize(("name", "options"), [(name, each) for name in CASES for each in CASES[name]])
def test_a_step_gives_float32_of_the_size_it_says_and_changes_nothing(name, options):
    made = document(name, options)
    before = IMAGE.copy()
    IMAGE.flags.writeable = False
    try:
        result = run(made)
    finally:
        IMAGE.flags.writeable = True
    assert result.dtype == np.float32
    properties = document_properties(made, SIZE)[made.output.source]
    assert result.shape == properties.output
    assert_array_equal(IMAGE, before)
    assert properties.parameters >= 0
    assert properties.macs >= 0


@pytest.mark.parametrize("value", [np.inf, 3e38])
@pytest.mark.parametrize(("name", "options"), [(name, each) for name in CASES for each in CASES[name]])
def test_a_step_takes_what_is_infinite_and_what_becomes_so_without_a_warning(name, options, value):
    image = IMAGE.copy()
    image[4:7, 5] = image[-1, -1, 0] = value  # outside of what a template is cut from, which must be finite
    image[9, 9], image[10, 3, 2] = -value, np.nan
    run(document(name, options), image)  # warnings are errors here


@pytest.mark.parametrize("step", ["softmax:", "upsample: {scale: 2, mode: bilinear}", "spectrum:"])
def test_nor_does_it_warn_in_threads_of_its_own(step):
    image = np.full((600, 500, 3), np.inf, np.float32)
    made = Pipeline(parse_document(f"steps: [{{{step} }}]"), Computing(threads=3))
    assert np.isnan(made.program(image.shape).run(image)[0]).any()


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_documented_with_snippets_that_are_documents(name):
    first, *paragraphs = inspect.cleandoc(STEPS[name].__doc__).split("\n\n")
    assert "\n" not in first, "the first line says it all"
    snippets = [text for text in paragraphs if text.lstrip().startswith("- ")]
    steps, _, _ = textwrap.dedent("\n".join(snippets)).partition("output:")
    entries = parse_yaml(steps, name)
    mine = [entry for entry in entries if entry == name or (isinstance(entry, dict) and name in entry)]
    assert mine, f"no snippet of {name}"
    known = {"input", "alpha"}
    named = [source for entry in entries if isinstance(entry, dict) for source in _sources(entry)]
    names = {entry["name"] for entry in entries if isinstance(entry, dict) and "name" in entry}
    before = [
        {"abs": None, "name": each, "from": "input"} for each in dict.fromkeys(named) if each not in known | names
    ]
    made = parse_document(msgspec.json.encode({"steps": before + entries}).decode(), name)
    assert any(node.step.name == name for node in made.nodes)


def _sources(entry):
    sources = entry.get("from", [])
    return [sources] if isinstance(sources, str) else sources


@pytest.mark.parametrize("name", STEPS)
def test_a_step_refuses_options_that_it_does_not_have(name):
    with pytest.raises(DocumentError, match="unknown option 'nonsense'"):
        parse_document(f"steps: [{{{name}: {{nonsense: 1}}}}]")


def test_reading_steps_survives_the_collection_of_garbage():
    # msgspec 0.22 crashes on some unions of bounded numbers and tuples, once they are collected.
    for name, cases in CASES.items():
        for options in cases:
            document(name, options)
        gc.collect()


def channelwise(function, image=IMAGE):
    return np.stack([function(image[..., c].astype(np.float64)) for c in range(image.shape[2])], axis=2)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("filter", "sobel_x", lambda x: channelwise(lambda c: ndimage.sobel(c, axis=1, mode="mirror"))),
        ("relu", "", lambda x: np.maximum(x, 0)),
        ("leaky_relu", "0.2", lambda x: np.where(x > 0, x, 0.2 * x)),
        ("sigmoid", "", special.expit),
        ("tanh", "", np.tanh),
        ("softmax", "", lambda x: special.softmax(x, axis=2)),
        ("softmax", "positions", lambda x: special.softmax(x, axis=(0, 1))),
        ("abs", "", np.abs),
        ("clip", "", lambda x: np.clip(x, 0, 255)),
        ("clip", "{low: null, high: 100}", lambda x: np.minimum(x, 100)),
        ("threshold", "100", lambda x: 255.0 * (x > 100)),
        ("threshold", "{at: 100, mode: below, value: 1}", lambda x: 1.0 * (x <= 100)),
        ("threshold", "{at: 100, mode: keep}", lambda x: x * (x > 100)),
        ("threshold", "{at: 100, mode: keep_abs}", lambda x: x * (np.abs(x) > 100)),
        ("concat", " @input, one", lambda x: np.concatenate([x, x.max(axis=2, keepdims=True)], axis=2)),
        ("add", " @input, one", lambda x: x + x.max(axis=2, keepdims=True)),
        ("add", "[2, -0.5] @input, one", lambda x: 2 * x - 0.5 * x.max(axis=2, keepdims=True)),
        ("multiply", " @input, input", lambda x: x * x),
        ("max_over_channels", "", lambda x: x.max(axis=2, keepdims=True)),
        ("magnitude", " @input, input", lambda x: np.hypot(x, x)),
        ("magnitude", "l1 @input, input", lambda x: 2 * np.abs(x)),
        ("direction", " @input, input", lambda x: np.degrees(np.arctan2(x, x))),
        ("gray", "", lambda x: (x @ np.array([0.299, 0.587, 0.114]))[..., np.newaxis]),
        ("upsample", "[2, 3]", lambda x: x.repeat(2, axis=0).repeat(3, axis=1)),
        ("crop", "{top: 2, left: 3, height: 4}", lambda x: x[2:6, 3:]),
        ("crop", "{top: 1} @input, cut", lambda x: x[1:5, :5]),
        ("flatten", "", lambda x: x.transpose(2, 0, 1).reshape(1, 1, -1)),
        ("global_average_pool", "", lambda x: x.mean(axis=(0, 1), keepdims=True, dtype=np.float64)),
        ("global_max_pool", "", lambda x: x.max(axis=(0, 1), keepdims=True)),
        ("max_pool", "3", lambda x: x.reshape(4, 3, 5, 3, 3).max(axis=(1, 3))),
        ("average_pool", "3", lambda x: x.reshape(4, 3, 5, 3, 3).mean(axis=(1, 3), dtype=np.float64)),
        ("batch_norm", "", lambda x: x / np.sqrt(1 + 1e-5)),
        (
            "batch_norm",
            "{mean: [1, 2, 3], variance: [1, 4, 9], scale: [1, 1, 2], shift: [0, 1, 0], epsilon: 0}",
            lambda x: (x - [1, 2, 3]) / [1, 2, 3] * [1, 1, 2] + [0, 1, 0],
        ),
        (
            "spectrum",
            "",
            lambda x: channelwise(lambda c: np.log1p(np.abs(np.fft.fftshift(np.fft.fft2(c))))),
        ),
        ("linear", "{weights: [[1, 2, 3], [0, 1, 0]], bias: [5, 0]}", lambda x: x @ [[1, 0], [2, 1], [3, 0]] + [5, 0]),
        (
            "conv",
            "{weights: [[[[1, 2]], [[0, 1]], [[3, 4]]]], bias: [7]}",
            lambda x: (
                sum(
                    signal.correlate2d(x[..., c].astype(float), [row], mode="valid")
                    for c, row in enumerate([[1, 2], [0, 1], [3, 4]])
                )[..., np.newaxis]
                + 7
            ),
        ),
    ],
)
def test_a_step_gives_what_its_definition_gives(name, options, expected):
    assert_allclose(step(name, options), expected(IMAGE), rtol=1e-5, atol=2e-3)


@pytest.mark.parametrize(("white", "value"), [(1.0, 1.0), (255.0, 255.0), (65535.0, 65535.0)])
def test_white_is_that_of_the_documents_range(white, value):
    assert step("threshold", "1", white=white).max() == value
    assert step("hysteresis", "{low: 1, high: 2}", white=white).max() == value
    image = np.full((6, 6, 1), white / 2, np.float32)
    linear = step("to_linear", "", image, white)
    assert_allclose(linear, 0.2140411 * white, rtol=1e-5)
    assert_allclose(step("to_srgb", "", linear, white), image, rtol=1e-5)


def test_pixel_shuffle_is_undone_by_its_inverse():
    text = "steps: [{pixel_unshuffle: 3}, {pixel_shuffle: 3}]"
    assert_array_equal(run(parse_document(text)), IMAGE)


def test_deformable_conv_without_offsets_is_a_conv(tmp_path):
    np.save(tmp_path / "zero.npy", np.zeros((12, 15, 18), np.float32))
    np.save(tmp_path / "half.npy", np.full((12, 15, 9), 0.5, np.float32))
    np.save(tmp_path / "w.npy", RNG.normal(size=(4, 3, 3, 3)))
    plain = "steps: [{conv: {out: 4, kernel: 3, padding: 1, weights: w.npy, bias: false}}]"
    moved = plain.replace("conv:", "deformable_conv:").replace("bias: false", "bias: false, offsets: zero.npy")
    expected = run(parse_document(plain, folder=tmp_path))
    assert_allclose(run(parse_document(moved, folder=tmp_path)), expected, rtol=1e-4, atol=1e-2)
    halved = moved.replace("offsets", "mask: half.npy, offsets")
    assert_allclose(run(parse_document(halved, folder=tmp_path)), expected / 2, rtol=1e-4, atol=1e-2)


def test_deformable_conv_follows_offsets_of_an_earlier_step():
    # Each tap one column further: a conv of the picture moved by one.
    text = """
steps:
  - conv: {weights: [[[[0]]], [[[0]]]], bias: [0, 1]}
    from: one
    name: offsets
  - max_over_channels:
    from: input
    name: one
  - deformable_conv: {weights: [[[[1]]]], bias: false}
    from: [one, offsets]
"""
    one = IMAGE.max(axis=2)
    assert_allclose(run(parse_document(text))[:, :-1, 0], one[:, 1:], rtol=1e-6)


def test_partial_conv_knows_nan_and_masks_and_leaves_nan_where_nothing_is_known():
    holed = IMAGE.copy()
    holed[2:9, 3:10] = np.nan
    text = "{kernel: 3, padding: 1, groups: channels, bias: false, weights: box.npy"
    weights = {"box.npy": np.full((3, 1, 3, 3), 1 / 9)}
    known = ~np.isnan(holed[..., 0])
    count = ndimage.uniform_filter(known.astype(float), 3, mode="constant")
    total = channelwise(lambda c: ndimage.uniform_filter(np.nan_to_num(c), 3, mode="constant"), holed)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.where(count[..., np.newaxis] > 1e-9, total / count[..., np.newaxis], np.nan)
    assert_allclose(with_files(f"steps: [{{partial_conv: {text}}}}}]", weights, holed), expected, rtol=1e-5)
    zero = with_files(f"steps: [{{partial_conv: {text}, holes: zero}}}}]", weights, holed)
    assert_allclose(zero, np.nan_to_num(expected), rtol=1e-5, atol=1e-6)
    by_alpha = f"steps: [{{partial_conv: {text}}}, from: [input, alpha]}}]"
    alpha = known[..., np.newaxis].astype(np.float32)
    assert_allclose(with_files(by_alpha, weights, IMAGE, alpha), expected, rtol=1e-5)


def with_files(text, files, image=IMAGE, alpha=None):
    store = WeightStore()
    store.get = lambda given, shape, *rest, **more: files[given].astype(np.float32).reshape(shape)
    made = parse_document(text)
    object.__setattr__(made, "store", store)
    return run(made, image, alpha=alpha)


def test_a_mask_and_its_filling(tmp_path):
    drawn = np.full((12, 15), 255, np.uint8)
    drawn[3:5] = 0
    write_image(tmp_path / "mask.png", drawn)
    holed = run(parse_document("steps: [{mask: mask.png}]", folder=tmp_path))
    assert np.isnan(holed[3:5]).all()
    assert_array_equal(holed[:3], IMAGE[:3])
    text = "steps: [{mask: mask.png}, {fill: , from: [mask_1, other]}, {abs: , from: input, name: other}]"
    text += "\noutput: {from: fill_1}"
    assert_array_equal(run(parse_document(text, folder=tmp_path)), IMAGE)
    filled = run(parse_document("steps: [{mask: mask.png}, {fill: 7}]", folder=tmp_path))
    assert (filled[3:5] == 7).all()


def test_a_template_is_found_where_it_was_cut_out(tmp_path):
    picture = np.clip(IMAGE, 0, 255).astype(np.uint8)
    write_image(tmp_path / "part.png", picture[4:9, 6:12])
    made = parse_document("steps: [{match_template: part.png}]", folder=tmp_path)
    found = run(made, picture.astype(np.float32))[..., 0]
    assert np.unravel_index(found.argmax(), found.shape) == (4, 6)
    expected = cv2.matchTemplate(picture, picture[4:9, 6:12], cv2.TM_CCOEFF_NORMED)
    assert_allclose(found, expected, atol=1e-4)
    gray = parse_document("steps: [gray, {match_template: part.png}]", folder=tmp_path)
    assert run(gray, picture.astype(np.float32)).max() > 0.999


def test_deconvolution_undoes_a_blur():
    rough = np.zeros((40, 40, 1), np.float32)
    rough[10:20, 15:30] = 100
    text = "steps: [{filter: gaussian:sigma=1}, {deconvolve: {kernel: gaussian:sigma=1, noise: 1e-7}}]"
    blurred, sharp = run(parse_document("steps: [{filter: gaussian:sigma=1}]"), rough), run(parse_document(text), rough)
    assert np.abs(sharp - rough).mean() < 0.1 * np.abs(blurred - rough).mean()


def test_gates_and_weights_are_drawn_apart():
    result = step("gated_conv", "{out: 4, kernel: 1}")
    made = document("gated_conv", "{out: 4, kernel: 1}")
    node = made.node(made.output.source)
    store = made.store
    drawn = [store.get(None, (4, 3, 1, 1), place) for place in (node.id, f"{node.id}.gate")]
    assert not np.array_equal(*drawn)
    plain, gate = (IMAGE @ each.reshape(4, 3).T for each in drawn)
    assert_allclose(result, plain * special.expit(gate), rtol=1e-4, atol=1e-3)


def test_a_kernel_file_and_weights_are_found_beside_their_document(tmp_path):
    (tmp_path / "own.yaml").write_text("weights: [[0, 0, 1]]")
    made = parse_document("steps: [{filter: own.yaml}]", folder=tmp_path)
    assert_array_equal(run(made)[:, :-1], IMAGE[:, 1:])


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[{conv: {kernel: 3}}]", "steps[0].conv: needs out, the number of output channels"),
        ("[{conv: {out: 3}}]", "steps[0].conv: needs kernel, its size"),
        ("[{conv: {out: 4, kernel: 20}}]", "steps[0].conv: a kernel that spans 20 does not fit into 12"),
        ("[{conv: {out: 4, kernel: 3, groups: 2}}]", "groups: 3 input channels do not split into 2 groups"),
        ("[{conv: {out: 4, kernel: 3, groups: 3}}]", "groups: 4 output channels do not split into 3 groups"),
        (
            "[{conv: {weights: [[[[1, 2]]]], groups: channels}}]",
            "groups: 1 output channel does not split into 3 groups: write out a kernel for each, or lay one on all",
        ),
        ("[{conv: {weights: [[[[1]]]]}}]", "weights of 1x1x1x1 read 1 channels, and the input has 3"),
        ("[gray, {conv: {weights: [[[[1]]]], out: 2}}]", "out: is 2, and weights are written out for 1"),
        ("[gray, {conv: {weights: [[[[1]]]], kernel: 3}}]", "kernel: is 3x3, and weights are written out for 1x1"),
        ("[gray, {conv: {weights: [[[[1]]]], bias: [1, 2]}}]", "steps[1].conv: bias: are of 2, and must be of 1"),
        ("[{conv: {out: 4, kernel: 3, padding: same, stride: 2}}]", "padding same goes with stride 1 only"),
        ("[{conv: {out: 4, kernel: 3, weights: none.npy}}]", "weights: none.npy: no such file"),
        ("[{transposed_conv: {out: 4, kernel: 3, output_padding: 1}}]", "output_padding must be smaller than stride"),
        ("[{max_pool: {size: 2, padding: 2}}]", "a pool is padded by at most half of its window"),
        (
            "[gray, gray, {concat: , from: [input, small]}, {max_pool: 2, from: input, name: small}]",
            "of one height and",
        ),
        ("[{max_pool: 2, name: small}, {add: , from: [input, small]}]", "add wants inputs of one size"),
        (
            "[{magnitude: , from: [input, one]}, {gray: , from: input, name: one}]",
            "must be of one size, not 12x15x3 and",
        ),
        ("[{add: [1], from: [input, input]}]", "factors: are 1 for 2 inputs: give one each"),
        (
            "[{max_pool: 2, name: small}, {mask: , from: [input, small]}]",
            "mask: is of 6x7x3, and must go with an input",
        ),
        (
            "[{partial_conv: {out: 1, kernel: 1}, from: [input, s]}, {max_pool: 2, from: input, name: s}]",
            "mask: is of 6",
        ),
        ("[{deformable_conv: {out: 1, kernel: 3}}]", "needs its offsets once: as a second input"),
        ("[{deformable_conv: {out: 1, kernel: 3}, from: [input, input]}]", "steps[0].deformable_conv: "),
        ("[{crop: {height: 40}}]", "steps[0].crop: "),
        ("[{pixel_shuffle: 2}]", "3 channels do not split into groups of 2x2"),
        ("[{pixel_unshuffle: 7}]", "12x15x3 does not split into blocks of 7x7"),
        ("[{linear: {weights: [[1, 2]]}}]", "weights read 2 channels, and the input has 3"),
        ("[{linear: {}}]", "needs out, the number of outputs"),
        ("[{attention: {heads: 2}}]", "heads: 3 query and 3 value channels do not split into 2 heads"),
        ("[{upsample: 100}, {attention: {}}]", "steps[1].attention: "),
        ("[{batch_norm: {mean: [1, 2]}}]", "mean: are of 2, and must be of 3"),
        ("[{fill: {}}]", "takes a value, or a second input, and not both"),
        ("[{match_template: none.png}]", "none.png"),
        ("[{flatten: }, {conv: {out: 1, kernel: 3}}]", "does not fit into 1"),
        ("[{concat: , from: [input, input]}, gray]", "steps[1].gray: takes 1 or 3 channels, not 6"),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(steps, message):
    last = "\noutput: {from: concat_1}" if "concat: , from: [input, small]" in steps else ""
    with pytest.raises(DocumentError) as caught:
        Pipeline(parse_document(f"{HE}steps: {steps}{last}", "net.yaml"), everything=True).program(SIZE)
    assert message in str(caught.value)
    assert str(caught.value).startswith("net.yaml: steps[")
    assert "\n" not in str(caught.value)


def test_parameters_and_multiply_adds_of_the_textbook():
    def costs(text):
        properties = document_properties(parse_document(f"steps: {text}"), (32, 32, 32)).values()
        return sum(each.parameters for each in properties), sum(each.macs for each in properties)

    standard = costs("[{conv: {out: 64, kernel: 3, padding: 1, bias: false}}]")
    separable = costs(
        "[{conv: {kernel: 3, padding: 1, groups: channels, bias: false}}, {conv: {out: 64, kernel: 1, bias: false}}]"
    )
    assert standard == (18_432, 18_432 * 1024)
    assert separable == (288 + 2_048, (288 + 2_048) * 1024)
    assert costs("[{batch_norm: {}}]")[0] == 64
    assert costs("[{linear: 10}]")[0] == 330
