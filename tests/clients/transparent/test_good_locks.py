"""Locks made elsewhere install from the cache with every index gone, and stay as they are."""

from typing import NamedTuple

import pytest

from tests.clients.setup.conftest import Programs
from tests.clients.support import make_environment, uv_executable
from tests.clients.transparent.conftest import MadeDirectly
from tests.clients.transparent.locking import LOCKERS
from tests.clients.transparent.support import PUBLIC_DISTS, Developer, Internet, packages

pytestmark = pytest.mark.network

EXPECTED = {"foo": "1.0", "bar": "1.1", "baz": "2.0"}
REQUIREMENTS = "".join(
    f"{dist.name}=={dist.version} --hash=sha256:{dist.sha256}\n"
    for dist in PUBLIC_DISTS
    if EXPECTED.get(dist.name) == dist.version
)


class Installer(NamedTuple):
    """A client that installs a lock into ``.venv`` beside it."""

    #: Which makes the lock; empty for requirements with hashes.
    locker: str
    programs: str
    command: tuple[str, ...]


_PIP = ("python", "-m", "pip", "--python", ".venv")
INSTALLERS = {
    "uv sync --frozen": Installer("uv lock", "", (uv_executable(), "sync", "--frozen")),
    "uv sync --locked": Installer("uv lock", "", (uv_executable(), "sync", "--locked")),
    "pip install -r": Installer(
        "", "pip", (*_PIP, "install", "--require-hashes", "-r", "requirements.txt")
    ),
    "pip 23 install -r": Installer(
        "", "old-pip", (*_PIP, "install", "--require-hashes", "-r", "requirements.txt")
    ),
    "poetry install": Installer("poetry lock", "poetry", ("poetry", "install", "-n")),
    "pdm sync": Installer("pdm lock", "pdm", ("pdm", "sync")),
    "pipenv sync": Installer("pipenv install", "pipenv", ("pipenv", "sync")),
}


@pytest.mark.parametrize("name", INSTALLERS)
def test_a_lock_installs_with_every_index_gone_and_stays_as_it_is(
    developer: Developer,
    internet: Internet,
    programs: Programs,
    made_directly: MadeDirectly,
    name: str,
) -> None:
    installer = INSTALLERS[name]
    files: dict[str, str | bytes] = {"requirements.txt": REQUIREMENTS}
    if installer.locker:
        files = {**LOCKERS[installer.locker].given, **made_directly(developer, installer.locker)}

    def install() -> None:
        developer.start_project(files)
        if "--python" in installer.command:
            make_environment(developer.project / ".venv")
        path = programs(installer.programs) if installer.programs else None
        developer.through(*installer.command, programs=path).expect()
        assert packages(developer.project / ".venv").items() >= EXPECTED.items()

    install()
    internet.stop()
    install()
    kept = developer.read(files)
    assert kept == {name: _bytes(content) for name, content in files.items()}


def _bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()
