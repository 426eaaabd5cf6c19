"""Real buildouts install through a chain whose first index is in trouble."""

import pytest

from tests.buildout.conftest import every_version
from tests.buildout.support import WITH_SDIST, Project
from tests.fakes import FakeIndex


def _without_journal(installed: str) -> str:
    """Leave out what buildout itself appends at each run: [buildout] sections of one option."""
    return installed.partition("\n[buildout]\n")[0].rstrip()


def _chain(first: FakeIndex, public: FakeIndex) -> str:
    return f"mirror = {first.url} of public\npublic = {public.url}"


@every_version
def test_past_a_refused_index_then_again_without_installing_anything(
    project: Project, first: FakeIndex, public: FakeIndex
) -> None:
    first.stop_listening()
    project.write(_chain(first, public), py=WITH_SDIST)
    assert "Installing py." in project.run().expect().stdout
    assert project.version_of("acme_app") == "1.0"
    assert project.version_of("acme_built") == "2.0"
    installed = project.installed
    again = project.run().expect().stdout
    assert "Updating py." in again
    assert "nstalling py" not in again
    assert _without_journal(project.installed) == _without_journal(installed)
    assert "127.0.0.1" not in project.installed


@pytest.mark.parametrize("fault", ["fail", "hang"])
def test_past_an_index_that_answers_503_or_not_at_all(
    fault: str, project: Project, first: FakeIndex, public: FakeIndex
) -> None:
    getattr(first, fault)()
    project.write(_chain(first, public), py=WITH_SDIST)
    project.run().expect()
    assert project.version_of("acme_app") == "1.0"
    assert project.version_of("acme_built") == "2.0"
    assert first.count() > 0
