"""Real buildouts install through a chain whose first index is in trouble."""

import pytest

from tests.buildout.conftest import every_version
from tests.buildout.support import Project
from tests.fakes import FakeIndex


def _without_journal(installed: str) -> str:
    """Leave out what buildout itself appends at each run: [buildout] sections of one option."""
    return installed.partition("\n[buildout]\n")[0].rstrip()


def _trouble(index: FakeIndex, kind: str) -> None:
    if kind == "refused":
        index.stop_listening()
    elif kind == "503":
        index.fail(503)
    else:
        index.hang()


@every_version
@pytest.mark.parametrize("kind", ["refused"])
def test_past_a_first_index_in_trouble_and_again_without_installing_anything(
    kind: str, project: Project, first: FakeIndex, public: FakeIndex
) -> None:
    _trouble(first, kind)
    project.write(f"mirror = {first.url} of public\npublic = {public.url}")
    done = project.run().expect()
    assert "Installing py." in done.stdout
    assert project.version_of("acme_app") == "1.0"
    assert project.version_of("acme_built") == "2.0"
    installed = project.installed
    again = project.run().expect()
    assert "Updating py." in again.stdout
    assert "nstalling py" not in again.stdout
    assert _without_journal(project.installed) == _without_journal(installed)
    assert "127.0.0.1" not in installed
