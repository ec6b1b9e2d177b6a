"""What was done, written into files and found there by other programs; and metadata left out."""

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from commandline import done
from image_samples import XMP, exif, pillow, rough, saved, srgb_profile
from PIL import Image as Pillow

from convcli import __version__
from convcli.image.reading import read_image

WORDS = "kernel gaussian:sigma=2; kernel box; padding=wrap; scale=0.5; mapping=clip; depth=u8"
OPTIONS = ("-k", "gaussian:sigma=2", "-k", "box", "--padding", "circular", "--scale", "0.5", "--stamp")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pillow(rough(20, 30, 3)).save("in.png")


def stamp(name, *options):
    return done("filter", "in.png", *OPTIONS, *options, "-o", name, "-f")


def test_a_png_holds_it_as_text():
    stamp("o.png")
    with Pillow.open("o.png") as image:
        assert image.text == {"Software": f"convcli {__version__}", "Comment": WORDS}


def test_a_jpeg_holds_it_as_a_comment():
    stamp("o.jpg")
    with Pillow.open("o.jpg") as image:
        assert image.info["comment"].decode() == f"convcli {__version__}: {WORDS}"


def test_a_tiff_holds_it_as_its_software_and_description():
    stamp("o.tif")
    with tifffile.TiffFile("o.tif") as file:
        page = file.pages[0]
        assert page.software == f"convcli {__version__}"
        assert page.description == f"convcli {__version__}: {WORDS}"


def test_a_description_that_is_there_stays_before_it():
    tifffile.imwrite("in.tif", rough(20, 30, 1)[:, :, 0], description="The moon", metadata=None)
    done("filter", "in.tif", "-k", "box", "--stamp", "-o", "o.tif")
    with tifffile.TiffFile("o.tif") as file:
        first, second = file.pages[0].description.split("\n")
    assert first == "The moon"
    assert second == f"convcli {__version__}: kernel box; mapping=clip; depth=u8"


def test_the_same_work_makes_the_same_bytes():
    stamp("one.png", "--threads", "1")
    stamp("two.png", "--threads", "2")
    assert Path("one.png").read_bytes() == Path("two.png").read_bytes()


def test_a_format_without_text_is_noted():
    assert "--stamp does nothing to NPY, which has no place for text" in stamp("o.npy").messages


def test_a_pipeline_is_told_by_its_steps():
    Path("soft.yaml").write_text("name: soft\nsteps:\n  - gray\n  - filter: box\n")
    done("run", "soft.yaml", "in.png", "--stamp", "-o", "o.png")
    with Pillow.open("o.png") as image:
        assert image.text["Comment"] == "pipeline soft (gray, filter); mapping=clip; depth=u8"


def test_a_batch_writes_the_same():
    stamp("o.png")
    done("batch", "in.png", *OPTIONS, "-o", "out")
    assert Path("out/in.png").read_bytes() == Path("o.png").read_bytes()


@pytest.mark.parametrize("name", ["o.png", "o.jpg", "o.tif", "o.webp"])
def test_all_metadata_is_left_out_where_that_is_asked(name):
    data = saved(
        pillow(rough(40, 60, 3)), "JPEG", exif=b"Exif\0\0" + exif(), icc_profile=srgb_profile(), dpi=(72, 72), xmp=XMP
    )
    Path("in.jpg").write_bytes(data)
    done("filter", "in.jpg", "-k", "box", "-o", name)
    kept = read_image(name).metadata
    assert kept.exif is not None
    assert kept.icc is not None
    outcome = done("filter", "in.jpg", "-k", "box", "--strip", "-o", name, "-f")
    left = read_image(name).metadata
    assert (left.exif, left.icc, left.xmp) == (None, None, None)
    assert "note" not in outcome.messages
    with Pillow.open(io.BytesIO(Path(name).read_bytes())) as image:
        assert {"exif", "icc_profile", "xmp"}.isdisjoint(image.info)


def test_what_was_done_stands_alone_in_a_file_that_is_stripped():
    stamp("o.png", "--strip")
    with Pillow.open("o.png") as image:
        assert set(image.info) - {"srgb", "gamma"} == {"Software", "Comment"}
    assert np.array_equal(read_image("o.png").pixels.shape, (20, 30, 3))
