"""What the system is to run: a command and the variables that it needs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

#: The service's name, on every system.
NAME = "indexfallback"
DESCRIPTION = "One local package index in front of all of yours"
#: What a login does not set by itself, and what the shim's settings and connections depend on.
#: Passwords of indexes are not among them: a service's file is no place for those.
_KEPT = re.compile(
    "INDEXFALLBACK_(CONFIG|CACHE_DIR|PORT|OFFLINE)"
    "|PIP_(CONFIG_FILE|INDEX_URL|EXTRA_INDEX_URL|NO_INDEX|CERT)"
    "|(HTTPS?|ALL|NO)_PROXY|(REQUESTS|CURL)_CA_BUNDLE|SSL_CERT_(FILE|DIR)"
    "|XDG_(CONFIG|CACHE|STATE)_HOME",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A command to run at login, and again when it fails."""

    #: Absolute path of the program, then its arguments.
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def kept_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a shim run at login needs as they are now."""
    return {name: environ[name] for name in sorted(environ) if _KEPT.fullmatch(name)}
