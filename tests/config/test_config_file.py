"""The configuration file: every key, and defaults."""

import os
from pathlib import Path

import pytest

from indexfallback.config import Settings
from indexfallback.config.load import load_settings
from indexfallback.config.pip import default_url

PRIVATE = '[[index]]\nname = "private"\nurl = "https://packages.example.com/simple/"\n'
MIRROR = '[[index]]\nname = "mirror"\nurl = "https://mirror.example.com/simple/"\n'
PYPI = '[[index]]\nname = "pypi"\nurl = "pypi"\n'


@pytest.fixture(autouse=True)
def _no_pip_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


def load(tmp_path: Path, text: str, **environ: str) -> Settings:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(config=file, environ=environ)


def test_every_setting_of_the_file_is_read(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """
        [server]
        host = "127.0.0.2"
        port = 5504
        [cache]
        dir = "here"
        max_size = "1 GB"
        fresh = "0 s"
        keep = "1 h"
        [limits]
        deadline = "5 s"
        page_size = "1 MiB"
        """,
    )
    assert settings.host == "127.0.0.2"
    assert settings.port == 5504
    assert settings.cache_dir == tmp_path / "here"
    assert settings.cache_size == 1000**3
    assert (settings.fresh, settings.keep, settings.deadline) == (0, 3600, 5)
    assert settings.page_size == 1024**2


def test_every_setting_of_an_index_is_read(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        PRIVATE
        + """
        projects = ["Acme_*", "acme.core", "acme-core", "x?y"]
        on_outage = "stop"
        username = "ci"
        password_env = "SECRET"
        keyring = true
        connect_timeout = "1 s"
        read_timeout = "2 s"
        fresh = "3 s"
        probe = "Acme_App"
        """,
        SECRET="hunter2",
    )
    (index,) = settings.indexes
    assert (index.name, index.url) == ("private", "https://packages.example.com/simple/")
    assert index.projects == ("acme-*", "acme-core", "x?y")
    assert (index.role, index.on_outage, index.probe) == ("private", "stop", "acme-app")
    assert (index.username, index.password, index.password_env) == ("ci", "hunter2", "SECRET")
    assert index.keyring
    assert "hunter2" not in repr(settings)
    assert (index.connect_timeout, index.read_timeout, index.fresh) == (1, 2, 3)


def test_a_mirror_and_its_target_get_their_roles(tmp_path: Path) -> None:
    public = '[[index]]\nname = "up"\nurl = "https://public.example.com/simple/"\n'
    mirror = MIRROR + 'mirror_of = "up"\npages = "authority"\n'
    settings = load(tmp_path, mirror + public + PRIVATE)
    assert [index.role for index in settings.indexes] == ["mirror", "public", "private"]
    assert [index.group for index in settings.indexes] == ["up", "up", "private"]
    assert settings.indexes[0].pages == "authority"


def test_pypi_is_public_and_read_from_pip(tmp_path: Path) -> None:
    (index,) = load(tmp_path, PYPI).indexes
    assert (index.role, index.url) == ("public", default_url())


def test_the_address_of_pypi_is_public_too(tmp_path: Path) -> None:
    (index,) = load(tmp_path, f'[[index]]\nname = "x"\nurl = "{default_url()}"\n').indexes
    assert index.role == "public"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://packages.example.com/simple", "https://packages.example.com/simple/"),
        ("https://packages.example.com", "https://packages.example.com/"),
        ("HTTPS://Packages.Example.com:443/Simple//", "https://packages.example.com/Simple/"),
        ("http://packages.example.com:8080/", "http://packages.example.com:8080/"),
        ("http://[2001:DB8::1]:80/x/", "http://[2001:db8::1]/x/"),
    ],
)
def test_an_address_has_one_spelling(tmp_path: Path, url: str, expected: str) -> None:
    (index,) = load(tmp_path, f'[[index]]\nname = "x"\nurl = "{url}"\n').indexes
    assert index.url == expected


def test_credentials_leave_the_address(tmp_path: Path) -> None:
    text = '[[index]]\nname = "x"\nurl = "https://c%40i:se%2Fcret@packages.example.com/simple/"\n'
    settings = load(tmp_path, text)
    (index,) = settings.indexes
    assert index.url == "https://packages.example.com/simple/"
    assert (index.username, index.password) == ("c@i", "se/cret")
    assert settings.origins["index.x.password"] == f"{tmp_path}/config.toml:3"


@pytest.mark.parametrize("form", ["absolute", "relative", "dotted", "home", "file", "slash"])
def test_a_directory_becomes_a_file_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    directory = tmp_path / "my index"
    directory.mkdir()
    url = {
        "absolute": directory.as_posix(),
        "relative": "my index",
        "dotted": "./x/../my index",
        "home": "~/my index",
        "file": directory.as_uri(),
        "slash": directory.as_uri() + "/",
    }[form]
    (index,) = load(tmp_path, f'[[index]]\nname = "x"\nurl = "{url}"\n').indexes
    assert index.url == directory.as_uri() + "/"
    assert index.is_directory


def test_a_missing_directory_is_no_error(tmp_path: Path) -> None:
    (index,) = load(tmp_path, '[[index]]\nname = "x"\nurl = "./unmounted"\n').indexes
    assert index.url == (tmp_path / "unmounted").as_uri() + "/"


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufeff[server]\nport = 1\n").port == 1


def test_settings_know_their_lines(tmp_path: Path) -> None:
    settings = load(tmp_path, "[server]\nport = 1\n" + PYPI + PRIVATE)
    file = tmp_path / "config.toml"
    assert settings.origins["server.port"] == f"{file}:2"
    assert settings.origins["server.host"] == "default"
    assert settings.origins["index.pypi.url"] == f"{file}:5"
    assert settings.origins["index.private.name"] == f"{file}:7"
    assert settings.origins["index.private.read_timeout"] == "default"


@pytest.mark.parametrize(
    ("cache", "keys", "seconds"),
    [
        ("", "", 15),
        ('[cache]\nfresh = "1 h"\n', "", 15),
        ('[cache]\nfresh = "5 s"\n', "", 5),
        ('[cache]\nfresh = "5 s"\n', 'fresh = "20 min"', 1200),
        ("", 'fresh = "0 s"', 0),
        ("", 'role = "public"', 600),
        ("", 'role = "public"\nfresh = "5 s"', 5),
    ],
)
def test_how_long_a_page_of_an_index_is_fresh(
    tmp_path: Path, cache: str, keys: str, seconds: float
) -> None:
    settings = load(tmp_path, f"{cache}{PRIVATE}\n{keys}\n")
    assert settings.fresh_for(settings.indexes[0]) == seconds
