"""Reads a buildout by zc.buildout itself, without its recipes, extensions and directories.

This module changes zc.buildout for its whole process, and belongs into one of its own
(`wanted.buildout_child`). zc.buildout has no public interface for this. The private names that are
used here are the same in zc.buildout 3.4 to 6.0: ``Buildout._setup_logging``, ``_annotated``,
``_parts``, ``Options._raw`` and, in the module ``zc.buildout.buildout``, ``_open`` and
``_default_globals``.
"""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import zc.buildout
import zc.buildout.buildout
import zc.buildout.configparser
import zc.buildout.download

from indexfallback.errors import redact

#: Fetches an address, and returns the path of a temporary file; raises `NotFetchedError`.
Fetch = Callable[[str], str]

_SYSTEMS = {"linux": "linux", "windows": "win32", "cygwin": "cygwin", "solaris": "sunos",
            "macosx": "darwin"}  # fmt: skip


class NotFetchedError(Exception):
    """An address cannot be fetched."""

    def __init__(self, url: str, cause: str, remedy: str) -> None:
        super().__init__(url, cause, remedy)
        self.url = url
        self.cause = cause
        self.remedy = remedy


class ReadError(Exception):
    """A file of the buildout cannot be read."""

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(where, problem, remedy)
        self.where = where
        self.problem = problem
        self.remedy = remedy

    def as_dict(self) -> dict[str, str]:
        """Return it for JSON."""
        return {"where": self.where, "problem": self.problem, "remedy": self.remedy}


class _IsReadError(Exception):
    """All files are read, and `Buildout` would go on to log, change and make directories."""


class _PythonVersion(NamedTuple):
    """``sys.version_info`` of another Python."""

    major: int
    minor: int
    micro: int
    releaselevel: str = "final"
    serial: int = 0


class _Options(zc.buildout.buildout.Options):  # type: ignore[misc]
    """A section whose recipe is not made.

    An option that the recipe, or an extension, would set remains as it is referred to:
    ``${instance:location}``.
    """

    def initialize(self) -> None:
        """Make no recipe."""

    def get(self, option: str, default: Any = None, seen: Any = None) -> Any:
        value = super().get(option, default, seen)
        # A substitution passes ``seen``; `_buildout_section_name_` is answered by its caller.
        if value is None and seen is not None and option != "_buildout_section_name_":
            made = "recipe" in self._raw or self.buildout.has_extensions
            return f"${{{self.name}:{option}}}" if made else None
        return value


class _Buildout(zc.buildout.buildout.Buildout):  # type: ignore[misc]
    """A buildout that is read and does nothing."""

    Options = _Options

    @property
    def has_extensions(self) -> bool:
        """Whether extensions could set options."""
        return bool(self._raw["buildout"].get("extensions"))

    def _setup_logging(self) -> None:
        # Before it, `Buildout` only reads; next it would set defaults of the installer, make
        # directories, and change the current one.
        raise _IsReadError

    def section(self, name: str) -> dict[str, tuple[str, str]]:
        """Return the options of a section, each with the file or address that it is from."""
        options = self[name]
        return {key: (options[key], self._source(name, key)) for key in list(options.keys())}

    def _source(self, section: str, option: str) -> str:
        annotated = self._annotated.get(section, {})
        for key in (option, f"{option} +", f"{option} -", f"{option}+", f"{option}-"):
            if key in annotated:
                return _shown(str(annotated[key].source))
        macros = annotated["<"].value.split() if "<" in annotated else ()
        return next(filter(None, (self._source(macro, option) for macro in macros)), "")


def read(file: str, markers: Mapping[str, str] | None, fetch: Fetch) -> dict[str, Any]:
    """Return what a buildout says, in the form of `buildout_process.Read`.

    ``markers`` is the environment (PEP 508) that conditional sections are for, or None for this
    Python. Raises `ReadError`, and any exception that zc.buildout has for a buildout that it cannot
    read.
    """
    _replace(markers, fetch)
    os.chdir(Path(file).parent)  # where buildout runs, and finds `optional-extends`
    buildout = _Buildout.__new__(_Buildout)
    with suppress(_IsReadError):
        zc.buildout.buildout.Buildout.__init__(buildout, file, [])
    options = buildout.section("buildout")
    problems = []
    for part in options.get("parts", ("", ""))[0].split():
        try:
            buildout[part]
        except zc.buildout.UserError as error:
            problems.append((part, " ".join(str(error).split())))
    versions = options["versions"][0]
    return {
        "buildout": options,
        "parts": {part: buildout.section(part) for part in dict.fromkeys(buildout._parts)},  # noqa: SLF001 - see the module
        "versions_section": versions,
        "versions": buildout.section(versions) if versions else {},
        "problems": problems,
    }


