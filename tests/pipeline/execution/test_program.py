"""Documents made ready and run: ranges of samples, opacity, branches, what is held and what is let go."""

import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from convcli.errors import FilterError
from convcli.image.model import Image
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.execution import program as program_module
from convcli.pipeline.execution.program import Pipeline
from convcli.process.pipeline_on_image import run_image

PHOTO = np.random.default_rng(5).integers(0, 256, (9, 11, 3), np.uint8)


def run(text, pixels=PHOTO, alpha=False):
    return run_image(Image(pixels, alpha), Pipeline(parse_document(text)))


@pytest.mark.parametrize(
    ("dtype", "range_", "white"),
    [
        (np.uint8, "file", 255),
        (np.uint16, "file", 65535),
        (np.float32, "file", 1),
        (np.uint8, "byte", 255),
        (np.uint16, "byte", 255),
        (np.float32, "byte", 255),
        (np.uint8, "unit", 1),
        (np.uint16, "unit", 1),
        (np.float64, "unit", 1),
    ],
)
def test_samples_are_in_the_documents_range(dtype, range_, white):
    full = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    pixels = np.array([[[0], [full]]], dtype)
    result = run(f"input: {{range: {range_}}}\nsteps: [{{add: , from: [input, input]}}]", pixels)
    assert_allclose(result.ravel(), [0, 2 * white], rtol=1e-6)


def test_opacity_is_a_source_from_0_to_1_and_1_where_there_is_none():
    with_alpha = np.dstack([PHOTO, np.full(PHOTO.shape[:2], 51, np.uint8)])
    text = "steps: [{abs: , from: alpha}]"
    assert_allclose(run(text, with_alpha, alpha=True), np.full((9, 11, 1), 0.2), rtol=1e-6)
    assert_array_equal(run(text), np.ones((9, 11, 1)))
    assert run("steps: [relu]", with_alpha, alpha=True).shape == (9, 11, 3)


def test_a_residual_block_adds_what_it_began_with():
    text = """
steps:
  - abs:
    name: first
  - conv: {weights: [[[[2]]]], groups: 1, bias: false}
  - relu
  - add:
    from: [first, relu_1]
"""
    gray = PHOTO[..., :1]
    assert_array_equal(run(text, gray), 3 * gray.astype(np.float32))


def test_steps_that_the_result_does_not_need_are_not_run():
    text = "steps: [{attention: {}, from: input}, {relu: , from: input}]\nweights: {init: he}"
    seen = []
    pipeline = Pipeline(parse_document(text))
    pipeline.program((9, 11, 3)).run(PHOTO.astype(np.float32), watch=lambda node, maps: seen.append(node.id))
    assert seen == ["relu_1"]
    everything = Pipeline(parse_document(text), everything=True).program((9, 11, 3))
    assert [node.id for node in everything.nodes] == ["attention_1", "relu_1"]


def test_a_map_is_let_go_after_its_last_reader():
    text = """
steps:
  - abs:
    name: a
  - max_pool: 3
    name: b
  - upsample: 3
    name: c
  - crop:
    from: [c, b]
"""
    maps, alive = {}, {}

    def watch(node, result):
        alive[node.id] = {id_ for id_, reference in maps.items() if reference() is not None}
        maps[node.id] = weakref.ref(result)

    image = np.arange(9 * 9, dtype=np.float32).reshape(9, 9, 1)
    made = Pipeline(parse_document(text)).program((9, 9, 1))
    handed = [image - 40]
    maps["input"] = weakref.ref(handed[0])
    made.run(handed.pop(), watch=watch)
    assert alive == {"a": {"input"}, "b": {"a"}, "c": {"b"}, "crop_1": {"b", "c"}}
    # The image and its opacity, and the map of the same size made of it.
    assert made.peak_bytes() == 4 * (9 * 9 + 9 * 9 + 9 * 9)


def test_too_little_memory_is_told_before_anything_is_computed(monkeypatch):
    monkeypatch.setattr(program_module, "available_bytes", lambda: 1000)
    made = Pipeline(parse_document("steps: [{conv: {out: 64, kernel: 1}}]\nweights: {init: he}", "net.yaml"))
    with pytest.raises(FilterError, match=r"net.yaml: its maps take 0.0 GB at once for an image of 11 x 9, and 0.0 GB"):
        made.program((9, 11, 3)).check_memory()


def test_programs_of_few_sizes_are_kept():
    pipeline = Pipeline(parse_document("steps: [relu]"))
    first = pipeline.program((4, 4, 1))
    assert pipeline.program((4, 4, 1)) is first
    for size in range(5, 20):
        pipeline.program((size, 4, 1))
    assert pipeline.program((4, 4, 1)) is not first


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("{channels: 1}", "net.yaml: input.channels: wants 1, and the image has 3: give a gray image, or write 3"),
        ("{channels: 4}", "net.yaml: input.channels: wants 4, and the image has 3"),
        ("{size: [9, 12]}", r"net.yaml: input.size: wants 9x12 \(rows x columns\), and the image is of 9x11"),
    ],
)
def test_an_image_that_a_document_does_not_want_is_refused(head, message):
    pipeline = Pipeline(parse_document(f"input: {head}\nsteps: [relu]", "net.yaml"))
    with pytest.raises(DocumentError, match=message):
        run_image(Image(PHOTO), pipeline)


def test_what_is_advised_for_an_image_of_too_few_channels_helps():
    gray = Image(PHOTO[..., :1])
    with pytest.raises(DocumentError) as caught:
        run_image(gray, Pipeline(parse_document("input: {channels: 3}\nsteps: [abs]", "net.yaml")))
    assert "write 1 there and begin with concat, from: [input, input, input]" in str(caught.value)
    advised = "input: {channels: 1}\nsteps: [{concat: , from: [input, input, input]}, abs]"
    assert_array_equal(run_image(gray, Pipeline(parse_document(advised))), np.repeat(PHOTO[..., :1], 3, axis=2))


@settings(max_examples=40)
@given(st.data())
def test_a_graph_gives_the_same_however_its_steps_are_written_down(data):
    """Sums of random earlier results, entries shuffled: as adding them up by hand."""
    count = data.draw(st.integers(1, 8))
    sources, sums = [], [np.array([1.0])]
    for index in range(count):
        chosen = data.draw(st.lists(st.integers(0, index), min_size=2, max_size=3))
        sources.append(chosen)
        sums.append(np.sum([sums[source] for source in chosen], axis=0))
    names = ["input", *(f"s{index}" for index in range(count))]
    entries = [
        f"  - {{add: , name: s{index}, from: [{', '.join(names[source] for source in chosen)}]}}\n"
        for index, chosen in enumerate(sources)
    ]
    shuffled = data.draw(st.permutations(entries))
    text = f"steps:\n{''.join(shuffled)}output: {{from: s{count - 1}}}"
    assert_array_equal(run(text, np.ones((2, 3, 1), np.float32)), np.full((2, 3, 1), sums[-1][0]))
