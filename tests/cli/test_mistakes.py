"""What is said of mistakes that people make: the whole message, and the exit status.

`REFUSED` are wrong usage, status 2; `FAILED` are images that could not be read, status 1; `UNDERSTOOD` are forms of
other tools that work.
"""

import io
import shlex
import subprocess
import sys

import cv2
import numpy as np
import pytest
import typer
from commandline import done, refused, run

from convcli.cli.advice.commands import commands_of, options
from convcli.cli.app import app
from convcli.cli.messages import say
from convcli.convolution.options import PADDING_MODES
from convcli.errors import closest
from convcli.kernel.catalogue import catalogue_names
from convcli.kernel.formulas import FAMILIES
from convcli.kernel.spec import load_kernel
from convcli.pipeline.steps.registry import STEPS

FILTER_OPTIONS = options(commands_of(typer.main.get_command(app))["convcli filter"])
PIPELINE = "steps:\n  - filter: sobel_x\n"


@pytest.fixture(autouse=True)
def room(tmp_path, monkeypatch):
    """A folder with what the lines name: pictures, a pipeline, a kernel, text."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONVCLI_KERNELS", raising=False)
    picture = np.arange(8 * 9 * 3, dtype=np.uint8).reshape(8, 9, 3)
    (tmp_path / "folder").mkdir()
    for name in ("photo.png", "scan.jpg", "folder/a.png"):
        assert cv2.imwrite(name, picture)
    assert cv2.imwrite("deep.png", picture.astype(np.uint16) * 257)
    (tmp_path / "canny.yaml").write_text(PIPELINE)
    (tmp_path / "mine.yaml").write_text("weights: [[1, 2, 1]]\n")
    (tmp_path / "README.md").write_text("hello\n")
    (tmp_path / "he.yaml").write_text("steps:\n  - conv: {out: 4, kernel: 3, weights: he}\n")
    (tmp_path / "pickled.yaml").write_text('steps:\n  - conv: {out: 4, kernel: 3, weights: "w.pt:w"}\n')
    (tmp_path / "depthwise.yaml").write_text("steps:\n  - depthwise_conv: {kernel: 3}\n")
    (tmp_path / "steps.yaml").write_text("steps:\n  - sobel\n")
    return tmp_path


REFUSED = [
    (
        "filter photo.png -k gaussian --sigma 2",
        "no such option: --sigma; a kernel's parameters belong to it: -k gaussian:sigma=2",
    ),
    (
        "filter photo.png -k gaussian:size=5 --sigma 2",
        "no such option: --sigma; a kernel's parameters belong to it: -k gaussian:size=5,sigma=2",
    ),
    (
        "filter photo.png -k gabor --theta=45",
        "no such option: --theta; a kernel's parameters belong to it: -k gabor:theta=45",
    ),
    (
        "filter photo.png -k sobel --theta 45",
        "no such option: --theta; a kernel's parameters belong to it: -k gabor:theta=45; sobel has no theta",
    ),
    (
        "filter photo.png -k gabor --lambda 8",
        "no such option: --lambda; a kernel's parameters belong to it: -k gabor:wavelength=8",
    ),
    ("filter photo.png -k box --ksize 5", "no such option: --ksize; a kernel's parameters belong to it: -k box:size=5"),
    (
        "filter photo.png -k box --normalize l1",
        "--normalize l1: write --normalize abssum",
    ),
    (
        "filter photo.png -k sobel --grayscale",
        "no such option: --grayscale; did you mean '--gray'? (see convcli filter --help)",
    ),
    (
        "filter photo.png -k sobel --greyscale",
        "no such option: --greyscale; did you mean '--gray'? (see convcli filter --help)",
    ),
    (
        "filter photo.png -k sobel --include '*.png'",
        "no such option: --include; it is an option of convcli batch",
    ),
    ("filter photo.png sobel", "missing option '--kernel' / '-k'; did you mean -k sobel?"),
    ("filter photo.png gaussian:sigma=2", "missing option '--kernel' / '-k'; did you mean -k gaussian:sigma=2?"),
    (
        'filter photo.png "0 -1 0; -1 5 -1; 0 -1 0"',
        "missing option '--kernel' / '-k'; did you mean -k '0 -1 0; -1 5 -1; 0 -1 0'?",
    ),
    ("filter photo.png", "missing option '--kernel' / '-k', such as -k sobel_x; `convcli kernels list` shows them all"),
    (
        "compare photo.png",
        "missing option '--kernel' / '-k', such as -k sobel_x; `convcli kernels list` shows them all",
    ),
    ('filter photo.png -k "gaussian sigma=2"', "unknown kernel 'gaussian sigma=2': write gaussian:sigma=2"),
    ('filter photo.png -k "gaussian(sigma=2)"', "unknown kernel 'gaussian(sigma=2)': write gaussian:sigma=2"),
    ('filter photo.png -k "gaussian(2)"', "unknown kernel 'gaussian(2)': write gaussian:sigma=2"),
    (
        'filter photo.png -k "gaussian[sigma=2, size=5]"',
        "unknown kernel 'gaussian[sigma=2, size=5]': write gaussian:sigma=2,size=5",
    ),
    ("filter photo.png -k gaussian,sigma=2", "unknown kernel 'gaussian,sigma=2': write gaussian:sigma=2"),
    ("filter photo.png -k gaussian=2", "unknown kernel 'gaussian=2': write gaussian:sigma=2"),
    ('filter photo.png -k "gaussian --sigma 2"', "unknown kernel 'gaussian --sigma 2': write gaussian:sigma=2"),
    ("filter photo.png -k gaussian:2", "unknown kernel 'gaussian:2': write gaussian:sigma=2"),
    ("filter photo.png -k gaussian:5x5", "unknown kernel 'gaussian:5x5': write gaussian:size=5x5"),
    ("filter photo.png -k gaussian5x5", "unknown kernel 'gaussian5x5': write gaussian:size=5x5"),
    (
        "filter photo.png -k gaussian:sigma",
        "unknown kernel 'gaussian:sigma': parameters are written gaussian:sigma=VALUE; gaussian takes "
        + ", ".join(parameter.name for parameter in FAMILIES["gaussian"].parameters),
    ),
    ("filter photo.png -k gaussian:", "unknown kernel 'gaussian:': write gaussian, or gaussian:sigma=VALUE"),
    ("filter photo.png -k sobel:2", "unknown kernel 'sobel:2': sobel has no parameters: write sobel"),
    (
        'filter photo.png -k "gaussian:sigma=2 size=5"',
        "gaussian:sigma=2 size=5: parameters are separated by commas: write gaussian:sigma=2,size=5",
    ),
    (
        'filter photo.png -k "gaussian:sigma=2;size=5"',
        "gaussian:sigma=2;size=5: parameters are separated by commas: write gaussian:sigma=2,size=5",
    ),
    (
        "filter photo.png -k gaussian:sigma=2:size=5",
        "gaussian:sigma=2:size=5: parameters are separated by commas: write gaussian:sigma=2,size=5",
    ),
    (
        "filter photo.png -k 0 -1 0 -1 5 -1 0 -1 0",
        "no such option: -1; weights are one word in quotes: -k '0 -1 0; -1 5 -1; 0 -1 0'",
    ),
    ("filter photo.png -k 1 -2 1", "no such option: -2; weights are one word in quotes: -k '1 -2 1'"),
    (
        "filter photo.png -k edge",
        "unknown kernel 'edge': edges are found by -k sobel, -k prewitt, -k scharr or -k laplacian",
    ),
    (
        "filter photo.png -k edges",
        "unknown kernel 'edges': edges are found by -k sobel, -k prewitt, -k scharr or -k laplacian",
    ),
    (
        "filter photo.png -k find-edges",
        "unknown kernel 'find-edges': edges are found by -k sobel, -k prewitt, -k scharr or -k laplacian",
    ),
    (
        "filter photo.png -k emboss3",
        "unknown kernel 'emboss3'; did you mean 'emboss'? `convcli kernels list` shows them all",
    ),
    (
        "filter photo.png -k lapalcian",
        "unknown kernel 'lapalcian'; did you mean 'laplacian'? `convcli kernels list` shows them all",
    ),
    (
        "filter photo.png -k gausian",
        "unknown kernel 'gausian'; did you mean 'gaussian'? `convcli kernels list` shows them all",
    ),
    ("filter photo.png -k hello", "unknown kernel 'hello'; `convcli kernels list` shows them all"),
    ("filter photo.png -k canny.yaml", "canny.yaml is a pipeline, not a kernel: convcli run canny.yaml photo.png"),
    ("filter photo.png -k grayscale", "unknown kernel 'grayscale': --gray filters one channel, the luma"),
    ("filter photo.png -kernel sobel", "unknown kernel 'ernel': write --kernel or -k"),
    ("filter photo.png -output x.png -k sobel", "-output: write --output, with two dashes"),
    ("run photo.png canny.yaml", "the pipeline comes first: convcli run canny.yaml photo.png"),
    ("run photo.png", "photo.png is an image, not a pipeline: convcli run PIPELINE photo.png"),
    ("run photo.png canny", "the pipeline comes first: convcli run canny photo.png"),
    ("run photo.png 'gray | sobel'", "the pipeline comes first: convcli run 'gray | sobel' photo.png"),
    ("run cany photo.png", "cany: no such pipeline file; did you mean canny.yaml?"),
    (
        "run retinx photo.png",
        "unknown pipeline 'retinx'; did you mean 'retinex'? `convcli pipelines list` shows them all",
    ),
    ("run zebra photo.png", "unknown pipeline 'zebra'; `convcli pipelines list` shows them all"),
    (
        "run canny photo.png --set lo=3",
        "canny: there is no constant called 'lo'; its constants are low, high",
    ),
    ("run canny photo.png --set low", "--set takes NAME=VALUE, such as --set low=20, not 'low'"),
    ("run canny photo.png --set low=many", "canny: low: must be a number, not 'many'"),
    ("run blend photo.png", "blend: needs other and mask: say --set other=VALUE --set mask=VALUE"),
    ("run 'gray | sobl' photo.png", "pipeline, step 2: no step or kernel is called 'sobl'; did you mean 'sobel'?"),
    ("run 'gray | | sobel' photo.png", "pipeline, step 2: is empty: steps stand between |, as in 'gray | sobel'"),
    ("filter photo.png -k canny", "unknown kernel 'canny': canny is a pipeline: convcli run canny photo.png"),
    (
        "filter photo.png -k 'gray | sobel'",
        "unknown kernel 'gray | sobel': gray | sobel is a pipeline in one line: convcli run 'gray | sobel' photo.png",
    ),
    (
        "batch folder -k canny -o out",
        "unknown kernel 'canny': canny is a pipeline: convcli batch folder --pipeline canny -o out",
    ),
    ("canny photo.png", "no such command 'canny'; canny is a pipeline: convcli run canny photo.png"),
    ("pipelines canny", "no such command 'canny'; did you mean convcli pipelines show canny?"),
    ("filter photo.png canny", "missing option '--kernel' / '-k'; canny is a pipeline: convcli run canny photo.png"),
    ("run canny.yml photo.png", "canny.yml: no such pipeline file; did you mean canny.yaml?"),
    ("run mine.yaml photo.png", "mine.yaml is a kernel, not a pipeline: convcli filter photo.png -k mine.yaml"),
    ("run canny.yaml README.md", "README.md: not an image: it is text, starting 'hello'"),
    (
        "run he.yaml photo.png -o he.npy",
        "he.yaml: steps[0].conv: weights: a random start is written weights: {init: he}, not he",
    ),
    (
        "run pickled.yaml photo.png -o he.npy",
        "pickled.yaml: steps[0].conv: weights: w.pt: holds pickled Python objects, which can run any code and "
        "are never loaded: save the weights by safetensors.torch.save_file",
    ),
    (
        "run depthwise.yaml photo.png",
        "depthwise.yaml: steps[0]: unknown step 'depthwise_conv'; write conv with groups: channels",
    ),
    ("run steps.yaml photo.png", "steps.yaml: steps[0]: unknown step 'sobel'; write filter: sobel"),
    ("run --step depthwise", "unknown step 'depthwise'; write conv with groups: channels"),
    ("run canny.yaml photo.png -k sobel", "no such option: -k; it is an option of convcli filter and convcli batch"),
    ("filter README.md -k sobel", "README.md: not an image: it is text, starting 'hello'"),
    ("kernels gaussian", "no such command 'gaussian'; did you mean convcli kernels show gaussian?"),
    (
        "kernels gaussian:sigma=2",
        "no such command 'gaussian:sigma=2'; did you mean convcli kernels show gaussian:sigma=2?",
    ),
    ("kernels lst", "no such command 'lst'; did you mean 'list'? (see convcli kernels --help)"),
    (
        "kernels list gaussian",
        "got unexpected extra argument(s) (gaussian); did you mean convcli kernels show gaussian?",
    ),
    (
        "kernels show gaussian sigma=2",
        "sigma=2 is no kernel; a kernel's parameters belong to it: gaussian:sigma=2",
    ),
    ("list", "no such command 'list'; did you mean convcli kernels list?"),
    ("version", "no such command 'version'; did you mean convcli --version?"),
    ("sobel photo.png", "no such command 'sobel'; sobel is a kernel: convcli filter photo.png -k sobel"),
    ("blur photo.png", "no such command 'blur'; blur is a kernel: convcli filter photo.png -k blur"),
    ("convert photo.png", "no such command 'convert'; did you mean convcli filter?"),
    ("benchmark photo.png", "no such command 'benchmark'; did you mean convcli compare?"),
    ("filtr photo.png", "no such command 'filtr'; did you mean 'filter'? (see convcli --help)"),
    ("frobnicate", "no such command 'frobnicate' (see convcli --help)"),
    ("photo.png -k sobel", "no such command 'photo.png'; to filter that file: convcli filter photo.png -k sobel"),
    (
        "folder -k sobel",
        "no such command 'folder'; to filter the images in that folder: convcli batch folder -k sobel -o out",
    ),
    ("canny.yaml photo.png", "no such command 'canny.yaml'; to run that pipeline: convcli run canny.yaml photo.png"),
    ("-k sobel photo.png", "no such option: -k; options follow a command: convcli filter -k sobel photo.png"),
    ("help filtr", "no such command 'filtr'; did you mean 'filter'? (see convcli --help)"),
    (
        "filter photo.png -k sobel --padding mirrored",
        f"unknown padding 'mirrored': expected {', '.join(PADDING_MODES)}; did you mean 'mirror'?",
    ),
    (
        "filter photo.png -k sobel --padding BORDER_REFLECT_101",
        "--padding BORDER_REFLECT_101: write --padding reflect101",
    ),
    (
        "filter photo.png -k sobel --padding zebra",
        f"unknown padding 'zebra': expected {', '.join(PADDING_MODES)}",
    ),
    ("filter photo.png -k sobel --wrap", "no such option: --wrap; write --padding wrap"),
    (
        "filter photo.png -k sobel --boundary wrap",
        "no such option: --boundary; did you mean '--padding'? (see convcli filter --help)",
    ),
    ("filter photo.png -k sobel --cval 3", "no such option: --cval; write --padding constant --padding-value 3"),
    ("filter photo.png -k sobel --valid", "no such option: --valid; write --extent valid"),
    ("filter photo.png -k sobel --fft", "no such option: --fft; write --backend fft"),
    ("filter photo.png -k sobel --backend cv2", "--backend cv2: write --backend opencv"),
    ("filter photo.png -k sobel --backend=cuda", "--backend cuda: write --backend torch --device cuda"),
    ("filter photo.png -k sobel --signed absolute", "--signed absolute: write --signed abs"),
    ("filter photo.png -k sobel --depth 16", "--depth 16: write --depth u16"),
    ("filter photo.png -k sobel --depth float32", "--depth float32: write --depth f32"),
    ("filter photo.png -k sobel --compression 9", "--compression 9: write --compression small"),
    ("filter photo.png -k sobel --existing replace", "--existing replace: write --existing overwrite"),
    ("filter photo.png -k sobel --precision float64", "--precision float64: write --precision double"),
    (
        "filter photo.png -k sobel --scale 1/0",
        "invalid value for '--scale': '1/0' divides by zero (see convcli filter --help)",
    ),
    (
        "filter photo.png -k sobel --scale big",
        "invalid value for '--scale': 'big' is not a number, nor a fraction such as 1/9 (see convcli filter --help)",
    ),
    (
        "filter photo.png -k sobel --stride 2:2",
        "--stride takes a whole number, or two as rows,columns, such as 2 or 2,3; not '2:2'",
    ),
    (
        "filter photo.png -k sobel --kernel-sizes 3",
        "no such option: --kernel-sizes; it is an option of convcli compare",
    ),
    ("filter photo.png -k sobel --recursive", "no such option: --recursive; it is an option of convcli batch"),
    ("filter photo.png -k sobel --step conv", "no such option: --step; it is an option of convcli run"),
    (
        "filter photo.png -k sobel --jobs 4",
        "no such option: --jobs; did you mean '--threads'? (see convcli filter --help)",
    ),
    (
        "filter photo.png -k sobel --overwrite",
        "no such option: --overwrite; did you mean '--force'? (see convcli filter --help)",
    ),
    ("filter photo.png -k sobel -y", "no such option: -y; did you mean '--force'? (see convcli filter --help)"),
    ("filter photo.png -k sobel -n", "no such option: -n; did you mean '--dry-run'? (see convcli filter --help)"),
    (
        "filter photo.png -k sobel --outdir x",
        "no such option: --outdir; did you mean '--output'? (see convcli filter --help)",
    ),
    (
        "filter photo.png -k sobel --out x.png",
        "no such option: --out; did you mean '--output'? (see convcli filter --help)",
    ),
    (
        "filter photo.png -k sobel --dtype u8",
        "no such option: --dtype; did you mean '--depth'? (see convcli filter --help)",
    ),
    ("filter photo.png -k sobel --float", "no such option: --float; write --depth f32"),
    (
        "filter photo.png -k sobel --delta 128",
        "no such option: --delta; did you mean '--bias'? (see convcli filter --help)",
    ),
    ("filter photo.png -k box --divisor 9", "no such option: --divisor; write --scale 1/9"),
    ("filter photo.png -k sobel --gpu", "no such option: --gpu; write --backend torch --device cuda"),
    (
        "filter photo.png -k sobel --padding_value 3",
        "no such option: --padding_value; did you mean '--padding-value'? (see convcli filter --help)",
    ),
    ("filter photo.png -k sobel --Gray", "no such option: --Gray; did you mean '--gray'? (see convcli filter --help)"),
    (
        "filter photo.png -k sobel --iterations 3",
        "no such option: --iterations; give -k again for each time that it is applied",
    ),
    (
        "filter --input photo.png -k sobel",
        "no such option: --input; images are named without an option: convcli filter photo.png -k sobel_x",
    ),
    ("filter photo.png --blur 3", "no such option: --blur; write -k gaussian:sigma=3"),
    ("filter photo.png -blur 0x2", "no such option: -blur; write -k gaussian:sigma=2"),
    ("filter photo.png -sharpen 0x1", "no such option: -sharpen; write -k sharpen"),
    (
        "filter photo.png -edge 1",
        "no such option: -edge; edges are found by -k sobel, -k prewitt, -k scharr or -k laplacian",
    ),
    (
        "filter photo.png -quality 90 -k sobel",
        "no such option: -quality; did you mean '--quality'? (see convcli filter --help)",
    ),
    (
        "filter photo.png -colorspace gray -k sobel",
        "no such option: -colorspace; --gray filters one channel; colours are not converted otherwise",
    ),
    ("filter photo.png -gaussian-blur 0x2", "no such option: -gaussian-blur; write -k gaussian:sigma=2"),
    ("filter photo.png --sobel", "no such option: --sobel; write -k sobel"),
    (
        "filter photo.png --kernal sobel",
        "no such option: --kernal; did you mean '--kernel'? (see convcli filter --help)",
    ),
    ("filter photo.png -k", "option '-k' requires an argument, such as -k sobel_x"),
    ("filter photo.png photo.png -k sobel", "photo.png is given twice: once is enough"),
    ("filter photo.png -k sobel -o x.pgn", "x.pgn: unknown suffix '.pgn'; did you mean '.png'?"),
    ("filter photo.png -k sobel -o x.jpgg", "x.jpgg: unknown suffix '.jpgg'; did you mean '.jpg'?"),
    (
        "compare photo.png -k sobel prewitt",
        "got unexpected extra argument(s) (prewitt); each kernel has its own -k: -k sobel -k prewitt",
    ),
    ("batch folder -k sobel", "missing option '--output' / '-o', such as -o out"),
    (
        "batch https://example.org/a.png -k sobel -o out",
        "https://example.org/a.png: URLs are not read: curl -LO https://example.org/a.png",
    ),
    ("batch folder --pipeline canny.yml -o out", "canny.yml: no such pipeline file; did you mean canny.yaml?"),
    ("explain gaussian", "gaussian is a kernel: convcli explain -k gaussian"),
    ("run -o x.png nope.yaml photo.png", "nope.yaml: no such pipeline file"),
    ("run steps.yaml -o x.png", "there is no image: name one, or say --input-size to check the document alone"),
    (
        "filter photo.png -k soble -o x.png --timing",
        "unknown kernel 'soble'; did you mean 'sobel'? `convcli kernels list` shows them all",
    ),
    ("kernels show -x", "no such option: -x (see convcli kernels show --help)"),
    ("tune photo.png", "got unexpected extra argument(s) (photo.png) (see convcli tune --help)"),
]

FAILED = [
    ("filter folder -k sobel", "folder: a folder, not an image: convcli batch folder -k sobel -o out"),
    (
        "filter folder -k gaussian:sigma=2 -k sobel -o edges",
        "folder: a folder, not an image: convcli batch folder -k gaussian:sigma=2 -k sobel -o edges",
    ),
    ("run canny.yaml folder", "folder: a folder, not an image: convcli batch folder --pipeline canny.yaml -o out"),
    (
        "filter https://example.org/a.png -k sobel",
        "https://example.org/a.png: URLs are not read: "
        "curl -L https://example.org/a.png | convcli filter - -k sobel -o a_sobel.png",
    ),
    (
        "run canny.yaml https://example.org/a.png",
        "https://example.org/a.png: URLs are not read: "
        "curl -L https://example.org/a.png | convcli run canny.yaml - -o a_canny.png",
    ),
    ("filter photo.pgn -k sobel", "photo.pgn: no such file; did you mean photo.png?"),
    ("filter scan.png -k sobel", "scan.png: no such file; did you mean scan.jpg?"),
    ("filter '*.gif' -k sobel", "*.gif: no file matches"),
    ("filter nothing.png -k sobel", "nothing.png: no such file; check the path"),
    ("filter '' -k sobel", "'': the name of an image is empty"),
]


# What other tools write, and what it is here: both make the same file.
UNDERSTOOD = [
    ("-k blur", "-k gaussian"),
    ("-k gauss:sigma=2", "-k gaussian:sigma=2"),
    ("-k SOBEL-X", "-k sobel_x"),
    ("-k sharpness", "-k sharpen"),
    ("-k mean", "-k box"),
    ("-k box --padding repeat", "-k box --padding wrap"),
    ("-k box --padding tile", "-k box --padding wrap"),
    ("-k box --padding grid-wrap", "-k box --padding wrap"),
    ("-k box --padding clamp", "-k box --padding replicate"),
    ("-k box --padding symm", "-k box --padding reflect"),
    ("-k box --scale 1/4", "-k box --scale 0.25"),
    ("-k box --stride 2x2", "-k box --stride 2"),
    ("-k box --stride 2,2", "-k box --stride 2"),
    ("-k box --dilation 2x1", "-k box --dilation 2,1"),
    ("-k box --anchor 1x2", "-k box --anchor 1,2"),
]


@pytest.mark.parametrize(("typed", "message"), REFUSED)
def test_wrong_usage_is_told_what_was_meant(typed, message):
    outcome = run(*shlex.split(typed))
    assert (outcome.lines, outcome.status) == ([f"convcli: error: {message}"], 2)


@pytest.mark.parametrize(("typed", "message"), FAILED)
def test_an_input_that_is_no_image_is_told_what_to_do_with_it(typed, message):
    outcome = run(*shlex.split(typed))
    assert (outcome.lines, outcome.status) == ([f"convcli: error: {message}"], 1)


@pytest.mark.parametrize(
    ("word", "step", "otherwise"),
    [
        ("median", "median", "there is no median filter; -k gaussian smooths, and so does -k box"),
        ("invert", "invert", "to invert an 8-bit image: -k identity --scale -1 --bias 255 (65535 for 16 bits)"),
        ("resize", "resize", "there is no resizing; --stride 2 keeps every second row and column"),
        ("bilateral", "bilateral", "there is no bilateral filter"),
        ("threshold", "threshold", None),
        ("max-pool", "max_pool", None),
    ],
)
def test_an_operation_that_is_no_kernel_is_said_to_be_a_step_where_there_is_one(word, step, otherwise):
    how = f"{step} is a step of pipelines: convcli run --step {step}" if step in STEPS else otherwise
    outcome = run("filter", "photo.png", "-k", word)
    assert (outcome.messages, outcome.status) == (f"convcli: error: unknown kernel '{word}': {how}\n", 2)
    option = run("filter", "photo.png", f"--{word}")
    assert (option.messages, option.status) == (f"convcli: error: no such option: --{word}; {how}\n", 2)


@pytest.mark.parametrize(
    ("family", "parameter"),
    [
        (family.name, parameter.name)
        for family in FAMILIES.values()
        for parameter in family.parameters
        if family.name in catalogue_names() and f"--{parameter.name}" not in FILTER_OPTIONS
        if parameter.name in load_kernel(family.name).parameters  # sobel has its parts' size, and not their axis
    ],
)
def test_a_parameter_typed_as_an_option_is_put_behind_its_kernel(family, parameter):
    assert refused("filter", "photo.png", "-k", family, f"--{parameter}", "7") == (
        f"no such option: --{parameter}; a kernel's parameters belong to it: -k {family}:{parameter}=7"
    )


@pytest.mark.parametrize(("typed", "usual"), UNDERSTOOD)
def test_the_forms_of_other_tools_are_understood(typed, usual, room):
    for name, words in (("typed.png", typed), ("usual.png", usual)):
        done("filter", "scan.jpg", *shlex.split(words), "-o", name, "--depth", "u16")
    assert (room / "typed.png").read_bytes() == (room / "usual.png").read_bytes()


@pytest.mark.parametrize(
    ("typed", "usual"),
    [
        ("help filter", "filter --help"),
        ("help kernels show", "kernels show --help"),
        ("kernels help show", "kernels show --help"),
        ("help", "--help"),
        ("-V", "--version"),
        ('kernels show "-1 0 1"', 'kernels show -- "-1 0 1"'),
        ("kernels show Sobel-X", "kernels show sobel_x"),
    ],
)
def test_commands_in_other_forms_print_the_same(typed, usual):
    assert done(*shlex.split(typed)).output == done(*shlex.split(usual)).output


def test_an_output_that_ends_in_a_slash_is_a_folder_and_is_made(room):
    done("filter", "photo.png", "-k", "box", "-o", "new/deep/", "--dry-run")
    assert not (room / "new").exists()
    done("filter", "photo.png", "scan.jpg", "-k", "box", "-o", "new/deep/")
    assert sorted(path.name for path in (room / "new/deep").iterdir()) == ["photo_box.png", "scan_box.jpg"]
    done("run", "canny.yaml", "photo.png", "-o", "maps/")
    assert [path.name for path in (room / "maps").iterdir()] == ["photo_canny.png"]


def test_a_file_is_not_made_a_folder():
    assert refused("filter", "photo.png", "-k", "box", "-o", "README.md/").startswith("README.md/photo_box.png: ")


def test_a_second_file_that_is_not_there_is_offered_as_the_output():
    outcome = run("filter", "photo.png", "new.png", "-k", "sobel")
    assert outcome.status == 1
    assert outcome.lines[-1] == (
        "convcli: error: new.png: no such file; to write to it: convcli filter photo.png -k sobel -o new.png"
    )


def test_a_parameter_after_a_blank_is_put_behind_its_kernel():
    outcome = run("filter", "photo.png", "-k", "gaussian", "sigma=2")
    assert outcome.status == 1
    assert outcome.lines[-1] == ("convcli: error: sigma=2: a kernel's parameters belong to it: -k gaussian:sigma=2")


def test_the_white_of_eight_bits_is_noted_on_wider_samples():
    note = "convcli: note: deep.png: --bias 255 is in the image's own units, in which 65535 is white"
    typed = ("-k", "identity", "--scale", "-1", "--bias", "255", "-o")
    assert done("filter", "deep.png", *typed, "a.png").lines[1] == note
    assert done("filter", "photo.png", *typed, "b.png").lines[1:] == []


def test_a_missing_folder_of_kernels_is_noted(monkeypatch):
    monkeypatch.setenv("CONVCLI_KERNELS", "/nope")
    outcome = done("filter", "photo.png", "-k", "sobel", "-o", "a.png")
    assert outcome.lines[0] == "convcli: note: $CONVCLI_KERNELS: there is no folder /nope"


def test_a_word_that_means_two_things_is_explained_with_v():
    words = ("filter", "photo.png", "-k", "box", "--padding", "reflect", "--dry-run")
    assert done(*words, "-v").lines[0] == (
        "convcli: note: --padding reflect repeats the outermost sample (c b a | a b c d), as OpenCV's and scipy's "
        "reflect do; numpy's and PyTorch's do not: reflect101"
    )
    assert "note" not in done(*words).messages


@pytest.mark.parametrize(
    ("typed", "choices"),
    [
        ("--include", ["--scale", "--linear"]),
        ("--invert", ["--linear"]),
        ("--resize", ["--precision", "--recursive"]),
        ("--mask", ["--bias", "--scale"]),
        ("--sigma", ["--signed"]),
        ("repeat", ["replicate"]),
        ("depthwise_conv", ["partial_conv", "gated_conv"]),
        ("nope", ["mine"]),
    ],
)
def test_what_is_not_near_is_no_suggestion(typed, choices):
    assert closest(typed, choices) is None


@pytest.mark.parametrize("line", ["convcli: error: no", "convcli: warning: no", "convcli: note: no"])
def test_messages_are_coloured_on_a_terminal_alone(line, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    def said(stream):
        monkeypatch.setattr(sys, "stderr", stream)
        say(line)
        return stream.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    head = line.removesuffix(" no")
    coloured = said(Terminal())
    assert coloured.startswith("\x1b[")
    assert coloured.endswith(f"m{head}\x1b[0m no\n")
    assert said(io.StringIO()) == f"{line}\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert said(Terminal()) == f"{line}\n"


def test_advice_is_loaded_only_where_something_is_wrong():
    code = (
        "import sys; from convcli.cli.app import run; "
        "status = run(['filter', 'photo.png', '-k', 'box', '-o', 'a.png']); "
        "print(status, sorted(name for name in sys.modules if 'advice' in name or 'synonyms' in name))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert told.stdout == "0 []\n"
