"""The program in processes of its own, forked from one that has imported it.

To start Python and import the program takes 0.3 s of a processor, to fork takes 0.05 s. The new
process has the arguments, the environment and the standard streams that it is given, and ends as
Python ends.
"""

import atexit
import contextlib
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Any, TypeAlias

from tests.in_process import ROOT

#: What is started anew for each process, where this system cannot wait for forked ones, or a test
#: needs a Python that it has changed; None to fork.
PYTHON = None if hasattr(os, "pidfd_open") else sys.executable
#: Bytes of a request: arguments and environment.
_MOST = 1 << 18


class Forked:
    """A process of the program, as `subprocess.Popen` would have it."""

    def __init__(self, pid: int, status: IO[bytes], stdin: IO[bytes], stdout: IO[bytes]) -> None:
        """Take the process, the pipe with its exit code, and the other ends of its streams."""
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout
        self.returncode: int | None = None
        self._status = status

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code at its end; raises `subprocess.TimeoutExpired`."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(["indexfallback"], timeout or 0.0)
        return code

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            self.returncode = int(self._status.readline())
            self._status.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to a process that runs."""
        # Only a process that has ended for us may have given its number to another one.
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


Process: TypeAlias = "subprocess.Popen[bytes] | Forked"


def start_program(
    arguments: Sequence[str], *, stderr: IO[bytes], env: Mapping[str, str]
) -> Process:
    """Start ``indexfallback ARGUMENTS`` with pipes as its standard input and output."""
    if PYTHON is None:
        return _fork(arguments, stderr=stderr, env=env)
    return subprocess.Popen(
        [PYTHON, "-m", "indexfallback", *arguments], cwd=ROOT, env=dict(env),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
    )  # fmt: skip


def _fork(arguments: Sequence[str], *, stderr: IO[bytes], env: Mapping[str, str]) -> Forked:
    request = json.dumps({"arguments": arguments, "env": dict(env)}).encode()
    (read_in, write_in), (read_out, write_out), (read_status, write_status) = (
        os.pipe() for _ in range(3)
    )
    given = [read_in, write_out, stderr.fileno(), write_status]
    status = os.fdopen(read_status, "rb", buffering=0)
    try:
        socket.send_fds(_parent(), [request], given)
    finally:
        for descriptor in (read_in, write_out, write_status):
            os.close(descriptor)
    pid = int(status.readline())
    return Forked(pid, status, os.fdopen(write_in, "wb", buffering=0), os.fdopen(read_out, "rb"))


@functools.cache
def _parent() -> socket.socket:
    """Return the connection to the process that forks; both end with this process."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for one in (ours, its):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MOST)
    with its:
        code = f"from tests.forking import fork_on_request; fork_on_request({its.fileno()})"
        environ = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, env=environ, pass_fds=[its.fileno()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    @atexit.register
    def end() -> None:
        ours.close()
        process.wait()

    return ours


def fork_on_request(descriptor: int) -> None:
    """Fork for each request of a connection, and tell what has become of the processes."""
    import indexfallback.server.app  # noqa: PLC0415 - all that a server needs
    import indexfallback.server.process  # noqa: PLC0415
    import indexfallback.shim  # noqa: PLC0415
    import indexfallback.upstream.http  # noqa: F401, PLC0415
    from indexfallback.__main__ import start  # noqa: PLC0415

    requests = socket.socket(fileno=descriptor)
    #: From what becomes readable at the end of a process: the process and its pipe.
    running: dict[int, tuple[int, int]] = {}
    while True:
        ready, _, _ = select.select([descriptor, *running], [], [])
        for each in ready:
            if each != descriptor:
                _tell_end(each, *running.pop(each))
                continue
            data, descriptors, _, _ = socket.recv_fds(requests, _MOST, 4)
            if not data:
                return
            status = descriptors.pop()
            pid = os.fork()
            if pid == 0:
                for inherited in (status, *running, *(pipe for _, pipe in running.values())):
                    os.close(inherited)
                requests.close()
                _become(json.loads(data), descriptors)
                start()
                return
            os.write(status, b"%d\n" % pid)
            running[os.pidfd_open(pid)] = pid, status
            for received in descriptors:
                os.close(received)


def _tell_end(ended: int, pid: int, status: int) -> None:
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(BrokenPipeError):  # the one that asked for it has gone
        os.write(status, b"%d\n" % code)
    os.close(status)
    os.close(ended)


def _become(request: Mapping[str, Any], streams: Sequence[int]) -> None:
    """Take what the new process is given."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = ["indexfallback", *request["arguments"]]
