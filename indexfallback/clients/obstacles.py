"""Settings that keep a client from using the shim: environment variables, other files; no I/O."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from indexfallback.clients import edits, ini, places, toml
from indexfallback.clients.edits import NamedIndex
from indexfallback.clients.environment import UV_VARIABLES
from indexfallback.clients.machine import ClientFileError, Machine
from indexfallback.config import has_login
from indexfallback.config.address import parse_address, redact_text
from indexfallback.config.pip import TRUE, is_default_url
from indexfallback.config.units import InvalidValueError

#: Tells whether an address is the shim's.
IsShim = Callable[[str], bool]

_LOST = "move it to the chain with `indexfallback init`, or remove it there"


@dataclass(frozen=True)
class Obstacle:
    """One setting that keeps a client from using the shim."""

    #: An environment variable or a file.
    where: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.remedy}"


def of_token(client: str, url: str, copies_to: str) -> Iterator[Obstacle]:
    """Yield that a client would copy the user's own token to files that others read.

    ``copies_to`` are the files that the client copies the shim's address to; empty if none.
    """
    if copies_to and has_login(url):
        problem = f"{client} would copy your token, which the shim asks for, to {copies_to}"
        remedy = f"use `indexfallback run -- {client}`"
        yield Obstacle("private = true", problem, remedy)


def of_proxy(machine: Machine) -> Iterator[Obstacle]:
    """Yield a proxy that would receive the requests to the shim."""
    environ = machine.environ
    excepted = f"{environ.get('NO_PROXY', '')},{environ.get('no_proxy', '')}".split(",")
    if {host.strip() for host in excepted} & {"127.0.0.1", "*"}:
        return
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        if environ.get(variable):
            remedy = "add 127.0.0.1 to NO_PROXY and no_proxy"
            yield Obstacle(variable, "the proxy also receives requests to 127.0.0.1", remedy)
            return


def of_pip(machine: Machine, is_shim: IsShim) -> Iterator[Obstacle]:
    """Yield the settings that override the user's file of pip."""
    yield from _variables(machine, ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"), is_shim)
    yield from _switches(machine, ("PIP_NO_INDEX",), "pip asks no index")
    name = "pip.ini" if machine.platform == "win32" else "pip.conf"
    active = machine.directory("VIRTUAL_ENV") if machine.environ.get("VIRTUAL_ENV") else None
    files = [folder / name for folder in dict.fromkeys((machine.prefix, active)) if folder]
    if chosen := machine.environ.get("PIP_CONFIG_FILE"):
        files.append(machine.directory("PIP_CONFIG_FILE"))
        if files[-1].name in ("null", "nul"):
            problem = f"is {chosen}, so pip reads no file"
            yield Obstacle("PIP_CONFIG_FILE", problem, "unset PIP_CONFIG_FILE")
    for file in files:
        yield from _overriding(file, edits.pip_indexes(machine.read(file)), is_shim)


def of_pip_file(file: PurePath, text: str) -> Iterator[Obstacle]:
    """Yield the options in the user's file of pip that disable all indexes."""
    for option in ini.options(text):
        if option.key == "no-index" and option.value.lower() in TRUE:
            problem = f"with [{option.section}] no-index pip asks no index"
            yield Obstacle(str(file), problem, "remove the line")


def of_uv(machine: Machine, is_shim: IsShim) -> Iterator[Obstacle]:
    """Yield the settings that override the user's file of uv."""
    yield from _variables(machine, UV_VARIABLES, is_shim)
    yield from _switches(machine, ("UV_NO_INDEX",), "uv asks no index")
    yield from _switches(machine, ("UV_NO_CONFIG",), "uv reads no file")
    if named := machine.environ.get("UV_CONFIG_FILE"):
        problem = f"uv reads {named} instead of the user's file"
        yield Obstacle("UV_CONFIG_FILE", problem, "unset UV_CONFIG_FILE")
    for file in places.uv_system_files(machine):
        yield from of_additional(file, edits.uv_table_indexes(_document(machine, file)), is_shim)
    file = machine.cwd / "uv.toml"
    yield from _overriding(file, edits.uv_table_indexes(_document(machine, file)), is_shim)
    table = toml.value_of(_project(machine), ("tool", "uv")) or {}
    found = edits.uv_table_indexes(table, "[tool.uv] ")
    yield from _overriding(machine.cwd / "pyproject.toml", found, is_shim)


def of_poetry(machine: Machine, is_shim: IsShim) -> Iterator[Obstacle]:
    """Yield the settings that override the user's file of poetry."""
    yield from _variables(machine, ("POETRY_PYPI_MIRROR_URL",), is_shim)
    yield from _sources(machine, ("tool", "poetry", "source"), is_shim)


def of_pdm(machine: Machine, is_shim: IsShim) -> Iterator[Obstacle]:
    """Yield the settings that override the user's file of pdm."""
    yield from _variables(machine, ("PDM_PYPI_URL",), is_shim)
    file = machine.cwd / "pdm.toml"
    named = edits.pdm_table_indexes(_document(machine, file))
    yield from _overriding(file, named, is_shim)
    yield from _sources(machine, ("tool", "pdm", "source"), is_shim)


def of_pipenv(machine: Machine, is_shim: IsShim) -> Iterator[Obstacle]:
    """Yield the settings that override the environment variable for pipenv."""
    yield from _variables(machine, ("PIPENV_PYPI_MIRROR",), is_shim)
    if machine.platform == "win32":
        problem = "pipenv has no per-user file"
        remedy = "set the environment variable: setx PIPENV_PYPI_MIRROR ADDRESS"
        yield Obstacle("pipenv", problem, remedy)


def of_buildout(machine: Machine, is_shim: IsShim) -> Iterator[Obstacle]:
    """Yield the settings that override the user's defaults of zc.buildout."""
    file = machine.cwd / "buildout.cfg"
    yield from _overriding(file, edits.buildout_indexes(machine.read(file)), is_shim)


def of_additional(
    file: PurePath, named: Iterable[NamedIndex], is_shim: IsShim, known: Collection[str] = ()
) -> Iterator[Obstacle]:
    """Yield the indexes in a file that the client would use in addition to the shim."""
    for index in named:
        if index.is_additional and not is_shim(index.url):
            problem = f"{_shown(index)} would be used besides indexfallback"
            remedy = "remove it there" if _is_known(index.url, known) else _LOST
            yield Obstacle(str(file), problem, remedy)


def of_lost(
    file: PurePath, named: Iterable[NamedIndex], is_shim: IsShim, known: Collection[str]
) -> Iterator[Obstacle]:
    """Yield the indexes in the user's file that the shim would replace but does not have."""
    for index in named:
        if not index.is_additional and not is_shim(index.url) and not _is_known(index.url, known):
            problem = f"{_shown(index)} is not in indexfallback's chain"
            yield Obstacle(str(file), problem, _LOST)


def _is_known(url: str, known: Collection[str]) -> bool:
    try:
        return is_default_url(url) or parse_address(url, Path()).url in known
    except InvalidValueError:
        return False


def _variables(machine: Machine, names: Iterable[str], is_shim: IsShim) -> Iterator[Obstacle]:
    for name in names:
        # uv allows NAME=URL.
        urls = [word.partition("=")[2] or word for word in machine.environ.get(name, "").split()]
        if any(not is_shim(url) for url in urls):
            problem = "this environment variable overrides every file"
            yield Obstacle(name, problem, f"unset {name}")


def _switches(machine: Machine, names: Iterable[str], problem: str) -> Iterator[Obstacle]:
    for name in names:
        if machine.environ.get(name, "").lower() in TRUE:
            yield Obstacle(name, f"with this environment variable {problem}", f"unset {name}")


def _overriding(file: PurePath, named: Iterable[NamedIndex], is_shim: IsShim) -> Iterator[Obstacle]:
    for index in named:
        if not is_shim(index.url):
            problem = f"{_shown(index)} overrides the per-user file"
            yield Obstacle(str(file), problem, "remove it, or replace it by the shim's address")


def _shown(index: NamedIndex) -> str:
    return f"{index.label} ({redact_text(index.url)})"


def _sources(machine: Machine, path: tuple[str, ...], is_shim: IsShim) -> Iterator[Obstacle]:
    sources = [
        NamedIndex(str(table["url"]), f"[[{'.'.join(path)}]]")
        for table in toml.tables(_project(machine), *path)
        if "url" in table and table.get("priority") != "explicit"
    ]
    yield from _overriding(machine.cwd / "pyproject.toml", sources, is_shim)


def _project(machine: Machine) -> dict[str, Any]:
    return _document(machine, machine.cwd / "pyproject.toml")


def _document(machine: Machine, file: PurePath) -> dict[str, Any]:
    try:
        return toml.parse(machine.read(file))
    except InvalidValueError as error:
        raise ClientFileError(str(file), error.problem, error.remedy) from error
