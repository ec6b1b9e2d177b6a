"""Whether an output may be written, checked before anything is computed."""

import pytest
from image_samples import smooth

from convcli.errors import ImageReadError, OutputError, OutputExistsError, UsageError
from convcli.image.reading import read_image
from convcli.image.writing import write_image
from convcli.system import output_file
from convcli.system.output_file import check_destination


def test_destinations_are_checked_before_anything_is_computed(tmp_path):
    source, other = tmp_path / "in.png", tmp_path / "other.png"
    write_image(source, smooth(4, 4))
    write_image(other, smooth(4, 4))
    assert check_destination(tmp_path / "new.png", "error", [source]) == "write"
    assert check_destination(other, "skip", [source]) == "skip"
    assert check_destination(other, "overwrite", [source]) == "write"
    assert check_destination("/dev/null", "error", [source]) == "write"
    with pytest.raises(OutputExistsError, match=r"exists already"):
        check_destination(other, "error", [source])
    with pytest.raises(OutputError, match=r"the folder .*nowhere does not exist: make it first"):
        check_destination(tmp_path / "nowhere" / "x.png", "error", [source])
    with pytest.raises(OutputError, match=r"a folder, not a file; name a file in it"):
        check_destination(tmp_path, "overwrite", [source])
    with pytest.raises(OutputError, match=r"other.png does not exist: make it first"):
        check_destination(other / "x.png", "error")


@pytest.mark.parametrize("existing", ["error", "skip", "overwrite"])
@pytest.mark.parametrize("way", ["itself", "symbolic link", "hard link", "other spelling"])
def test_an_input_is_never_the_output(tmp_path, existing, way):
    source, path = tmp_path / "in.png", tmp_path / "out.png"
    write_image(source, smooth(4, 4))
    if way == "symbolic link":
        path.symlink_to(source)
    elif way == "hard link":
        path.hardlink_to(source)
    else:
        path = source if way == "itself" else tmp_path / ".." / tmp_path.name / "in.png"
    with pytest.raises(UsageError, match=r"the output is the input"):
        check_destination(path, existing, [source])


def test_a_folder_without_permission_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(output_file.os, "access", lambda *_: False)  # root may write everywhere, whatever the mode
    with pytest.raises(OutputError, match=r"x.png: no permission to write in .*: choose another folder with -o"):
        check_destination(tmp_path / "x.png")


def test_a_missing_input_does_not_hide_its_own_error(tmp_path):
    write_image(tmp_path / "x.png", smooth(4, 4))
    assert check_destination(tmp_path / "x.png", "overwrite", [tmp_path / "none.png"]) == "write"
    with pytest.raises(ImageReadError, match=r"no such file"):
        read_image(tmp_path / "none.png")
