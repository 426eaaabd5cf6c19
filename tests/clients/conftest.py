"""Environments with real clients, made once; and a chain of fake indexes, new for each test."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from indexfallback.config.pip import PipConfig
from tests.clients.support import (
    CLIENT_SECONDS,
    Client,
    User,
    make_environment,
    pip,
    uv,
    uv_executable,
    write_config,
)
from tests.fakes import FakeIndex
from tests.fakes.pages import HTML_ONLY

OLD_PIP = "23.2"
PASSWORD = "s3cret/with:marks"
#: Variables that clients and shim need to come to PyPI on some machines.
_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Chain:
    """A private index behind a password, a mirror that speaks HTML alone, and a public index."""

    def __init__(self, user: User) -> None:
        self.private = FakeIndex(username="ci", password=PASSWORD)
        self.mirror = FakeIndex(formats=HTML_ONLY, metadata=False)
        self.public = FakeIndex()
        self._user = user
        user.environment["PRIVATE_PASSWORD"] = PASSWORD

    @property
    def all(self) -> tuple[FakeIndex, ...]:
        return self.private, self.mirror, self.public

    def configure(
        self, *, private: Mapping[str, str] | None = None, **settings: str | bool
    ) -> None:
        """Write the user's configuration; ``private`` adds keys to the private index."""
        login = {"username": "ci", "password_env": "PRIVATE_PASSWORD"}
        indexes = {
            "private": {"url": self.private.url, **login, **(private or {})},
            "mirror": {"url": self.mirror.url, "mirror_of": "public"},
            "public": {"url": self.public.url},
        }
        write_config(self._user.config, indexes, **settings)

    def forget_requests(self) -> None:
        for index in self.all:
            index.clear()

    def stop(self) -> None:
        """Refuse every connection."""
        for index in self.all:
            index.stop_listening()

    def asked(self) -> int:
        return sum(index.count() for index in self.all)


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path)


@pytest.fixture
def chain(user: User) -> Iterator[Chain]:
    chain = Chain(user)
    with ExitStack() as stack:
        for index in chain.all:
            stack.enter_context(index)
        chain.configure()
        yield chain


class Access(NamedTuple):
    """How this machine comes to PyPI: what pip is configured with."""

    #: Of the simple API, ending in a slash.
    url: str
    #: A CA bundle, if it needs one.
    bundle: str | None

    def is_open(self) -> bool:
        """Tell whether PyPI answers; a wrong certificate is no lack of network."""
        verify = self.bundle or True
        try:
            requests.get(f"{self.url}pip/", verify=verify, timeout=10, stream=True).close()
        except requests.exceptions.SSLError:
            return True
        except (requests.ConnectionError, requests.Timeout):
            return False
        return True

    def environment(self) -> dict[str, str]:
        """Return the variables that let the clients and the shim through, and nothing else."""
        kept = {name: value for name, value in os.environ.items() if name.upper() in _NETWORK}
        bundle = {"PIP_CERT": self.bundle, "SSL_CERT_FILE": self.bundle} if self.bundle else {}
        return kept | bundle


@pytest.fixture(scope="session")
def access() -> Access | None:
    """The access to PyPI, or None where there is no network."""
    config = PipConfig(os.environ)
    # The chain that pip's configuration makes ends with its public index.
    url = config.indexes(lambda _: False)[-1].url
    access = Access(f"{url.rstrip('/')}/", config.get("cert"))
    return access if access.is_open() else None


@pytest.fixture(scope="session")
def environments(
    tmp_path_factory: pytest.TempPathFactory, access: Access | None
) -> dict[str, Client]:
    """The clients by name; without network, pip is the one of the test environment."""
    home = tmp_path_factory.mktemp("clients")
    pythons = {name: make_environment(home / name) for name in ("pip", "old-pip", "uv")}
    clients = {"uv": uv(pythons["uv"])}
    if access is None:
        own = pip("pip", sys.executable, "-m", "pip", "--python", str(pythons["pip"]))
        return {**clients, "pip": own}
    environment = {**os.environ, **access.environment(), "UV_DEFAULT_INDEX": access.url}
    for name, requirement in {"pip": "pip", "old-pip": f"pip=={OLD_PIP}"}.items():
        python = str(pythons[name])
        command = [uv_executable(), "pip", "install", "--quiet", "--python", python, requirement]
        subprocess.run(command, env=environment, check=True, timeout=CLIENT_SECONDS)
        clients[name] = pip(name, python, "-m", "pip")
    return clients


@pytest.fixture(params=["pip", "old-pip", "uv"])
def client(request: pytest.FixtureRequest, environments: dict[str, Client]) -> Client:
    if request.param not in environments:
        pytest.skip("no network")
    return environments[request.param]
