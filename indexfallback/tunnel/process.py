"""The process of a tunnel: started by ``run``, told what to do on standard input, ends at its EOF.

The first line in is a `Task`, the first line out an `Opened` or a `Failed`. Each further line in is
answered by a line with a `Report`.
"""

import contextlib
import os
import signal
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import BinaryIO, NoReturn
from urllib.parse import urlsplit
from urllib.request import getproxies

import msgspec

from indexfallback.config.pip import PipConfig
from indexfallback.errors import LocatedError
from indexfallback.server.handles import raise_limit
from indexfallback.store.secret import Secret
from indexfallback.tunnel.bundle import bundle, certificates_in, named_by_user, user_files
from indexfallback.tunnel.certificates import issue
from indexfallback.tunnel.directory import base_directory, private_directory
from indexfallback.tunnel.messages import Failed, Opened, Task
from indexfallback.tunnel.origins import origin_of
from indexfallback.tunnel.outbound import Outbound
from indexfallback.tunnel.proxy import USER, Proxy
from indexfallback.tunnel.report import Activity
from indexfallback.tunnel.route import route_of
from indexfallback.tunnel.shim import ShimConnections, ShimPlace
from indexfallback.upstream.trust import context_with

_API = "simple/"


def run_tunnel(commands: BinaryIO, answers: BinaryIO) -> None:
    """Serve a tunnel until ``commands`` ends or SIGTERM arrives, and leave no file behind."""
    raise_limit()
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _stop)
    with contextlib.suppress(SystemExit, BrokenPipeError):
        line = commands.readline()
        if not line:  # the parent has ended
            return
        try:
            with opened_tunnel(msgspec.json.decode(line, type=Task)) as (opened, activity):
                _say(answers, opened)
                while commands.readline():
                    _say(answers, activity.report())
        except LocatedError as error:
            _say(answers, Failed(error.where, error.problem, error.remedy))


def _stop(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - as called by Python
    sys.exit(0)


def _say(answers: BinaryIO, message: msgspec.Struct) -> None:
    answers.write(msgspec.json.encode(message) + b"\n")
    answers.flush()


@contextlib.contextmanager
def opened_tunnel(task: Task) -> Iterator[tuple[Opened, Activity]]:
    """Yield a tunnel that accepts connections; raises `LocatedError`."""
    pip = PipConfig(os.environ)
    route = route_of(getproxies(), pip.get("proxy"))
    files = user_files(named_by_user(os.environ, pip))
    origins = [origin_of(address) for address in task.origins]
    with base_directory() as base, private_directory(base) as directory:
        certificates = issue(origin.host for origin in origins if origin.scheme == "https")
        roots = directory / "ca-bundle.pem"
        _write(roots, bundle(files, certificates.authority))
        activity = Activity()
        outbound = Outbound(route, lambda: context_with(certificates_in(files).decode()))
        tls = _server_context(directory / "leaf.pem", certificates.leaf)
        shim = ShimConnections(_shim_place(task))
        proxy = Proxy(origins, shim, outbound, tls, activity)
        with contextlib.closing(proxy):
            proxy.start()
            url = f"http://{USER}:{proxy.secret}@127.0.0.1:{proxy.port}"
            yield Opened(proxy.port, url, str(roots)), activity


def _shim_place(task: Task) -> ShimPlace:
    root = urlsplit(task.shim).path.removesuffix(_API)
    return ShimPlace(origin_of(task.shim), root, Secret(bytes.fromhex(task.secret)))


def _server_context(path: Path, leaf: bytes) -> ssl.SSLContext:
    """Return the context for clients. Python reads keys from files: ``path``, removed at once."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    _write(path, leaf)
    try:
        context.load_cert_chain(path)
    finally:
        path.unlink()
    return context


def _write(path: Path, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(fd, "wb") as file:  # noqa: PTH123 - the mode of a new file cannot be given to Path
        file.write(content)
