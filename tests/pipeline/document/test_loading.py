"""Documents are read strictly: what they mean, and what is said of those that mean nothing."""

import pytest

from convcli.pipeline.document.loading import load_document, parse_document
from convcli.pipeline.errors import DocumentError


def nodes(text):
    return [(node.id, node.sources) for node in parse_document(text).nodes]


def refused(text):
    with pytest.raises(DocumentError) as caught:
        parse_document(text, "net.yaml")
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_step_reads_the_one_before_it_and_the_first_one_the_image():
    assert nodes("steps: [gray, {filter: sobel_x}, abs]") == [
        ("gray_1", ("input",)),
        ("filter_1", ("gray_1",)),
        ("abs_1", ("filter_1",)),
    ]


def test_steps_are_counted_by_kind_where_they_have_no_name():
    assert [id_ for id_, _ in nodes("steps: [relu, abs, {relu: , name: mine}, relu]")] == [
        "relu_1",
        "abs_1",
        "mine",
        "relu_3",
    ]


def test_branches_join_by_name():
    text = """
steps:
  - {filter: sobel_x, name: across, from: input}
  - {filter: sobel_y, name: down, from: input}
  - {magnitude: l1, from: [across, down]}
"""
    assert nodes(text)[-1] == ("magnitude_1", ("across", "down"))


def test_a_source_may_be_written_after_its_reader():
    document = parse_document("steps: [{abs: , from: b, name: a}, {relu: , name: b, from: input}]\noutput: {from: a}")
    assert [node.id for node in document.nodes] == ["b", "a"]
    assert [node.id for node in document.written] == ["a", "b"]


def test_the_last_step_is_the_result_unless_another_is_named():
    assert parse_document("steps: [relu, abs]").output.source == "abs_1"
    assert parse_document("steps: [relu, abs]\noutput: {from: relu_1}").output.source == "relu_1"


def test_what_nothing_reads_is_told():
    (note,) = parse_document("steps: [relu, {abs: , from: input}]", "net.yaml").notes
    assert note == "net.yaml: steps[0].relu: nothing reads its result (relu_1), so that it is not computed"


def test_one_option_may_stand_for_all_of_them():
    (node,) = parse_document("steps: [{max_pool: [2, 3]}]").nodes
    assert node.step.size == (2, 3)


def test_a_document_is_named_after_its_file_unless_it_says_otherwise(tmp_path):
    (tmp_path / "my net.yaml").write_text("steps: [relu]")
    assert load_document(tmp_path / "my net.yaml").name == "my_net"
    (tmp_path / "b.yaml").write_text("name: other\nsteps: [relu]")
    assert load_document(tmp_path / "b.yaml").name == "other"


