"""Which backends and library calls take part in a comparison, and what is asked of their memory."""

import numpy as np
import pytest

from convcli.benchmark import candidates
from convcli.benchmark.candidates import Candidate, backend_candidates, library_candidates, memory_task, parse_backends
from convcli.benchmark.measure import TimedCall
from convcli.benchmark.memory import peak_extra_bytes
from convcli.benchmark.workload import Workload
from convcli.convolution.options import BACKENDS, ConvolveOptions
from convcli.errors import UsageError
from convcli.kernel.spec import load_kernel


def test_a_backend_takes_no_more_memory_than_its_output_and_some_tiles():
    pixels = np.zeros((1000, 1000, 3), np.uint8)
    case = Workload(pixels, load_kernel("gaussian:sigma=2"), ConvolveOptions(padding="wrap"))
    peak = peak_extra_bytes(*memory_task(Candidate(TimedCall("opencv", dict)), case))
    assert 11_000_000 < peak < 12_000_000 + 64_000_000


def workload(spec="box", shape=(20, 20, 1), **options):
    return Workload(np.zeros(shape, np.float32), load_kernel(spec), ConvolveOptions(**options))


def test_auto_comes_last_and_who_cannot_do_it_is_left_out_with_the_reason():
    entered, left_out = backend_candidates(workload("box:size=5"), ("auto", "winograd", "opencv"), by_name=False)
    assert [candidate.name for candidate in entered] == ["opencv", "auto"]
    assert entered[0].chosen == "opencv"
    assert [out.name for out in left_out] == ["winograd"]


def test_somebody_too_slow_takes_part_only_by_name(monkeypatch):
    monkeypatch.setattr(candidates, "TOO_LONG", 0.0)
    entered, left_out = backend_candidates(workload(), ("auto", "opencv"), by_name=False)
    assert [candidate.name for candidate in entered] == ["auto"]
    assert "name it in --backends" in left_out[0].reason
    entered, left_out = backend_candidates(workload(), ("auto", "opencv"), by_name=True)
    assert ([candidate.name for candidate in entered], left_out) == (["opencv", "auto"], [])


def test_library_calls_that_cannot_express_the_work_say_why():
    entered, left_out = library_candidates(workload(padding="wrap"))
    assert "cv2.filter2D" in {out.name for out in left_out}
    assert all(candidate.plain and candidate.chosen is None for candidate in entered)


@pytest.mark.parametrize(("text", "message"), [("", "--backends is empty"), ("fft,opencw", "unknown backend 'opencw'")])
def test_names_that_are_none_are_refused(text, message):
    with pytest.raises(UsageError, match=message):
        parse_backends(text)
    assert parse_backends(",".join(BACKENDS)) == BACKENDS
