"""Indexes at realistic names, and a developer whose clients reach them by a proxy."""

import os
import ssl
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import trustme
from pip._internal.models.index import PyPI

from tests.clients.setup.support import SLOW_SECONDS
from tests.clients.support import Done, User, installed, write_config
from tests.fakes import FakeIndex, ForwardProxy, sdist, wheel
from tests.fakes.pages import HTML_ONLY
from tests.in_process import indexfallback

#: PyPI's hosts, as pip knows them.
PYPI, FILES = PyPI.netloc, PyPI.file_storage_domain
PRIVATE, MIRROR = "packages.example.com", "mirror.example.com"
#: An index on plain http, with a port of its own, and a host that belongs to no index.
PLAIN, WEB = "plain.example.com:8080", "www.example.com"
LOGIN = ("ci", "s3cret/with:marks")

#: What PyPI has. ``acme-lib`` is a private project, whose name somebody else has taken there.
PUBLIC_DISTS = (
    wheel(
        "foo",
        "1.0",
        requires=["bar>=1", "baz"],
        extra_files={"foo-1.0.dist-info/entry_points.txt": b"[console_scripts]\nfoo = foo:main\n"},
    ),
    wheel("foo", "0.9"),
    wheel("bar", "1.1", requires_python=">=3.8"),
    sdist("bar", "1.1", requires_python=">=3.8"),
    wheel("bar", "1.0"),
    wheel("baz", "2.0"),
    wheel("acme-lib", "99.0"),
)
PRIVATE_DISTS = (
    wheel("acme-app", "1.4", requires=["acme-lib", "bar"]),
    wheel("acme-lib", "1.0"),
    wheel("acme-tool", "2.0", requires=["bar"]),
)
PLAIN_DISTS = (wheel("acme-plain", "3.0"),)


def pypi_url() -> str:
    """Return the address of PyPI's simple API."""
    return PyPI.simple_url


class Internet:
    """PyPI, a mirror of it, a private index, an index on plain http, and a web server."""

    def __init__(self, directory: Path) -> None:
        authority = trustme.CA()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(PYPI, FILES, PRIVATE, MIRROR, WEB).configure_cert(tls)
        #: The CA that has certified all of them, which no system knows.
        self.bundle = directory / "our-ca.pem"
        authority.cert_pem.write_to_path(str(self.bundle))
        files_url = f"https://{FILES}/files/"
        self.public = FakeIndex(PUBLIC_DISTS, tls=tls, files_url=files_url, json=True)
        # It repeats neither sizes nor times of PyPI's pages.
        self.mirror = FakeIndex(PUBLIC_DISTS, tls=tls, formats=HTML_ONLY, metadata=False)
        self.private = FakeIndex(PRIVATE_DISTS, tls=tls, username=LOGIN[0], password=LOGIN[1])
        self.plain = FakeIndex(PLAIN_DISTS)
        self.web = FakeIndex(tls=tls)
        self.proxy = ForwardProxy({})

    @property
    def servers(self) -> tuple[FakeIndex, ...]:
        return self.public, self.mirror, self.private, self.plain, self.web

    @contextmanager
    def open(self) -> Iterator["Internet"]:
        """Listen."""
        with ExitStack() as stack:
            for server in self.servers:
                stack.enter_context(server)
            stack.enter_context(self.proxy)
            self.proxy.names = {
                f"{PYPI}:443": self.public.port,
                f"{FILES}:443": self.public.port,
                f"{MIRROR}:443": self.mirror.port,
                f"{PRIVATE}:443": self.private.port,
                f"{WEB}:443": self.web.port,
                PLAIN: self.plain.port,
            }
            yield self

    def stop(self) -> None:
        """Have every index refuse all connections."""
        for server in self.servers:
            server.stop_listening()

    def clear(self) -> None:
        """Forget all requests."""
        for server in self.servers:
            server.clear()
        self.proxy.clear()

    def files_asked(self) -> int:
        """Return how many requests for files the indexes have had."""
        requests = [request for server in self.servers for request in server.requests]
        return sum(request.path.startswith("/files/") for request in requests)

    def asked(self) -> int:
        """Return how many requests the indexes have had."""
        return sum(server.count() for server in self.servers)


