"""What a client's own file cannot win against, purely: variables, and stronger files."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from indexfallback.clients import edits, ini, places, toml
from indexfallback.clients.machine import ClientFileError, Machine
from indexfallback.config.address import parse_address, redact_text
from indexfallback.config.pip import is_default_url
from indexfallback.config.units import InvalidValueError

#: Tells whether an address leads to the shim.
IsOwn = Callable[[str], bool]

_LOST = "take it over by `indexfallback init`, or add it to the chain, or remove it there"
_TRUE = frozenset(("y", "yes", "t", "true", "on", "1"))


@dataclass(frozen=True)
class Obstacle:
    """One thing that would keep a client from using the shim."""

    #: A variable, or a file.
    where: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.remedy}"


def of_proxy(machine: Machine) -> Iterator[Obstacle]:
    """Yield a proxy that would be asked for the shim."""
    environ = machine.environ
    excepted = f"{environ.get('NO_PROXY', '')},{environ.get('no_proxy', '')}".split(",")
    if {host.strip() for host in excepted} & {"127.0.0.1", "*"}:
        return
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        if environ.get(variable):
            remedy = "add 127.0.0.1 to NO_PROXY and no_proxy"
            yield Obstacle(variable, "the proxy would be asked for 127.0.0.1, too", remedy)
            return


def of_pip(machine: Machine, own: IsOwn) -> Iterator[Obstacle]:
    """Yield what is stronger than the user's file of pip."""
    yield from _variables(machine, ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"), own)
    yield from _switches(machine, ("PIP_NO_INDEX",), "pip asks no index at all")
    name = "pip.ini" if machine.platform == "win32" else "pip.conf"
    active = machine.directory("VIRTUAL_ENV") if machine.environ.get("VIRTUAL_ENV") else None
    files = [folder / name for folder in dict.fromkeys((machine.prefix, active)) if folder]
    if chosen := machine.environ.get("PIP_CONFIG_FILE"):
        files.append(machine.directory("PIP_CONFIG_FILE"))
        if files[-1].name in ("null", "nul"):
            problem = f"is {chosen}, with which pip reads no file at all"
            yield Obstacle("PIP_CONFIG_FILE", problem, "unset PIP_CONFIG_FILE")
    for file in files:
        yield from _stronger(file, edits.pip_indexes(machine.read(file)), own)


def of_pip_file(file: PurePath, text: str) -> Iterator[Obstacle]:
    """Yield what in the user's own file of pip is against every index."""
    for option in ini.options(text):
        if option.key == "no-index" and option.value.lower() in _TRUE:
            problem = f"[{option.section}] no-index keeps pip from asking any index"
            yield Obstacle(str(file), problem, "remove the line")


def of_uv(machine: Machine, own: IsOwn) -> Iterator[Obstacle]:
    """Yield what is stronger than the user's file of uv."""
    names = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")
    yield from _variables(machine, names, own)
    yield from _switches(machine, ("UV_NO_INDEX",), "uv asks no index at all")
    yield from _switches(machine, ("UV_NO_CONFIG",), "uv reads no file at all")
    if named := machine.environ.get("UV_CONFIG_FILE"):
        problem = f"uv reads {named} instead of the user's file"
        yield Obstacle("UV_CONFIG_FILE", problem, "unset UV_CONFIG_FILE")
    for file in places.uv_system_files(machine):
        yield from of_beside(file, edits.uv_table_indexes(_document(machine, file)), own)
    file = machine.cwd / "uv.toml"
    yield from _stronger(file, edits.uv_table_indexes(_document(machine, file)), own)
    table = toml.value_of(_project(machine), ("tool", "uv")) or {}
    found = edits.uv_table_indexes(table, "[tool.uv] ")
    yield from _stronger(machine.cwd / "pyproject.toml", found, own)


def of_poetry(machine: Machine, own: IsOwn) -> Iterator[Obstacle]:
    """Yield what is stronger than the user's file of poetry."""
    yield from _variables(machine, ("POETRY_PYPI_MIRROR_URL",), own)
    yield from _sources(machine, ("tool", "poetry", "source"), own)


def of_pdm(machine: Machine, own: IsOwn) -> Iterator[Obstacle]:
    """Yield what is stronger than the user's file of pdm."""
    yield from _variables(machine, ("PDM_PYPI_URL",), own)
    file = machine.cwd / "pdm.toml"
    named = edits.pdm_table_indexes(_document(machine, file))
    yield from _stronger(file, named, own)
    yield from _sources(machine, ("tool", "pdm", "source"), own)


def of_pipenv(machine: Machine, own: IsOwn) -> Iterator[Obstacle]:
    """Yield what is stronger than the variable that pipenv is given."""
    yield from _variables(machine, ("PIPENV_PYPI_MIRROR",), own)
    if machine.platform == "win32":
        problem = "pipenv has no file of the user's own"
        yield Obstacle("pipenv", problem, "set the variable: setx PIPENV_PYPI_MIRROR ADDRESS")


def of_buildout(machine: Machine, own: IsOwn) -> Iterator[Obstacle]:
    """Yield what is stronger than the user's defaults of zc.buildout."""
    file = machine.cwd / "buildout.cfg"
    yield from _stronger(file, edits.buildout_indexes(machine.read(file)), own)


def of_beside(
    file: PurePath, named: Iterable[edits.Named], own: IsOwn, known: Collection[str] = ()
) -> Iterator[Obstacle]:
    """Yield the indexes of a file that stay in force beside the shim."""
    for index in named:
        if index.stays and not own(index.url):
            problem = (
                f"{index.label} ({redact_text(index.url)}) would be asked beside indexfallback"
            )
            first = "" if _is_known(index.url, known) else "take it over by `indexfallback init`, "
            yield Obstacle(str(file), problem, f"{first}remove it there")


def of_lost(
    file: PurePath, named: Iterable[edits.Named], own: IsOwn, known: Collection[str]
) -> Iterator[Obstacle]:
    """Yield the indexes in the user's own file that would be replaced, and asked by nobody then."""
    for index in named:
        if not index.stays and not own(index.url) and not _is_known(index.url, known):
            problem = f"{index.label} ({redact_text(index.url)}) is in no chain of indexfallback"
            yield Obstacle(str(file), problem, _LOST)


def _is_known(url: str, known: Collection[str]) -> bool:
    try:
        return is_default_url(url) or parse_address(url, Path()).url in known
    except InvalidValueError:
        return False


def _variables(machine: Machine, names: Iterable[str], own: IsOwn) -> Iterator[Obstacle]:
    for name in names:
        # uv's variables may have a name before each address.
        urls = [word.partition("=")[2] or word for word in machine.environ.get(name, "").split()]
        if any(not own(url) for url in urls):
            yield Obstacle(name, "this variable is stronger than any file", f"unset {name}")


def _switches(machine: Machine, names: Iterable[str], problem: str) -> Iterator[Obstacle]:
    for name in names:
        if machine.environ.get(name, "").lower() in _TRUE:
            yield Obstacle(name, f"with this variable {problem}", f"unset {name}")


def _stronger(file: PurePath, named: Iterable[edits.Named], own: IsOwn) -> Iterator[Obstacle]:
    for index in named:
        if not own(index.url):
            problem = (
                f"{index.label} ({redact_text(index.url)}) is stronger than the user's own file"
            )
            yield Obstacle(str(file), problem, "remove it, or put the shim's address there")


def _sources(machine: Machine, path: tuple[str, ...], own: IsOwn) -> Iterator[Obstacle]:
    sources = [
        edits.Named(str(table["url"]), f"[[{'.'.join(path)}]]")
        for table in toml.tables(_project(machine), *path)
        if "url" in table and table.get("priority") != "explicit"
    ]
    yield from _stronger(machine.cwd / "pyproject.toml", sources, own)


def _project(machine: Machine) -> dict[str, Any]:
    return _document(machine, machine.cwd / "pyproject.toml")


def _document(machine: Machine, file: PurePath) -> dict[str, Any]:
    try:
        return toml.parse(machine.read(file))
    except InvalidValueError as error:
        raise ClientFileError(file, error.problem, error.remedy) from error
