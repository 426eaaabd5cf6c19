"""A real ``serve`` process for tests: a clean environment, its own directories, a sure end."""

import contextlib
import http.client
import json
import os
import queue
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psutil

from tests.forking import Process, start_program

#: A start takes 0.5 s; a machine that is busy with other tests may take this long, seconds.
START_SECONDS = 120.0
#: What any answer of a test may take, seconds: above the longest deadline.
ANSWER_SECONDS = 60.0
#: No state is waited for for less, seconds: a machine that is busy with other things needs it.
_LEAST_SECONDS = 30.0
#: What a process started here sees of the tests' own environment.
_PASSED_ON = re.compile(r"PATH|LANG|SYSTEMROOT|TE?MP|TMPDIR|COV.*", re.IGNORECASE)


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: Message
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The error in the body, which is never HTML."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        problem: dict[str, Any] = json.loads(self.body)
        assert problem["status"] == self.status
        return problem


class Served:
    """A running shim."""

    def __init__(self, process: Process, log: Path) -> None:
        self.process = process
        self._log = log
        self.port = 0
        self.url = ""
        #: The directory that has its user's secret.
        self.state_home = ""

    @property
    def system(self) -> psutil.Process:
        """The process as the system knows it: its memory and its open files."""
        return psutil.Process(self.process.pid)

    @property
    def log(self) -> str:
        """What it wrote to standard error."""
        return self._log.read_text(encoding="utf-8")

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET"
    ) -> Answer:
        """Ask for a path, sent exactly as it is, over a connection of its own."""
        with self.ask(path, headers, method=method) as response:
            return Answer(response.status, response.headers, response.read())

    @contextlib.contextmanager
    def ask(
        self, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET"
    ) -> Iterator[http.client.HTTPResponse]:
        """Give the answer to a request with its body still unread."""
        connection = _Verbatim("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        try:
            if self.url.startswith("https:"):
                connection.sock = _tls_socket(self.port)
            connection.request(method, path, headers=dict(headers or {}))
            yield connection.getresponse()
        finally:
            connection.close()

    def json(self, path: str) -> Any:
        """Return the JSON at a path."""
        return json.loads(self.get(path).body)

    def raw(self, data: bytes, seconds: float = ANSWER_SECONDS) -> bytes:
        """Send bytes and return all that comes until the other side closes."""
        with socket.create_connection(("127.0.0.1", self.port), seconds) as sock:
            sock.sendall(data)
            received = bytearray()
            with contextlib.suppress(ConnectionResetError):
                while piece := sock.recv(65536):
                    received += piece
        return bytes(received)

    def stop(self, number: int = signal.SIGTERM, seconds: float = 60.0) -> int:
        """Send a signal, wait for the end and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


class _Verbatim(http.client.HTTPConnection):
    """Sends the strangest paths as they are."""

    def _validate_path(self, url: str) -> None:
        pass


def _tls_socket(port: int) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS))


def json_at(url: str, path: str) -> Any:
    """Return the JSON that the server at an address answers for a path; raises OSError."""
    with contextlib.closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)) as server:
        server.request("GET", path)
        return json.loads(server.getresponse().read())


def clean_environment(directory: Path, **more: str) -> dict[str, str]:
    """Return the environment of a stranger's machine, its directories below ``directory``."""
    kept = {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}
    home, run = directory / "home", directory / "run"
    for path in (home, run):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        **kept,
        "HOME": str(home),
        "USERPROFILE": str(home),
        "XDG_RUNTIME_DIR": str(run),
        "XDG_STATE_HOME": str(run),
        "PIP_CONFIG_FILE": os.devnull,
        "INDEXFALLBACK_CACHE_DIR": str(directory / "cache"),
        **more,
    }


def index_table(name: str, url: str, **keys: object) -> str:
    """Return an ``[[index]]`` of a configuration file; public unless told otherwise."""
    return _table("[[index]]", {"name": name, "url": url, "role": "public", **keys})


def config_text(*tables: str, **sections: Mapping[str, object]) -> str:
    """Return a configuration file of indexes and of sections such as ``limits={...}``.

    The shim asks for no token, whoever has an account on the machine of the tests, and unless it is
    set otherwise, not in the background for known vulnerabilities, so that requests count.
    """
    every = dict(sections)
    if not any("[server]" in table for table in tables):
        given = every.get("server", {})
        # After what is given, whose lines tests know.
        every["server"] = {**given, "private": given.get("private", False)}
    if not any("[policy]" in table for table in tables):
        every.setdefault("policy", {"notices": False})
    return "\n".join([*(_table(f"[{name}]", keys) for name, keys in every.items()), *tables])


def _table(header: str, keys: Mapping[str, object]) -> str:
    # JSON's strings, lists and booleans are TOML's too.
    return "\n".join([header, *(f"{key} = {json.dumps(value)}" for key, value in keys.items()), ""])


def start(
    directory: Path, config: str, *arguments: str, port: int = 0, **more: str
) -> tuple[Process, Path]:
    """Start ``serve`` with its standard output in a pipe; return it and the file of its log."""
    directory.mkdir(exist_ok=True)
    file = directory / "config.toml"
    file.write_text(config, encoding="utf-8")
    log = directory / "stderr.log"
    command = ["--config", str(file), "serve", "--port", str(port), "--json", *arguments]
    with log.open("wb") as stderr:
        environ = clean_environment(directory, **more)
        return start_program(command, stderr=stderr, env=environ), log


@contextlib.contextmanager
def serving(
    directory: Path, config: str, *arguments: str, port: int = 0, **more: str
) -> Iterator[Served]:
    """Give a shim that answers, and leave no process of it behind."""
    process, log = start(directory, config, *arguments, port=port, **more)
    served = Served(process, log)
    served.state_home = clean_environment(directory, **more)["XDG_STATE_HOME"]
    try:
        line = first_line(process)
        served.url = json.loads(line)["url"] if line else ""
        assert served.url, served.log
        served.port = urlsplit(served.url).port or 0
        wait_until(lambda: _answers(served), START_SECONDS, "the shim does not answer")
        yield served
    finally:
        end_program(process)


def first_line(process: Process) -> bytes:
    """Return the first line of a process's output, empty if there is none in time."""
    lines: queue.Queue[bytes] = queue.Queue()
    output = process.stdout
    assert output is not None
    threading.Thread(target=lambda: lines.put(output.readline()), daemon=True).start()
    try:
        return lines.get(timeout=START_SECONDS)
    except queue.Empty:
        return b""


def _answers(served: Served) -> bool:
    try:
        return served.get("/-/health").status == http.client.OK
    except OSError:  # the worker does not listen yet
        return False


def end_program(process: Process) -> None:
    """Have a process end, by force if need be, and close the pipes to it."""
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(60)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def all_ended(processes: list[psutil.Process]) -> bool:
    """Tell whether none of the processes runs; one that nobody has reaped yet does not."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                return False
    return True


def wait_until(condition: Callable[[], object], seconds: float, otherwise: str) -> None:
    """Poll until a condition holds; fail with ``otherwise`` if it does not in time."""
    ends = time.monotonic() + max(seconds, _LEAST_SECONDS)
    while not condition():
        assert time.monotonic() < ends, otherwise
        time.sleep(0.01)  # states of other processes cannot be waited for


def fill(directory: Path) -> Path:
    """Fill a file system; return the file to remove to have space again."""
    path = directory / "full"
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return path