_PRIVATE_NAMES = [dist.project for dist in PRIVATE_DISTS]
#: What a configuration says of an index, but for its login.
INDEXES: Mapping[str, Mapping[str, object]] = {
    "private": {"url": f"https://{PRIVATE}/simple/", "projects": _PRIVATE_NAMES},
    "plain": {"url": f"http://{PLAIN}/simple/", "projects": ["acme-plain"]},
    "mirror": {"url": f"https://{MIRROR}/simple/", "mirror_of": "pypi"},
    "pypi": {"url": "pypi"},
}


class Developer(User):
    """Somebody with a project, behind a proxy, whose CA bundle alone vouches for the indexes."""

    def __init__(self, home: Path, internet: Internet) -> None:
        super().__init__(home)
        self.internet = internet
        self._calls = 0
        self.start_project({})
        proxies = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
        self.environment |= {
            **dict.fromkeys(proxies, internet.proxy.url),
            "SSL_CERT_FILE": str(internet.bundle),
            "REQUESTS_CA_BUNDLE": str(internet.bundle),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_DATA_HOME": str(home / "data"),
            "PRIVATE_PASSWORD": LOGIN[1],
            "PIPENV_IGNORE_VIRTUALENVS": "1",
            "PIPENV_VENV_IN_PROJECT": "1",
            "POETRY_VIRTUALENVS_IN_PROJECT": "1",
            "PDM_CHECK_UPDATE": "0",
            # virtualenv looks for newer ones of what it brings along.
            "VIRTUALENV_NO_PERIODIC_UPDATE": "1",
            # pip-tools asks PyPI for addresses that it never had; pip waits 7.5 s if it is down.
            "PIP_RETRIES": "0",
        }
        self.configure("pypi")

    def configure(self, *names: str, login: bool = True, **settings: str | bool) -> None:
        """Write a chain of these indexes, in this order; ``login`` is whether it has the login."""
        private = {"username": LOGIN[0], "password_env": "PRIVATE_PASSWORD"}
        chosen = {name: {**INDEXES[name]} for name in names}
        if "private" in chosen and login:
            chosen["private"].update(private)
        write_config(self.config, chosen, **settings)

    def start_project(self, files: Mapping[str, str | bytes]) -> None:
        """Work in a new directory, with these files."""
        self._calls += 1
        # All of them have one name, which some clients write down.
        self.project = self.home / f"work-{self._calls}" / "project"
        self.project.mkdir(parents=True)
        self.write(files)

    def forget(self) -> None:
        """Empty the shim's cache by taking another one."""
        self._calls += 1
        self.environment["INDEXFALLBACK_CACHE_DIR"] = str(self.home / f"shim-cache-{self._calls}")

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files of the project."""
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (self.project / name).write_bytes(data)

    def read(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return files of the project."""
        return {name: (self.project / name).read_bytes() for name in names}

    def direct(self, *command: str, programs: Path | None = None) -> Done:
        """Call a client in the project, which goes to its indexes by itself."""
        done = subprocess.run(
            command, check=False, env=self._environ(programs), cwd=self.project,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SLOW_SECONDS,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def through(
        self, *command: str, programs: Path | None = None, options: tuple[str, ...] = ()
    ) -> Done:
        """Call a client in the project by ``indexfallback OPTIONS run``."""
        environ = self._environ(programs)
        done = indexfallback(
            *options, "run", "--", *command, environ=environ, directory=self.project
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def _environ(self, programs: Path | None) -> dict[str, str]:
        # A client finds nothing that it has cached in an earlier call, or installed elsewhere.
        self._calls += 1
        first = programs or Path(sys.executable).parent
        return {
            "UV_TOOL_DIR": str(self.project / "tools"),
            "UV_TOOL_BIN_DIR": str(self.project / "bin"),
            "HATCH_DATA_DIR": str(self.project / "hatch"),
            **self.environment,
            "XDG_CACHE_HOME": str(self.home / f"caches-{self._calls}"),
            "PATH": f"{first}{os.pathsep}{self.environment['PATH']}",
        }


def packages(environment: Path) -> dict[str, str]:
    """Return the projects in a virtual environment and their versions."""
    (found,) = [*environment.glob("lib/python*/site-packages"), *environment.glob("Lib/site-pac*")]
    return installed(found)
