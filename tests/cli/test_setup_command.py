"""The command ``setup``: what it prints, writes, refuses and puts back."""

import os
import stat
from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.conftest import Serve
from tests.serving import index_table

SECRET = "s3cret"
PIP_CONF = f"""\
# mine
[global]
timeout = 60
extra-index-url =
    https://ci:{SECRET}@packages.example.com/simple/

[install]
no-compile = yes
"""


class Home:
    """A home directory with clients' files, and the command for it."""

    def __init__(self, cli: CommandLine) -> None:
        self.cli = cli
        self.path = cli.directory / "home"
        self.pip_conf = self.path / ".config" / "pip" / "pip.conf"
        self.uv_toml = self.path / ".config" / "uv" / "uv.toml"
        self.config = self.path / ".config" / "indexfallback" / "config.toml"
        # Files of pip are read, where tests otherwise have none.
        cli.environ |= {"PIP_CONFIG_FILE": "", "INDEXFALLBACK_PORT": "5999", "SHELL": "/bin/bash"}

    def install(self, *names: str, script: str = "exit 3") -> None:
        """Put programs on the PATH, the only ones there."""
        programs = self.path / "programs"
        for name in names:
            self.write(programs / name, f"#!/bin/sh\n{script}\n")
            (programs / name).chmod(0o755)
        self.cli.environ["PATH"] = str(programs)

    def write(self, file: Path, text: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())

    def everything(self) -> dict[str, bytes]:
        """Return every file of the user's, but for what Python and the like leave behind."""
        places = (self.path, self.cli.directory / "run")
        files = [path for place in places for path in place.rglob("*") if path.is_file()]
        return {str(file): file.read_bytes() for file in files if ".cache" not in file.parts}


@pytest.fixture
def home(cli: CommandLine) -> Home:
    return Home(cli)


def test_a_dry_run_prints_the_change_without_passwords_and_changes_nothing(home: Home) -> None:
    home.write(home.pip_conf, PIP_CONF)
    before = home.everything()
    done = home.cli("setup", "pip", "--dry-run").expect()
    assert "\n+index-url = http://127.0.0.1:5999/simple/\n" in done.out
    assert "\n-    https://***@packages.example.com/simple/\n" in done.out
    assert SECRET not in done.out + done.err
    assert home.everything() == before


def test_the_indexes_of_pip_are_taken_over_with_their_roles_and_passwords(home: Home) -> None:
    home.write(home.pip_conf, PIP_CONF)
    before = home.cli("config", "show", "--json").expect().json["indexes"]
    home.cli("setup", "pip").expect()
    assert SECRET not in home.pip_conf.read_text("utf-8")
    assert SECRET in home.config.read_text("utf-8")
    if os.name != "nt":
        assert stat.S_IMODE(home.config.stat().st_mode) == 0o600
    after = home.cli("config", "show", "--json").expect().json["indexes"]
    for key in ("name", "url", "role", "defer_copies", "username", "password"):
        assert [each[key]["value"] for each in after] == [each[key]["value"] for each in before]


def test_a_pip_without_indexes_leaves_us_without_a_configuration(home: Home) -> None:
    home.cli("setup", "pip").expect()
    assert not home.config.exists()
    assert home.pip_conf.read_text("utf-8") == (
        "[global]\nindex-url = http://127.0.0.1:5999/simple/\n"
    )


def test_a_private_index_of_pip_is_put_before_the_chain_that_is_there(home: Home) -> None:
    home.write(home.pip_conf, PIP_CONF)
    home.write(home.config, "# ours\n" + index_table("pypi", "pypi"))
    home.cli("setup", "pip").expect()
    text = home.config.read_text("utf-8")
    assert text.index("# ours") < text.index(SECRET) < text.index('"pypi"')
    (private, pypi) = home.cli("config", "show", "--json").expect().json["indexes"]
    assert (private["role"]["value"], pypi["role"]["value"]) == ("private", "public")


def test_an_index_of_the_chain_gets_the_password_that_pip_has_for_it(home: Home) -> None:
    home.write(home.pip_conf, PIP_CONF)
    table = index_table("private", "https://packages.example.com/simple/", role="private")
    home.write(home.config, f"{table}# last\n")
    home.cli("setup", "pip").expect()
    expected = table.replace("https://", f"https://ci:{SECRET}@")
    assert home.config.read_text("utf-8") == f"{expected}# last\n"


