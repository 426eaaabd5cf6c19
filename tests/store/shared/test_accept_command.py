"""``cache accept`` of a release where several shims share a bucket, on a real object store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.fakes import FakeIndex, wheel
from tests.fakes.object_store import READER, WRITER, ObjectStore
from tests.serving import index_table

YOUNG = wheel("demo", "2.0")


class Team:
    """The command lines of users whose shims share a bucket."""

    def __init__(self, directory: Path, index: FakeIndex, url: str, endpoint: str) -> None:
        self._directory = directory
        self._index = index
        self._bucket: dict[str, object] = {
            "shared": url,
            "shared_endpoint": endpoint,
            "shared_timeout": "5 s",
        }

    def user(self, name: str, **cache: str) -> CommandLine:
        """Return the command line of a user with a cache and a state directory of their own."""
        directory = self._directory / name
        directory.mkdir()
        made = CommandLine(directory)
        made.environ |= WRITER
        made.configure(
            index_table("pypi", self._index.url, cooldown="7 days"), cache=self._bucket | cache
        )
        return made


@pytest.fixture
def team(bucket_url: str, object_store: ObjectStore, tmp_path: Path) -> Iterator[Team]:
    with FakeIndex([wheel("demo")], json=True) as index:
        index.add(YOUNG, upload_time="2999-01-01T00:00:00Z")
        yield Team(tmp_path, index, bucket_url, object_store.endpoint)


def test_a_release_is_accepted_and_withdrawn_for_all_shims(team: Team) -> None:
    ann, ben = team.user("ann"), team.user("ben")
    said = ann("cache", "accept", "demo", "2.0").expect().words
    assert "demo 2.0 is accepted: no cooldown withholds it" in said
    assert "offer it within a minute" in said
    assert ann("why", "demo", "--json").expect().json["cooldown"]["accepted"] == ["2"]
    (listed,) = ben("cache", "accept", "--list", "--json").expect().json["releases"]
    assert (listed["project"], listed["version"], listed["shared"]) == ("demo", "2.0", True)
    assert "all shims" in ben("cache", "accept", "--list").expect().words
    assert ben("cache", "accept", "demo", "2", "--undo", "--json").expect().json["removed"]
    assert "was not accepted" in ben("cache", "accept", "demo", "2", "--undo").expect(1).words
    assert "no release is accepted" in ann("cache", "accept", "--list").expect().words


def test_one_that_only_reads_accepts_for_itself_and_says_so(team: Team) -> None:
    reader = team.user("ann", shared_mode="read")
    said = reader("cache", "accept", "demo", "2.0").expect().words
    assert "Only here: this shim does not write to s3://" in said
    assert "here" in reader("cache", "accept", "--list").expect().words
    assert team.user("ben")("cache", "accept", "--list", "--json").expect().json["releases"] == []
    reader("cache", "accept", "demo", "2.0", "--undo").expect()


def test_what_the_bucket_does_not_take_holds_here_and_the_command_says_why(team: Team) -> None:
    ann = team.user("ann")
    ann.environ |= READER
    said = ann("cache", "accept", "demo", "2.0").expect().words
    assert "Only here until s3://" in said
    assert "can be written (writing is denied: 403 Forbidden" in said
    (listed,) = ann("cache", "accept", "--list", "--json").expect().json["releases"]
    assert listed["shared"] is False
    assert ann("why", "demo", "--json").expect().json["cooldown"]["accepted"] == ["2"]
    ann.environ |= WRITER
    assert ann("cache", "accept", "demo", "2.0", "--json").expect().json["shared"] is True
