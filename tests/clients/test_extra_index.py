"""An extra index with old copies of public projects, with nothing configured but pip's options."""

from collections.abc import Iterator

import pytest

from tests.clients.support import Client, User, installed
from tests.fakes import FakeIndex, wheel

OLD, NEW = wheel("jinja2", "3.1.2"), wheel("jinja2", "3.1.6")
BUILD = wheel("torch", "2.9+cpu", requires=["jinja2"])


@pytest.fixture
def public() -> Iterator[FakeIndex]:
    """Return an index with flask, which needs a new jinja2, and with another build of torch."""
    flask = wheel("flask", "3.1", requires=["jinja2>=3.1.4"])
    with FakeIndex([OLD, NEW, flask, wheel("torch", "2.10"), wheel("acme-core", "99")]) as index:
        yield index


@pytest.fixture
def extra(user: User, public: FakeIndex) -> Iterator[FakeIndex]:
    """Return an index like PyTorch's, with a private project, which pip asks beside the other."""
    with FakeIndex([BUILD, OLD, wheel("acme-core", "1.0")]) as index:
        user.environment |= {"PIP_INDEX_URL": public.url, "PIP_EXTRA_INDEX_URL": index.url}
        del user.environment["INDEXFALLBACK_CONFIG"]
        yield index


@pytest.mark.usefixtures("extra")
def test_its_own_builds_and_projects_are_installed_beside_newer_versions_of_what_it_copies(
    user: User, client: Client
) -> None:
    target = user.target()
    done = user.run(*client.install(target, "torch", "flask", "acme-core")).expect()
    builds = {"torch": "2.9+cpu", "acme-core": "1.0"}
    assert installed(target) == {**builds, "flask": "3.1", "jinja2": "3.1.6"}
    assert "no configuration yet, using pip's" in done.said


def test_a_changed_copy_is_not_the_public_projects(
    user: User, environments: dict[str, Client], extra: FakeIndex
) -> None:
    extra.add(wheel("jinja2", "3.1.2.post1"))
    assert user.run(*environments["pip"].install(user.target(), "torch", "flask")).code != 0
