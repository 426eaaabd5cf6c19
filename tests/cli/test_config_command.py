"""The command ``config``."""

import json
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indexfallback.cli.config import TEMPLATE, config
from indexfallback.cli.options import Options
from indexfallback.config.keys import INDEX_KEYS, TABLES
from indexfallback.config.load import load_settings
from indexfallback.errors import ConfigError

SECRETIVE = """\
[cache]
fresh = "5 min"
[[index]]
name = "private"
url = "https://ci:hunter2@packages.example.com/simple/"
projects = ["acme-*"]
[[index]]
name = "token"
url = "https://t0ken@token.example.com/simple/"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new" / "config.toml"


def run(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(config, arguments, obj=Options(config=file))


def secretive(file: Path) -> Path:
    file.parent.mkdir()
    file.write_text(SECRETIVE, encoding="utf-8")
    return file


def test_path_prints_the_path_and_how_to_get_a_file(file: Path) -> None:
    result = run(file, "path")
    assert result.stdout == f"{file}\n"
    assert result.stderr == (
        "indexfallback: it does not exist; `indexfallback config init` writes it\n"
    )


def test_path_prints_the_path_alone_of_a_file_that_is_there(file: Path) -> None:
    assert run(secretive(file), "path").output == f"{file}\n"


def test_init_writes_a_file_that_loads_as_the_defaults(file: Path) -> None:
    assert run(file, "init").exit_code == 0
    assert load_settings(config=file, environ={}) == load_settings(indexes=("pypi",), environ={})


def test_init_writes_a_file_that_only_its_owner_may_read(file: Path) -> None:
    run(file, "init")
    assert file.parent.is_dir()
    if os.name != "nt":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["config.toml"]


def test_init_explains_every_key() -> None:
    lines = [line.removeprefix("# ") for line in TEMPLATE.splitlines()]
    for table, keys in TABLES.items():
        assert f"[{table}]" in lines
        for key in keys:
            assert any(line.startswith(f"{key} = ") for line in lines), key
    for key in INDEX_KEYS:
        assert any(line.startswith(f"{key} = ") for line in lines), key


def test_what_init_comments_out_is_valid(tmp_path: Path) -> None:
    text = "\n".join(
        line.removeprefix("# ")
        for line in TEMPLATE.splitlines()
        if " = " in line or line.removeprefix("# ").startswith("[")
    )
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    settings = load_settings(config=file, environ={"PRIVATE_INDEX_PASSWORD": "hunter2"})
    assert [index.role for index in settings.indexes] == ["private", "mirror", "public"]
    assert settings.cache_size == load_settings(environ={}).cache_size
    assert settings.page_size == load_settings(environ={}).page_size


def test_init_keeps_the_file_that_is_there(file: Path) -> None:
    result = run(secretive(file), "init")
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception) == f"{file}: the file exists already; --force replaces it"
    assert file.read_text(encoding="utf-8") == SECRETIVE


def test_init_replaces_the_file_if_told_to(file: Path) -> None:
    assert run(secretive(file), "init", "--force").exit_code == 0
    assert file.read_text(encoding="utf-8") == TEMPLATE


def test_init_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run(tmp_path / "file" / "config.toml", "init")
    assert isinstance(result.exception, ConfigError)
    assert "the configuration cannot be written (" in str(result.exception)


def test_show_prints_each_setting_with_its_origin(file: Path) -> None:
    result = run(secretive(file), "show")
    lines = {line.split()[0]: line.split()[1:] for line in result.output.splitlines()}
    assert lines["server.port"] == ["5503", "default"]
    assert lines["cache.fresh"] == ["5", "min", f"{file}:2"]
    assert lines["cache.max_size"] == ["20", "GB", "default"]
    assert lines["offline"] == ["false", "default"]
    assert lines["ca_bundle"] == ["the", "system's", "certificates", "default"]
    assert lines["index.private.url"] == ["https://packages.example.com/simple/", f"{file}:5"]
    assert lines["index.private.username"] == ["ci", f"{file}:5"]
    assert lines["index.private.password"] == ["***", f"{file}:5"]
    assert lines["index.private.projects"] == ["acme-*", f"{file}:6"]
    assert lines["index.private.connect_timeout"] == ["3", "s", "default"]
    assert lines["index.private.fresh"] == ["15", "s", "default"]
    assert lines["index.private.probe"] == ["-", "default"]


def test_show_hides_the_login_of_pips_proxy(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_PROXY", "me:hunter2@proxy.example.com:3128")
    data = json.loads(run(secretive(file), "show", "--json").stdout)
    assert data["settings"]["proxy"] == {
        "value": "http://proxy.example.com:3128", "origin": "PIP_PROXY"
    }  # fmt: skip


@pytest.mark.parametrize("arguments", [("show",), ("show", "--json")])
def test_show_keeps_secrets(file: Path, arguments: tuple[str, ...]) -> None:
    result = run(secretive(file), *arguments)
    assert result.exit_code == 0
    assert "***" in result.output
    assert "hunter2" not in result.output
    assert "t0ken" not in result.output


def test_show_as_json_has_numbers_and_origins(file: Path) -> None:
    data = json.loads(run(secretive(file), "show", "--json").stdout)
    assert data["settings"]["cache.fresh"] == {"value": 300.0, "origin": f"{file}:2"}
    assert data["settings"]["cache.max_size"] == {"value": 20 * 1000**3, "origin": "default"}
    assert data["settings"]["ca_bundle"] == {"value": None, "origin": "default"}
    assert [index["name"]["value"] for index in data["indexes"]] == ["private", "token"]
    assert data["indexes"][0]["projects"] == {"value": ["acme-*"], "origin": f"{file}:6"}
