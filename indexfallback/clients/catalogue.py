"""The clients that can be set up, each with its file, its edit and what is stronger, purely."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from indexfallback.clients import edits, obstacles, places
from indexfallback.clients.edits import Named
from indexfallback.clients.machine import Machine
from indexfallback.clients.obstacles import IsOwn, Obstacle
from indexfallback.clients.undo import Step


@dataclass(frozen=True)
class Client:
    """One client."""

    name: str
    #: Any of them on the PATH tells that it is installed.
    executables: tuple[str, ...]
    file: Callable[[Machine], PurePath]
    #: Text of the file and the shim's address, on a machine, to the steps of the edit.
    steps: Callable[[Machine, str, str], list[Step]]
    #: Text of the file to the indexes that it names.
    indexes: Callable[[str], list[Named]]
    stronger: Callable[[Machine, IsOwn], Iterator[Obstacle]]
    #: What else the user has to know.
    note: str = ""


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
            "pip", ("pip", "pip3"), places.pip_file, _pip_steps, edits.pip_indexes, obstacles.of_pip
        ),
        Client(
            "uv",
            ("uv",),
            places.uv_file,
            lambda _, text, url: edits.uv_steps(text, url),
            edits.uv_indexes,
            obstacles.of_uv,
            "uv.lock records the address of its index, so what is locked anew names this "
            "machine's; `uv lock --no-config` asks PyPI itself.",
        ),
        Client(
            "poetry",
            ("poetry",),
            places.poetry_file,
            lambda _, text, url: edits.toml_steps(text, edits.POETRY_PATH, url),
            edits.poetry_indexes,
            obstacles.of_poetry,
            "poetry itself has no such setting; its plug-in reads this: "
            "`poetry self add poetry-plugin-pypi-mirror`.",
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
            "pipenv reads no file of the user's own, so a variable is set for new shells. It "
            "stands for PyPI in a Pipfile; other sources there are asked themselves, and a Pipfile "
            "that pipenv begins names this machine's address: write PyPI's there.",
        ),
        Client(
            "buildout",
            ("buildout",),
            places.buildout_file,
            lambda _, text, url: edits.buildout_steps(text, url),
            edits.buildout_indexes,
            obstacles.of_buildout,
            "zc.buildout builds sdists by pip, so set up pip as well.",
        ),
    )
}
#: hatch has no index of its own: its environments are filled by pip, or by uv.
BEHIND = {"hatch": ("pip", "uv")}
NAMES = (*CLIENTS, *BEHIND)
