"""Logins in netrc: pip installs through the shim what it installs directly."""

from collections.abc import Iterator

import pytest

from tests.clients.support import Client, User, installed, write_config
from tests.fakes import FakeIndex, wheel

#: One file for each installation, so that no cache answers.
FIRST, SECOND = wheel("acme-first", "1.0"), wheel("acme-second", "1.0")


@pytest.fixture
def strict() -> Iterator[FakeIndex]:
    with FakeIndex([FIRST, SECOND], username="ci", password="old") as index:
        yield index


@pytest.fixture
def pip(environments: dict[str, Client]) -> Client:
    return environments["pip"]


def write_netrc(user: User, **passwords: str) -> None:
    """Write the password of ``ci`` for hosts: ``localhost``, or ``loopback`` for its address."""
    hosts = {"localhost": "localhost", "loopback": "127.0.0.1"}
    path = user.home / ".netrc"
    lines = [f"machine {hosts[at]} login ci password {pw}\n" for at, pw in passwords.items()]
    path.write_text("".join(lines))
    path.chmod(0o600)


def install(user: User, pip: Client, url: str, project: str) -> dict[str, str]:
    target = user.target()
    user.call(*pip.install(target, "--index-url", url, project)).expect()
    return installed(target)


def test_a_rotated_token_of_netrc_works_at_once(user: User, pip: Client, strict: FakeIndex) -> None:
    write_config(user.config, {"private": {"url": strict.url}})
    write_netrc(user, loopback="old")
    with user.serve() as served:
        assert install(user, pip, served.url, "acme-first") == {"acme-first": "1.0"}
        strict.demand("ci", "new")
        write_netrc(user, loopback="new")
        through_shim = install(user, pip, served.url, "acme-second")
    assert through_shim == install(user, pip, strict.url, "acme-second")


@pytest.mark.parametrize("by", ["netrc", "redirect"])
def test_files_at_a_host_with_a_login_of_its_own_are_installed(
    user: User, pip: Client, strict: FakeIndex, by: str
) -> None:
    at_files = f"localhost:{strict.port}"
    write_netrc(user, **({"localhost": "old"} if by == "netrc" else {}))
    with FakeIndex([FIRST]) as index:
        if by == "netrc":
            index.files_url = f"http://{at_files}/files/"
        else:
            index.redirect(f"http://ci:old@{at_files}{{path}}", path="/files/")
        write_config(user.config, {"private": {"url": index.url}})
        with user.serve() as served:
            through_shim = install(user, pip, served.url, "acme-first")
        assert through_shim == install(user, pip, index.url, "acme-first")