def test_thousands_of_steps_are_put_in_order_without_recursion():
    entries = [{"name": f"s{i}", "source": f"s{i + 1}" if i < 2999 else "input"} for i in range(3000)]
    text = "steps:\n" + "".join(f"  - {{relu: , name: {e['name']}, from: {e['source']}}}\n" for e in entries)
    document = parse_document(text + "output: {from: s0}")
    assert [node.id for node in document.nodes] == [f"s{i}" for i in reversed(range(3000))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "net.yaml: a pipeline is a mapping with the key steps, a list of steps"),
        ("steps: []", "net.yaml: steps: must be a list of at least 1, not []"),
        ("step: [relu]", "net.yaml: unknown key 'step'; did you mean 'steps'?"),
        ("name: 3d\nsteps: [relu]", "net.yaml: name: must be letters, digits, _, - and ., a letter first, not '3d'"),
        ("steps: [relo]", "net.yaml: steps[0]: unknown step 'relo'; did you mean 'relu'?"),
        ("steps: [qqq]", "net.yaml: steps[0]: unknown step 'qqq'; convcli run --steps lists them"),
        ("steps: [[relu]]", "net.yaml: steps[0]: a step is a name, or a mapping of one to its options"),
        ("steps: [{name: a}]", "net.yaml: steps[0]: names no step"),
        ("steps: [{relu: , abs: }]", "net.yaml: steps[0]: names two steps, relu and abs: give each an entry of its"),
        ("steps: [{conv: , out: 3}]", "net.yaml: steps[0]: out is an option of conv: indent it under conv"),
        ("steps: [{relu: , nam: a}]", "net.yaml: steps[0]: unknown key 'nam'; did you mean 'name'?"),
        ("steps: [{relu: 3}]", "net.yaml: steps[0].relu: options are written as a mapping"),
        ("steps: [{relu: {x: 1}}]", "net.yaml: steps[0].relu: unknown option 'x'; there are no options"),
        (
            "steps: [{max_pool: {size: 2, cell: true}}]",
            "net.yaml: steps[0].max_pool: unknown option 'cell'; did you mean 'ceil'? The options are size, stride,",
        ),
        ("steps: [max_pool]", "net.yaml: steps[0].max_pool: needs size"),
        ("steps: [{max_pool: 0}]", "net.yaml: steps[0].max_pool.size: must be a whole number of at least 1, not 0"),
        ("steps: [{max_pool: [1, 0]}]", "steps[0].max_pool.size[1]: must be a whole number of at least 1, not 0"),
        ("steps: [{max_pool: [1]}]", "steps[0].max_pool.size: must be a list of at least 2, not [1]"),
        ("steps: [{max_pool: 2.5}]", "steps[0].max_pool.size: must be a whole number or a list, not 2.5"),
        ("steps: [{leaky_relu: .inf}]", "steps[0].leaky_relu.slope: must be a finite number, not inf"),
        ("steps: [{clip: {high: .inf}}]", "steps[0].clip.high: must be a finite number, or null for none, not inf"),
        (
            "steps: [{add: {factors: [1, .nan]}, from: [input, input]}]",
            "steps[0].add.factors[1]: must be a finite number, not nan",
        ),
        ("steps: [{attention: {scale: .nan}}]", "steps[0].attention.scale: must be a finite number, not nan"),
        ("steps: [{upsample: {scale: 2, mode: cubic}}]", "unknown word 'cubic': expected nearest, bilinear"),
        ("steps: [{filter: sobel_xx}]", "net.yaml: steps[0].filter: unknown kernel 'sobel_xx'; did you mean"),
        ("steps: [{relu: , from: a}]", "net.yaml: steps[0].from: there is no step called 'a'; there are relu_1"),
        ("steps: [{relu: , from: inptu}]", "there is no step called 'inptu'; did you mean 'input'?"),
        ("steps: [{relu: , from: []}]", "net.yaml: steps[0].from: must be the name of a step or a list of names"),
        ("steps: [{relu: , from: [input, input]}]", "net.yaml: steps[0].from: relu takes 1 input, and 2 are named"),
        ("steps: [add]", "net.yaml: steps[0].add: takes 2 or more inputs: name them with from: [a, b]"),
        ("steps: [{relu: , name: input}]", "net.yaml: steps[0].name: input is the image's own name: choose another"),
        ("steps: [{relu: , name: a}, {abs: , name: a}]", "net.yaml: steps[1]: is called a, as steps[0] is"),
        ("steps: [relu, {abs: , name: relu_1}]", "net.yaml: steps[1]: is called relu_1, as steps[0] is"),
        (
            "steps: [{relu: , from: b, name: a}, {relu: , from: a, name: b}]",
            "net.yaml: steps go in a circle: a -> b -> a",
        ),
        ("steps: [{relu: , from: a, name: a}]", "net.yaml: steps go in a circle: a -> a"),
        ("steps: [relu]\noutput: {from: b}", "net.yaml: output.from: there is no step called 'b'; there are relu_1"),
        ("steps: [relu]\noutput: {mapping: ab}", "net.yaml: output.mapping: unknown word 'ab': expected auto, clip"),
        ("steps: [relu]\ninput: {range: bite}", "net.yaml: input.range: unknown word 'bite': expected file, byte,"),
        ("steps: [relu]\ninput: {size: [0, 3]}", "net.yaml: input.size: must be at least 1, not [0, 3]"),
        ("steps: [relu]\nweights: {init: hi}", "net.yaml: weights.init: unknown word 'hi': expected he, xavier"),
        ("steps:\n  - concat\n    from: [a, b]", "net.yaml: line 3: not valid YAML: "),
        ("steps:\n  - concat\n    from: [a, b]", "; a step with something"),
        ("steps: [&a relu, *a]", "net.yaml: line 1: anchors and aliases"),
        ("steps: [!!python/name:os.system relu]", "net.yaml: line 1: tags such as"),
        (
            "steps: [{conv: {weights: [[[[1, a]]]]}}]",
            "steps[0].conv: weights[0][0][0][1]: must be a number or a fracti",
        ),
        ("steps: [{conv: {weights: [[[[1], [1, 2]]]]}}]", "weights[0][0][1]: is of length 2 where the first is of 1"),
        ("steps: [{conv: {weights: [[1]]}}]", "steps[0].conv: weights: are lists 2 deep, and must be 4 deep"),
        ("steps: [{threshold: {at: 1, mode: keep, value: 3}}]", "steps[0].threshold: value: does nothing in mode keep"),
        ("steps: [{hysteresis: {low: 3, high: 1}}]", "steps[0].hysteresis: low: is 3, above high, 1"),
        ("steps: [{upsample: {scale: 2, align_corners: true}}]", "align_corners: goes with mode bilinear only"),
    ],
)
def test_a_bad_document_is_refused_in_one_line_with_its_place(text, message):
    assert message in refused(text)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such pipeline file"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b"\xff\x00"), "is not UTF-8 text"),
        (lambda path: path.write_text(""), "is empty"),
        (lambda path: path.write_text("steps: [relu"), "not valid YAML"),
        (lambda path: path.write_text("a: 1\n---\nb: 1"), "holds more than one document"),
        (lambda path: path.write_text("#" * (5 << 20)), "a pipeline file has at most 4194304"),
    ],
)
def test_a_file_that_is_no_document_is_named(tmp_path, make, message):
    path = tmp_path / "net.yaml"
    make(path)
    with pytest.raises(DocumentError, match=message) as caught:
        load_document(path)
    assert str(path) in str(caught.value)
