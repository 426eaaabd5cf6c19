"""Clients in a run whose public index has a cooldown: what they choose, and what fails why."""

from datetime import datetime, timedelta, timezone

import pytest

from tests.clients.setup.conftest import Programs
from tests.clients.support import Client, write_config
from tests.clients.transparent.locking import LOCKERS
from tests.clients.transparent.support import Developer, Internet
from tests.fakes import wheel

UPLOADED = datetime.now(timezone.utc) - timedelta(days=1)
UNTIL = (UPLOADED + timedelta(days=7)).astimezone().strftime("%Y-%m-%d %H:%M")
YOUNG = wheel("foo", "1.1", requires=["bar>=1", "baz"])


@pytest.fixture(autouse=True)
def _cooldown(developer: Developer, internet: Internet) -> None:
    internet.public.add(YOUNG, upload_time=UPLOADED.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    write_config(developer.config, {"pypi": {"url": "pypi", "cooldown": "7 days"}})


def test_a_lock_file_of_a_young_release_fails_with_reason_and_date(
    developer: Developer,
) -> None:
    locker = LOCKERS["uv lock"]
    developer.start_project(locker.given)
    developer.direct(*locker.command).expect()
    sync = ("sync", "--frozen", "--no-install-project")
    failed = developer.through(*locker.command[:1], *sync)
    assert failed.code
    assert f"{YOUNG.filename} is withheld. It was uploaded at pypi on " in failed.said
    assert f"withholds it until {UNTIL}. What you can do: Use an older version" in failed.said
    assert "foo 1.1 is withheld." not in failed.said  # once is enough


def test_an_exact_pin_of_a_young_release_fails_with_reason_and_date(
    developer: Developer, environments: dict[str, Client]
) -> None:
    failed = developer.through(*environments["pip"].install(developer.target(), "foo==1.1"))
    assert failed.code
    assert "foo 1.1 is withheld. It was uploaded at pypi on " in failed.said
    assert f"withholds it until {UNTIL}." in failed.said
    assert "`indexfallback cache accept foo 1.1`" in failed.said


@pytest.mark.network
def test_poetry_takes_the_newest_release_that_is_old_enough_and_run_names_the_newer_one(
    developer: Developer, programs: Programs
) -> None:
    locker = LOCKERS["poetry add"]
    developer.start_project(locker.given)
    done = developer.through(*locker.command, programs=locker.path(programs)).expect()
    assert b'name = "foo"\nversion = "1.0"' in locker.read(developer)["poetry.lock"]
    assert f"newer releases are withheld by a cooldown: foo 1.1 (until {UNTIL})" in done.said
