"""An image before and after: in the terminal, side by side, and under a slider in a real browser."""

import base64
import os
import re
import sys

import cv2
import numpy as np
import pytest
from browser import browser
from commandline import done, in_terminal, refused
from repository import ROOT

from convcli.image.model import Image
from convcli.image.reading import decode_image
from convcli.visual.before_after import rgb_picture
from convcli.visual.terminal_picture import (
    half_block_text,
    kitty_text,
    shade_text,
    shrunk,
    sixel_text,
    terminal_protocol,
)


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(4).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    assert cv2.imwrite(str(tmp_path / "a.png"), pixels)
    return tmp_path / "a.png"


def rgb(path):
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def decoded_sixels(text):
    """The picture that sixels draw, read by the rules of the VT340."""
    width, height = map(int, re.match(r"\x1bPq\"1;1;(\d+);(\d+)", text).groups())
    picture = np.zeros((height + 6, width, 3))
    palette, colour, x, y = {}, 0, 0, 0
    body = text.split(f";{height}", 1)[1].split("\x1b")[0]
    for token in re.finditer(r"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)([?-~])|([?-~])|([$-])", body):
        number, red, green, blue, count, repeated, single, move = token.groups()
        if number is not None:
            colour = int(number)
            if red is not None:
                palette[colour] = [int(red), int(green), int(blue)]
        elif move is not None:
            x, y = 0, y + 6 * (move == "-")
        else:
            bits, end = ord(repeated or single) - 63, x + int(count or 1)
            for row in range(6):
                if bits >> row & 1:
                    picture[y + row, x:end] = palette[colour]
            x = end
    return picture[:height] * 2.55


def test_sixels_draw_the_picture_within_the_steps_of_their_palette():
    y, x = np.mgrid[0:25, 0:31]
    pixels = np.stack([x * 8, y * 10, (x + y) * 4], axis=-1).astype(np.uint8)
    drawn = decoded_sixels(sixel_text(pixels))
    assert np.abs(drawn - pixels).max() <= 51
    assert np.abs(drawn.mean(axis=(0, 1)) - pixels.mean(axis=(0, 1))).max() < 4


def test_kitty_gets_a_png_in_pieces_that_hold_the_picture():
    pixels = np.random.default_rng(1).integers(0, 256, (60, 70, 3), dtype=np.uint8)
    commands = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b", kitty_text(pixels))
    assert len(commands) > 1
    assert max(len(data) for _, data in commands) <= 4096
    assert [control[-3:] for control, _ in commands] == ["m=1"] * (len(commands) - 1) + ["m=0"]
    png = base64.b64decode("".join(data for _, data in commands))
    np.testing.assert_array_equal(decode_image(png, "kitty").pixels, pixels)


def test_half_blocks_hold_two_rows_each_and_the_last_odd_one():
    pixels = np.array([[[255, 0, 0]], [[0, 0, 255]], [[0, 255, 0]]], np.uint8)
    assert half_block_text(pixels).splitlines() == [
        "\x1b[38;2;255;0;0;48;2;0;0;255m▀\x1b[0m",
        "\x1b[38;2;0;255;0;49m▀\x1b[0m",
    ]
    assert half_block_text(pixels, true_colour=False).startswith("\x1b[38;5;196;48;5;21m")


def test_without_colour_lighter_is_denser():
    ramp = np.repeat(np.linspace(0, 255, 10).astype(np.uint8)[np.newaxis, :, np.newaxis], 3, axis=2)
    assert shade_text(ramp) == " .:-=+*#%@\n"


def test_a_picture_is_reduced_to_fit_and_never_enlarged():
    picture = np.zeros((300, 200, 3), np.uint8)
    assert shrunk(picture, 100, 1000).shape == (150, 100, 3)
    assert shrunk(picture, 500, 500) is picture


@pytest.mark.parametrize(
    ("environment", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM_PROGRAM": "WezTerm"}, "kitty"),
        ({"TERM": "foot-extra"}, "sixel"),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "WezTerm"}, "blocks"),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/x"}, "blocks"),
        ({"TERM": "dumb", "CONVCLI_PREVIEW": "sixel"}, "sixel"),
    ],
)
def test_the_protocol_follows_the_terminal(environment, protocol):
    assert terminal_protocol(environment) == protocol


