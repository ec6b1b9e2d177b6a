"""What the tests of fitting share."""

import pytest
from repository import PHOTO

from convcli import read_image


@pytest.fixture(scope="module")
def photo():
    return read_image(PHOTO).pixels[100:260, 200:420]
