"""The environment variables that point every client at a shim, and how they are restored.

The tests run real clients with them.
"""

import os
from collections.abc import Mapping

#: uv's variables with indexes.
UV_VARIABLES = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
#: Variables with the address of a simple API, and the client that reads each.
ADDRESS_VARIABLES = {
    "PIP_INDEX_URL": "pip, hatch",
    # PIP_INDEX_URL does not override a configured extra-index-url, and pip ignores an empty
    # variable. pip asks one address only once.
    "PIP_EXTRA_INDEX_URL": "pip",
    "UV_DEFAULT_INDEX": "uv",
    "PDM_PYPI_URL": "pdm",
    "PIPENV_PYPI_MIRROR": "pipenv",
    "POETRY_PYPI_MIRROR_URL": "poetry with poetry-plugin-pypi-mirror",
    # Undocumented; zc.buildout reads it at import, in nested buildouts as well.
    "buildout_testing_index_url": "zc.buildout",
}
#: Has the address of the shim while a shell is activated.
MARK = "INDEXFALLBACK_ENV"
#: Prefix of the variables that save the previous values.
SAVED = "INDEXFALLBACK_SAVED_"
#: pip and uv use HTTP_PROXY for 127.0.0.1 as well; some clients read one spelling, some the other.
_NO_PROXY = ("NO_PROXY", "no_proxy")
_LOOPBACK = ("127.0.0.1", "localhost")

#: New value of each variable; None to unset it.
Changes = dict[str, str | None]


def client_environment(environ: Mapping[str, str], url: str) -> dict[str, str]:
    """Return ``environ`` with every client pointed at the simple API at ``url``."""
    return {**environ, **_pointed(environ, url)}


def activation(environ: Mapping[str, str], url: str) -> Changes:
    """Return the changes that point a shell at ``url`` and save the previous values.

    If the shell is activated already, the values from before the first activation are saved.
    """
    before = without_activation(environ)
    pointed = _pointed(before, url)
    saved = {SAVED + name: before[name] for name in pointed if name in before}
    return {MARK: url, **saved, **pointed}


def deactivation(environ: Mapping[str, str]) -> Changes:
    """Return the changes that undo `activation`; empty if the shell is not activated.

    A variable that was changed after the activation keeps its value.
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


def without_activation(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment from before `activation`, which has pip's own indexes."""
    found: Changes = {**environ, **deactivation(environ)}
    return {name: value for name, value in found.items() if value is not None}


def _pointed(environ: Mapping[str, str], url: str) -> dict[str, str]:
    """Return the variables that point every client at ``url``, without the rest of ``environ``."""
    known = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    hosts = [host for host in known.split(",") if host]
    hosts += [host for host in _LOOPBACK if host not in hosts]
    pointed = {**dict.fromkeys(ADDRESS_VARIABLES, url), **dict.fromkeys(_NO_PROXY, ",".join(hosts))}
    if os.name == "nt":  # names are case-insensitive there, and upper case in Python
        return {name.upper(): value for name, value in pointed.items()}
    return pointed
