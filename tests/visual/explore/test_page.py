"""The page's arithmetic held against convcli's: its scripts in node, and the page itself in Chromium."""

import json
import random
import re
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import NODE, browser, needs_node
from commandline import done, refused

from convcli.convolution.convolve import convolve
from convcli.convolution.options import EXTENTS
from convcli.convolution.padding import PADDINGS
from convcli.image.model import Image
from convcli.image.reading import read_image
from convcli.kernel.catalogue import catalogue_names
from convcli.kernel.files.yaml_notation import read
from convcli.kernel.formulas import FAMILIES
from convcli.kernel.model import shaped
from convcli.kernel.parameters import KernelSize, OneOfWords, RealNumber, WholeNumber, YesOrNo
from convcli.kernel.products import Products
from convcli.kernel.spec import load_kernel
from convcli.visual.explore.formula_script import formulas_script, script_text
from convcli.visual.explore.page import MOST_PIXELS, explore_page, picture_for_page

READY = """new Promise((done) => {
  const look = () => document.documentElement.dataset.ready === "yes" ? done() : setTimeout(look, 5);
  look();
})"""
PROBLEM = "document.getElementById('problem').textContent"
COMMAND = "document.getElementById('command').value"
KERNEL_FILE = "document.getElementById('yaml').value"


