"""What the text stands for that names a pipeline: a name, a file, or one line of steps."""

import shutil

import msgspec
import pytest
from repository import ROOT

from convcli.pipeline.catalogue import find_pipeline, hidden_pipelines, pipeline_names, pipelines_folder, user_pipelines
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.document.named import UnknownPipelineError, find_described, find_document, pipeline_text
from convcli.pipeline.errors import DocumentError


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder of the user's own pipelines, and an empty one to work in."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("CONVCLI_PIPELINES", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path / "work")
    return folder


def test_the_shipped_pipelines_are_those_of_the_folder():
    assert pipelines_folder() == ROOT / "pipelines"
    assert pipeline_names() == sorted(path.stem for path in (ROOT / "pipelines").glob("*.yaml"))
    assert find_document("canny").file == ROOT / "pipelines" / "canny.yaml"


def test_users_have_their_own_which_the_shipped_ones_hide(own):
    (own / "soft.yaml").write_text("steps: [{filter: gaussian}]")
    (own / "canny.yml").write_text("steps: [abs]")
    assert user_pipelines() == {"soft": own / "soft.yaml", "canny": own / "canny.yml"}
    assert find_document("soft").file == own / "soft.yaml"
    assert find_document("canny").name == "canny"
    assert find_pipeline("canny") == ROOT / "pipelines" / "canny.yaml"
    assert hidden_pipelines("canny") == [
        f"canny is the shipped pipeline, which hides {own / 'canny.yml'}: give the path to use that one"
    ]
    assert hidden_pipelines("soft") == []


def test_no_file_of_the_current_folder_changes_what_a_name_means(own):
    (own.parent / "work" / "canny.yaml").write_text("steps: [abs]")
    (own.parent / "work" / "canny").write_text("steps: [abs]")
    assert find_document("canny").file == ROOT / "pipelines" / "canny.yaml"
    assert [node.step.name for node in find_document("./canny.yaml").nodes] == ["abs"]
    assert [node.step.name for node in find_document("canny.yaml").nodes] == ["abs"]


def test_what_nothing_else_means_may_be_a_file_without_a_suffix(own):
    (own.parent / "work" / "steps").write_text("steps: [abs]")
    assert find_document("steps").file.name == "steps"


def test_constants_may_follow_a_name_or_a_file(own):
    (own / "soft.yaml").write_text("constants: {sigma: 1}\nsteps: [{filter: gaussian:sigma=$sigma}]")
    for text in ("soft:sigma=3", f"{own / 'soft.yaml'}:sigma=3"):
        assert find_document(text).nodes[0].step.kernel == "gaussian:sigma=3"
    assert find_document("soft:sigma=3", {"sigma": "4"}).nodes[0].step.kernel == "gaussian:sigma=4"
    assert find_document("Guided-Filter").name == "guided_filter"


def test_a_single_step_or_kernel_is_a_pipeline_too():
    assert [node.step.name for node in find_document("median:size=5").nodes] == ["median"]
    assert find_document("gaussian:sigma=2").nodes[0].step.kernel == "gaussian:sigma=2"
    assert find_document("1/9 1/9").nodes[0].step.kernel == "1/9 1/9"


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(UnknownPipelineError, match="unknown pipeline 'cany'; did you mean 'canny'") as error:
        find_document("cany")
    assert error.value.name == "cany"


def test_a_description_needs_no_constants():
    head, document = find_described("blend")
    assert head.constants == {"other": None, "mask": None}
    assert document.constants == {}
    assert find_described("blend:other=a.png")[1].constants["other"].endswith("a.png")
    assert find_described("gray | sobel")[0].constants == {}


@pytest.mark.parametrize("name", pipeline_names())
def test_what_is_exported_is_the_same_pipeline_elsewhere(name, tmp_path):
    constants = {key: key for key, value in find_described(name)[0].constants.items() if value is None}
    path = tmp_path / f"{name}.yaml"
    path.write_text(pipeline_text(name))
    exported, shipped = find_document(str(path), constants), find_document(name, constants)
    for one, other in zip(exported.nodes, shipped.nodes, strict=True):
        assert (one.id, one.sources) == (other.id, other.sources)
        # What the catalogue holds beside its documents, and what a user has to name, is named by another path.
        named = {"weights": getattr(other.step, "weights", None), "file": getattr(other.step, "file", None)}
        kept = {key: value for key, value in named.items() if value is not None}
        assert msgspec.structs.replace(one.step, **kept) == other.step
        if isinstance(named["weights"], str):
            assert one.step.weights == str(pipelines_folder() / named["weights"])


def test_a_line_is_exported_as_a_document():
    line = "gray | box:size=5,padding=wrap | 1/2 0 -1/2 | threshold:at=40"
    document, exported = find_document(line), parse_document(pipeline_text(line))
    assert [node.step for node in exported.nodes] == [node.step for node in document.nodes]
    assert exported.name == document.name == "gray_box_custom_threshold"


def test_a_file_that_is_no_pipeline_is_not_exported(tmp_path):
    shutil.copy(ROOT / "kernels" / "box.yaml", tmp_path / "box.yaml")
    with pytest.raises(DocumentError, match="family"):
        pipeline_text(str(tmp_path / "box.yaml"))
