"""The command ``init``: what it finds, proposes, and does only with a yes.

Its shim and its test install are stand-ins here.
"""

import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.initiating import NewUser
from tests.cli.support import COLUMNS, CommandLine
from tests.cli.test_setup_command import PIP_CONF, SECRET
from tests.serving import index_table

UV_TOML = '[[index]]\nname = "corp"\nurl = "https://corp.example.com/simple/"\ndefault = true\n'
MIRROR = "https://mirror.example.com/simple/"
needs_terminal = pytest.mark.skipif(os.name == "nt", reason="a terminal as Unix has it")


@pytest.fixture
def home(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Iterator[NewUser]:
    """A user of pip and uv, with both on the PATH and nothing else there."""
    home = NewUser(cli, monkeypatch)
    home.install("pip", "uv")
    home.write(home.pip_conf, PIP_CONF)
    home.write(home.uv_toml, UV_TOML)
    with closing(home.way):
        yield home


def roles(home: NewUser) -> list[tuple[str, str]]:
    indexes = home.cli("config", "show", "--json").expect().json["indexes"]
    return [(index["name"]["value"], index["role"]["value"]) for index in indexes]


def test_without_a_terminal_and_a_yes_it_shows_all_and_changes_nothing(home: NewUser) -> None:
    before = home.everything()
    done = home.cli("init", POETRY_PYPI_MIRROR_URL=MIRROR).expect(1)
    rows = [line.split()[1:3] for line in done.out.splitlines() if line[2:3].isdigit()]
    assert rows == [
        ["packages.example.com", "private"],
        ["corp.example.com", "private"],
        ["mirror.example.com", "mirror"],
        ["pypi", "public"],
    ]
    assert "(pip: extra-index-url, with credentials)" in done.words
    assert "(uv: [[index]])" in done.words
    assert "would be set up: pip, uv" in done.words
    assert "nothing was changed, because there is no terminal" in done.words
    assert SECRET not in done.words
    assert home.everything() == before


def test_with_a_yes_the_chain_is_written_and_every_client_set_up(home: NewUser) -> None:
    done = home.cli("init", "--yes").expect()
    assert roles(home) == [
        ("packages.example.com", "private"),
        ("corp.example.com", "private"),
        ("pypi", "public"),
    ]
    assert SECRET in home.config.read_text("utf-8")
    for file in (home.pip_conf, home.uv_toml):
        assert home.url in file.read_text("utf-8")
        assert "example.com" not in file.read_text("utf-8")
    assert f"pip and uv install through {home.url} now" in done.words
    assert "To undo all: `indexfallback init --undo`" in done.words


def test_quiet_says_only_what_is_wrong(home: NewUser) -> None:
    done = home.cli("init", "--yes", "-q").expect()
    assert done.out == ""
    assert all("gives no list of its names" in line for line in done.err.splitlines())
    assert home.url in home.pip_conf.read_text("utf-8")
    done = home.cli("init", "--undo", "-q").expect()
    assert done.out + done.err == ""


def test_the_role_of_each_index_has_a_reason(home: NewUser) -> None:
    done = home.cli.to_terminal("init", PDM_PYPI_URL="", POETRY_PYPI_MIRROR_URL=MIRROR).expect(1)
    reasons = [
        "pip asks it beside the public index (pip: extra-index-url, with credentials)",
        "it may have projects of its own (uv: [[index]])",
        "the client takes it for a mirror of PyPI (POETRY_PYPI_MIRROR_URL)",
        "it is PyPI (pip: default)",
    ]
    for row, reason in zip(numbered(done.out), reasons, strict=True):
        assert reason in row
    assert "Copies of public projects in packages.example.com stay the public index's" in done.words
    assert done.widest <= COLUMNS


def numbered(text: str) -> list[str]:
    """Return the rows of a chain, each with the lines that belong to it."""
    rows = re.split(r"^  (?=\d )", text, flags=re.MULTILINE)[1:]
    return [" ".join(row.split()) for row in rows]


def test_defer_copies_is_written_for_the_indexes_of_pip_alone(home: NewUser) -> None:
    home.cli("init", "--yes").expect()
    indexes = home.cli("config", "show", "--json").expect().json["indexes"]
    assert [(index["name"]["value"], index["defer_copies"]["value"]) for index in indexes] == [
        ("packages.example.com", True),
        ("corp.example.com", False),
        ("pypi", False),
    ]
    assert home.config.read_text("utf-8").count("defer_copies = true") == 1


def test_a_mirror_by_name_is_written_as_one(home: NewUser) -> None:
    home.cli("init", "--yes", PIPENV_PYPI_MIRROR=MIRROR).expect()
    assert ("mirror.example.com", "mirror") in roles(home)


def test_a_second_time_it_finds_the_chain_that_is_there(home: NewUser) -> None:
    home.cli("init", "--yes").expect()
    before = home.everything()
    done = home.cli("init", "--yes").expect()
    assert f"All is set up: {home.url} answers" in done.words
    assert home.everything() == before


def test_what_a_chain_does_not_have_is_proposed_before_it(home: NewUser) -> None:
    home.write(home.config, index_table("pypi", "pypi"))
    home.cli("init", "--yes").expect()
    assert [name for name, _ in roles(home)] == ["packages.example.com", "corp.example.com", "pypi"]


def test_the_main_index_of_pip_is_proposed_as_private_before_a_chain(home: NewUser) -> None:
    home.write(home.pip_conf, "[global]\nindex-url = https://main.example.com/simple/\n")
    home.write(home.config, index_table("pypi", "pypi"))
    home.cli("init", "--yes").expect()
    assert ("main.example.com", "private") in roles(home)


@pytest.mark.parametrize("host", ["PACKAGES.example.com", "corp.example.com"])
def test_an_index_that_is_named_twice_is_found_once(home: NewUser, host: str) -> None:
    done = home.cli("init", PDM_PYPI_URL=f"https://{host}/simple").expect(1)
    assert "  3 pypi" in done.out


def test_the_shim_itself_is_not_found(home: NewUser) -> None:
    home.cli("setup", "pip").expect()
    done = home.cli("init", UV_INDEX=home.url).expect(1)
    assert "127.0.0.1" not in done.out


def test_a_projects_files_are_not_looked_at(home: NewUser, tmp_path: Path) -> None:
    project = tmp_path / "cloned"
    text = '[[tool.uv.index]]\nurl = "https://evil.example.com/simple/"\n'
    home.write(project / "pyproject.toml", text)
    home.cli.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = home.cli.call_in(project, "init").expect(1)
    assert "evil" not in done.words
    assert "corp" in done.words


@needs_terminal
def test_a_no_on_the_terminal_changes_nothing(home: NewUser) -> None:
    before = home.files()
    done = home.cli.on_terminal("init", typed="n\n").expect()
    assert "Nothing was changed." in done.out
    assert home.files() == before


def test_each_change_is_asked_for_and_an_empty_line_means_yes(home: NewUser) -> None:
    home.on_terminal("Point uv").expect()
    assert home.asked == [
        ("Write this chain to ~/.config/indexfallback/config.toml?", True),
        ("Start the local index, in the tests?", True),
        ("Point pip at it after a test?", True),
        ("Point uv at it after a test?", True),
    ]
    assert home.url in home.pip_conf.read_text("utf-8")
    assert home.uv_toml.read_text("utf-8") == UV_TOML


def test_clients_are_left_alone_if_the_shim_is_not_to_be_started(home: NewUser) -> None:
    done = home.on_terminal("Start").expect()
    assert "they would wait for an index that does not run" in done.words
    assert roles(home)
    assert home.pip_conf.read_text("utf-8") == PIP_CONF
    assert not home.way.runs


def test_a_client_that_something_is_in_the_way_of_is_said_and_it_fails(home: NewUser) -> None:
    done = home.cli("init", "--yes", UV_NO_CONFIG="1").expect(1)
    assert "uv is not set up: UV_NO_CONFIG" in done.words
    assert "uv: left alone" in done.words
    assert "127.0.0.1" in home.pip_conf.read_text("utf-8")
