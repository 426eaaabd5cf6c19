"""The supported clients: the configuration file, the edit and the obstacles of each; no I/O."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from indexfallback.clients import edits, obstacles, places
from indexfallback.clients.edits import NamedIndex
from indexfallback.clients.machine import Machine
from indexfallback.clients.obstacles import IsShim, Obstacle
from indexfallback.clients.undo import Step


@dataclass(frozen=True)
class Client:
    """One client."""

    name: str
    #: The client is installed if one of them is on the PATH.
    executables: tuple[str, ...]
    file: Callable[[Machine], PurePath]
    #: Takes the machine, the text of the file and the shim's address.
    steps: Callable[[Machine, str, str], list[Step]]
    #: Takes the text of the file.
    indexes: Callable[[str], list[NamedIndex]]
    #: Returns the settings that override the file.
    overrides: Callable[[Machine, IsShim], Iterator[Obstacle]]
    #: A note for the user.
    note: str = ""
    #: The files of projects that the client copies the address to; empty if none.
    copies_to: str = ""
    #: The arguments with which the client prints its index quickly; empty if none do.
    prints_index: tuple[str, ...] = ()


def _pip_steps(machine: Machine, text: str, url: str) -> list[Step]:
    weaker = [machine.read(file) for file in places.pip_weaker_files(machine)]
    return edits.pip_steps(text, url, weaker)


def _pipenv_steps(machine: Machine, text: str, url: str) -> list[Step]:
    fish = places.shell_file(machine).suffix == ".fish"
    return edits.pipenv_steps(text, url, fish=fish)


CLIENTS = {
    client.name: client
    for client in (
        Client(
            "pip",
            ("pip", "pip3"),
            places.pip_file,
            _pip_steps,
            edits.pip_indexes,
            obstacles.of_pip,
            prints_index=("config", "get", "global.index-url"),
        ),
        Client(
            "uv",
            ("uv",),
            places.uv_file,
            lambda _, text, url: edits.uv_steps(text, url),
            edits.uv_indexes,
            obstacles.of_uv,
            "uv.lock records the address of its index: a new lock file contains the address of "
            "the local index; `uv lock --no-config` uses PyPI.",
        ),
        Client(
            "poetry",
            ("poetry",),
            places.poetry_file,
            lambda _, text, url: edits.toml_steps(text, edits.POETRY_PATH, url),
            edits.poetry_indexes,
            obstacles.of_poetry,
            "poetry needs a plug-in for this setting: `poetry self add poetry-plugin-pypi-mirror`.",
        ),
        Client(
            "pdm",
            ("pdm",),
            places.pdm_file,
            lambda _, text, url: edits.toml_steps(text, edits.PDM_PATH, url),
            edits.pdm_indexes,
            obstacles.of_pdm,
        ),
        Client(
            "pipenv",
            ("pipenv",),
            places.shell_file,
            _pipenv_steps,
            edits.pipenv_indexes,
            obstacles.of_pipenv,
            "pipenv has no per-user file, so an environment variable is set for new shells. It "
            "replaces PyPI in a Pipfile, but no other source. A Pipfile that pipenv creates "
            "contains the address of the local index: replace it by PyPI's.",
            "each new Pipfile",
        ),
        Client(
            "buildout",
            ("buildout",),
            places.buildout_file,
            lambda _, text, url: edits.buildout_steps(text, url),
            edits.buildout_indexes,
            obstacles.of_buildout,
            "zc.buildout builds sdists with pip: set up pip as well.",
            ".installed.cfg",
        ),
    )
}
#: hatch has no setting for an index: it installs with pip or uv.
INSTALLERS = {"hatch": ("pip", "uv")}
NAMES = (*CLIENTS, *INSTALLERS)
