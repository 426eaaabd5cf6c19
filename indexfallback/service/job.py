"""What the system is to run: a command and the variables that it needs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: The service's name, on every system.
NAME = "indexfallback"
DESCRIPTION = "One local package index in front of all of yours"
#: What a login does not set by itself, and what the shim's settings and connections depend on.
#: Passwords of indexes are not among them: a service's file is no place for those.
_KEPT = re.compile(
    "INDEXFALLBACK_(PORT|OFFLINE)|PIP_(INDEX_URL|EXTRA_INDEX_URL|NO_INDEX)|(HTTPS?|ALL|NO)_PROXY",
    re.IGNORECASE,
)
#: The same of those that name a file or a directory.
_KEPT_PATHS = re.compile(
    "INDEXFALLBACK_(CONFIG|CACHE_DIR)|PIP_(CONFIG_FILE|CERT)|(REQUESTS|CURL)_CA_BUNDLE"
    "|SSL_CERT_(FILE|DIR)|XDG_(CONFIG|CACHE|STATE)_HOME",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A command to run at login, and again when it fails."""

    #: Absolute path of the program, then its arguments.
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def kept_environment(environ: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Return the variables that a shim run at login needs as they are now.

    It is run elsewhere: a relative path is one below ``directory``, here.
    """
    kept = {name: value for name, value in environ.items() if _KEPT.fullmatch(name)}
    for name, value in environ.items():
        if _KEPT_PATHS.fullmatch(name) and value:
            kept[name] = value if value.startswith("~") else str(directory / value)
    return dict(sorted(kept.items()))
