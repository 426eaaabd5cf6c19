"""Real clients and the real command, for a user of this machine who has nothing configured."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from indexfallback.names import normalize
from indexfallback.store.locks import FileLock
from tests.forking import Process, start_program
from tests.in_process import ROOT, indexfallback
from tests.serving import START_SECONDS, end_program, first_line, json_at, wait_until

#: Longest that one client may take; pip needs a second or two, a loaded machine several.
CLIENT_SECONDS = 60
#: What the system needs to start programs at all (the last ones on Windows); nothing in it
#: configures a package client.
_SYSTEM = ("PATH", "LANG", "LD_LIBRARY_PATH", "SYSTEMROOT", "PATHEXT", "COMSPEC")

#: Before a command: a network of its own, with loopback and nothing else; as if by root for others.
NO_NETWORK = (
    *("unshare", "--net", "--map-root-user", "sh", "-c"),
    'ip link set lo up && exec "$@"',
    "sh",
)


def may_have_own_network() -> bool:
    """Tell whether `NO_NETWORK` works for this user on this system."""
    try:
        tried = subprocess.run([*NO_NETWORK, "true"], check=False, capture_output=True)
    except FileNotFoundError:
        return False
    return tried.returncode == 0


@contextmanager
def alone(path: Path, seconds: float) -> Iterator[None]:
    """Hold a lock file, so that one process of a run makes what all of them use."""
    lock = FileLock(path)
    wait_until(lock.acquire, seconds, f"what {path} guards is being made for too long")
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True)
class Client:
    """A package client, which installs into directories for the Python of a virtual environment."""

    name: str
    #: Down to, not including, its subcommand (``install``).
    start: tuple[str, ...]
    #: Behind each subcommand.
    options: tuple[str, ...]

    def command(self, subcommand: str, *arguments: str) -> tuple[str, ...]:
        return (*self.start, subcommand, *self.options, *arguments)

    def install(self, target: Path, *requirements: str) -> tuple[str, ...]:
        # pip would compile each module, which is half of its time and no business of these tests.
        compiling = ("--no-compile",) if self.name != "uv" else ()
        return self.command("install", *compiling, "--target", str(target), *requirements)


def pip(name: str, *start: str) -> Client:
    # Without its cache, which would keep what it built from an sdist.
    return Client(name, start, ("--no-cache-dir", "--no-input"))


def uv(python: Path) -> Client:
    options = ("--no-cache", "--python", str(python))
    return Client("uv", (uv_executable(), "pip"), options)


def uv_executable() -> str:
    """Return the uv of the test environment, which need not be on PATH."""
    return str(Path(sys.executable).with_name("uv"))


def make_environment(path: Path) -> Path:
    """Make a virtual environment without packages, and return its Python."""
    command = [uv_executable(), "venv", "--quiet", "--no-project", "--python", sys.executable]
    subprocess.run([*command, str(path)], check=True, timeout=CLIENT_SECONDS)
    return path / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def installed(target: Path) -> dict[str, str]:
    """Return the normalised projects in a directory and their versions."""
    found = distributions(path=[str(target)])
    return {normalize(each.metadata["Name"]): each.version for each in found}


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        """What `run` had to say when its command had ended, in one line."""
        _, start, rest = self.stderr.partition("indexfallback: ")
        return " ".join((start + rest).split())

    def expect(self, code: int = 0) -> "Done":
        """Return it if it ended with ``code``, else show all that it printed."""
        assert self.code == code, f"exit code {self.code}\n{self.stdout}\n{self.stderr}"
        return self


class Installation(NamedTuple):
    """How an installation into a new directory ended."""

    done: Done
    #: The normalised projects that are in the directory, and their versions.
    installed: dict[str, str]
    seconds: float

    def expect(self) -> dict[str, str]:
        """Return what is installed if the client succeeded, else show all that it printed."""
        self.done.expect()
        return self.installed

    @property
    def has_failed(self) -> bool:
        """Whether the client failed and installed nothing."""
        return self.done.code != 0 and not self.installed


class User:
    """Somebody with a home directory, a configuration file and a cache, all of them new."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.config = home / "config.toml"
        self._targets = 0
        runtime = home / "runtime"
        runtime.mkdir(mode=0o700)
        system = {name: os.environ[name] for name in _SYSTEM if name in os.environ}
        self.environment = {
            **system,
            "HOME": str(home),
            "USERPROFILE": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_RUNTIME_DIR": str(runtime),
            # pip then reads no configuration file at all, the machine's neither.
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_NO_CONFIG": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "INDEXFALLBACK_CONFIG": str(self.config),
            "INDEXFALLBACK_CACHE_DIR": str(home / "cache" / "indexfallback"),
        }

    def target(self) -> Path:
        """Return a new directory to install into."""
        self._targets += 1
        return self.home / f"target-{self._targets}"

    def call(self, *command: str, seconds: float = CLIENT_SECONDS) -> Done:
        """Call a command and wait for its end."""
        done = subprocess.run(
            command,
            check=False,
            env=self.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def install(self, client: Client, url: str, *arguments: str) -> Installation:
        """Install from the simple API at an address."""
        target, began = self.target(), monotonic()
        done = self.call(*client.install(target, "--index-url", url, *arguments))
        return Installation(done, installed(target), monotonic() - began)

    def ours(self, *arguments: str, directory: Path = ROOT) -> Done:
        """``indexfallback ARGUMENTS``, in the process of the tests."""
        done = indexfallback(*arguments, environ=self.environment, directory=directory)
        return Done(done.returncode, done.stdout, done.stderr)

    def run(self, *command: str, options: tuple[str, ...] = (), by_address: bool = False) -> Done:
        """``indexfallback OPTIONS run -- COMMAND``, with ``--address`` or without."""
        run = ("run", "--address") if by_address else ("run",)
        return self.ours(*options, *run, "--", *command)

    @contextmanager
    def serve(self, *options: str) -> Iterator["Served"]:
        """``indexfallback serve`` on a free port, in its foreground, stopped as by Ctrl-C."""
        with (self.home / "stderr.log").open("ab") as stderr:
            command = ["serve", "--port", "0", "--json", *options]
            process = start_program(command, stderr=stderr, env=self.environment)
        try:
            yield _wait_for(process)
        finally:
            end_program(process)


@dataclass(frozen=True)
class Served:
    """A running server."""

    #: Of the simple API.
    url: str

    @property
    def base(self) -> str:
        """The address of the root, without a last slash."""
        return self.url.removesuffix("/simple/")

    def get(self, path: str) -> Any:
        """Return the JSON at a path."""
        return json_at(self.url, path)

    def requests(self) -> dict[str, int]:
        """Return how often each index was asked."""
        return {index["name"]: index["requests"] for index in self.get("/-/status")["indexes"]}


def _wait_for(process: Process) -> Served:
    served = Served(json.loads(first_line(process))["url"])
    wait_until(lambda: _answers(served), START_SECONDS, "the server does not answer")
    return served


def _answers(served: Served) -> bool:
    try:
        served.get("/-/health")
    except OSError:  # its worker does not listen yet
        return False
    return True


def write_config(
    path: Path, indexes: Mapping[str, Mapping[str, object]], **settings: str | bool
) -> None:
    """Write a configuration file; ``settings`` are spelt as ``cache_fresh="1 min"``.

    Unless it is set otherwise, no known vulnerabilities are asked for, so that requests count.
    """
    lines = []
    if not any(setting.startswith("server_") for setting in settings):
        settings["server_private"] = False  # whoever has an account on the machine of the tests
    settings.setdefault("policy_notices", False)
    for setting, value in settings.items():
        section, _, key = setting.partition("_")
        lines += [f"[{section}]", f"{key} = {json.dumps(value)}"]
    for name, values in indexes.items():
        lines += ["[[index]]", f"name = {json.dumps(name)}"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
