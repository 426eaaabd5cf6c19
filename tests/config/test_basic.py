"""What can be read of the settings though one of them is wrong."""

from pathlib import Path

import pytest

from indexfallback.config import Settings
from indexfallback.config.basic import readable_settings


def read(directory: Path, text: str, **environ: str) -> Settings:
    """Return the settings of a file and of variables."""
    file = directory / "config.toml"
    file.write_text(text, encoding="utf-8")
    return readable_settings(file, environ)


def test_address_and_cache_are_those_of_the_file(tmp_path: Path) -> None:
    text = """
        [server]
        host = "127.0.0.2"
        port = 6000
        prot = 1
        [cache]
        dir = "here"
        fresh = "for ever"
        [[index]]
        name = "x"
    """
    settings = read(tmp_path, text)
    assert (settings.host, settings.port) == ("127.0.0.2", 6000)
    assert settings.cache_dir == tmp_path / "here"
    assert settings.indexes == ()


def test_a_variable_has_precedence_unless_it_is_wrong(tmp_path: Path) -> None:
    text = "[server]\nport = 6000\n"
    assert read(tmp_path, text, INDEXFALLBACK_PORT="6001").port == 6001
    assert read(tmp_path, text, INDEXFALLBACK_PORT="x").port == 6000


@pytest.mark.parametrize(
    "text", ["[server", "server = 1", '[server]\nport = "x"', "[server]\nport = 0.5"]
)
def test_what_cannot_be_read_is_as_by_default(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).port == 5503


def test_without_a_file_all_is_as_by_default(tmp_path: Path) -> None:
    assert readable_settings(tmp_path / "none.toml", {}).port == 5503
