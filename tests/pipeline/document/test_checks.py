"""Plain data turned into structures, with errors that say where and what."""

from typing import Annotated, Literal

import msgspec
import pytest
from convcli.pipeline.document.checks import ReadingError, read_struct
from msgspec import Meta


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    size: Annotated[int, Meta(ge=1)] = 1


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    needed: int
    mode: Literal["fast", "slow"] = "fast"
    inner: Inner = msgspec.field(default_factory=Inner)
    numbers: list[float] = msgspec.field(default_factory=list)
    limit: float | None = 0.0


@pytest.mark.parametrize(
    ("data", "path", "words"),
    [
        ({}, "", "needs needed"),
        ({"needed": 1, "nedeed": 2}, "", "unknown key 'nedeed'; did you mean 'needed'?"),
        ({"needed": "a"}, "needed", "must be a whole number, not 'a'"),
        ({"needed": 1, "mode": "fats"}, "mode", "unknown word 'fats': expected fast, slow"),
        ({"needed": 1, "inner": {"size": 0}}, "inner.size", "must be a whole number of at least 1, not 0"),
        ({"needed": 1, "inner": {"sise": 0}}, "inner", "did you mean 'size'?"),
        ({"needed": 1, "numbers": [1.0, float("nan")]}, "numbers[1]", "must be a finite number, not nan"),
        ({"needed": 1, "limit": float("inf")}, "limit", "must be a finite number, or null for none, not inf"),
    ],
)
def test_what_does_not_fit_is_told_with_its_path(data, path, words):
    with pytest.raises(ReadingError) as caught:
        read_struct(data, Outer)
    assert caught.value.path == path
    assert words in caught.value.reason


def test_what_fits_is_read():
    assert read_struct({"needed": 2, "inner": {"size": 3}}, Outer) == Outer(2, inner=Inner(3))
