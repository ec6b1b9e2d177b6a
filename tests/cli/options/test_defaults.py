"""Defaults that files set: which files, which options, what goes before what, and what is said."""

import json

import cv2
import numpy as np
import pytest
import typer
from commandline import done, refused

from convcli.cli.advice.commands import commands_of
from convcli.cli.app import app
from convcli.cli.options.defaults import COMMANDS, SETTABLE
from convcli.system.user_folders import settings_files


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder two deep to work in, with a picture, and a configuration folder of its own."""
    folder = tmp_path / "project" / "sub"
    folder.mkdir(parents=True)
    (tmp_path / "config" / "convcli").mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("CONVCLI_CONFIG", raising=False)
    monkeypatch.chdir(folder)
    cv2.imwrite("a.png", np.random.default_rng(0).integers(0, 256, (12, 16), np.uint8))
    return tmp_path


def write(path, text):
    path.write_text(text)
    return str(path)


def held():
    """What `convcli config` shows as set: option, of a command where it is for one, to value and file."""
    records = json.loads(done("config", "--json").output)
    return {
        ".".join(filter(None, (each["command"], each["option"]))): (each["value"], each["file"])
        for each in records
        if each["file"] is not None
    }


def test_without_files_nothing_is_set_or_said(place):
    assert settings_files() == []
    assert held() == {}
    (line,) = done("filter", "a.png", "-k", "box", "--dry-run").lines
    assert line.startswith("would write")


def test_the_nearest_folder_counts_and_then_the_users_own_option_by_option(place):
    own = write(place / "config" / "convcli" / "config.toml", 'padding = "wrap"\nthreads = 3\n')
    assert held() == {"padding": ("wrap", own), "threads": (3, own)}
    outer = write(place / "project" / "convcli.toml", 'padding = "replicate"\nsigned = "offset"\n')
    assert held() == {"padding": ("replicate", outer), "signed": ("offset", outer), "threads": (3, own)}
    inner = write(place / "project" / "sub" / "pyproject.toml", '[tool.convcli]\npadding = "reflect"\n')
    assert held() == {"padding": ("reflect", inner), "threads": (3, own)}
    nearest = write(place / "project" / "sub" / "convcli.toml", '[filter]\npadding = "constant"\n')
    assert held() == {"filter.padding": ("constant", nearest), "padding": ("wrap", own), "threads": (3, own)}


def test_a_pyproject_of_others_is_passed_over(place):
    outer = write(place / "project" / "convcli.toml", "threads = 2\n")
    for text in (
        "[tool.ruff]\nline-length = 3\n",
        "not = [TOML, convcli",
        'name = "convcli"\n',
        "[tool]\nconvcli_ = 1\n",
    ):
        write(place / "project" / "sub" / "pyproject.toml", text)
        assert held() == {"threads": (2, outer)}


def test_the_environment_names_a_file_or_none(place, monkeypatch):
    write(place / "project" / "convcli.toml", "threads = 2\n")
    other = write(place / "other.toml", "threads = 5\n")
    monkeypatch.setenv("CONVCLI_CONFIG", other)
    assert held() == {"threads": (5, other)}
    monkeypatch.setenv("CONVCLI_CONFIG", "none")
    assert held() == {}
    monkeypatch.setenv("CONVCLI_CONFIG", str(place / "missing.toml"))
    assert refused("config") == f"{place / 'missing.toml'}: cannot be read: No such file or directory"


def test_what_a_file_sets_is_done_and_said_and_what_is_typed_goes_before_it(place):
    file = write(place / "project" / "convcli.toml", 'padding = "wrap"\nthreads = 2\n[run]\nthreads = 1\n')
    pixels = cv2.imread("a.png", cv2.IMREAD_UNCHANGED)
    outcome = done("filter", "a.png", "-k", "1 1 1", "--signed", "clip", "-o", "wrap.png")
    assert outcome.lines[0] == f"convcli: note: {file} sets padding = wrap, threads = 2"
    expected = sum(np.roll(pixels.astype(int), shift, axis=1) for shift in (-1, 0, 1)).clip(0, 255)
    np.testing.assert_array_equal(cv2.imread("wrap.png", cv2.IMREAD_UNCHANGED), expected)
    outcome = done("filter", "a.png", "-k", "1 1 1", "--padding", "replicate", "-o", "edge.png")
    assert outcome.lines[0] == f"convcli: note: {file} sets threads = 2"
    padded = np.pad(pixels.astype(int), ((0, 0), (1, 1)), mode="edge")
    expected = (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]).clip(0, 255)
    np.testing.assert_array_equal(cv2.imread("edge.png", cv2.IMREAD_UNCHANGED), expected)
    outcome = done("run", "gray | box", "a.png", "-o", "run.png")
    assert outcome.lines[0] == f"convcli: note: {file} sets threads = 1"
    assert done("filter", "a.png", "-k", "box", "-o", "quiet.png", "-q").lines == []


def test_the_users_own_file_is_no_news(place):
    write(place / "config" / "convcli" / "config.toml", 'signed = "stretch"\n')
    (line,) = done("filter", "a.png", "-k", "box", "--dry-run").lines
    assert line.endswith("mapping stretch")


def test_an_option_that_belongs_to_another_goes_with_it(place):
    write(place / "config" / "convcli" / "config.toml", 'padding = "constant"\npadding-value = [9]\nverbose = true\n')
    done("filter", "a.png", "-k", "1 1 1", "--padding", "wrap", "-o", "b.png")
    done("filter", "a.png", "-k", "1 1 1", "-q", "-o", "c.png")
    pixels = np.pad(cv2.imread("a.png", cv2.IMREAD_UNCHANGED).astype(int), ((0, 0), (1, 1)), constant_values=9)
    expected = (pixels[:, :-2] + pixels[:, 1:-1] + pixels[:, 2:]).clip(0, 255)
    np.testing.assert_array_equal(cv2.imread("c.png", cv2.IMREAD_UNCHANGED), expected)


def test_a_batch_of_a_pipeline_leaves_out_what_its_steps_say(place):
    write(place / "config" / "convcli" / "config.toml", 'padding = "wrap"\nprecision = "double"\njobs = 1\n')
    done("batch", "a.png", "--pipeline", "gray | box", "-o", "out")
    assert cv2.imread("out/a.png", cv2.IMREAD_UNCHANGED).shape == (12, 16)


@pytest.mark.parametrize("option", SETTABLE)
def test_every_settable_option_is_one_of_a_command(option):
    commands = commands_of(typer.main.get_command(app))
    known = {name for command in COMMANDS for each in commands[f"convcli {command}"].params for name in each.opts}
    assert f"--{option}" in known


@pytest.mark.parametrize(
    "option", ["output", "force", "existing", "kernel", "report", "save-steps", "quiet", "json", "files-from", "name"]
)
def test_a_file_sets_nothing_that_names_replaces_or_hides(option, place):
    file = write(place / "project" / "convcli.toml", f'{option} = "x"\n')
    message = refused("filter", "a.png", "-k", "box")
    assert message.startswith(f"{file}: {option}: is no option that a file may set")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('paddin = "wrap"', "paddin: is no option that a file may set; did you mean 'padding'?"),
        ('padding = "wrp"', "padding: unknown padding 'wrp'"),
        ("padding = 3", "padding: must be a word, not 3"),
        ('padding-value = "x"', "padding-value: must be a number, or one per channel, not 'x'"),
        ("threads = 0", "threads: must be a whole number from 1 to 1048576, not 0"),
        ("threads = true", "threads: must be a whole number from 1 to 1048576, not True"),
        ("quality = 101", "quality: must be a whole number from 1 to 100, not 101"),
        ('linear = "yes"', "linear: must be true or false, not 'yes'"),
        ('backend = "fast"', "backend: unknown backend 'fast'"),
        ('[filter]\nsigned = "no"', "filter.signed: unknown signed 'no'"),
        ("[compare]\nthreads = 3", "compare: is no option that a file may set"),
        ("padding = ", "is not TOML"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(text, message, place):
    file = write(place / "project" / "convcli.toml", text)
    assert refused("filter", "a.png", "-k", "box").startswith(f"{file}: {message}")
    assert refused("config").startswith(f"{file}: {message}")


def test_commands_that_write_no_images_take_no_notice(place):
    write(place / "project" / "convcli.toml", 'padding = "wrap"\noutput = "x"\n')
    done("kernels", "show", "box")


def test_the_table_names_every_option(place):
    write(place / "project" / "convcli.toml", "linear = true\n")
    text = done("config").output.decode()
    assert all(option in text for option in SETTABLE)
    assert "true" in text
