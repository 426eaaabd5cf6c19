"""The shim of one buildout run: it starts when it is needed, and ends with the run."""

import atexit
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from typing import Any

import zc.buildout
from zc.buildout import easy_install

from buildout_ext.indexes import pip_without_index, repointed
from buildout_ext.name import NAME
from buildout_ext.parts import BUILDOUT, read_places, section_at_work
from buildout_ext.places import Places
from buildout_ext.section import key_of, read_settings
from indexfallback.clients.environment import client_environment
from indexfallback.clients.shim_process import shim_for
from indexfallback.clients.troubles import Status, troubles
from indexfallback.clients.young import newer, young_releases
from indexfallback.config import Settings, without_credentials
from indexfallback.config.address import redact_text
from indexfallback.errors import IndexFallbackError
from indexfallback.server.asking import Kind, NoAnswer, ask, found_at

log = logging.getLogger(NAME)

#: Buildout reads the address of its default index here; an outer buildout sets it to its shim.
_OUTER_INDEX = "buildout_testing_index_url"
#: pip must not look for a newer pip in each run: buildout cannot use it.
_QUIET_PIP = {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}


class Session:
    """The shim that one buildout run uses."""

    def __init__(self, settings: Settings, places: Mapping[str, Places], default: str) -> None:
        """Begin a run whose parts name ``places``; ``default`` is the index of ``[buildout]``."""
        self._settings = settings
        self._places = places
        self._default = key_of(default)
        self._began = time.time()
        #: Address of the simple API; empty before the start.
        self._url = ""
        #: Names of the shim's indexes by their addresses.
        self._names = {index.url: index.name for index in settings.every_index}
        #: Addresses of indexes that it does not have.
        self._told: set[str] = set()
        self._exits = ExitStack()
        self._exits.enter_context(repointed(self))

    def start(self) -> str:
        """Start the shim unless it runs, and return the address of its root.

        Raises:
            zc.buildout.UserError: it does not start.

        """
        if not self._url:
            try:
                self._url = self._outer() or self._exits.enter_context(shim_for(self._settings))
            except (IndexFallbackError, *NoAnswer) as error:
                raise zc.buildout.UserError(f"{NAME}: {error}") from error
            self._exits.enter_context(_environment(self._url))
            self._exits.enter_context(pip_without_index(without_credentials(self._url)))
        return self._url.removesuffix("simple/")

    def choose(self, index: str) -> list[str]:
        """Return where to ask in the place of an index, and then of the part's extra ones."""
        extra = self._own.extra or self._of(BUILDOUT).extra
        return list(dict.fromkeys(map(self._path, (index, *extra))))

    def places(self) -> str:
        """Return what the part at work names, as lines for a message."""
        return self._own.words if self._own.section != BUILDOUT else ""

    @property
    def _own(self) -> Places:
        return self._of(section_at_work())

    def _of(self, section: str) -> Places:
        return self._places.get(section, Places(section))

    def _path(self, index: str) -> str:
        """Return where the shim answers in the place of an index: for it alone, or the chain."""
        key = key_of(index)
        if key == self._default:
            return "simple/"
        if key in self._names:
            return f"index/{self._names[key]}/simple/"
        if index not in self._told:
            self._told.add(index)
            log.warning(
                "[%s]: the local index of this run was started without %s, and asks its own "
                "indexes instead. What you can do: add the index to its configuration.",
                self._own.section, redact_text(index),
            )  # fmt: skip
        return "simple/"

    def _outer(self) -> str | None:
        """Return the address of the shim of an outer buildout, and note its indexes."""
        url = _outer_shim()
        if url is not None:
            indexes = ask(url, "/-/status")["indexes"]
            self._names = {index["url"]: index["name"] for index in indexes}
        return url

    def end(self, *, failed: bool) -> None:
        """Report what could not be served, and restore buildout and the environment."""
        with self._exits:
            if self._url:
                self._report(failed=failed)

    def _report(self, *, failed: bool) -> None:
        try:
            status = ask(self._url, f"/-/status?since={self._began}")
        except NoAnswer as error:
            log.warning("the local index has stopped answering (%s)", error)
            return
        newer_ones = newer(young_releases(status))
        if newer_ones and not failed:
            log.warning("%s", newer_ones)
        for trouble in troubles(status if failed else _of_success(status), self._began):
            level = logging.ERROR if failed else logging.WARNING
            log.log(level, "%s", "\n  ".join((trouble.sentence, *trouble.details)))


_sessions: list[Session] = []


def begin(buildout: Any) -> None:
    """Begin the session of a buildout."""
    try:
        hosts = buildout._allow_hosts  # noqa: SLF001 - the parsed option
        places, options = read_places(buildout), buildout[BUILDOUT]
        default = options.get("index", "").strip() or easy_install.default_index_url
        section = buildout.get(NAME, {})
        settings = read_settings(section, options, hosts, places.values(), default)
    except IndexFallbackError as error:
        raise zc.buildout.UserError(str(error)) from error
    session = Session(settings, places, default)
    _sessions.append(session)
    # Buildout unloads its extensions only after a success.
    atexit.register(end, failed=True)
    if _may_run_others(buildout):
        session.start()


def end(*, failed: bool) -> None:
    """End the session, if there is one."""
    while _sessions:
        _sessions.pop().end(failed=failed)


def _may_run_others(buildout: Any) -> bool:
    """Tell whether recipes may run pip or nested buildouts, which need the shim from the start.

    They may if a part is not installed yet, or if buildout looks for newer versions.
    """
    if easy_install.install_from_cache():
        return False
    installed, _ = buildout._read_installed_part_options()  # noqa: SLF001 - no public function
    missing = set(buildout["buildout"]["parts"].split()) - set(
        installed["buildout"]["parts"].split()
    )
    return bool(buildout.newest or missing)


def _outer_shim() -> str | None:
    """Return the address of the shim of an outer buildout or ``run --address``."""
    url = os.environ.get(_OUTER_INDEX, "")
    there = found_at(url) if url.startswith("http:") else None
    return url if there is not None and there.kind is Kind.OWN else None


@contextmanager
def _environment(url: str) -> Iterator[None]:
    """Point the processes that recipes run at the shim."""
    before = dict(os.environ)
    os.environ.update({**client_environment(before, url), **_QUIET_PIP})
    try:
        yield
    finally:
        for variable in (*client_environment({}, url), *_QUIET_PIP):
            os.environ.pop(variable, None)  # Windows has one variable for both spellings
            if variable in before:
                os.environ[variable] = before[variable]


def _of_success(status: Status) -> Status:
    """Return the status without what buildout has succeeded without.

    That are projects that no index has, and releases that a cooldown withholds.
    """
    activity = status["activity"]
    failures = [each for each in activity["failures"] if each["status"] != HTTPStatus.NOT_FOUND]
    projects = {name: {**each, "withheld": ()} for name, each in activity["projects"].items()}
    return {**status, "activity": {**activity, "failures": failures, "projects": projects}}
