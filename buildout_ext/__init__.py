"""The zc.buildout extension: with ``extensions = indexfallback`` a buildout uses the chain."""

import re
from typing import Any

from buildout_ext.name import NAME


def load(buildout: Any) -> None:
    """Point buildout at a shim; buildout calls this before it looks up any project.

    Buildout calls every installed extension, listed or not. This one does nothing if it is not
    enabled, or if buildout is offline.

    Raises:
        zc.buildout.UserError: the section is not valid, or the shim does not start.

    """
    if _is_enabled(buildout):
        from buildout_ext import session  # noqa: PLC0415 - slow, and only if enabled

        session.begin(buildout)


def unload(buildout: Any) -> None:
    """Stop using the shim; buildout calls this after a run without errors."""
    if _is_enabled(buildout):
        from buildout_ext import session  # noqa: PLC0415 - as above

        session.end(failed=False)


def _is_enabled(buildout: Any) -> bool:
    """Tell whether the extension is listed or has a section, and buildout is not offline."""
    listed = buildout["buildout"].get("extensions", "").lower().split()
    enabled = NAME in buildout or any(re.match(rf"{NAME}(?![\w.-])", spec) for spec in listed)
    return enabled and not buildout.offline
