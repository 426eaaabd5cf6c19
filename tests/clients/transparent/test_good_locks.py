"""Locks made elsewhere install from the cache with every index gone, and stay as they are."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from indexfallback.wanted.reading import read_file
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
    if dist.is_wheel and EXPECTED.get(dist.name) == dist.version
)


class Installer(NamedTuple):
    """A client that installs a lock into ``.venv`` beside it."""

    #: Which makes the lock; empty for requirements with hashes.
    locker: str
    programs: str
    command: tuple[str, ...]


_PIP = ("python", "-m", "pip", "--python", ".venv", "install", "--no-compile")
_REQUIREMENTS = ("--require-hashes", "-r", "requirements.txt")
INSTALLERS = {
    "uv sync --frozen": Installer("uv lock", "", (uv_executable(), "sync", "--frozen")),
    "uv sync --locked": Installer("uv lock", "", (uv_executable(), "sync", "--locked")),
    "uv pip sync": Installer(
        "uv pip compile", "", (uv_executable(), "pip", "sync", "pylock.toml")
    ),
    "pip install -r": Installer("", "pip", (*_PIP, *_REQUIREMENTS)),
    "pip 23 install -r": Installer("", "old-pip", (*_PIP, *_REQUIREMENTS)),
    "poetry install": Installer("poetry add", "poetry", ("poetry", "install", "-n")),
    "pdm sync": Installer("pdm lock", "pdm", ("pdm", "sync")),
    "pipenv sync": Installer("pipenv lock", "pipenv", ("pipenv", "sync")),
}  # fmt: skip
#: Those that want the environment to be there.
_INTO_OURS = ("pip", "uv pip")


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Developer]:
    """Return a developer whose uv has installed what the locks name, before every index went."""
    home = tmp_path_factory.mktemp("cut-off")
    with Internet(home).open() as internet:
        developer = Developer(home, internet)
        developer.configure("pypi", cache_fresh="0 s")
        developer.start_project(LOCKERS["uv sync"].given)
        developer.through(*LOCKERS["uv sync"].command).expect()
        internet.stop()
        yield developer


@pytest.mark.parametrize("name", INSTALLERS)
def test_a_lock_installs_with_every_index_gone_and_stays_as_it_is(
    cut_off: Developer, programs: Programs, made_directly: MadeDirectly, name: str
) -> None:
    installer = INSTALLERS[name]
    files: dict[str, str | bytes] = {"requirements.txt": REQUIREMENTS}
    if installer.locker:
        files = {**LOCKERS[installer.locker].given, **made_directly(installer.locker)}
    cut_off.start_project(files)
    environment = cut_off.project / ".venv"
    if name.startswith(_INTO_OURS):
        make_environment(environment)
    path = programs(installer.programs) if installer.programs else None
    cut_off.through(*installer.command, programs=path).expect()
    assert packages(environment).items() >= EXPECTED.items()
    kept = cut_off.read(files)
    assert kept == {name: _bytes(content) for name, content in files.items()}


def _bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


@pytest.mark.parametrize("name", ["uv lock", "pip lock", "poetry add", "pdm lock", "pipenv lock"])
def test_fetch_reads_from_the_lock_of_each_tool_what_the_tool_installs(
    made_directly: MadeDirectly, tmp_path: Path, name: str
) -> None:
    (filename,) = (file for file in LOCKERS[name].written if "lock" in file)
    path = tmp_path / filename
    path.write_bytes(made_directly(name)[filename])
    found = read_file(path)
    assert {pin.project: pin.version for pin in found.pins} == EXPECTED
    served = {f"sha256:{dist.sha256}" for dist in PUBLIC_DISTS}
    assert all(pin.hashes and pin.hashes <= served for pin in found.pins)
