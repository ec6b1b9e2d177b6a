"""Pipelines of one line are the documents that their steps would make."""

import pytest

from convcli.kernel.catalogue import catalogue_names
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.document.one_line import names_step_or_kernel, parse_one_line
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.steps.registry import STEPS


def steps(document):
    return [node.step for node in document.nodes]


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("gray | gaussian:sigma=2 | sobel", "[gray, filter: 'gaussian:sigma=2', filter: sobel]"),
        ("gray|threshold:at=40,mode=below", "[gray, threshold: {at: 40, mode: below}]"),
        ("median:5 | resize:scale=1/2", "[median: 5, resize: {scale: 0.5}]"),
        ("resize:size=[24,32] | max_pool:size=2x3", "[resize: {size: [24, 32]}, max_pool: {size: [2, 3]}]"),
        ("box:size=5,padding=wrap,stride=2", "[filter: {kernel: 'box:size=5', padding: wrap, stride: 2}]"),
        ("sobel_x:padding=wrap", "[filter: {kernel: sobel_x, padding: wrap}]"),
        ("0 -1 0; -1 5 -1; 0 -1 0 | relu", "[filter: '0 -1 0; -1 5 -1; 0 -1 0', relu]"),
        ("1/4 1/2 1/4", "[filter: '1/4 1/2 1/4']"),
        ("filter:gaussian:sigma=2", "[filter: 'gaussian:sigma=2']"),
        ("Leaky-ReLU:slope=0.2 | clip:high=null", "[leaky_relu: {slope: 0.2}, clip: {high: null}]"),
        ("log | log:sigma=2 | filter:log", "[log, filter: 'log:sigma=2', filter: log]"),
        ("gray:rounded=true", "[gray: {rounded: true}]"),
    ],
)
def test_a_line_is_its_steps(line, written):
    assert steps(parse_one_line(line)) == steps(parse_document(f"steps: {written}"))


def test_a_line_is_named_after_its_steps():
    assert parse_one_line("gray | gaussian:sigma=2 | 1 2 1 | threshold:at=40").name == "gray_gaussian_custom_threshold"
    assert len(parse_one_line(" | ".join(["gaussian"] * 30)).name) <= 60


@pytest.mark.parametrize("name", [*STEPS, *catalogue_names()])
def test_every_step_and_kernel_can_be_named(name):
    assert names_step_or_kernel(name)


def test_a_kernel_file_may_be_a_step(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yaml").write_text("name: own\nweights: [[1, 2]]\n")
    document = parse_one_line("gray | own.yaml")
    assert document.name == "gray_own"
    assert document.nodes[1].step.load_kernel().weights.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("gray | ", "pipeline, step 2: is empty: steps stand between |, as in 'gray | sobel'"),
        ("gray | sobl", "pipeline, step 2: no step or kernel is called 'sobl'; did you mean 'sobel'?"),
        ("zebra", "pipeline, step 1: no step or kernel is called 'zebra'; `convcli run --steps` and `convcli kernels"),
        ("threshold:at=", "pipeline, step 1: options are written option=value,option=value, not 'at='"),
        ("threshold:at=4,5", "pipeline, step 1: options are written option=value,option=value, not '5'"),
        ("threshold:att=4", "pipeline: steps[0].threshold: unknown option 'att'; the options are at, mode, value"),
        ("threshold:at=high", "pipeline: steps[0].threshold.at: must be a number, not 'high'"),
        ("box:size=5 padding=wrap", "pipeline, step 1: box:size=5 padding=wrap: parameters are separated by commas"),
        ("gaussian:sigma=-1", "pipeline: steps[0].filter: gaussian: sigma"),
        ("add", "pipeline: steps[0].add"),
    ],
)
def test_a_wrong_line_is_refused(line, message):
    with pytest.raises(DocumentError) as error:
        parse_one_line(line)
    assert str(error.value).startswith(message)


def test_a_line_has_no_constants():
    with pytest.raises(DocumentError, match="there is no constant called 'low'; it has no constants"):
        parse_one_line("gray", {"low": "3"})
