"""What real clients write into their lock files when they lock by the shim."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.conftest import PASSWORD, Chain
from tests.clients.support import Client, Served, User, make_environment, uv_executable
from tests.fakes import wheel

FOO = wheel("foo", requires=["acme-app"])
ACME = wheel("acme-app")
_PROJECT = '[project]\nname = "mine"\nversion = "1"\ndependencies = ["foo"]\n'


@pytest.fixture
def served(user: User, chain: Chain) -> Iterator[Served]:
    """Give a shim in front of a private and a public index, each with one of two projects."""
    chain.private.add(ACME)
    chain.public.add(FOO)
    # What fetches from the private index itself has to log in there itself.
    netrc = user.home / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login ci password {PASSWORD}\n", encoding="utf-8")
    netrc.chmod(0o600)
    with user.serve() as served:
        yield served


def _pip_lock(user: User, environments: dict[str, Client], url: str) -> str:
    if "old-pip" not in environments:
        pytest.skip("no network: no pip that is known to lock")
    file = user.home / "pylock.toml"
    command = environments["pip"].command("lock", "--index-url", url, "--output", str(file), "foo")
    user.call(*command).expect()
    return file.read_text(encoding="utf-8")


def test_pip_locks_addresses_of_the_indexes_by_the_direct_pages(
    user: User, chain: Chain, served: Served, environments: dict[str, Client]
) -> None:
    lock = _pip_lock(user, environments, f"{served.base}/direct/simple/")
    for index, dist in ((chain.public, FOO), (chain.private, ACME)):
        assert index.file_url(dist.filename) in lock
        assert dist.sha256 in lock
    assert served.base not in lock
    assert PASSWORD not in lock


def test_pip_locks_addresses_of_the_shim_by_the_usual_pages(
    user: User, served: Served, environments: dict[str, Client]
) -> None:
    assert served.base in _pip_lock(user, environments, served.url)


def _uv_lock(user: User, url: str) -> str:
    project = user.home / "project"
    project.mkdir()
    Path(project, "pyproject.toml").write_text(_PROJECT, encoding="utf-8")
    command = (uv_executable(), "lock", "--no-cache", "--project", str(project))
    user.call(*command, "--default-index", url).expect()
    return Path(project, "uv.lock").read_text(encoding="utf-8")


def test_uv_locks_files_at_the_indexes_and_the_shim_as_registry(
    user: User, chain: Chain, served: Served
) -> None:
    direct = f"{served.base}/direct/simple/"
    lock = _uv_lock(user, direct)
    assert chain.public.file_url(FOO.filename) in lock
    registries = [line for line in lock.splitlines() if served.base in line]
    assert registries
    assert all("registry = " in line for line in registries)


def test_uv_compiles_requirements_that_name_no_address(user: User, served: Served) -> None:
    requirements = user.home / "requirements.in"
    requirements.write_text("foo\n", encoding="utf-8")
    command = (uv_executable(), "pip", "compile", "--no-cache", "--generate-hashes")
    user.environment["UV_DEFAULT_INDEX"] = served.url
    compiled = user.call(*command, str(requirements)).expect().stdout
    assert ACME.sha256 in compiled
    assert "127.0.0.1" not in compiled


def test_uv_compiles_a_pylock_with_the_addresses_of_the_indexes_by_the_direct_pages(
    user: User, chain: Chain, served: Served
) -> None:
    requirements = user.home / "requirements.in"
    requirements.write_text("foo\n", encoding="utf-8")
    command = (uv_executable(), "pip", "compile", "--no-cache", "--format", "pylock.toml")
    user.environment["UV_DEFAULT_INDEX"] = f"{served.base}/direct/simple/"
    compiled = user.call(*command, str(requirements)).expect().stdout
    assert chain.private.file_url(ACME.filename) in compiled
    assert served.base not in compiled


def test_a_lock_of_the_index_is_installed_through_the_shim_by_way_of_requirements(
    user: User, chain: Chain, served: Served
) -> None:
    chain.public.add(ACME)
    lock = _uv_lock(user, chain.public.url)
    project, requirements = user.home / "project", user.home / "requirements.txt"
    user.environment["UV_DEFAULT_INDEX"] = served.url
    user.call(
        uv_executable(), "export", "--no-cache", "--frozen", "--no-emit-project",
        "--project", str(project), "--format", "requirements.txt",
        "--output-file", str(requirements),
    ).expect()  # fmt: skip
    assert Path(project, "uv.lock").read_text(encoding="utf-8") == lock
    python = make_environment(user.home / "venv")
    sync = ("pip", "sync", "--no-cache", "--python", str(python), str(requirements))
    user.call(uv_executable(), *sync).expect()
    assert served.get("/-/status")["activity"]["projects"].keys() == {"foo", "acme-app"}
