"""The settings from the section of a buildout; errors name the option and the remedy."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from buildout_ext.section import read_settings
from indexfallback.config import Settings
from indexfallback.config.pip import default_url
from indexfallback.errors import ConfigError

_URL = "https://packages.example.com/simple/"
_INDEXES = f"""
private = {_URL}
mirror = https://mirror.example.com/simple/ of pypi

pypi
"""


@pytest.fixture(autouse=True)
def _no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def read(
    tmp_path: Path, section: Mapping[str, str], index: str | None = None, hosts: str = "*"
) -> Settings:
    options = {"directory": str(tmp_path)} | ({} if index is None else {"index": index})
    return read_settings(section, options, (hosts,))


def chain(settings: Settings) -> list[tuple[str, str, str | None]]:
    return [(index.name, index.role, index.mirror_of) for index in settings.indexes]


def test_lines_are_private_indexes_mirrors_and_pypi_in_their_order(tmp_path: Path) -> None:
    settings = read(tmp_path, {"indexes": _INDEXES})
    assert chain(settings) == [
        ("private", "private", None),
        ("mirror", "mirror", "pypi"),
        ("pypi", "public", None),
    ]
    assert settings.indexes[2].url == default_url()


def test_without_indexes_the_users_own_configuration_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'[[index]]\nname = "mine"\nurl = "{_URL}"\n', encoding="utf-8")
    monkeypatch.setenv("INDEXFALLBACK_CONFIG", str(file))
    assert chain(read(tmp_path, {})) == [("mine", "private", None)]


def test_a_configuration_file_is_relative_to_the_buildout(tmp_path: Path) -> None:
    (tmp_path / "chain.toml").write_text(f'[[index]]\nname = "mine"\nurl = "{_URL}"\n')
    assert chain(read(tmp_path, {"config": "chain.toml"})) == [("mine", "private", None)]


def test_the_buildouts_index_takes_the_place_of_the_public_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", _URL)
    settings = read(tmp_path, {}, index="https://other.example.com/simple")
    assert [index.role for index in settings.indexes] == ["private", "public"]
    assert settings.indexes[1].url == "https://other.example.com/simple/"


def test_the_buildouts_index_changes_nothing_if_the_chain_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", _URL)
    settings = read(tmp_path, {}, index=_URL)
    assert [index.role for index in settings.indexes] == ["private", "public"]
    assert settings.indexes[1].url == default_url()


def test_the_buildouts_index_means_nothing_beside_indexes(tmp_path: Path) -> None:
    settings = read(tmp_path, {"indexes": "pypi"}, index="https://other.example.com/simple")
    assert chain(settings) == [("pypi", "public", None)]


def test_an_index_that_is_a_directory_is_buildouts_own_affair(tmp_path: Path) -> None:
    assert [index.name for index in read(tmp_path, {}, index="/eggs").indexes] == ["pypi"]


def test_a_user_with_a_running_shim_of_this_chain_is_told_apart_by_hosts(tmp_path: Path) -> None:
    everything = read(tmp_path, {"indexes": "pypi"})
    less = read(tmp_path, {"indexes": "pypi"}, hosts="*.example.com")
    assert less.allow_hosts == ("*.example.com",)
    assert less.identity != everything.identity


def test_a_cooldown_is_that_of_the_public_indexes_and_their_mirrors(tmp_path: Path) -> None:
    settings = read(tmp_path, {"indexes": _INDEXES, "cooldown": "7 days"})
    assert [index.cooldown for index in settings.indexes] == [None, 604800.0, 604800.0]


def test_a_cooldown_of_the_configuration_has_precedence(tmp_path: Path) -> None:
    (tmp_path / "chain.toml").write_text(
        '[[index]]\nname = "pypi"\nurl = "pypi"\ncooldown = "1 day"\n'
        f'[[index]]\nname = "other"\nurl = "{_URL}"\nrole = "public"\n'
    )
    settings = read(tmp_path, {"config": "chain.toml", "cooldown": "7 days"})
    assert [index.cooldown for index in settings.indexes] == [86400.0, 604800.0]


def test_cache_and_offline_are_taken(tmp_path: Path) -> None:
    settings = read(tmp_path, {"cache": "seen", "offline": "true"})
    assert settings.cache_dir == tmp_path / "seen"
    assert settings.offline


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"index": "pypi"}, '[indexfallback] index: unknown option; did you mean "indexe'),
        (
            {"indexes": "packages.example.com"},
            '[indexfallback] indexes: "packages.example.com" is not an index; write "NAME = URL"',
        ),
        (
            {"indexes": "My Index = https://example.com/"},
            '[indexfallback] indexes: "My Index = https://example.com/" is not an index; write',
        ),
        ({"indexes": f"A = {_URL}"}, '[indexfallback] indexes: "A" is not a name; use a-z'),
        (
            {"indexes": f"mirror = {_URL} of pypy\npypi"},
            '[indexfallback] indexes: index "mirror": mirror_of = "pypy" names no index; did you',
        ),
        ({"offline": "yes"}, '[indexfallback] offline: "yes" is neither true nor false; write'),
        ({"cooldown": "week"}, '[indexfallback] cooldown: "week" '),
        ({"cache": __file__}, f'[indexfallback] cache: "{__file__}" is a file, not a directory'),
        (
            {"config": "a.toml", "indexes": "pypi"},
            "[indexfallback] config: the option indexes is set as well; remove one of the two",
        ),
    ],
)
def test_an_error_names_the_option_and_the_remedy(
    section: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        read(tmp_path, section)


def test_an_error_shows_no_password(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, {"indexes": "https://ci:s3cret@packages.example.com/simple/"})
    assert "s3cret" not in str(error.value)
