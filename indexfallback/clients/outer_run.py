"""Whether this process was started by a ``run``, whose tunnel it then uses as well."""

import socket
from collections.abc import Mapping

from indexfallback.errors import IndexFallbackError
from indexfallback.tunnel.environment import MARK

#: Timeout of a connection on loopback, seconds; a listening program accepts at once.
_SECONDS = 2.0


class OuterRunEndedError(IndexFallbackError):
    """The ``run`` that started this process has ended, and its tunnel with it."""

    def __str__(self) -> str:
        return (
            "the `indexfallback run` that started this shell or program has ended, and its proxy "
            f"with it; start a new shell, or unset {MARK} and the proxy's and certificates' "
            "variables"
        )


def is_inside_run(environ: Mapping[str, str]) -> bool:
    """Tell whether an outer ``run`` has given its tunnel to this process.

    Raises:
        OuterRunEndedError: it has, but the tunnel does not listen any more.

    """
    address = environ.get(MARK)
    if not address:
        return False
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _SECONDS).close()
    except (OSError, ValueError):
        raise OuterRunEndedError from None
    return True
