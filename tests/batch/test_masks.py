"""A folder of masks: each image gets its own, and what was made with another is made again."""

import os

import numpy as np
import pytest
from commandline import done, run
from image_samples import pillow, rough

from convcli.image.reading import read_image


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place in ("photos/a", "masks/a"):
        os.makedirs(place)
    for number, name in enumerate(("one.png", "a/one.png", "a/two.jpg")):
        pillow(rough(12, 14, 3, seed=number)).save(f"photos/{name}")
        mask = rough(12, 14, 1, seed=10 + number) // 128 * 255
        pillow(mask).save(f"masks/{name.replace('.jpg', '.png')}")


def batch(*options, **extra):
    return run("batch", "photos", "-r", "-k", "box", "--mask", "masks", "-o", "out", *options, **extra)


def test_each_image_is_filtered_with_the_mask_that_is_called_as_it_is():
    assert batch().status == 0
    for name, mask in (("one.png", "one.png"), ("a/one.png", "a/one.png"), ("a/two.jpg", "a/two.png")):
        alone = f"alone{os.path.splitext(name)[1]}"
        done("filter", f"photos/{name}", "-k", "box", "--mask", f"masks/{mask}", "-o", alone, "-f")
        assert np.array_equal(read_image(f"out/{name}").pixels, read_image(alone).pixels)


def test_an_image_without_a_mask_fails_alone():
    os.remove("masks/a/two.png")
    outcome = batch()
    assert outcome.status == 1
    assert "--mask masks: there is no mask for a/two.jpg: add two.png to it" in outcome.messages
    assert os.path.exists("out/a/one.png")
    assert not os.path.exists("out/a/two.jpg")


def test_two_masks_for_an_image_are_one_too_many():
    pillow(rough(12, 14, 1)).save("masks/a/two.bmp")
    outcome = batch()
    assert outcome.status == 1
    assert "--mask masks: two.bmp and two.png may both be the mask for a/two.jpg: leave one" in outcome.messages


def test_a_mask_that_changed_makes_its_image_again():
    assert batch().status == 0
    before = {name: os.stat(f"out/{name}").st_mtime_ns for name in ("one.png", "a/one.png")}
    pillow(np.full((12, 14, 1), 255, np.uint8)).save("masks/one.png")
    assert batch("--existing", "skip").status == 0
    after = {name: os.stat(f"out/{name}").st_mtime_ns for name in before}
    assert after["a/one.png"] == before["a/one.png"]
    assert after["one.png"] > before["one.png"]


@pytest.mark.parametrize(
    "options",
    [
        ("--roi", "1,2,3,4"),
        ("--bands", "1-3", "--alpha-band", "none", "--bands", "2"),
        ("--missing", "spread"),
        ("--min-coverage", "0.5"),
        ("--holes", "fill"),
        ("--nodata", "3"),
        ("--strip",),
        ("--stamp",),
    ],
    ids=lambda options: options[0],
)
def test_every_option_that_changes_outputs_makes_them_again(options):
    assert batch("--name", "{parent}_{stem}.png").status == 0
    before = os.stat("out/photos_one.png").st_mtime_ns
    assert batch("--name", "{parent}_{stem}.png", "--existing", "skip").status == 0
    assert os.stat("out/photos_one.png").st_mtime_ns == before
    assert batch("--name", "{parent}_{stem}.png", *options, "--existing", "skip").status == 0
    assert os.stat("out/photos_one.png").st_mtime_ns > before


def test_one_mask_may_serve_all_images():
    done("batch", "photos/one.png", "-k", "box", "--mask", "masks/one.png", "-o", "out")
    done("filter", "photos/one.png", "-k", "box", "--mask", "masks/one.png", "-o", "alone.png")
    assert np.array_equal(read_image("out/one.png").pixels, read_image("alone.png").pixels)
    before = os.stat("out/one.png").st_mtime_ns
    pillow(np.full((12, 14, 1), 255, np.uint8)).save("masks/one.png")
    done("batch", "photos/one.png", "-k", "box", "--mask", "masks/one.png", "-o", "out", "--existing", "skip")
    assert os.stat("out/one.png").st_mtime_ns > before
