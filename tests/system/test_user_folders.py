"""The user's folders by the XDG rules: absolute ones count, relative ones do not."""

from pathlib import Path

import pytest

from convcli.system.user_folders import cache_folder, configuration_folder, expand_user


@pytest.fixture(autouse=True)
def home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)


@pytest.mark.parametrize("value", [None, "", "relative/folder"])
def test_without_an_absolute_folder_it_lies_in_the_home(monkeypatch, value):
    if value is not None:
        monkeypatch.setenv("XDG_CONFIG_HOME", value)
        monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert configuration_folder() == Path("/home/somebody/.config/convcli")
    assert cache_folder() == Path("/home/somebody/.cache/convcli")


def test_an_absolute_folder_counts(monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", "/etc/settings")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/caches")
    assert configuration_folder() == Path("/etc/settings/convcli")
    assert cache_folder() == Path("/var/caches/convcli")


@pytest.mark.parametrize("value", ["", "not/absolute", None])
def test_without_a_home_there_is_no_cache(monkeypatch, value):
    if value is None:
        monkeypatch.delenv("HOME")
    else:
        monkeypatch.setenv("HOME", value)
    assert cache_folder() is None


def test_a_tilde_that_names_nobody_stays():
    assert expand_user("~/kernels") == Path("/home/somebody/kernels")
    assert expand_user("~nobody-of-that-name/kernels") == Path("~nobody-of-that-name/kernels")
    assert expand_user("plain") == Path("plain")
