"""Several indexes in a client's settings: each project from its owner, each login at its index."""

from urllib.parse import quote

import pytest

from tests.clients.support import Client, installed, uv_executable
from tests.clients.transparent.locking import PROJECT
from tests.clients.transparent.support import (
    LOGIN,
    PLAIN,
    PRIVATE,
    Developer,
    Internet,
    pypi_url,
)
from tests.fakes import FakeIndex

_PASSWORD = quote(LOGIN[1], safe="")
EXPLICIT = f"""\
{PROJECT.replace('"foo"', '"foo", "acme-tool"')}
[tool.uv.sources]
acme-tool = {{ index = "private" }}

[[tool.uv.index]]
name = "private"
url = "https://{PRIVATE}/simple/"
explicit = true
"""
UV_LOGIN = {"UV_INDEX_PRIVATE_USERNAME": LOGIN[0], "UV_INDEX_PRIVATE_PASSWORD": LOGIN[1]}


def logins_at(index: FakeIndex) -> list[str]:
    """Return the Authorization headers that an index has got."""
    return [
        request.headers["Authorization"]
        for request in index.requests
        if "Authorization" in request.headers
    ]


@pytest.fixture
def explicit_lock(developer: Developer) -> bytes:
    """Lock without us, with a login, a project that has an explicit private index."""
    developer.start_project({"pyproject.toml": EXPLICIT})
    developer.environment |= UV_LOGIN
    developer.direct(uv_executable(), "lock").expect()
    for variable in UV_LOGIN:
        del developer.environment[variable]
    return developer.read(["uv.lock"])["uv.lock"]


@pytest.mark.parametrize("has_login", [True, False])
def test_uv_locks_an_explicit_private_index_with_a_login_of_its_own_or_the_shims(
    developer: Developer, internet: Internet, explicit_lock: bytes, has_login: bool
) -> None:
    developer.configure("private", "pypi")
    developer.environment |= UV_LOGIN if has_login else {}
    internet.clear()
    developer.start_project({"pyproject.toml": EXPLICIT})
    developer.through(uv_executable(), "lock").expect()
    assert developer.read(["uv.lock"]) == {"uv.lock": explicit_lock}
    assert logins_at(internet.private)
    assert not logins_at(internet.public)


def test_a_login_of_the_client_alone_is_enough(
    developer: Developer, internet: Internet, explicit_lock: bytes
) -> None:
    developer.configure("private", "pypi", login=False)
    developer.environment |= UV_LOGIN
    developer.start_project({"pyproject.toml": EXPLICIT})
    developer.through(uv_executable(), "lock").expect()
    assert developer.read(["uv.lock"]) == {"uv.lock": explicit_lock}
    assert not logins_at(internet.public)


@pytest.fixture
def three_indexes(developer: Developer, internet: Internet) -> None:
    """Have pip configured with PyPI, a private index with a login, and one on plain http."""
    conf = developer.home / "pip.conf"
    conf.write_text(
        # pip reads the machine's file as well, which may name another bundle.
        f"[global]\ncert = {internet.bundle}\n"
        f"index-url = {pypi_url()}\ntrusted-host = {PLAIN}\nextra-index-url =\n"
        f"    https://{LOGIN[0]}:{_PASSWORD}@{PRIVATE}/simple/\n    http://{PLAIN}/simple/\n",
        "utf-8",
    )
    developer.environment["PIP_CONFIG_FILE"] = str(conf)


@pytest.mark.usefixtures("three_indexes")
@pytest.mark.parametrize(
    ("name", "is_configured"), [("pip", True), ("pip", False), ("old-pip", True)]
)
def test_pip_gets_each_project_from_its_owner_and_no_login_goes_elsewhere(
    developer: Developer,
    internet: Internet,
    environments: dict[str, Client],
    name: str,
    is_configured: bool,
) -> None:
    if name not in environments:
        pytest.skip("no network: no old pip")
    if is_configured:
        developer.configure("private", "plain", "pypi")
    else:  # the chain is pip's
        developer.config.unlink()
        del developer.environment["INDEXFALLBACK_CONFIG"]
    target = developer.target()
    command = environments[name].install(target, "acme-app", "acme-plain", "foo")
    done = developer.through(*command).expect()
    # PyPI has acme-lib 99.0.
    expected = {"acme-app": "1.4", "acme-lib": "1.0", "acme-plain": "3.0", "foo": "1.0"}
    assert installed(target) == {**expected, "bar": "1.1", "baz": "2.0"}
    assert "401" not in done.stderr
    assert logins_at(internet.private)
    assert not logins_at(internet.public)
    assert not logins_at(internet.plain)


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_a_client_that_knows_pypi_alone_gets_private_projects_with_their_own_dependencies(
    developer: Developer, internet: Internet, environments: dict[str, Client], name: str
) -> None:
    developer.configure("private", "pypi")
    target = developer.target()
    developer.through(*environments[name].install(target, "acme-app")).expect()
    assert installed(target) == {"acme-app": "1.4", "acme-lib": "1.0", "bar": "1.1"}
    assert internet.public.count("/simple/acme-lib/") == 0
