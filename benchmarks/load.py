"""What is asked of a server while it is measured: wrk, plain downloads, and the clients."""

import hashlib
import http.client
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import urljoin, urlsplit

#: A client that has not ended by then never will, seconds.
_CLIENT_SECONDS = 300
_PIECE = 1 << 20
_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)", re.MULTILINE)
_WRONG = re.compile(r"Non-2xx[^\n]*|Socket errors[^\n]*")
#: Nothing that configures a client; PATH finds its tools.
_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "UV_NO_CONFIG": "1",
    "UV_PYTHON_DOWNLOADS": "never",
}


def wrk(url: str, connections: int, seconds: float, script: Path | None = None) -> float:
    """Return the requests a second that a server answers on so many connections.

    ``script`` is a program of wrk in Lua, as one that names other addresses.
    """
    # One thread of wrk is enough for all of them, and leaves the other core to the server.
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "10s"]
    command += [*(("-s", str(script)) if script is not None else ()), url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate = _RATE.search(output)
    if rate is None or _WRONG.search(output):
        raise RuntimeError(f"{' '.join(command)} failed:\n{output}")
    return float(rate[1])


def fetch(url: str) -> bytes:
    """Return what a server answers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise RuntimeError(f"{url}: {response.status} {body[:500]!r}")
    return body


def file_url(page_url: str) -> str:
    """Return the address of the only file on a page."""
    found = re.search(rb'href="([^"#]+)', fetch(page_url))
    if found is None:
        raise RuntimeError(f"{page_url}: no file")
    return str(urljoin(page_url, found[1].decode()))


def seconds_to_fetch(urls: Sequence[str], size: int, *, verify: bool = False) -> float:
    """Return how long it takes to download files of one size at the same time.

    With ``verify`` each is hashed as it comes, as pip and uv do; else the bytes are dropped.
    """
    began = time.perf_counter()
    with ThreadPoolExecutor(len(urls)) as pool:
        sizes = set(pool.map(partial(_download, verify=verify), urls))
    seconds = time.perf_counter() - began
    if sizes != {size}:
        raise RuntimeError(f"{sizes} bytes came where {size} were expected: {urls}")
    return seconds


def _download(url: str, *, verify: bool) -> int:
    digest = hashlib.sha256() if verify else None
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    buffer = bytearray(_PIECE)
    size = 0
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        while count := response.readinto(buffer):
            size += count
            if digest is not None:
                digest.update(memoryview(buffer)[:count])
    finally:
        connection.close()
    return size


class Clients:
    """pip and uv, installing into new directories, without caches of their own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._targets = 0
        self._uv = str(Path(sys.executable).with_name("uv"))
        # A Python without packages, so that none is found to be there already.
        self._python = str(home / "python" / "bin" / "python")
        self._call(self._uv, "venv", "--quiet", "--python", sys.executable, str(home / "python"))

    def uv(self, index: str, *requirements: str) -> float:
        """Return the seconds that ``uv pip install`` takes."""
        return self._install(index, requirements, self._uv, "pip", "install", "--no-cache",
                             "--python", self._python)  # fmt: skip

    def pip(self, index: str, *requirements: str) -> float:
        """Return the seconds that ``pip install`` takes, without compiling what it installs."""
        return self._install(index, requirements, sys.executable, "-m", "pip", "--python",
                             self._python, "install", "--no-cache-dir", "--no-compile")  # fmt: skip

    def compile(self, index: str, requirement: str) -> None:
        """Run ``uv pip compile``."""
        wanted = self._home / "requirements.in"
        wanted.write_text(requirement, encoding="utf-8")
        self._call(self._uv, "pip", "compile", "--no-cache", "--quiet", "--index-url", index,
                   "--python", self._python, str(wanted))  # fmt: skip

    def project(self, index: str, requirement: str, variables: Mapping[str, str]) -> Path:
        """Return a new project that requires one distribution, with uv's lock file."""
        self._targets += 1
        project = self._home / f"project-{self._targets}"
        project.mkdir()
        (project / "pyproject.toml").write_text(
            f'[project]\nname = "project"\nversion = "1"\nrequires-python = ">=3.10"\n'
            f'dependencies = ["{requirement}"]\n'
            f'[[tool.uv.index]]\nname = "main"\nurl = "{index}"\ndefault = true\n',
            encoding="utf-8",
        )
        self._uv_in(project, variables, "lock")
        return project

    def sync(self, project: Path, variables: Mapping[str, str]) -> float:
        """Return the seconds that ``uv sync`` takes into a new environment."""
        shutil.rmtree(project / ".venv", ignore_errors=True)
        self._uv_in(project, variables, "venv", "--python", sys.executable)
        began = time.perf_counter()
        self._uv_in(project, variables, "sync")
        return time.perf_counter() - began

    def _uv_in(self, project: Path, variables: Mapping[str, str], *command: str) -> None:
        # The settings of the project count.
        environment = {**_ENVIRONMENT, **variables}
        del environment["UV_NO_CONFIG"]
        self._call(self._uv, *command, "--no-cache", "--quiet", "--directory", str(project),
                   environment=environment)  # fmt: skip

    def _install(self, index: str, requirements: Sequence[str], *command: str) -> float:
        self._targets += 1
        target = str(self._home / f"target-{self._targets}")
        began = time.perf_counter()
        self._call(*command, "--quiet", "--index-url", index, "--target", target, *requirements)
        return time.perf_counter() - began

    def _call(self, *command: str, environment: Mapping[str, str] = _ENVIRONMENT) -> None:
        done = subprocess.run(
            command,
            check=False,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_CLIENT_SECONDS,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
