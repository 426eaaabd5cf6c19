"""The zc.buildout extension: ``extensions = indexfallback`` makes a buildout use the chain."""

import re
from typing import Any

from buildout_ext.name import NAME


def load(buildout: Any) -> None:
    """Point buildout's look-ups at a shim; called by buildout before anything is looked up.

    Buildout calls every extension that is installed, listed or not, so that one that nobody has
    asked for does nothing. Neither is there anything to do where buildout is offline.

    Raises:
        zc.buildout.UserError: the section is wrong, or the shim does not start.

    """
    if _is_wanted(buildout):
        from buildout_ext import session  # noqa: PLC0415 - nothing else is imported before

        session.begin(buildout)


def unload(buildout: Any) -> None:
    """Stop using the shim; called by buildout after a run without errors."""
    if _is_wanted(buildout):
        from buildout_ext import session  # noqa: PLC0415 - as above

        session.end(failed=False)


def _is_wanted(buildout: Any) -> bool:
    """Tell whether the user has listed the extension or written its section, and is not offline."""
    listed = buildout["buildout"].get("extensions", "").lower().split()
    asked_for = NAME in buildout or any(re.match(rf"{NAME}(?![\w.-])", spec) for spec in listed)
    return asked_for and not buildout.offline
