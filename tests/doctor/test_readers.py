"""Who else can read what the shim serves, and whom it refuses."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from indexfallback.config import Settings
from indexfallback.config.people import Account, accounts, people
from indexfallback.doctor.finding import Verdict
from indexfallback.doctor.machine import Machine, TextFile
from indexfallback.doctor.readers import others, tokens

OURS = Account("anna", 1000, "/bin/bash")
BOB = Account("bob", 1001, "/usr/bin/zsh")
SYSTEM = (
    Account("root", 0, "/bin/bash"),
    Account("www-data", 33, "/usr/sbin/nologin"),
    Account("nobody", 65534, "/bin/sh"),
    Account("backup", 1002, "/usr/sbin/nologin"),
    Account("git", 1003, "/bin/false"),
)
SETTINGS = Settings(indexes=(), cache_dir=Path("cache"))
MACHINE = Machine(
    settings=SETTINGS, environ={}, version="1", uid=1000, with_login=("private",),
    accounts=(*SYSTEM, OURS, BOB),
)  # fmt: skip


def test_people_are_those_who_can_log_in() -> None:
    carol = Account("carol", 1004, "")
    assert people((*SYSTEM, OURS, carol, BOB), 1000, "linux") == ["bob", "carol"]
    assert people((*SYSTEM, OURS, BOB), 0, "linux") == ["anna", "bob"]


def test_macos_has_people_from_501_on() -> None:
    first = Account("dora", 501, "/bin/zsh")
    assert people((*SYSTEM, first), 502, "darwin") == ["dora"]
    assert people((*SYSTEM, first), 502, "linux") == []


def test_others_can_read_what_a_login_gives() -> None:
    (finding,) = others(MACHINE)
    assert (finding.verdict, finding.subject) == (Verdict.WARN, "other users")
    assert finding.what == "bob can read through the shim what your login to private gives"
    assert finding.remedy.startswith("Set private = true in [server], restart the shim")


def test_only_some_of_many_are_named() -> None:
    many = tuple(Account(f"user{uid}", uid, "/bin/sh") for uid in range(2001, 2009))
    (finding,) = others(replace(MACHINE, accounts=many))
    assert finding.what.startswith("user2001, user2002, user2003 and 5 more can read")


@pytest.mark.parametrize(
    "machine",
    [
        replace(MACHINE, accounts=(*SYSTEM, OURS)),
        replace(MACHINE, with_login=()),
        replace(MACHINE, uid=None, accounts=()),
        replace(MACHINE, settings=replace(SETTINGS, private=True)),
        replace(MACHINE, settings=replace(SETTINGS, host="0.0.0.0")),
        replace(MACHINE, settings=replace(SETTINGS, origins={"server.private": "config.toml:2"})),
    ],
    ids=["alone", "no login", "Windows", "private", "tokens anyway", "as the user decided"],
)
def test_otherwise_there_is_nothing_to_find(machine: Machine) -> None:
    (finding,) = others(machine)
    assert finding.verdict is Verdict.OK


def test_clients_without_the_token_that_the_shim_asks_for_are_found() -> None:
    uv = TextFile("uv.toml", 'index-url = "http://127.0.0.1:5503/simple/"')
    pip = TextFile("pip.conf", "[global]\nindex-url = http://__token__:t@127.0.0.1:5503/simple/")
    machine = replace(
        MACHINE, settings=replace(SETTINGS, private=True), pip=(pip,), uv=(uv,),
        environ={"PDM_PYPI_URL": "http://127.0.0.1:5503/simple/"},
    )  # fmt: skip
    (finding,) = tokens(machine)
    assert finding.verdict is Verdict.FAIL
    assert "its address in PDM_PYPI_URL and uv.toml has none" in finding.what
    (finding,) = tokens(replace(machine, settings=SETTINGS))
    assert finding.verdict is Verdict.OK


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lists no accounts so")
def test_the_accounts_of_this_machine_are_read() -> None:
    assert any(account.uid == 0 for account in accounts())
