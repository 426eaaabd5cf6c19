"""The job that the system runs: a command and its environment variables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: The name of the service on every system.
NAME = "indexfallback"
DESCRIPTION = "One local package index in front of all of yours"
#: Environment variables that change the shim's settings and connections. Passwords of indexes and
#: keys of buckets are not among them: they must not be written to the file of a service.
_KEPT = re.compile(
    "INDEXFALLBACK_(PORT|OFFLINE)|PIP_(INDEX_URL|EXTRA_INDEX_URL|NO_INDEX)|(HTTPS?|ALL|NO)_PROXY"
    "|AWS_(ENDPOINT_URL|REGION|DEFAULT_REGION|ROLE_ARN)",
    re.IGNORECASE,
)
#: The same for variables with the path of a file or a directory.
_KEPT_PATHS = re.compile(
    "INDEXFALLBACK_(CONFIG|CACHE_DIR)|PIP_(CONFIG_FILE|CERT)|(REQUESTS|CURL)_CA_BUNDLE"
    "|SSL_CERT_(FILE|DIR)|XDG_(CONFIG|CACHE|STATE)_HOME|AWS_WEB_IDENTITY_TOKEN_FILE",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A command that is run at login, and restarted when it fails."""

    #: Absolute path of the program, then its arguments.
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def kept_environment(environ: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Return the environment variables that the shim needs at login, with their current values.

    Relative paths are made absolute: they are relative to ``directory``.
    """
    kept = {name: value for name, value in environ.items() if _KEPT.fullmatch(name)}
    for name, value in environ.items():
        if _KEPT_PATHS.fullmatch(name) and value:
            kept[name] = value if value.startswith("~") else str(directory / value)
    return dict(sorted(kept.items()))
