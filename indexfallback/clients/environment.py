"""The environment that points every client at a shim, and the way back; seen on real clients."""

import os
from collections.abc import Mapping

#: Variables that hold the address of a simple API, and the client that reads each.
ADDRESS_VARIABLES = {
    "PIP_INDEX_URL": "pip, hatch",
    # A configured extra-index-url stays in force beside PIP_INDEX_URL, and an empty variable is
    # ignored; the same address twice is asked once.
    "PIP_EXTRA_INDEX_URL": "pip",
    "UV_DEFAULT_INDEX": "uv",
    "PDM_PYPI_URL": "pdm",
    "PIPENV_PYPI_MIRROR": "pipenv",
    "POETRY_PYPI_MIRROR_URL": "poetry with poetry-plugin-pypi-mirror",
    # Undocumented; read by zc.buildout at import, nested buildouts included.
    "buildout_testing_index_url": "zc.buildout",
}
#: The address that a shell was pointed at by `entered`: there as long as that can be undone.
MARK = "INDEXFALLBACK_ENV"
#: Before the name of a variable that had a value before: what it was.
SAVED = "INDEXFALLBACK_SAVED_"
#: HTTP_PROXY captures 127.0.0.1 too in pip and uv; the two spellings are read by different ones.
_NO_PROXY = ("NO_PROXY", "no_proxy")
_LOOPBACK = ("127.0.0.1", "localhost")

#: Variable to its new value, or None if it is to go.
Changes = dict[str, str | None]


def client_environment(environ: Mapping[str, str], url: str) -> dict[str, str]:
    """Return ``environ`` with every client pointed at the simple API at ``url``."""
    return {**environ, **_pointed(environ, url)}


def entered(environ: Mapping[str, str], url: str) -> Changes:
    """Return what points a shell at ``url``, and keeps what is there for `left`.

    Where it was pointed somewhere before, what was there before that is kept.
    """
    before = original(environ)
    pointed = _pointed(before, url)
    saved = {SAVED + name: before[name] for name in pointed if name in before}
    return {MARK: url, **saved, **pointed}


def left(environ: Mapping[str, str]) -> Changes:
    """Return what undoes `entered`: nothing, where nothing is to be undone.

    A variable that was set to something else since then keeps it.
    """
    if MARK not in environ:
        return {}
    saved = {name: value for name, value in environ.items() if name.startswith(SAVED)}
    before = {name.removeprefix(SAVED): value for name, value in saved.items()}
    pointed = _pointed(before, environ[MARK])
    restored: Changes = {
        name: before.get(name) for name, value in pointed.items() if environ.get(name) == value
    }
    return {**restored, **dict.fromkeys(saved), MARK: None}


def original(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what `entered` did to it: what pip's indexes are read from.

    Else a shell that is pointed at the shim would hide the indexes behind it from the shim.
    """
    found: Changes = {**environ, **left(environ)}
    return {name: value for name, value in found.items() if value is not None}


def _pointed(environ: Mapping[str, str], url: str) -> dict[str, str]:
    """Return the variables that point every client at ``url``, beside those of ``environ``."""
    known = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    hosts = [host for host in known.split(",") if host]
    hosts += [host for host in _LOOPBACK if host not in hosts]
    pointed = {**dict.fromkeys(ADDRESS_VARIABLES, url), **dict.fromkeys(_NO_PROXY, ",".join(hosts))}
    if os.name == "nt":  # where names have no case, and Python has them in capitals
        return {name.upper(): value for name, value in pointed.items()}
    return pointed
