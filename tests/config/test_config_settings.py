"""The origins of settings, and their precedence."""

import os
from pathlib import Path

import platformdirs
import pytest

from indexfallback.config.load import config_path, load_settings
from indexfallback.config.pip import default_url
from indexfallback.errors import ConfigError

B = "https://b.example.com/simple/"


@pytest.fixture(autouse=True)
def _no_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration of the machine's: neither pip's nor ours."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for variable in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))


def write(path: Path, port: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[server]\nport = {port}\n", encoding="utf-8")
    return path


def test_the_option_beats_the_variable_and_the_variable_the_users_file(tmp_path: Path) -> None:
    users = platformdirs.user_config_path("indexfallback") / "config.toml"
    named = write(tmp_path / "named.toml", 2)
    asked = write(tmp_path / "asked.toml", 3)
    environ = {"INDEXFALLBACK_CONFIG": str(named)}
    assert config_path(None, {}) == users
    assert config_path(None, environ) == named
    assert config_path(asked, environ) == asked
    if users.is_relative_to(tmp_path):
        write(users, 1)
        assert load_settings(environ={}).port == 1
    assert load_settings(environ=environ).port == 2
    assert load_settings(config=asked, environ=environ).port == 3


def test_a_file_in_the_current_directory_is_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("config.toml", "indexfallback.toml", "indexfallback/config.toml"):
        write(tmp_path / name, 1)
    assert load_settings(environ={}).port == 5503


def test_a_file_named_by_an_environment_variable_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the configuration file does not exist"):
        load_settings(environ={"INDEXFALLBACK_CONFIG": str(tmp_path / "absent.toml")})


def test_variables_beat_the_file(tmp_path: Path) -> None:
    settings = load_settings(
        config=write(tmp_path / "config.toml", 1),
        environ={
            "INDEXFALLBACK_PORT": "5600",
            "INDEXFALLBACK_CACHE_DIR": str(tmp_path / "cache"),
            "INDEXFALLBACK_OFFLINE": "1",
        },
    )
    assert (settings.port, settings.cache_dir) == (5600, tmp_path / "cache")
    assert settings.offline
    assert settings.origins["server.port"] == "INDEXFALLBACK_PORT"
    assert settings.origins["cache.dir"] == "INDEXFALLBACK_CACHE_DIR"
    assert settings.origins["offline"] == "INDEXFALLBACK_OFFLINE"


def test_empty_variables_set_nothing() -> None:
    environ = dict.fromkeys(
        (
            "INDEXFALLBACK_CONFIG",
            "INDEXFALLBACK_PORT",
            "INDEXFALLBACK_CACHE_DIR",
            "INDEXFALLBACK_OFFLINE",
        ),
        "",
    )
    assert load_settings(environ=environ) == load_settings(environ={})


@pytest.mark.parametrize(("text", "offline"), [("1", True), ("Yes", True), ("0", False)])
def test_offline_is_read_from_its_variable(text: str, offline: bool) -> None:
    assert load_settings(environ={"INDEXFALLBACK_OFFLINE": text}).offline is offline


def test_the_option_offline_beats_its_variable() -> None:
    settings = load_settings(offline=True, environ={"INDEXFALLBACK_OFFLINE": "0"})
    assert settings.offline
    assert settings.origins["offline"] == "--offline"


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("INDEXFALLBACK_PORT", "x", '"x" is not a port; set a number like 5503, or unset it'),
        ("INDEXFALLBACK_PORT", "0", '"0" is not a port; write a number from 1 to 65535'),
        ("INDEXFALLBACK_OFFLINE", "x", '"x" is neither 1 nor 0; set 1 or 0, or unset it'),
        (
            "INDEXFALLBACK_CACHE_DIR",
            __file__,
            f'"{__file__}" is a file, not a directory; name a directory',
        ),
    ],
)
def test_a_wrong_variable_is_named(variable: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(environ={variable: text})
    assert str(caught.value) == f"{variable}: {message}"


def test_every_setting_has_an_origin() -> None:
    settings = load_settings(environ={})
    assert settings.origins["cache.dir"] == "default"
    assert set(settings.origins.values()) == {"default", "pip: default"}
    assert {key for key in settings.origins if key.startswith("index.pypi.")} == {
        f"index.pypi.{field}" for field in settings.indexes[0].__dataclass_fields__
    }


def test_indexes_of_the_command_line_replace_the_chain(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[[index]]\nname = "x"\nurl = "https://x.example.com/"\n', encoding="utf-8")
    settings = load_settings(config=file, indexes=(f"b={B}", "pypi"), environ={})
    assert [(i.name, i.url, i.role) for i in settings.indexes] == [
        ("b", B, "private"),
        ("pypi", default_url(), "public"),
    ]
    assert settings.origins["index.b.url"] == "--index"


def test_pypi_may_have_another_name_on_the_command_line() -> None:
    (index,) = load_settings(indexes=("up=pypi",), environ={}).indexes
    assert (index.name, index.role, index.url) == ("up", "public", default_url())


def test_a_directory_on_the_command_line_is_relative_to_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (index,) = load_settings(indexes=("d=./wheels",), environ={}).indexes
    assert index.url == (tmp_path / "wheels").as_uri() + "/"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "https://u:p@b.example.com/?a=b",
            (
                '"https://b.example.com/" has no name; '
                "write NAME=URL, such as private=https://packages.example.com/simple/"
            ),
        ),
        (
            "x",
            '"x" has no name; write NAME=URL, such as private=https://packages.example.com/simple/',
        ),
        (
            "X=pypi",
            (
                'name = "X" is not a name; use a-z, 0-9, dot, dash and underscore; '
                "begin with a letter or digit"
            ),
        ),
        (
            "x=",
            (
                'index "x": url = "" is empty; '
                'write an address like "https://packages.example.com/simple/"'
            ),
        ),
    ],
)
def test_a_wrong_index_on_the_command_line_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(indexes=(text,), environ={})
    assert str(caught.value) == f"--index: {message}"


@pytest.mark.parametrize(
    ("own", "seconds", "exempt"),
    [
        ("", 7 * 86400.0, ("acme-*",)),
        ('cooldown = "1 h"', 3600.0, ()),
        ('cooldown = "0 s"', 0.0, ()),
    ],
)
def test_a_mirror_without_a_cooldown_has_that_of_its_public_index(
    tmp_path: Path, own: str, seconds: float, exempt: tuple[str, ...]
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        f'[[index]]\nname = "mirror"\nurl = "{B}"\nmirror_of = "pypi"\n{own}\n'
        '[[index]]\nname = "pypi"\nurl = "pypi"\ncooldown = "7 days"\n'
        'cooldown_except = ["Acme-*"]\n',
        "utf-8",
    )
    settings = load_settings(config=file, environ={})
    mirror, pypi = settings.indexes
    assert (mirror.cooldown, mirror.cooldown_except) == (seconds, exempt)
    assert (pypi.cooldown_of("flask"), pypi.cooldown_of("acme-app")) == (7 * 86400.0, 0.0)
    line = 5 if own else 9
    assert settings.origins["index.mirror.cooldown"] == f"{file}:{line}"
