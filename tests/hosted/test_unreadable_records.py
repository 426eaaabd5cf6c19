"""The hosting database cannot be opened: on a disk that was full when the shim was started."""

from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.fakes import FakeIndex, flat_directory, wheel
from tests.serving import index_table


@pytest.fixture(autouse=True)
def _unreadable(cli: CommandLine, public: FakeIndex) -> None:
    packages = cli.config.parent / "packages"
    flat_directory(packages, [wheel("acme-lib", "1.0")])
    public.add(wheel("idna", "3.10"))
    cli.configure(
        index_table("local", packages.as_uri(), upload=True), index_table("pypi", public.url)
    )
    state = Path(cli.environment()["XDG_STATE_HOME"])
    (state / "indexfallback" / "hosting.sqlite3").mkdir(parents=True)


def test_projects_of_other_indexes_are_served(cli: CommandLine) -> None:
    assert cli("why", "idna", "--json").expect().json["owner"] == "pypi"


def test_a_project_whose_yanks_are_not_known_is_refused_with_the_remedy(cli: CommandLine) -> None:
    assert "set XDG_STATE_HOME" in cli("why", "acme-lib").expect(1).words
