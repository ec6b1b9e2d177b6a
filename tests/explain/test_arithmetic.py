"""What is said of pipelines without running them, against published figures and against running them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repository import EXAMPLES
from scipy import signal

from convcli.convolution.convolve import convolve
from convcli.convolution.options import ConvolveOptions
from convcli.errors import FilterError, UsageError
from convcli.explain.comparison import compare
from convcli.explain.filter_matrix import filter_matrix
from convcli.explain.pipeline import explain, filters_document
from convcli.explain.pipeline_text import comparison_sentence, markdown, sentences
from convcli.explain.receptive_fields import receptive_fields
from convcli.explain.sample_counts import unread_along_axis
from convcli.explain.single_output import explain_output
from convcli.kernel.model import Kernel
from convcli.kernel.spec import load_kernel
from convcli.pipeline.document.graph import document_properties
from convcli.pipeline.document.loading import load_document, parse_document
from convcli.pipeline.steps.base import StepContext

PIPELINES = EXAMPLES / "pipelines"


def explained(steps, size, **head):
    import json

    return explain(parse_document(json.dumps({"steps": steps, **head})), size)


def conv(out, kernel, **options):
    return {"conv": {"out": out, "kernel": kernel, "bias": False, **options}}


def by_name(found):
    return {step.name: step for step in found.steps}


def test_lenet5_has_the_parameters_of_its_paper():
    found = explain(load_document(PIPELINES / "lenet5.yaml"), (32, 32, 1))
    steps = by_name(found)
    assert {name: steps[name].parameters for name in ("c1", "c3", "c5", "f6", "digits")} == {
        "c1": 156,
        "c3": 2_416,
        "c5": 48_120,
        "f6": 10_164,
        "digits": 850,
    }
    assert found.totals.parameters == 61_706
    assert steps["c1"].formula == "32 - 5 + 1 = 28"
    assert steps["s4"].output == (5, 5, 16)
    assert steps["c1"].macs == 117_600
    assert found.totals.output == (1, 1, 10)


def test_vgg16_has_its_published_figures():
    found = explain(load_document(PIPELINES / "vgg16.yaml"), (224, 224, 3))
    steps = by_name(found)
    assert found.totals.parameters == 138_357_544
    assert found.totals.macs == pytest.approx(15.5e9, rel=0.005)
    fields = {f"pool{n}": steps[f"pool{n}"].receptive_field for n in range(1, 6)}
    assert fields == {"pool1": (6, 6), "pool2": (16, 16), "pool3": (44, 44), "pool4": (100, 100), "pool5": (212, 212)}
    assert steps["pool5"].output == (7, 7, 512)
    assert steps["pool5"].jump == (32, 32)


def test_resnet18_has_its_published_figures():
    found = explain(load_document(PIPELINES / "resnet18.yaml"), (224, 224, 3))
    steps = by_name(found)
    assert found.totals.parameters == 11_689_512
    assert found.totals.macs == pytest.approx(1.8e9, rel=0.02)
    # Araujo, Norris and Sim (2019), table 1: 435 for ResNet-v1-18's last block.
    assert steps["layer4.1"].receptive_field == (435, 435)
    assert steps["layer4.1"].jump == (32, 32)
    assert steps["conv1"].formula == "floor((224 + 2*3 - 7) / 2) + 1 = 112"
    assert [warning.split(":")[0] for warning in found.warnings] == [f"layer{n}.0.downsample.0" for n in (2, 3, 4)]


@pytest.mark.parametrize(("count", "size", "weights", "share"), [(2, 5, (18, 25), "72%"), (3, 7, (27, 49), "55%")])
def test_small_kernels_in_a_row_take_fewer_weights_than_one_large(count, size, weights, share):
    small = explained([conv(1, 3)] * count, (32, 32, 1), name="small")
    large = explained([conv(1, size)], (32, 32, 1), name="large")
    assert (small.totals.parameters, large.totals.parameters) == weights
    assert small.totals.receptive_field == large.totals.receptive_field == (size, size)
    assert small.totals.output == large.totals.output
    assert f"small has {weights[0]} parameters to the {weights[1]} of large: {share}" in comparison_sentence(
        small, large
    )
    assert compare(small, large)[0].ratio == pytest.approx(weights[0] / weights[1])


def test_depthwise_separable_convolutions_take_fewer_weights():
    depthwise = {"conv": {"kernel": 3, "padding": 1, "groups": "channels", "bias": False}}
    standard = explained([conv(64, 3, padding=1)], (56, 56, 32))
    separable = explained([depthwise, conv(64, 1)], (56, 56, 32))
    assert standard.totals.parameters == 18_432
    assert [step.parameters for step in separable.steps] == [288, 2_048]
    assert separable.totals.parameters == 2_336
    assert standard.totals.macs == 18_432 * 56 * 56
    with_bias = {"conv": {"kernel": 3, "padding": 1, "groups": "channels"}}
    standard = explained([{"conv": {"out": 32, "kernel": 3, "padding": 1}}], (28, 28, 16))
    separable = explained([with_bias, {"conv": {"out": 32, "kernel": 1}}], (28, 28, 16))
    assert (standard.totals.parameters, separable.totals.parameters) == (4_640, 704)
    assert compare(standard, separable)[0].ratio == pytest.approx(6.6, abs=0.01)


def test_a_dense_layer_in_place_of_a_convolution_takes_a_weight_for_each_pair_of_samples():
    found = explained([conv(6, 5), "relu"], (32, 32, 1))
    assert found.totals.dense_parameters == 32 * 32 * 28 * 28 * 6


# Steps that are linear, so that what an output depends on shows where a single sample is not zero.
LINEAR = {
    "conv 3": conv(1, 3),
    "conv 3x2, stride 2, padding 1": conv(1, [3, 2], stride=2, padding=1),
    "conv 2, dilation 3": conv(1, 2, dilation=3),
    "conv same, even": conv(1, 4, padding="same"),
    "average pool 2": {"average_pool": 2},
    "average pool 3, stride 2, padding 1": {"average_pool": {"size": 3, "stride": 2, "padding": 1}},
    "transposed 2, stride 2": {"transposed_conv": {"out": 1, "kernel": 2, "stride": 2}},
    "transposed 4, stride 2, padding 1": {"transposed_conv": {"out": 1, "kernel": 4, "stride": 2, "padding": 1}},
    "transposed 3, stride 2, out 1": {
        "transposed_conv": {"out": 1, "kernel": 3, "stride": 2, "padding": 1, "output_padding": 1}
    },
    "transposed 3, stride 1, dilation 2": {"transposed_conv": {"out": 1, "kernel": 3, "padding": 1, "dilation": 2}},
    "upsample": {"upsample": 2},
    "bilinear": {"upsample": {"scale": 2, "mode": "bilinear"}},
    "crop": {"crop": {"top": 2, "left": 1}},
    "filter": {"filter": {"kernel": "1 2 3; 4 5 6", "padding": "zeros", "anchor": [0, 2]}},
}


def run_document(document, pixels):
    """Run the nodes one after the other, with nothing of the runner."""
    results = {"input": pixels}
    for node in document.nodes:
        given = [results[source] for source in node.sources]
        prepared = node.step.prepare(*(each.shape for each in given), context=StepContext(document.store, node.id))
        results[node.id] = prepared.run(*given)
    return results


def dependence(document, size):
    """For each output of the last step, which samples of the image it depends on: (outputs..., samples...)."""
    node = document.nodes[-1].id
    rows = []
    for place in np.ndindex(*size[:2]):
        pixels = np.zeros(size, np.float32)
        pixels[place] = 1
        rows.append(run_document(document, pixels)[node][..., 0] != 0)
    return np.moveaxis(np.array(rows), 0, -1).reshape(*rows[0].shape, *size[:2])


@pytest.mark.parametrize(
    "names",
    [
        *[(name,) for name in LINEAR],
        ("conv 3", "average pool 2", "conv 3"),
        ("conv 3x2, stride 2, padding 1", "conv 2, dilation 3"),
        ("average pool 3, stride 2, padding 1", "upsample", "conv 3"),
        ("conv 3x2, stride 2, padding 1", "transposed 4, stride 2, padding 1"),
        ("average pool 2", "transposed 2, stride 2", "filter"),
        ("crop", "conv same, even", "average pool 2"),
    ],
    ids=", then ".join,
)
def test_the_receptive_field_is_what_outputs_depend_on(names):
    import json

    size = (28, 26, 1)
    # Positive weights: nothing cancels.
    steps = [LINEAR[name] for name in names]
    document = parse_document(json.dumps({"steps": steps, "weights": {"init": "he", "seed": 3}}))
    seen = receptive_fields(document, document_properties(document, size), size)[document.nodes[-1].id]
    depends = dependence(document, size)
    for axis in (0, 1):
        sight = seen[axis]
        others = tuple(each for each in range(4) if each not in (axis, axis + 2))
        touched = depends.any(axis=others)  # (outputs, samples) along the axis
        spans, middles, places = [], [], []
        for output, samples in enumerate(touched):
            reached = np.flatnonzero(samples)
            # Only fields that lie within the image show themselves whole.
            if reached.size and reached[0] >= 4 and reached[-1] < size[axis] - 4:
                spans.append(reached[-1] - reached[0] + 1)
                middles.append((reached[0] + reached[-1]) / 2)
                places.append(output)
        assert max(spans) == sight.field
        expected = float(sight.offset) + np.array(places) * float(sight.jump)
        if any(name.startswith(("transposed", "upsample", "bilinear")) for name in names):
            # Outputs between samples lean to one of them by turns.
            assert np.abs(np.array(middles) - expected).max() <= 1
            assert np.mean(middles) == pytest.approx(np.mean(expected), abs=0.1)
        else:
            np.testing.assert_allclose(middles, expected)


def test_branches_see_all_that_any_of_them_sees():
    steps = [
        {"average_pool": {"size": 3, "stride": 1, "padding": 1}, "name": "narrow"},
        {**conv(1, [1, 9], padding=[0, 4]), "name": "wide", "from": "input"},
        {"add": {}, "from": ["narrow", "wide"]},
    ]
    found = explained(steps, (20, 20, 1))
    assert found.totals.receptive_field == (3, 9)


def test_what_sees_everything_says_so():
    found = explained([conv(4, 3, stride=2), "global_average_pool", {"linear": 2}], (21, 31, 1))
    pooled = found.steps[1]
    assert (pooled.whole, pooled.reads_all, pooled.receptive_field, pooled.jump) == (True, True, (21, 31), (21, 31))
    assert (found.steps[2].whole, found.steps[2].reads_all) == (True, False)
    assert not found.steps[0].whole


def test_an_enlarging_step_divides_the_jump():
    found = explained([{"upsample": 2}], (8, 8, 1))
    assert found.totals.jump == (Fraction(1, 2), Fraction(1, 2))
    assert found.totals.offset == (Fraction(-1, 4), Fraction(-1, 4))
    assert found.record()["totals"]["jump"] == [0.5, 0.5]


@given(
    length=st.integers(1, 40),
    window=st.integers(1, 5),
    stride=st.integers(1, 6),
    dilation=st.integers(1, 3),
    before=st.integers(0, 2),
    after=st.integers(0, 2),
)
@settings(max_examples=200, deadline=None)
def test_samples_that_no_window_reads_are_counted(length, window, stride, dilation, before, after):
    span = dilation * (window - 1) + 1
    if length + before + after < span:
        return
    output = (length + before + after - span) // stride + 1
    read = {o * stride - before + t * dilation for o in range(output) for t in range(window)} & set(range(length))
    found = unread_along_axis(length, output, window, stride, dilation, before)
    assert found.after + found.between == length - len(read)
    if stride <= span and dilation == 1:
        assert found.between == 0
        assert found.after == length - 1 - max(read, default=-1)


def test_lost_samples_are_warned_of():
    found = explained([{"max_pool": {"size": 3, "stride": 2}}, conv(1, 2, stride=2)], (32, 31, 1))
    assert found.warnings == (
        "max_pool_1: no window reads the last 1 row of 32: a stride of 2 does not come out even at 32x31x1; pad by "
        "more, or take an image of another size",
        "conv_1: no window reads the last 1 row of 15 and the last 1 column of 15: a stride of 2 does not come out "
        "even at 15x15x1; pad by more, or take an image of another size",
    )
    assert explained([{"max_pool": 2}], (32, 32, 1)).warnings == ()
    assert explained([{"crop": {"top": 3}}], (32, 32, 1)).warnings == ()


def test_memory_is_that_of_what_is_still_read():
    steps = [
        {**conv(8, 1), "name": "first"},
        "relu",
        "relu",
        {"add": {}, "from": ["relu_2", "first"]},
        {"conv": {"out": 1, "kernel": 1}},
    ]
    found = explained(steps, (10, 10, 1))
    # first is held until it is added: first, relu_1 and relu_2, or first, relu_2 and the sum.
    assert found.totals.peak_activation_bytes == 4 * 100 * (8 + 8 + 8)
    assert found.totals.activation_bytes == 4 * 100 * (8 + 8 + 8 + 8 + 1)


def weights_of(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).round(3).tolist()


CHAINS = {
    "two": [
        {"conv": {"weights": weights_of(2, 1, 3, 3), "bias": False}},
        {"conv": {"weights": weights_of(3, 2, 3, 2)}},
    ],
    "stride and dilation": [
        {"conv": {"weights": weights_of(2, 1, 3, 4), "stride": [2, 3], "padding": 1, "bias": False}},
        {"conv": {"weights": weights_of(2, 1, 2, 3), "groups": 2, "dilation": 2, "bias": False}},
        {"average_pool": 2},
    ],
    "filters": [{"filter": "gaussian:sigma=0.8"}, {"filter": {"kernel": "1 2 4", "flip": True, "stride": 2}}],
    "normalised": [
        {"conv": {"weights": weights_of(2, 1, 3, 3), "bias": False}},
        {"batch_norm": {"mean": [0, 0], "variance": [1, 4], "scale": [2, 3], "shift": [0, 0]}},
    ],
    "added": [
        {"conv": {"weights": weights_of(1, 1, 3, 3), "padding": 1, "bias": False}, "name": "a"},
        {"filter": {"kernel": "1 2 3 4 5", "padding": "zeros"}, "from": "input", "name": "b"},
        {"add": [1, -2], "from": ["a", "b"]},
    ],
    "skipped": [
        {"filter": {"kernel": "sobel_x", "padding": "zeros"}, "name": "edges"},
        {"add": {}, "from": ["edges", "input"]},
    ],
    "side by side": [
        {"filter": {"kernel": "sobel_x", "padding": "zeros"}, "name": "x"},
        {"filter": {"kernel": "1; 2; 3", "padding": "zeros"}, "from": "input", "name": "y"},
        {"concat": {}, "from": ["x", "y"]},
    ],
}


@pytest.mark.parametrize("name", CHAINS)
def test_linear_steps_are_the_one_kernel_that_they_are_said_to_be(name):
    import json

    document = parse_document(json.dumps({"steps": CHAINS[name]}))
    size = (60, 66, 1)
    found = explain(document, size).steps[-1].equivalent
    pixels = np.random.default_rng(1).uniform(-1, 1, size).astype(np.float32)
    result = run_document(document, pixels)[document.nodes[-1].id]
    assert found.weights.shape[2:] == found.size
    inside = 0
    for place in np.ndindex(*result.shape[:2]):
        top, left = (found.first[axis] + place[axis] * found.stride[axis] for axis in (0, 1))
        bottom, right = top + found.size[0], left + found.size[1]
        # Near an edge every step pads anew: only windows well within are the same.
        if top < 7 or left < 7 or bottom > size[0] - 7 or right > size[1] - 7:
            continue
        window = pixels[top:bottom, left:right, 0]
        np.testing.assert_allclose(result[place], (found.weights[:, 0] * window).sum(axis=(1, 2)), atol=1e-5)
        inside += 1
    assert inside > 5


def test_what_is_not_linear_ends_a_run():
    steps = [conv(2, 3), conv(2, 3), "relu", conv(1, 3), "global_average_pool"]
    found = explained(steps, (20, 20, 1), weights={"init": "he", "seed": 0})
    assert [run.steps for run in found.runs] == [("conv_1", "conv_2")]
    assert found.steps[3].equivalent is None


def test_the_kernel_of_a_chain_of_filters_is_their_composition():
    document = filters_document(["gaussian:sigma=1", "sobel_x"], ConvolveOptions())
    (run,) = explain(document, (40, 40, 3)).runs
    one, other = (load_kernel(spec).weights for spec in ("gaussian:sigma=1", "sobel_x"))
    np.testing.assert_allclose(run.shared, signal.convolve(one, other), atol=1e-12)
    assert run.first == (-5, -5)


def test_of_long_runs_and_of_many_not_all_is_told():
    long = explained([conv(1, 3)] * 8, (40, 40, 1), weights={"init": "he", "seed": 0})
    assert "conv_1 to conv_8, 8 steps, are linear: away from the edges, one kernel of 17x17." in sentences(long)
    many = explained([conv(1, 3), conv(1, 3), "relu"] * 6, (60, 60, 1))
    told = [sentence for sentence in sentences(many) if "linear" in sentence]
    assert told[0] == "conv_1 and conv_2 are linear: away from the edges, one kernel of 5x5."
    assert told[4:] == ["So are 2 more runs of linear steps; --json lists them."]


def test_weights_that_are_missing_leave_the_rest_of_the_arithmetic():
    (run,) = explained([conv(2, 3), conv(2, 3)], (20, 20, 1)).runs
    assert (run.size, run.weights) == ((5, 5), None)


def test_markdown_holds_the_tables_and_the_comparison():
    one, other = explained([conv(1, 3)] * 2, (32, 32, 1), name="one"), explained([conv(1, 5)], (32, 32, 1), name="b")
    lines = markdown(one, other).splitlines()
    assert lines[0] == "# one, for images of 32x32x1"
    assert "| conv_2 | 28x28x1 | 3x3 | 1 | 1 | 0 | 30 - 3 + 1 = 28 |" in lines
    assert "| conv_2 | 9 | 7,056 | 3.14 kB | 5 | 1 | 2 |" in lines
    assert "| parameters | 18 | 25 | 72% |" in lines
    formula = explained([conv(1, 3, stride=2, padding=1)], (32, 32, 1))
    assert "floor((32 + 2\\*1 - 3) / 2) + 1 = 16" in markdown(formula)


KERNELS = {
    "3x4": Kernel("k", np.arange(1.0, 13).reshape(3, 4)),
    "1x1": Kernel("one", np.array([[2.0]])),
    "anchored": Kernel("k", np.arange(1.0, 7).reshape(2, 3), anchor=(1, 0)),
    "sobel": load_kernel("sobel"),
    "kirsch": load_kernel("kirsch"),
}
OPTIONS = {
    "mode": st.sampled_from(["reflect101", "reflect", "replicate", "constant", "wrap"]),
    "extent": st.sampled_from(["same", "valid", "full"]),
    "flip": st.booleans(),
    "stride": st.tuples(st.integers(1, 3), st.integers(1, 3)),
    "dilation": st.tuples(st.integers(1, 2), st.integers(1, 2)),
}


@given(kernel=st.sampled_from(sorted(KERNELS)), **OPTIONS, data=st.data())
@settings(max_examples=80, deadline=None)
def test_one_outputs_arithmetic_is_what_the_filter_gives(kernel, mode, extent, flip, stride, dilation, data):
    pixels = np.random.default_rng(5).integers(0, 256, (9, 11, 2)).astype(np.uint8)
    value = 17.0 if mode == "constant" else 0.0
    options = ConvolveOptions(mode, value, extent=extent, flip=flip, stride=stride, dilation=dilation)
    words = {"padding": mode, "padding_value": value, "extent": extent, "flip": flip}
    result = convolve(pixels, KERNELS[kernel], **words, stride=stride, dilation=dilation, precision="double")
    at = data.draw(st.tuples(st.integers(0, result.shape[0] - 1), st.integers(0, result.shape[1] - 1)))
    for output in explain_output(pixels, KERNELS[kernel], options, at):
        assert output.value == pytest.approx(result[(*at, output.channel)], abs=1e-9)
        for part in output.parts:
            # What is not marked as outside is the sample that lies there.
            for (u, v), outside in np.ndenumerate(part.outside):
                row, column = part.rows[u], part.columns[v]
                assert outside == (not (0 <= row < 9 and 0 <= column < 11))
                if not outside:
                    assert part.patch[u, v] == pixels[row, column, output.channel]


@given(kernel=st.sampled_from(["3x4", "1x1", "anchored"]), **OPTIONS)
@settings(max_examples=60, deadline=None)
def test_the_matrix_does_what_the_filter_does(kernel, mode, extent, flip, stride, dilation):
    image = np.random.default_rng(6).uniform(-1, 1, (6, 7))
    value = -3.0 if mode == "constant" else 0.0
    options = ConvolveOptions(mode, value, extent=extent, flip=flip, stride=stride, dilation=dilation)
    words = {"padding": mode, "padding_value": value, "extent": extent, "flip": flip}
    result = convolve(image, KERNELS[kernel], **words, stride=stride, dilation=dilation)
    found = filter_matrix(KERNELS[kernel], (6, 7), options)
    assert found.output_size == result.shape
    np.testing.assert_allclose(found.matrix @ image.ravel() + found.constant, result.ravel(), atol=1e-12)
    rebuilt = np.zeros_like(found.matrix)
    for row, column, entry in found.entries():
        rebuilt[row, column] = entry
    np.testing.assert_array_equal(rebuilt, found.matrix)


def test_the_transpose_of_a_matrix_is_the_transposed_convolution():
    weights = np.arange(1.0, 7).reshape(2, 3)
    options = ConvolveOptions("constant", extent="valid", stride=(2, 2))
    matrix = filter_matrix(Kernel("k", weights), (6, 9), options).matrix
    given_back = np.random.default_rng(7).standard_normal((3, 4))
    spread = np.zeros((6, 9))
    for y, x in np.ndindex(3, 4):
        spread[2 * y : 2 * y + 2, 2 * x : 2 * x + 3] += given_back[y, x] * weights
    np.testing.assert_allclose((matrix.T @ given_back.ravel()).reshape(6, 9), spread, atol=1e-12)


def test_a_nan_under_a_weight_of_zero_makes_nothing_of_a_sum():
    pixels = np.ones((3, 3, 1))
    pixels[1, 1] = np.nan
    (output,) = explain_output(pixels, load_kernel("sobel_x"), ConvolveOptions(), (1, 1))
    assert output.value == 0.0


@pytest.mark.parametrize(
    ("kernel", "size", "error", "message"),
    [
        ("sobel", (4, 4), UsageError, "sobel: the magnitude of several responses is not linear"),
        ("box", (100, 100), FilterError, "has 100,000,000 entries, and at most 1,048,576"),
    ],
)
def test_matrices_that_are_none_are_refused(kernel, size, error, message):
    with pytest.raises(error, match=message):
        filter_matrix(load_kernel(kernel), size, ConvolveOptions())


def test_an_output_that_is_not_there_is_refused():
    with pytest.raises(FilterError, match=r"--at 4,0: the result has rows 0 to 3, columns 0 to 4"):
        explain_output(np.zeros((4, 5, 1)), load_kernel("box"), ConvolveOptions(), (4, 0))


def test_padding_values_are_those_of_their_channels():
    options = ConvolveOptions("constant", (1.0, 2.0))
    outputs = explain_output(np.zeros((3, 3, 2)), load_kernel("1 1 1"), options, (0, 0))
    assert [output.value for output in outputs] == [1.0, 2.0]
    with pytest.raises(UsageError, match="gives 2 values for 3 channels: give one, or 3"):
        explain_output(np.zeros((3, 3, 3)), load_kernel("1 1 1"), options, (0, 0))
