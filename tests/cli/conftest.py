"""Fixtures for the commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.fakes import FakeIndex, wheel
from tests.serving import index_table


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    """Return the command line of somebody who has configured nothing."""
    directory = tmp_path / "user"
    directory.mkdir()
    return CommandLine(directory)


@pytest.fixture
def private() -> Iterator[FakeIndex]:
    """Return an index with ``acme-app``."""
    with FakeIndex([wheel("acme-app", "1.4")]) as index:
        yield index


@pytest.fixture
def public() -> Iterator[FakeIndex]:
    """Return an index with ``idna`` in two versions."""
    with FakeIndex([wheel("idna", "3.9"), wheel("idna", "3.10")]) as index:
        yield index


@pytest.fixture
def chain(cli: CommandLine, private: FakeIndex, public: FakeIndex) -> str:
    """Configure both indexes, the private one first, and return the configuration's text."""
    return cli.configure(
        index_table("private", private.url, role="private"), index_table("pypi", public.url)
    )
