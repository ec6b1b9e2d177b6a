"""`convcli kernels fit`, through the whole command line."""

import json

import numpy as np
import pytest
from commandline import done, refused, run
from repository import PHOTO

from convcli import load_kernel, read_image, write_image


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to work in, with a part of a photograph: before.png."""
    monkeypatch.chdir(tmp_path)
    write_image("before.png", np.ascontiguousarray(read_image(PHOTO).pixels[100:220, 200:360]))
    return tmp_path


def fitted(*arguments):
    return json.loads(done("kernels", "fit", *arguments, "--json").output)


def test_the_kernel_of_a_filtered_photograph_is_found_and_filters_the_same(place):
    done("filter", "before.png", "-k", "unsharp:sigma=1,amount=1", "-o", "after.png")
    outcome = done("kernels", "fit", "before.png", "after.png", "--size", "9", "-o", "again.yaml")
    assert outcome.lines == ["wrote again.yaml"]
    kernel = load_kernel("again.yaml")
    truth = load_kernel("unsharp:sigma=1,amount=1").weights
    assert kernel.name == "again"
    assert kernel.summary == "Turns before.png into after.png."
    np.testing.assert_allclose(kernel.weights, truth, atol=2e-2)
    done("filter", "before.png", "-k", "again.yaml", "-o", "twice.png")
    twice, once = (read_image(name).pixels.astype(int) for name in ("twice.png", "after.png"))
    assert np.abs(twice - once)[4:-4, 4:-4].max() <= 1


def test_what_is_printed_tells_how_well_it_fits(place):
    done("filter", "before.png", "-k", "box", "-o", "after.png", "--gray", "--bias", "30")
    text = done("kernels", "fit", "before.png", "after.png", "--size", "3", "--bias").output.decode()
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("Turns before.png into after.png, with a bias of 30")
    facts = {
        line[:9].strip(): line[11:] for line in lines if line[:9].strip() in ("bias", "residual", "samples", "unknowns")
    }
    assert facts["bias"].endswith(", to be given as --bias")
    # 120 x 160 pixels, less a border of one.
    assert "556 at the border" in facts["samples"]
    assert facts["unknowns"] == "9, of which the images determine all"
    # Ninths are rounded by 0 to 4 of them, either way.
    assert facts["residual"].startswith(f"{np.sqrt(2 * (1 + 4 + 9 + 16) / 9) / 9:.2g}")


@pytest.mark.parametrize("depth", ["u8", "u16", "f32"])
def test_depths_of_before_and_after_need_not_be_one(place, depth):
    done("filter", "before.png", "-k", "binomial:size=3", "-o", "after.tif", "--depth", depth)
    found = fitted("before.png", "after.tif", "--size", "3")
    np.testing.assert_allclose(found["weights"], load_kernel("binomial:size=3").weights, atol=1e-3)
    assert found["residual"]["rms"] < {"u8": 0.3, "u16": 0.0013, "f32": 1e-5}[depth]


def test_json_tells_everything_in_numbers(place):
    done("filter", "before.png", "-k", "gaussian:sigma=1,size=5", "-o", "after.png")
    found = fitted("before.png", "after.png", "--size", "5", "--sum", "1", "--symmetric", "radial", "--bias")
    assert found["pairs"] == [["before.png", "after.png"]]
    assert (found["size"], found["anchor"], found["unknowns"], found["determined"]) == ([5, 5], [2, 2], 5, 5)
    assert found["sum"] == pytest.approx(1.0, abs=1e-12)
    assert sum(found["samples"].values()) == 120 * 160 * 3
    assert found["explained"] > 0.999
    assert found["warnings"] == []
    np.testing.assert_allclose(found["weights"], load_kernel("gaussian:sigma=1,size=5").weights, atol=2e-3)


def test_several_pairs_are_fitted_together(place):
    done("filter", "before.png", "-k", "sharpen", "-o", "one.png")
    write_image("turned.png", np.rot90(read_image("before.png").pixels).copy())
    done("filter", "turned.png", "-k", "sharpen", "-o", "two.png")
    arguments = ("before.png", "one.png", "turned.png", "two.png", "--size", "3x3")
    found = fitted(*arguments)
    np.testing.assert_allclose(found["weights"], load_kernel("sharpen").weights, atol=2e-2)
    assert sum(found["samples"].values()) == 2 * 120 * 160 * 3
    done("kernels", "fit", *arguments, "-o", "k.yaml")
    assert load_kernel("k.yaml").summary == "Turns before.png into one.png, and 1 more pair likewise."


def test_the_kernel_file_goes_to_standard_output_when_asked(place):
    done("filter", "before.png", "-k", "box", "-o", "after.png")
    outcome = done("kernels", "fit", "before.png", "after.png", "--size", "3", "-o", "-")
    assert outcome.messages == ""
    (place / "k.yaml").write_bytes(outcome.output)
    np.testing.assert_allclose(load_kernel("k.yaml").weights, 1 / 9, atol=2e-3)


def test_images_that_do_not_determine_it_give_a_warning_and_a_kernel(place):
    write_image("stripes.png", np.tile(np.random.default_rng(0).integers(50, 200, 80, np.uint8), (60, 1)))
    done("filter", "stripes.png", "-k", "box", "-o", "after.png")
    outcome = done("kernels", "fit", "stripes.png", "after.png", "--size", "3", "-o", "k.yaml")
    warning, wrote = outcome.lines
    assert warning.startswith("convcli: warning: the images do not determine the kernel: ")
    assert "which fix 3 of 9 numbers" in warning
    assert wrote == "wrote k.yaml"
    assert fitted("stripes.png", "after.png", "--size", "3")["condition"] is None


def test_a_constant_image_is_named(place):
    write_image("flat.png", np.full((30, 40, 3), 90, np.uint8))
    message = refused("kernels", "fit", "flat.png", "flat.png", "--size", "3", status=1)
    assert message.startswith("flat.png, flat.png: the image before is constant, which tells only what the weights")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["before.png", "--size", "3"], 2, "before.png: has no other image beside it"),
        (["before.png", "before.png", "--size", "x"], 2, "--size takes a whole number, or two"),
        (["before.png", "before.png", "--size", "0"], 2, "--size 0: must be at least 1"),
        (["before.png", "before.png", "--size", "200"], 2, "--size 200x200: at most 4096 weights"),
        (["before.png", "none.png", "--size", "3"], 1, "none.png: no such file"),
        (["before.png", "before.png", "--size", "3", "--symmetric", "round"], 2, "unknown symmetry 'round'"),
        (["before.png", "before.png", "--size", "3", "-o", "no/k.yaml"], 2, "no/k.yaml: "),
        (["before.png", "before.png", "--size", "3", "-o", "before.png"], 2, "before.png: the output is the input"),
        (["before.png", "before.png", "--size", "3", "--json", "-o", "-"], 2, "--json and -o - both take"),
    ],
)
def test_a_mistake_is_one_line(place, arguments, status, message):
    assert refused("kernels", "fit", *arguments, status=status).startswith(message)


def test_an_image_is_never_replaced_by_its_kernel(place):
    """Not even when told to overwrite."""
    before = (place / "before.png").read_bytes()
    message = refused("kernels", "fit", "before.png", "before.png", "--size", "3", "-f", "-o", "before.png")
    assert message == "before.png: the output is the input 'before.png': choose another name with -o"
    assert (place / "before.png").read_bytes() == before


def test_help_has_a_worked_example():
    outcome = run("kernels", "fit", "--help")
    assert outcome.status == 0
    assert b"convcli kernels fit sharp.png blurred.png --size 7 -o blur.yaml" in outcome.output


def test_the_rank_is_told_as_far_as_the_weights_are_certain(place):
    """Rounding to 8 bits makes any fitted kernel one of full rank."""
    done("filter", "before.png", "-k", "gaussian:sigma=1", "-o", "soft.png", "-f")
    printed = done("kernels", "fit", "before.png", "soft.png", "--size", "7").output
    assert b"rank       1 as far as the weights are certain, separable" in printed
    done("filter", "before.png", "-k", "1 2 0; 0 1 1; 1 0 -3", "--signed", "clip", "-o", "full.png", "-f")
    assert b"3, not separable" in done("kernels", "fit", "before.png", "full.png", "--size", "3").output


def test_what_no_kernel_explains_is_warned_of(place):
    done("filter", "before.png", "-k", "sobel_x", "-o", "edges.png", "-f")
    outcome = done("kernels", "fit", "before.png", "edges.png", "--size", "3")
    assert "warning: the kernel explains 10% of what the output varies by" in outcome.messages
    done("filter", "before.png", "-k", "sobel_x", "--depth", "f32", "--signed", "clip", "-o", "edges.npy", "-f")
    assert "explains" not in done("kernels", "fit", "before.png", "edges.npy", "--size", "3").messages