def _replace(markers: Mapping[str, str] | None, fetch: Fetch) -> None:
    """Put our fetching and the target's conditions into zc.buildout."""
    machinery = zc.buildout.buildout
    zc.buildout.download.Download = _download(fetch)
    machinery._open = _with_cause(machinery._open)  # noqa: SLF001 - see the module
    if markers is not None:
        zc.buildout.configparser.Marker = _marker(markers)
        machinery._default_globals = _globals(machinery._default_globals, markers)  # noqa: SLF001


def _download(fetch: Fetch) -> type:
    class Download(zc.buildout.download.Download):  # type: ignore[misc]
        """Reads `extends-cache` as buildout does, and writes nothing into it."""

        def download_cached(self, url: str, md5sum: str | None = None) -> tuple[str, bool]:
            path = Path(self.cache_dir, self.filename(url))
            is_cached = path.exists()
            if is_cached and not self.fallback:
                return str(path), False
            try:
                return self.download(url, md5sum)
            except NotFetchedError:
                if is_cached:
                    return str(path), False
                raise

        def download(
            self, url: str, md5sum: str | None = None, path: str | None = None
        ) -> tuple[str, bool]:
            if urlsplit(url).scheme not in ("http", "https", "ftp"):
                found: tuple[str, bool] = super().download(url, md5sum, path)
                return found
            if self.offline:
                cause = "the buildout is offline, and its extends-cache does not have it"
                raise NotFetchedError(url, cause, "run buildout once online, with an extends-cache")
            return fetch(url), True

    return Download


def _with_cause(open_file: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``_open``, whose errors name the file and the one that extends it."""

    def opened(base: str, filename: str, seen: list[str], *more: Any) -> Any:
        by = seen[-1] if seen else ""
        try:
            return open_file(base, filename, seen, *more)
        except NotFetchedError as error:
            problem = f"it extends {redact(error.url)}, which cannot be fetched: {error.cause}"
            raise ReadError(_shown(by), problem, error.remedy) from None
        except (OSError, UnicodeError) as error:
            name = getattr(error, "filename", None) or filename
            cause = getattr(error, "strerror", None) or error
            if not by:
                raise ReadError(name, f"it cannot be read ({cause})", "correct that") from None
            problem = f"it extends {name}, which cannot be read ({cause})"
            raise ReadError(_shown(by), problem, "correct the name, or get that file") from None

    return opened


def _shown(name: str) -> str:
    """Return a path as it is, or an address without its login."""
    return redact(name) if "://" in name else name


def _marker(markers: Mapping[str, str]) -> type:
    class TargetMarker(zc.buildout.configparser.Marker):  # type: ignore[misc]
        """A condition that is evaluated for another Python or platform."""

        def evaluate(self, environment: Any = None) -> bool:
            return bool(super().evaluate({**markers, **(environment or {})}))

    return TargetMarker


def _globals(
    defaults: Callable[[], dict[str, Any]], markers: Mapping[str, str]
) -> Callable[[], dict[str, Any]]:
    """Return the names of buildout's older conditions, ``[versions:python310 and linux]``.

    What markers do not tell (``bits64``, the module `platform`) is as here.
    """
    version = [int(number) for number in markers["python_version"].split(".")]
    system = markers["sys_platform"]

    def names() -> dict[str, Any]:
        here = defaults()
        flags = {name: f"python{version[0]}{version[1]}" == name or name == f"python{version[0]}"
                 for name in here if name.startswith("python")}  # fmt: skip
        systems = {name: system.startswith(start) for name, start in _SYSTEMS.items()}
        named = SimpleNamespace(**vars(sys))
        named.platform, named.version_info = system, _PythonVersion(version[0], version[1], 0)
        posix = markers.get("os_name") == "posix"
        return {**here, **flags, **systems, "posix": posix, "sys": named}

    return names
