"""The indexes that parts of a buildout name, as settings and in messages."""

from pathlib import Path

import pytest

from buildout_ext.places import Places
from buildout_ext.section import read_settings
from indexfallback.config import PRIVATE_FRESH, Settings

_OWN = "https://own.example.com/simple/"
_CHAIN = "https://packages.example.com/simple/"


def test_a_message_shows_each_option_and_no_password() -> None:
    places = Places("py", "https://ci:s3cret@own.example.com/simple/", (_CHAIN,), ("/links",))
    assert places.words == (
        f"\n  [py] index = {_OWN}\n  [py] extra-index-url = {_CHAIN}\n  [py] find-links = /links"
    )


def _settings(tmp_path: Path, *places: Places, indexes: str = "", default: str = "") -> Settings:
    section = {"indexes": indexes or f"first = {_CHAIN}\npypi"}
    return read_settings(section, {"directory": str(tmp_path)}, ("*",), places, default)


def _beside(settings: Settings) -> list[tuple[str, str]]:
    return [(index.name, index.url) for index in settings.beside]


def test_indexes_of_parts_are_beside_the_chain_and_named_after_section_and_option(
    tmp_path: Path,
) -> None:
    other = "https://other.example.com/simple"
    settings = _settings(tmp_path, Places("My Part", _OWN, (other, f"{_OWN}2")))
    assert [index.name for index in settings.indexes] == ["first", "pypi"]
    assert _beside(settings) == [
        ("my-part.index", _OWN),
        ("my-part.extra-index-url", f"{other}/"),
        ("my-part.extra-index-url-2", f"{_OWN}2/"),
    ]
    assert {index.role for index in settings.beside} == {"public"}
    assert {index.fresh for index in settings.beside} == {PRIVATE_FRESH}


def test_one_index_of_several_parts_is_there_once(tmp_path: Path) -> None:
    settings = _settings(tmp_path, Places("a", _OWN), Places("b", _OWN.rstrip("/")))
    assert _beside(settings) == [("a.index", _OWN)]


def test_its_login_is_that_of_its_address(tmp_path: Path) -> None:
    (index,) = _settings(tmp_path, Places("a", _OWN.replace("//", "//ci:s3cret@"))).beside
    assert (index.url, index.username, index.password) == (_OWN, "ci", "s3cret")


@pytest.mark.parametrize(
    "index", [_CHAIN, "/srv/packages", "file:///srv/packages", "https://", f"{_OWN}?project=1"]
)
def test_what_is_in_the_chain_or_no_address_of_an_index_is_not_beside_it(
    index: str, tmp_path: Path
) -> None:
    assert _beside(_settings(tmp_path, Places("a", index))) == []


def test_the_index_of_the_buildout_is_not_beside_the_chain(tmp_path: Path) -> None:
    assert _beside(_settings(tmp_path, Places("a", _OWN), default=_OWN.rstrip("/"))) == []
