"""The steps of ``init``: clients come last, after a test, and what fails is undone."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from indexfallback.cli import init_steps, trial
from indexfallback.cli.trial import install_something
from indexfallback.clients import files
from indexfallback.config import rules
from indexfallback.config.people import own_uid
from tests.cli import initiating
from tests.cli.initiating import NewUser
from tests.cli.support import CommandLine
from tests.cli.test_background import Background
from tests.config.test_private_default import BOB
from tests.fakes import FakeIndex
from tests.serving import index_table

pytestmark = pytest.mark.skipif(os.name == "nt", reason="programs are scripts")


@pytest.fixture
def user(
    cli: CommandLine,
    private: FakeIndex,
    public: FakeIndex,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[NewUser]:
    """A user of pip, which asks two indexes."""
    user = NewUser(cli, monkeypatch)
    user.install("pip")
    conf = f"[global]\nindex-url = {public.url}\nextra-index-url = {private.url}\n"
    user.write(user.pip_conf, conf)
    monkeypatch.setattr(init_steps, "install_something", install_something)
    monkeypatch.setattr(trial, "_ARGUMENTS", {})  # no client but the test's own
    with closing(user.way):
        yield user


def test_something_is_installed_before_a_client_is_changed(
    user: NewUser, public: FakeIndex
) -> None:
    done = user.cli("init", "--yes").expect()
    assert "Tested: idna-3.10-py3-none-any.whl was fetched as a test: idna 3.10" in done.words
    assert public.count("/files/idna-3.10-py3-none-any.whl") == 1
    words = ("Wrote", "has 1 project", "Started", "Tested", "pip: wrote", "pip installs")
    told = [done.words.index(word) for word in words]
    assert told == sorted(told)


def test_without_a_public_project_one_of_a_private_list_is_installed(
    user: NewUser, private: FakeIndex, public: FakeIndex
) -> None:
    public.remove_project("idna")
    table = index_table("private", private.url, role="private")
    user.write(user.config, table + index_table("pypi", public.url))
    assert "fetched as a test: acme-app 1.4" in user.cli("init", "--yes").expect().words


def test_a_failed_test_undoes_all_and_says_why(user: NewUser, private: FakeIndex) -> None:
    private.stop_listening()
    before = user.files()
    done = user.cli("init", "--yes").expect(1)
    assert "each step was undone" in done.words
    assert "connection refused" in done.words
    assert user.files() == before
    assert not user.way.runs
    assert "nothing to undo" in user.cli("init", "--undo").expect().words


def test_what_a_client_says_of_a_failed_test_is_repeated(
    user: NewUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.install("pip", script="echo 'ERROR: no trust' >&2; exit 1")
    monkeypatch.setattr(trial, "_ARGUMENTS", {"pip": ("download",)})
    before = user.files()
    done = user.cli("init", "--yes").expect(1)
    assert "pip: the test install failed: ERROR: no trust; when that is mended" in done.words
    assert user.files() == before


def test_a_shim_of_another_configuration_in_a_terminal_is_left_alone(
    user: NewUser, public: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.write(user.config, index_table("pypi", public.url))
    user.way.start_for(user.cli)
    monkeypatch.setattr(initiating.init, "way_of", lambda *_: None)
    before = user.files()
    done = user.cli("init", "--yes").expect(1)
    assert "taken by your shim of process" in done.words
    assert user.files() == before
    assert user.way.runs


def test_a_client_that_sees_another_index_is_restored_and_named(user: NewUser) -> None:
    user.install("pip", script="echo http://other.example.com/simple/")
    before = user.pip_conf.read_bytes()
    done = user.cli("init", "--yes").expect(1)
    assert "`pip config get global.index-url` prints another address" in done.words
    assert "pip: left alone" in done.words
    assert user.pip_conf.read_bytes() == before


@pytest.mark.skipif(own_uid() is None, reason="Windows lists no accounts so")
def test_a_client_that_would_copy_the_token_is_left_alone_with_the_reason_and_the_way(
    user: NewUser, private: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "accounts", lambda: (BOB,))
    private.demand("ci", "s3cret")
    user.install("pip", "pipenv")
    text = user.pip_conf.read_text("utf-8")
    user.write(user.pip_conf, text.replace(private.url, private.login_url))
    done = user.cli("init", "--yes").expect(1)
    assert "Your token is written into the files of clients (bob has an account" in done.words
    assert "pipenv is not set up:" in done.words
    assert "use `indexfallback run -- pipenv`" in done.words
    assert "pip installs through" in done.words
    assert "pipenv: left alone" in done.words
    assert "s3cret" not in done.words
    assert "index-url = http://" in user.pip_conf.read_text("utf-8")


def test_undo_restores_every_file_byte_for_byte(user: NewUser) -> None:
    user.install("pip", "uv")
    user.write(user.uv_toml, "# mine\r\nno-cache = true\r\n")
    before = user.files()
    user.cli("init", "--yes").expect()
    assert user.files() != before
    done = user.cli("init", "--undo").expect()
    assert "Stopped the local index" in done.words
    assert user.files() == before
    assert not user.way.runs


def test_undo_keeps_what_was_changed_since_and_names_what_it_leaves(user: NewUser) -> None:
    user.write(user.config, "[limits]\nread_ahead = false\n")
    user.cli("init", "--yes").expect()
    text = user.config.read_text("utf-8")
    user.write(user.config, text.replace("127.0.0.1", "localhost") + "# mine too\n")
    done = user.cli("init", "--undo").expect(1)
    assert "[[index]] was changed since then: it is not restored" in done.words
    assert "# mine too" in user.config.read_text("utf-8")


def test_undo_stops_no_shim_that_a_client_still_uses(user: NewUser) -> None:
    user.install("pip", "uv")
    user.on_terminal("Point uv").expect()
    user.cli("setup", "uv").expect()
    done = user.cli("init", "--undo").expect(1)
    assert "not stopped, because uv would still use it" in done.words
    assert user.way.runs
    user.cli("setup", "uv", "--undo").expect()
    user.cli("init", "--undo").expect()
    assert not user.config.exists()


class Killed(BaseException):
    """The process ends here, without an undo."""


@pytest.mark.parametrize("last", ["config.toml", "init.json", "pip.json", "pip.conf"])
def test_killed_half_way_it_is_completed_and_undone(
    user: NewUser, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    before = user.files()
    write = files.write_bytes

    def kill(file: Path, content: bytes, mode: int | None = None) -> tuple[Path, ...]:
        made = write(file, content, mode)
        if file.name == last:
            raise Killed
        return made

    def undo(_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_bytes", kill)
        patch.setattr(init_steps, "_undo", undo)
        with pytest.raises(Killed):
            user.cli("init", "--yes")
    user.cli("init", "--yes").expect()
    assert user.url in user.pip_conf.read_text("utf-8")
    user.cli("init", "--undo").expect()
    assert user.files() == before
    assert not user.way.runs


def test_a_shim_of_another_configuration_is_restarted_and_started_again_by_the_undo(
    user: NewUser, public: FakeIndex
) -> None:
    user.write(user.config, index_table("pypi", public.url))
    user.way.start_for(user.cli)
    user.cli("init", "--yes").expect()
    assert [len(settings.indexes) for settings in user.way.started] == [1, 2]
    user.cli("init", "--undo").expect()
    assert [len(settings.indexes) for settings in user.way.started] == [1, 2, 1]
    assert user.way.runs


class TestPort:
    """Another program has the configured port."""

    @pytest.fixture
    def taken(self, user: NewUser) -> Iterator[int]:
        with FakeIndex() as other:
            del user.cli.environ["INDEXFALLBACK_PORT"]
            user.write(user.config, f"# mine\n[server]\nport = {other.port}  # fixed\n")
            yield other.port

    def test_it_is_said_before_anything_is_written_and_a_free_one_proposed(
        self, user: NewUser, taken: int
    ) -> None:
        before = user.files()
        done = user.cli("init").expect(1)
        assert f"127.0.0.1:{taken} is taken by another program; port " in done.words
        assert "This chain, with port " in done.words
        assert user.files() == before

    def test_a_yes_writes_the_free_one_for_the_shim_and_its_clients(
        self, user: NewUser, taken: int
    ) -> None:
        before = user.files()
        user.cli("init", "--yes").expect()
        port = user.way.started[0].port
        assert port > taken
        assert f"port = {port}  # fixed\n" in user.config.read_text("utf-8")
        assert f"http://127.0.0.1:{port}/simple/" in user.pip_conf.read_text("utf-8")
        user.cli("init", "--undo").expect()
        assert user.files() == before

    def test_one_that_a_variable_names_is_left_to_the_user(self, user: NewUser, taken: int) -> None:
        done = user.cli("init", "--yes", INDEXFALLBACK_PORT=str(taken)).expect(1)
        assert "taken by another program; stop it, or choose another port" in done.words

    def test_setup_writes_nothing(self, user: NewUser, taken: int) -> None:
        before = user.files()
        done = user.cli("setup", "pip").expect(1)
        assert f"http://127.0.0.1:{taken}: another program has the port" in done.words
        assert "`indexfallback init` proposes a free one" in done.words
        assert user.files() == before


def test_a_real_pip_installs_through_a_shim_in_the_background(
    cli: CommandLine, private: FakeIndex, public: FakeIndex
) -> None:
    user = Background(cli)  # for its port
    home = Path(cli.environment()["HOME"])
    pip_conf = home / ".config" / "pip" / "pip.conf"
    pip_conf.parent.mkdir(parents=True)
    conf = f"[global]\nindex-url = {public.url}\nextra-index-url = {private.url}\n"
    pip_conf.write_text(conf, "utf-8")
    programs = home / "programs"
    programs.mkdir()
    (programs / "pip").write_text(f'#!/bin/sh\nexec {sys.executable} -m pip "$@"\n', "utf-8")
    (programs / "pip").chmod(0o755)
    cli.environ |= {"PIP_CONFIG_FILE": "", "PATH": str(programs)}
    try:
        done = cli.by_process("init", "--yes").expect()
        assert "in the background, until the machine stops" in done.words
        assert "Tested: pip has installed idna 3.10 from" in done.words
        assert f"http://127.0.0.1:{user.port}/simple/" in pip_conf.read_text("utf-8")
        assert "All is set up" in cli.by_process("init", "--yes").expect().words
        assert "Stopped the local index" in cli.by_process("init", "--undo").expect().words
        assert pip_conf.read_text("utf-8") == conf
        cli("status").expect(1)
    finally:
        user.serve("--stop")