def test_a_second_time_there_is_nothing_to_do(home: Home) -> None:
    home.write(home.pip_conf, PIP_CONF)
    home.cli("setup", "pip", "uv").expect()
    before = home.everything()
    done = home.cli("setup", "pip", "uv").expect()
    assert done.out.count("nothing to do") == 2
    assert home.everything() == before


def test_undo_puts_back_every_byte_and_leaves_no_trace_in_the_state_directory(home: Home) -> None:
    home.write(home.pip_conf, PIP_CONF.replace("\n", "\r\n"))
    home.pip_conf.chmod(0o640)
    before = home.everything()
    home.cli("setup", "pip", "uv", "poetry", "pdm", "pipenv", "buildout").expect()
    assert home.pip_conf.read_bytes().count(b"\n") == home.pip_conf.read_bytes().count(b"\r\n")
    home.cli("setup", "--all", "--undo").expect()
    after = home.everything()
    assert after.pop(str(home.config))  # what was taken over stays, and is said to
    assert after == before
    if os.name != "nt":
        assert stat.S_IMODE(home.pip_conf.stat().st_mode) == 0o640
    assert not home.uv_toml.parent.exists()


def test_undo_removes_a_file_that_set_up_made_and_says_so(home: Home) -> None:
    home.cli("setup", "pip").expect()
    assert home.cli("setup", "pip", "--undo").expect().words.startswith("pip: removed ")
    assert not home.pip_conf.exists()


def test_undo_says_what_becomes_of_what_was_taken_over(home: Home) -> None:
    home.write(home.pip_conf, PIP_CONF)
    home.cli("setup", "pip").expect()
    done = home.cli("setup", "pip", "--undo").expect()
    assert "The chain stays in" in done.words
    assert SECRET in home.config.read_text("utf-8")


def test_undo_after_a_second_setup_at_another_port_is_still_exact(home: Home) -> None:
    home.write(home.pip_conf, PIP_CONF)
    home.cli("setup", "pip").expect()
    home.cli("setup", "pip", INDEXFALLBACK_PORT="5998").expect()
    assert "127.0.0.1" not in home.config.read_text("utf-8")
    assert ":5999" not in home.pip_conf.read_text("utf-8")
    home.cli("setup", "pip", "--undo", INDEXFALLBACK_PORT="5998").expect()
    assert home.pip_conf.read_text("utf-8") == PIP_CONF


def test_the_shim_at_its_former_port_is_not_taken_over(home: Home) -> None:
    home.cli("setup", "pip").expect()
    home.cli("setup", "pip", INDEXFALLBACK_PORT="5998").expect()
    assert not home.config.exists()


def test_quiet_says_only_what_is_wrong(home: Home) -> None:
    for options in ((), ("--undo",)):
        done = home.cli("setup", "pip", "-q", *options).expect()
        assert done.out + done.err == ""
    home.cli("setup", "pip", "-q").expect()
    home.write(home.pip_conf, "[global]\nindex-url = https://mine.example.com/\n")
    done = home.cli("setup", "pip", "-q", "--undo").expect(1)
    assert (done.out, "is not restored" in done.err) == ("", True)
    assert home.cli("setup", "uv", "-q", "--dry-run").expect().out


def test_undo_leaves_what_was_changed_since_and_says_so(home: Home) -> None:
    home.cli("setup", "pip").expect()
    home.write(home.pip_conf, "[global]\nindex-url = https://mine.example.com/\n")
    done = home.cli("setup", "pip", "--undo").expect(1)
    assert "[global] index-url was changed since then: it is not restored." in done.words
    assert "mine" in home.pip_conf.read_text("utf-8")


def test_undo_without_setup_says_that_there_is_nothing(home: Home) -> None:
    home.write(home.uv_toml, "# mine\n")
    done = home.cli("setup", "uv", "--undo").expect()
    assert "uv was not set up by this command: there is nothing to undo." in done.words
    assert home.uv_toml.read_text("utf-8") == "# mine\n"


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_stays_one_and_the_file_behind_it_is_edited(home: Home) -> None:
    kept = home.path / "dotfiles" / "pip.conf"
    home.write(kept, PIP_CONF)
    home.pip_conf.parent.mkdir(parents=True)
    home.pip_conf.symlink_to(kept)
    home.cli("setup", "pip").expect()
    assert home.pip_conf.is_symlink()
    assert "index-url = http://127.0.0.1:5999/simple/" in kept.read_text("utf-8")
    home.cli("setup", "pip", "--undo").expect()
    assert home.pip_conf.is_symlink()
    assert kept.read_text("utf-8") == PIP_CONF


