"""The environment that points every client at a shim, for `run`; observed on the real clients."""

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
#: HTTP_PROXY captures 127.0.0.1 too in pip and uv; the two spellings are read by different ones.
_NO_PROXY = ("NO_PROXY", "no_proxy")
_LOOPBACK = ("127.0.0.1", "localhost")


def client_environment(environ: Mapping[str, str], url: str) -> dict[str, str]:
    """Return ``environ`` with every client pointed at the simple API at ``url``."""
    environment = {**environ, **dict.fromkeys(ADDRESS_VARIABLES, url)}
    known = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    hosts = [host for host in known.split(",") if host]
    hosts += [host for host in _LOOPBACK if host not in hosts]
    environment.update(dict.fromkeys(_NO_PROXY, ",".join(hosts)))
    return environment
