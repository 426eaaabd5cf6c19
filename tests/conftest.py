"""Fixtures for all tests: a clean environment, settings, and a shim in process or served."""

import contextlib
import logging
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from indexfallback.config import Index, Settings, rules
from indexfallback.shim import Shim
from indexfallback.store import Store
from tests.fakes import FakeIndex
from tests.fakes.object_store import WRITER, ObjectStore
from tests.serving import Served, config_text, serving

MakeSettings: TypeAlias = Callable[..., Settings]
MakeShim: TypeAlias = Callable[..., Shim]
Serve: TypeAlias = Callable[..., Served]

# A shell that runs the tests in the background ignores Ctrl-C for them, and so would all that
# they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example may take says more of the machine than of what is tested.
hypothesis_settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# Where only the Python is another one: that the code works there takes few examples.
hypothesis_settings.register_profile(
    "other-python", hypothesis_settings.get_profile("any-machine"), max_examples=20
)
hypothesis_settings.load_profile("any-machine")

#: What a machine's own configuration would change.
_LEAKING = (
    "PIP_", "UV_", "INDEXFALLBACK_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_", "NETRC", "AWS_",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _stranger(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Run every test as on a machine that configures nothing, with directories of its own."""
    for variable in list(os.environ):
        if variable.upper().startswith(_LEAKING):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    base = tmp_path_factory.mktemp("user")
    for variable in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        path = base / variable.lower()
        path.mkdir(mode=0o700)
        monkeypatch.setenv(variable, str(path))
    monkeypatch.setattr(rules, "accounts", lambda: ())


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Undo what a command called in this process does to the log."""
    logger = logging.getLogger("indexfallback")
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = before


@pytest.fixture
def settings(tmp_path: Path) -> MakeSettings:
    """Return a factory of settings: indexes (a fake one is public PyPI), then other values."""

    def make(*indexes: Index | FakeIndex, **values: Any) -> Settings:
        chain = tuple(
            Index(name="pypi", url=index.url, role="public")
            if isinstance(index, FakeIndex)
            else index
            for index in indexes
        )
        return Settings(**{"indexes": chain, "cache_dir": tmp_path / "cache", **values})

    return make


@pytest.fixture
def shim(settings: MakeSettings) -> Iterator[MakeShim]:
    """Return a factory of shims in this process, with the arguments of ``settings``."""
    with contextlib.ExitStack() as stack:

        def make(*indexes: Index | FakeIndex, **values: Any) -> Shim:
            made = Shim(settings(*indexes, **values))
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return an empty store of 1 MB."""
    opened = Store(tmp_path / "cache", 10**6)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """Return a running object store; it takes 3 s to start."""
    with ObjectStore() as running:
        yield running


@pytest.fixture
def bucket_url(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of an empty part of a bucket, and set the credentials to write there.

    Its endpoint is ``object_store.endpoint``.
    """
    for name, value in WRITER.items():
        monkeypatch.setenv(name, value)
    return object_store.new_url()


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Return a factory of file systems of 1 MB, with mount options of their own."""
    mounted: list[Path] = []

    def make(*options: str) -> Path:
        path = tmp_path / f"mount-{len(mounted)}"
        path.mkdir()
        joined = ",".join(("size=1m", "mode=700", *options))
        command = ["mount", "-t", "tmpfs", "-o", joined, "tmpfs", str(path)]
        try:
            done = subprocess.run(command, capture_output=True, check=False)
        except FileNotFoundError:
            pytest.skip("this system has no mount")
        if done.returncode:
            pytest.skip(f"mounting is not permitted: {done.stderr.decode().strip()}")
        mounted.append(path)
        return path

    yield make
    for path in mounted:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serve]:
    """Return a factory of real ``serve`` processes: index tables, then ``section={...}``.

    ``arguments`` is for ``serve`` itself, ``directory`` holds configuration and cache, and
    ``cache_dir`` is another place for the cache.
    """
    with contextlib.ExitStack() as stack:

        def serve(
            *tables: str,
            arguments: tuple[str, ...] = (),
            directory: Path = tmp_path / "served",
            port: int = 0,
            cache_dir: Path | None = None,
            **sections: dict[str, object],
        ) -> Served:
            text = config_text(*tables, **sections)
            more = {} if cache_dir is None else {"INDEXFALLBACK_CACHE_DIR": str(cache_dir)}
            return stack.enter_context(serving(directory, text, *arguments, port=port, **more))

        yield serve
