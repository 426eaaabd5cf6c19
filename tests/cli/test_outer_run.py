"""A ``run`` inside a ``run``, and which port a shim for one command takes."""

import socket

import pytest

from indexfallback.clients import record
from indexfallback.clients.outer_run import OuterRunEndedError, is_inside_run
from indexfallback.clients.pointed import is_pointed_at
from indexfallback.clients.record import Record
from indexfallback.config import Settings
from indexfallback.tunnel.environment import MARK
from tests.cli.support import CommandLine


def test_without_the_mark_there_is_no_outer_run() -> None:
    assert not is_inside_run({})


def test_with_a_tunnel_that_listens_there_is_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert is_inside_run({MARK: f"127.0.0.1:{listening.getsockname()[1]}"})


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense", "127.0.0.1:"])
def test_a_tunnel_that_is_gone_is_an_error_that_says_what_to_do(address: str) -> None:
    with pytest.raises(OuterRunEndedError, match="start a new shell"):
        is_inside_run({MARK: address})


@pytest.fixture
def settings(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("XDG_STATE_HOME", str(cli.directory / "state"))
    return Settings(indexes=(), cache_dir=cli.directory / "cache", port=5599)


def test_no_client_is_set_up_at_first(settings: Settings) -> None:
    assert not is_pointed_at(settings, {"PIP_CONFIG_FILE": "/dev/null"})


def test_pips_own_address_of_the_shim_counts(settings: Settings) -> None:
    own = {"PIP_EXTRA_INDEX_URL": "https://packages.example.com http://127.0.0.1:5599/simple/"}
    assert is_pointed_at(settings, own)
    assert not is_pointed_at(settings, {"PIP_INDEX_URL": "http://127.0.0.1:5598/simple/"})


def test_a_record_of_a_client_that_was_set_up_counts(settings: Settings) -> None:
    made = Record(
        file=settings.cache_dir, url="http://127.0.0.1:5599/simple/", existed=False, made=(),
        steps=(),
    )  # fmt: skip
    record.save("uv", made)
    assert is_pointed_at(settings, {})
    record.forget("uv")
    assert not is_pointed_at(settings, {})
