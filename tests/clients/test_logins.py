"""Logins in netrc, redirects and links: what installs directly installs through the shim."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest
import requests

from tests.clients.support import CLIENT_SECONDS, Client, Served, User, installed, write_config
from tests.fakes import Dist, FakeIndex, wheel

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


def install(user: User, client: Client, url: str, *projects: str) -> dict[str, str]:
    target = user.target()
    user.call(*client.install(target, "--index-url", url, *projects)).expect()
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


def read(served: Served, project: str) -> str:
    """Return a project's page."""
    return requests.get(f"{served.url}{project}/", timeout=CLIENT_SECONDS).text


def page(*links: str, base: str = "") -> bytes:
    head = f'<base href="{base}">' if base else ""
    anchors = "".join(f'<a href="{link}">{link.rpartition("/")[2]}</a>' for link in links)
    return f"<!DOCTYPE html><html><head>{head}</head><body>{anchors}</body></html>".encode()


#: Makes an index lead to a file at the host of files, which wants ``ci`` and ``old``.
Lead: TypeAlias = Callable[[FakeIndex, Dist, str], object]


def with_page(make: Callable[[Dist, str], bytes]) -> Lead:
    def lead(index: FakeIndex, dist: Dist, host: str) -> None:
        path = f"/simple/{dist.project}/"
        index.answer(200, {"Content-Type": "text/html"}, make(dist, host), path=path)

    return lead


#: What leads there without netrc, by the names of the projects.
LEADING: dict[str, Lead] = {
    "by-link": with_page(lambda dist, host: page(f"http://ci:old@{host}/files/{dist.filename}")),
    "by-base": with_page(
        lambda dist, host: page(dist.filename, base=f"http://ci:old@{host}/files/")
    ),
    "by-redirect": lambda index, dist, host: index.redirect(
        f"http://ci:old@{host}{{path}}", path=f"/simple/{dist.project}/"
    ),
}
#: And with the password in netrc.
WITH_NETRC: dict[str, Lead] = {
    "by-user-name": with_page(lambda dist, host: page(f"http://ci@{host}/files/{dist.filename}")),
}


@pytest.mark.parametrize("leading", [LEADING, WITH_NETRC], ids=["a page alone", "netrc as well"])
def test_files_at_a_host_that_a_page_has_the_login_for_are_installed(
    user: User, environments: dict[str, Client], strict: FakeIndex, leading: dict[str, Lead]
) -> None:
    write_netrc(user, **({"localhost": "old"} if leading is WITH_NETRC else {}))
    # Files of their own for each client, which the cache does not have.
    dists = {
        client: [wheel(f"{name}-for-{client}", "1.0") for name in leading]
        for client in ("pip", "uv")
    }
    with FakeIndex([dist for each in dists.values() for dist in each]) as index:
        for each in dists.values():
            for dist, lead in zip(each, leading.values(), strict=True):
                strict.add(dist)
                lead(index, dist, f"localhost:{strict.port}")
        write_config(user.config, {"private": {"url": index.url, "fresh": "1 h"}})
        with user.serve() as served:  # reads the pages, and ends
            for each in dists.values():
                assert all(dist.filename in read(served, dist.project) for dist in each)
        with user.serve() as served:
            for client, each in dists.items():
                names = [dist.project for dist in each]
                found = install(user, environments[client], served.url, *names)
                assert found == dict.fromkeys(names, "1.0")
                assert found == install(user, environments[client], index.url, *names)


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_a_login_in_links_that_has_changed_works_at_once(
    user: User, environments: dict[str, Client], strict: FakeIndex, name: str
) -> None:
    client = environments[name]
    with FakeIndex(files_url=f"http://ci:old@localhost:{strict.port}/files/") as index:
        for dist in (FIRST, SECOND):
            index.add(dist)
        write_config(user.config, {"private": {"url": index.url, "fresh": "1 h"}})
        with user.serve() as served:
            assert install(user, client, served.url, "acme-first") == {"acme-first": "1.0"}
            read(served, "acme-second")
            strict.demand("ci", "new")
            index.files_url = f"http://ci:new@localhost:{strict.port}/files/"
            through_shim = install(user, client, served.url, "acme-second")
        assert through_shim == install(user, client, index.url, "acme-second")