def test_the_file_as_it_was_is_kept_where_it_says_for_its_owner_alone(home: Home) -> None:
    home.write(home.pip_conf, PIP_CONF)
    (result,) = home.cli("setup", "pip", "--json").expect().json["clients"]
    backup = Path(result["backup"])
    assert backup.read_text("utf-8") == PIP_CONF
    if os.name != "nt":
        assert {stat.S_IMODE(file.stat().st_mode) for file in backup.parent.iterdir()} == {0o600}


def test_a_refusal_says_why_changes_nothing_and_fails(home: Home) -> None:
    home.write(home.pip_conf, PIP_CONF)
    before = home.everything()
    done = home.cli("setup", "pip", PIP_INDEX_URL="https://other.example.com/").expect(1)
    assert "pip is not set up: PIP_INDEX_URL:" in done.words
    assert home.everything() == before


def test_what_is_in_the_way_of_one_client_does_not_stop_the_others(home: Home) -> None:
    done = home.cli("setup", "pip", "uv", PIP_NO_INDEX="1").expect(1)
    assert "pip is not set up" in done.words
    assert home.uv_toml.exists()
    assert not home.pip_conf.exists()


def test_a_broken_file_is_named_and_left_alone(home: Home) -> None:
    home.write(home.uv_toml, "[[index]\n")
    done = home.cli("setup", "uv").expect(1)
    assert "uv.toml: is not TOML" in done.words
    assert home.uv_toml.read_text("utf-8") == "[[index]\n"


def test_a_broken_file_of_one_client_does_not_stop_the_others(home: Home) -> None:
    home.write(home.uv_toml, "[[index]\n")
    done = home.cli("setup", "uv", "pip").expect(1)
    assert "uv.toml: is not TOML" in done.words
    assert home.pip_conf.exists()


def test_a_public_index_of_pip_that_no_chain_has_is_not_lost(home: Home) -> None:
    text = "[global]\nindex-url = https://mirror.example.com/simple/\n"
    home.write(home.pip_conf, text)
    home.write(home.config, index_table("pypi", "pypi"))
    done = home.cli("setup", "pip").expect(1)
    assert "is not in indexfallback's chain" in done.words
    assert home.pip_conf.read_text("utf-8") == text


def test_a_damaged_record_is_said_with_where_the_copy_is(home: Home) -> None:
    home.write(home.pip_conf, PIP_CONF)
    (result,) = home.cli("setup", "pip", "--json").expect().json["clients"]
    backup = Path(result["backup"])
    backup.with_suffix(".json").write_text("{", "utf-8")
    done = home.cli("setup", "pip", "--undo").expect(1)
    assert f"restore the client's file from {backup}" in done.words


def test_a_file_that_cannot_be_written_is_named(home: Home) -> None:
    home.write(home.uv_toml.parent, "in the place of its directory")
    done = home.cli("setup", "uv").expect(1)
    assert f"{home.uv_toml}: the file cannot be written" in done.words
    home.cli("setup", "uv", "--undo").expect()


def test_a_directory_in_place_of_a_file_is_named(home: Home) -> None:
    home.uv_toml.mkdir(parents=True)
    done = home.cli("setup", "uv").expect(1)
    assert f"{home.uv_toml}: the file cannot be read" in done.words


def test_hatch_is_set_up_by_pip_and_uv_which_it_installs_with(home: Home) -> None:
    results = home.cli("setup", "hatch", "--json").expect().json["clients"]
    assert [result["client"] for result in results] == ["pip", "uv"]


def test_json_says_what_was_done(home: Home) -> None:
    (result,) = home.cli("setup", "uv", "--json").expect().json["clients"]
    assert result["changed"]
    assert result["file"] == str(home.uv_toml)
    assert '+url = "http://127.0.0.1:5999/simple/"' in result["diff"]


def test_a_shim_that_does_not_run_is_said_with_what_it_costs(home: Home) -> None:
    done = home.cli("setup", "uv").expect()
    assert "pip waits 7.5 s for each project" in done.words
    assert "`indexfallback serve`" in done.words


def test_a_shim_that_runs_is_not_worth_a_word(home: Home, served: Serve) -> None:
    home.cli.use(served(index_table("pypi", "pypi")))
    assert "7.5 s" not in home.cli("setup", "uv").expect().words


@pytest.mark.parametrize(
    "arguments", [(), ("--all", "pip"), ("conda",), ("uv", "--index", "a=pypi")]
)
def test_it_wants_clients_by_their_names_or_all_and_no_chain_for_one_call(
    home: Home, arguments: tuple[str, ...]
) -> None:
    home.cli("setup", *arguments).expect(2)