def test_pictures_of_any_samples_become_rgb():
    assert rgb_picture(Image(np.array([[[-2.0], [2.0]]]))).tolist() == [[[0] * 3, [255] * 3]]
    assert rgb_picture(Image(np.array([[[0.0], [0.5]]])))[0, :, 0].tolist() == [0, 128]
    half = np.array([[[200, 0, 0, 255], [200, 0, 0, 0]]], np.uint8)
    assert rgb_picture(Image(half, alpha=True)).tolist() == [[[200, 0, 0], [128, 128, 128]]]
    assert rgb_picture(Image(np.array([[[-32768], [32767]]], np.int16)))[0, :, 0].tolist() == [0, 255]


def test_a_comparison_as_png_has_the_image_and_the_output(photo):
    both, output = photo.with_name("both.png"), photo.with_name("out.png")
    messages = done("filter", photo, "-k", "box", "-o", output, "--compare", both).lines
    assert messages[1:] == [f"wrote {both}"]
    picture = rgb(both)
    np.testing.assert_array_equal(picture[:, :40], rgb(photo))
    np.testing.assert_array_equal(picture[:, -40:], rgb(output))


def test_a_pipeline_is_compared_too(photo):
    both = photo.with_name("both.png")
    document = ROOT / "pipelines" / "canny.yaml"
    done("run", document, photo, "--compare", both)
    np.testing.assert_array_equal(rgb(both)[:, :40], rgb(photo))


def test_the_slider_parts_the_pictures_where_it_stands(photo, tmp_path):
    page_file = photo.with_name("both.html")
    black = photo.with_name("black.png")
    cv2.imwrite(str(black), np.zeros((200, 300, 3), np.uint8))
    done("filter", black, "-k", "identity", "--bias", "255", "-o", photo.with_name("white.png"), "--compare", page_file)
    with browser(tmp_path / "profile") as page:
        for share in (20, 75):
            page.open(page_file, width=800, height=600)
            page.run(
                f"(() => {{ const it = document.getElementById('slider'); it.value = {share};"
                "it.dispatchEvent(new Event('input')); return new Promise((d) => setTimeout(d, 200)); })()"
            )
            left, top = page.run("(() => { const r = both.getBoundingClientRect(); return [r.left, r.top]; })()")
            page.screenshot(tmp_path / "seen.png")
            row = rgb(tmp_path / "seen.png")[round(top) + 100, round(left) : round(left) + 300, 0]
            assert row[: 3 * share - 4].max() == 0
            assert row[3 * share + 4 : 296].min() == 255
        assert page.errors == []
        assert {address.partition(":")[0] for address in page.requests} <= {"file", "data"}
        page.open(page_file, width=400)
        assert page.run("document.documentElement.scrollWidth") <= 400


def test_a_preview_shows_nothing_where_standard_output_is_no_terminal(photo):
    assert done("filter", photo, "-k", "box", "-o", photo.with_name("o.png"), "--preview").output == b""


def test_a_preview_shows_both_pictures_in_a_terminal(photo):
    command = [sys.executable, "-m", "convcli", "filter", str(photo), "-k", "box", "--preview", "-q"]
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "COLORTERM": "truecolor", "PYTHONPATH": str(ROOT)}
    lines = in_terminal(command, environment).splitlines()
    assert len(lines) == 15
    before, after = rgb(photo), rgb(photo.with_name("a_box.png"))
    # In a terminal of 80 columns each picture has 39 of them, so these are reduced a little.
    drawn = [tuple(map(int, each)) for each in re.findall(r"38;2;(\d+);(\d+);(\d+);48", lines[7])]
    assert (128, 128, 128) in drawn
    assert len(drawn) > 40
    assert before.shape == after.shape


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--compare", "both.gif"], "both.gif: a comparison is written as .png or .html: name such a file"),
        (["--compare", "o.png"], "--compare o.png is the output itself: name another file"),
        (["--preview", "--json"], "--preview and --json both take standard output: choose one"),
    ],
)
def test_what_cannot_be_shown_is_refused_before_anything_is_computed(photo, monkeypatch, arguments, reason):
    monkeypatch.chdir(photo.parent)
    assert refused("filter", "a.png", "-k", "box", "-o", "o.png", *arguments) == reason
    assert not photo.with_name("o.png").exists()


def test_streams_and_several_images_cannot_be_compared(photo, monkeypatch):
    monkeypatch.chdir(photo.parent)
    assert "not standard streams" in refused(
        "filter", "-", "-k", "box", "-o", "o.png", "--compare", "b.png", stdin=b"x"
    )
    (photo.parent / "b.png").write_bytes(photo.read_bytes())
    assert "one image at a time" in refused("filter", "a.png", "b.png", "-k", "box", "-o", "x/", "--compare", "c.png")