def in_node(script, data):
    """What a script, which has the page's arithmetic and `DATA`, prints as JSON."""
    formulas, _ = formulas_script(FAMILIES.values())
    parts = [script_text("arrays.js"), script_text("engine.js"), formulas, f"const DATA = {json.dumps(data)};", script]
    result = subprocess.run([NODE, "-"], input="\n".join(parts), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def drawn(parameter, source):
    """A random value of a parameter."""
    match parameter.kind:
        case RealNumber(above=above, at_least=at_least, below=below):
            low = at_least if at_least is not None else above if above is not None else -100.0
            return round(low + source.uniform(0.1, 6.0 if below is None else 0.99 * (below - low)), 3)
        case WholeNumber(least=least, most=most):
            return source.randint(least, min(most, 12))
        case YesOrNo():
            return source.random() < 0.5
        case OneOfWords(choices=choices):
            return source.choice(choices)
        case KernelSize(odd=odd):
            height = source.randrange(1, 20) | odd
            return (height, height if source.random() < 0.5 else source.randrange(1, 20) | odd)
    return pytest.fail(f"no value of {parameter.kind}")


def test_every_family_of_the_catalogue_is_translated():
    assert formulas_script(FAMILIES.values())[1] == list(FAMILIES)


def test_a_formula_that_goes_beyond_is_left_out():
    class Strange:
        name = "strange"

        @staticmethod
        def compute(size):
            return np.linalg.svd(size)

    assert formulas_script([Strange, FAMILIES["box"]])[1] == ["box"]


@needs_node
def test_the_page_computes_the_weights_of_every_family_as_convcli_does():
    source = random.Random(7)
    cases = []
    for family in FAMILIES.values():
        for _ in range(20):
            given = {p.name: None if p.auto and source.random() < 0.5 else drawn(p, source) for p in family.parameters}
            cases.append((family.name, given))
    found = in_node(
        """const out = DATA.map(([name, given]) => {
          let made;
          try { made = FORMULAS[name](given); } catch (error) { return [[0, 0], error.message]; }
          return [made.shape, Array.from(made.data)];
        });
        console.log(JSON.stringify(out));""",
        cases,
    )
    compared = set()
    for (name, given), (shape, values) in zip(cases, found, strict=True):
        if shape == [0, 0]:  # parameters that do not go together
            with pytest.raises(ValueError, match=f"^{re.escape(values)}$"):
                FAMILIES[name].build(given)
            continue
        made = FAMILIES[name].build(given)
        compared.add(name)
        expected = made.array() if isinstance(made, Products) else made
        assert tuple(shape) == expected.shape, (name, given)
        # Differences of numbers about 1, all but equal, are known to the last digits of these.
        reach = 1e-12 * np.abs(expected).max() + 1e-15
        np.testing.assert_allclose(np.array(values), expected.ravel(), rtol=0, atol=reach, err_msg=f"{name} {given}")
    assert compared == set(FAMILIES)


@needs_node
def test_the_page_responds_as_convolve_does_to_random_kernels():
    random_numbers = np.random.default_rng(11)
    cases, expected = [], []
    for number in range(120):
        height, width = random_numbers.integers(1, 24, 2)
        rows, columns = random_numbers.integers(1, 8, 2)
        weights = random_numbers.normal(size=(rows, columns))
        if number % 3 == 0:  # those that are computed as passes along the axes
            weights = np.outer(random_numbers.normal(size=rows), random_numbers.normal(size=columns))
        image = random_numbers.integers(0, 256, (height, width), dtype=np.uint8)
        options = {
            "padding": str(random_numbers.choice([mode.name for mode in PADDINGS if not mode.missing])),
            "extent": str(random_numbers.choice(EXTENTS)),
            "flip": bool(random_numbers.integers(2)),
            "stride": random_numbers.integers(1, 4, 2).tolist(),
            "dilation": random_numbers.integers(1, 4, 2).tolist(),
        }
        spans = [d * (k - 1) + 1 for d, k in zip(options["dilation"], (rows, columns), strict=True)]
        if options["extent"] == "valid" and (spans[0] > height or spans[1] > width):
            options["extent"] = "same"
        value = 37.0 if options["padding"] == "constant" else 0.0
        anchor = [int(random_numbers.integers(0, n)) for n in (rows, columns)]
        cases.append(
            {
                "image": {"height": int(height), "width": int(width), "samples": image.ravel().tolist()},
                "kernel": {
                    "rows": int(rows),
                    "columns": int(columns),
                    "weights": weights.ravel().tolist(),
                    "anchor": anchor,
                },
                "options": {**options, "value": value},
            }
        )
        given = {**options, "stride": tuple(options["stride"]), "dilation": tuple(options["dilation"])}
        expected.append(
            convolve(image, weights, anchor=tuple(anchor), padding_value=value, precision="double", **given)
        )
    found = in_node(
        """console.log(JSON.stringify(DATA.map(({image, kernel, options}) => {
          const laid = {...image, planes: [Float32Array.from(image.samples)]};
          const made = new Response(laid, [kernel], null, options).whole();
          return [made.height, made.width, Array.from(made.planes[0])];
        })));""",
        cases,
    )
    for case, (height, width, values), response in zip(cases, found, expected, strict=True):
        assert (height, width) == response.shape, case
        reach = 255 * np.abs(case["kernel"]["weights"]).sum()
        np.testing.assert_allclose(np.array(values), response.ravel(), rtol=0, atol=1e-6 * reach + 1e-5)


@needs_node
@pytest.mark.parametrize("name", ["sobel", "kirsch", "robinson"])
def test_the_page_combines_kernels_as_convolve_does(name):
    kernel = load_kernel(name)
    image = np.random.default_rng(2).integers(0, 256, (17, 23), dtype=np.uint8)
    parts = [
        {"rows": p.size[0], "columns": p.size[1], "weights": p.weights.ravel().tolist(), "anchor": p.origin}
        for p in kernel.kernels
    ]
    found = in_node(
        """const options = {padding: "reflect101", value: 0, extent: "same", flip: false,
          stride: [1, 1], dilation: [1, 1]};
        const image = {height: 17, width: 23, planes: [Float32Array.from(DATA.image)]};
        const made = new Response(image, DATA.parts, DATA.combine, options).whole();
        console.log(JSON.stringify(Array.from(made.planes[0])));""",
        {"image": image.ravel().tolist(), "parts": parts, "combine": kernel.combine},
    )
    np.testing.assert_allclose(
        np.array(found), convolve(image, kernel, precision="double").ravel(), rtol=1e-6, atol=1e-4
    )


@needs_node
def test_the_page_normalises_and_turns_as_convcli_does():
    weights = np.random.default_rng(3).normal(size=(3, 3))
    cases = [(how, degrees) for how in ("none", "sum", "abssum", "posneg") for degrees in range(0, 360, 45)]
    found = in_node(
        """const kernel = {rows: 3, columns: 3, weights: Float64Array.from(DATA.weights), anchor: [0, 2], stated: true};
        console.log(JSON.stringify(DATA.cases.map(([how, degrees]) => {
          const made = turned(normalized(kernel, how), degrees);
          return [Array.from(made.weights), made.anchor];
        })));""",
        {"weights": weights.ravel().tolist(), "cases": cases},
    )
    from convcli.kernel.model import Kernel

    for (how, degrees), (values, anchor) in zip(cases, found, strict=True):
        expected = shaped(Kernel("it", weights, anchor=(0, 2)), "it", how, degrees)
        np.testing.assert_allclose(np.array(values).reshape(3, 3), expected.weights, rtol=1e-12)
        assert tuple(anchor) == expected.origin


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of a small picture, open in Chromium."""
    folder = tmp_path_factory.mktemp("explore")
    picture = np.random.default_rng(5).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "it.png"), picture)
    done("explore", folder / "it.png")
    with browser(folder / "profile") as opened:
        opened.file = folder / "it.png"
        opened.open(folder / "it_explore.html")
        opened.run(READY)
        yield opened


def choose(page, control, value):
    page.run(
        f"(() => {{ const it = document.getElementById({json.dumps(control)}); it.value = {json.dumps(str(value))};"
        "it.dispatchEvent(new Event('input')); })()"
    )
    page.run(READY)


def seen(page):
    """The picture on the page, RGB."""
    data = page.run("({w: state.shown.pixels.width, d: Array.from(state.shown.pixels.data)})")
    return np.array(data["d"], np.uint8).reshape(-1, data["w"], 4)[:, :, :3]


@pytest.mark.parametrize("name", catalogue_names())
def test_every_kernel_of_the_catalogue_makes_the_picture_that_its_command_makes(page, name, tmp_path):
    choose(page, "name", name)
    assert page.run(PROBLEM) == ""
    words = page.run(COMMAND).split()
    assert words == ["convcli", "filter", str(page.file), "-k", name]
    done(*words[1:], "-o", tmp_path / "out.png")
    assert np.abs(seen(page).astype(int) - read_image(tmp_path / "out.png").pixels).max() <= 1


def test_a_slider_changes_picture_command_and_kernel_file(page, tmp_path):
    choose(page, "name", "gaussian")
    choose(page, "slider-sigma", 2.5)
    choose(page, "padding", "wrap")
    command = page.run(COMMAND)
    assert command.endswith("-k gaussian:sigma=2.5 --padding wrap")
    done(*command.split()[1:], "-o", tmp_path / "out.png")
    assert np.abs(seen(page).astype(int) - read_image(tmp_path / "out.png").pixels).max() <= 1
    (tmp_path / "k.yaml").write_text(page.run(KERNEL_FILE))
    np.testing.assert_array_equal(
        load_kernel(str(tmp_path / "k.yaml")).weights, load_kernel("gaussian:sigma=2.5").weights
    )
    choose(page, "padding", "reflect101")


def test_a_weight_that_is_edited_is_in_the_command_and_in_the_file(page, tmp_path):
    choose(page, "name", "sobel_x")
    page.run(
        "(() => { const it = document.querySelectorAll('#grid input')[4]; it.value = '1/4';"
        "it.dispatchEvent(new Event('input')); })()"
    )
    page.run(READY)
    command = page.run(COMMAND)
    assert command.endswith("-k '-1 0 1; -2 0.25 2; -1 0 1'")
    (tmp_path / "k.yaml").write_text(page.run(KERNEL_FILE))
    assert read((tmp_path / "k.yaml").read_bytes(), "k.yaml").weights == [[-1, 0, 1], [-2, 0.25, 2], [-1, 0, 1]]


def test_a_value_that_no_kernel_takes_is_said_and_mended(page):
    choose(page, "name", "sobel_x")
    choose(page, "stride", "0")
    assert page.run(PROBLEM).startswith("stride: must be a whole number")
    choose(page, "stride", "1")
    assert page.run(PROBLEM) == ""


def test_the_page_has_no_errors_and_asks_the_network_for_nothing(page):
    page.run(READY)
    assert page.errors == []
    assert {address.partition(":")[0] for address in page.requests} <= {"file", "data"}
    assert [address for address in page.requests if address.startswith("file:")] == [
        Path(page.file).with_name("it_explore.html").as_uri()
    ]


@pytest.mark.parametrize(("width", "dark"), [(400, False), (1000, True), (1600, False)])
def test_nothing_of_the_page_lies_beyond_its_edge(page, width, dark):
    page.open(page.file.with_name("it_explore.html"), width=width, dark=dark)
    page.run(READY)
    assert page.run("document.documentElement.scrollWidth") <= width
    labelled = (
        "Array.from(document.querySelectorAll('input, select, textarea')).every((e) => e.labels.length || e.ariaLabel)"
    )
    assert page.run(labelled)


def test_a_large_image_is_reduced_and_the_page_says_so():
    picture, notes = picture_for_page(Image(np.zeros((2000, 3000, 4), np.uint8), alpha=True))
    assert picture.shape[0] * picture.shape[1] <= MOST_PIXELS
    assert notes == ["opacity is left out", f"3000 x 2000 was reduced to {picture.shape[1]} x {picture.shape[0]}"]


def test_a_page_starts_with_the_kernel_it_was_given():
    picture, notes = picture_for_page(None)
    page = explore_page("a<b>.png", picture, notes, "gabor:theta=45")
    assert "Explore kernels on a&lt;b&gt;.png" in page
    assert '"chosen": "gabor"' in page
    assert '"chosen": "1 2 1"' in explore_page("a.png", picture, notes, "1 2 1")


def test_a_page_that_exists_is_kept(tmp_path):
    (tmp_path / "explore.html").write_text("mine")
    assert "exists" in refused("explore", "-o", tmp_path / "explore.html")
    done("explore", "-o", tmp_path / "explore.html", "-f", "-k", "unsharp")
    assert (tmp_path / "explore.html").read_text().startswith("<!DOCTYPE html>")


def test_a_kernel_that_is_too_large_for_a_page_is_refused(tmp_path):
    told = refused("explore", "-k", "gaussian:sigma=100", "-o", tmp_path / "x.html")
    assert told == "gaussian:sigma=100: is 801x801: a page holds kernels of up to 301"


def test_a_page_without_opacity_has_a_command_that_drops_it(tmp_path):
    pixels = np.random.default_rng(6).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    assert done("explore", tmp_path / "a.png", "-k", "box").lines[0].endswith("a.png: opacity is left out")
    with browser(tmp_path / "profile") as page:
        page.open(tmp_path / "a_explore.html")
        page.run(READY)
        command = page.run(COMMAND).split()
        assert command[-2:] == ["--alpha", "drop"]
        done(*command[1:], "-o", tmp_path / "out.png")
        assert np.abs(seen(page).astype(int) - read_image(tmp_path / "out.png").pixels).max() <= 1
