"""Groups of options turn into what the core takes."""

import pytest

from convcli.cli.options.batches import BatchComputingGroup
from convcli.cli.options.groups import (
    ComputingGroup,
    GeometryGroup,
    MessagesGroup,
    OutputGroup,
    ResponseGroup,
    complete_kernel,
)
from convcli.convolution.options import ConvolveOptions
from convcli.errors import UsageError
from convcli.process.kernel_operation import FilterOptions
from convcli.process.output_files import OutputOptions
from convcli.process.tone_options import ToneOptions


def test_groups_without_a_word_are_the_defaults_of_the_core():
    assert ComputingGroup().convolve_options(GeometryGroup()) == ConvolveOptions()
    assert BatchComputingGroup().convolve_options() == ConvolveOptions()
    assert ResponseGroup().tone_options() == ToneOptions()
    assert OutputOptions(**OutputGroup().output_options()) == FilterOptions(("box",)).output


def test_what_was_said_reaches_the_core():
    geometry = GeometryGroup(
        padding="zeros", padding_value="1,2", extent="full", flip=True, anchor="1,2", stride="2", dilation="1,3"
    )
    computing = ComputingGroup(backend="torch", precision="double", threads=3, device="cpu")
    assert computing.convolve_options(geometry) == ConvolveOptions(
        padding="constant",
        padding_value=(1.0, 2.0),
        extent="full",
        flip=True,
        anchor=(1, 2),
        stride=(2, 2),
        dilation=(1, 3),
        backend="torch",
        precision="double",
        threads=3,
        device="cpu",
    )
    tone = ResponseGroup(gray=True, linear=True, alpha="keep", scale=2.0, bias=1.0, signed="abs", depth="u8")
    assert tone.tone_options() == ToneOptions(signed="abs", scale=2.0, bias=1.0, gray=True, linear=True, alpha="keep")


@pytest.mark.parametrize(
    ("existing", "force", "policy"),
    [(None, False, "error"), (None, True, "overwrite"), ("overwrite", True, "overwrite"), ("skip", False, "skip")],
)
def test_force_is_the_policy_of_overwriting(existing, force, policy):
    assert OutputGroup(existing=existing, force=force).output_options()["existing"] == policy


def test_options_that_contradict_each_other_are_refused():
    with pytest.raises(UsageError, match="-f means --existing overwrite, not --existing skip: choose one"):
        OutputGroup(existing="skip", force=True).output_options()
    with pytest.raises(UsageError, match="--quiet and --verbose exclude each other: choose one"):
        MessagesGroup(quiet=True, verbose=True)
    with pytest.raises(UsageError, match="--padding-value needs --padding constant, not wrap"):
        GeometryGroup(padding="wrap", padding_value="1").convolve_options()
    with pytest.raises(UsageError, match="--device cpu is for --backend torch"):
        ComputingGroup(backend="fft", device="cpu").convolve_options()


@pytest.mark.parametrize(
    ("geometry", "notes"),
    [
        (GeometryGroup(), []),
        (GeometryGroup(extent="valid"), []),
        (GeometryGroup(extent="valid", padding="wrap"), ["--padding wrap does nothing under --extent valid"]),
        (GeometryGroup(extent="full", anchor="0,0"), ["--anchor does nothing under --extent full"]),
    ],
)
def test_options_without_effect_are_noted(geometry, notes):
    found = list(geometry.notes_on_options_without_effect())
    assert [note[: len(start)] for note, start in zip(found, notes, strict=True)] == notes


def test_a_shell_is_offered_the_kernels_that_begin_so():
    offered = complete_kernel("sobel")
    assert "sobel_x" in offered
    assert all(name.startswith("sobel") for name in offered)
