"""A tunnel for one command: a child process that ends with the command."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec

from indexfallback.errors import IndexFallbackError, TunnelError
from indexfallback.process.child import Child, ChildError, child, log_options
from indexfallback.store.secret import user_secret
from indexfallback.tunnel.environment import Door, tunnel_environment
from indexfallback.tunnel.messages import Failed, Opened, Task
from indexfallback.tunnel.origins import Origin, origin_of
from indexfallback.tunnel.report import Report

#: Timeout of the start in seconds; 0.05 is usual beside a shim, 0.3 alone.
START_SECONDS = 20.0
#: Timeout of a report in seconds.
_REPORT_SECONDS = 2.0


class TunnelEndedError(IndexFallbackError):
    """The tunnel did not start, or has ended before its command."""

    def __str__(self) -> str:
        return "the tunnel has ended; `run --address` works without one"


class Tunnel:
    """A running tunnel."""

    def __init__(self, process: Child, opened: Opened, origins: Sequence[Origin]) -> None:
        #: ``127.0.0.1:PORT``, without the password.
        self.address = f"127.0.0.1:{opened.port}"
        self._process = process
        self._door = Door(self.address, opened.url, opened.bundle)
        self._origins = tuple(origins)

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return ``environ`` with the variables that lead a command's requests to the tunnel."""
        return tunnel_environment(environ, self._door, self._origins, windows=os.name == "nt")

    def report(self) -> Report:
        """Return what the tunnel did so far; raises `TunnelEndedError`."""
        try:
            self._process.send(b"report\n")
            return msgspec.json.decode(self._process.receive(_REPORT_SECONDS), type=Report)
        except (ChildError, msgspec.MsgspecError):
            raise TunnelEndedError from None


class TunnelProcess:
    """A process that becomes a tunnel as soon as it is told the address of a shim."""

    def __init__(self, process: Child) -> None:
        self._process = process

    def open(self, shim_url: str, origins: Sequence[str]) -> Tunnel:
        """Return a tunnel to the shim whose simple API is at ``shim_url``, for some origins.

        ``origins`` are what the shim answers at ``/-/origins``: ``https://packages.example.com``.

        Raises:
            TunnelError: the tunnel cannot use what the user has configured, such as a SOCKS proxy
                or an unreadable file of certificates.
            TunnelEndedError: it did not start.

        """
        try:
            task = Task(shim_url, user_secret().key.hex(), list(origins))
            self._process.send(msgspec.json.encode(task) + b"\n")
            answer = self._process.receive(START_SECONDS)
            opened = msgspec.json.decode(answer, type=Opened | Failed)
        except (ChildError, msgspec.MsgspecError):
            raise TunnelEndedError from None
        if isinstance(opened, Failed):
            raise TunnelError(opened.where, opened.problem, opened.remedy)
        return Tunnel(self._process, opened, [origin_of(address) for address in origins])


@contextmanager
def tunnel_process(*, verbose: int = 0) -> Iterator[TunnelProcess]:
    """Yield a process for a tunnel, which loads its libraries while the shim starts.

    ``verbose`` is the log level. The tunnel uses the proxies and the certificates that the
    environment of this process and pip's configuration name. It ends with the block, and leaves no
    file behind.
    """
    with child(*log_options(verbose), "tunnel") as process:
        yield TunnelProcess(process)
