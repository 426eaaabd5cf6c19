"""A user who sets clients up for good, and the programs of clients in environments of their own."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

from tests.clients.conftest import OLD_PIP, Access
from tests.clients.support import (
    CLIENT_SECONDS,
    Done,
    User,
    alone,
    make_environment,
    uv_executable,
)

#: Client to what its environment has; what has no version is the newest of the month.
REQUIREMENTS = {
    "pip": ("pip",),
    "old-pip": (f"pip=={OLD_PIP}",),
    "poetry": ("poetry", "poetry-plugin-pypi-mirror"),
    # With the versions that it was tested with: it cannot use the newest of each.
    "pdm": ("pdm[locked]",),
    "pipenv": ("pipenv",),
    "hatch": ("hatch",),
    "pip-tools": ("pip-tools",),
    "buildout": ("zc.buildout", "zc.recipe.egg", "setuptools"),
    "twine": ("twine",),
    # They run clients; PyYAML, which pre-commit needs, reads recipes.
    "runners": ("tox>=4", "nox", "pre-commit", "pyyaml"),
    # No client, but whose tree is read.
    "bandersnatch": ("bandersnatch",),
}
#: Resolving and installing with the slowest of them, on a machine with other things to do.
SLOW_SECONDS = CLIENT_SECONDS * 3


def environment_of(client: str, base: Path, access: Access) -> Path:
    """Return the directory of a client's programs, made if this has not been done this month."""
    requirements = REQUIREMENTS[client]
    text = json.dumps([requirements, sys.version, sys.prefix, time.strftime("%Y-%m")])
    home = base / f"{client}-{sha256(text.encode()).hexdigest()[:12]}"
    done = home / "done"
    with alone(home.with_suffix(".lock"), SLOW_SECONDS):
        if not done.exists():
            shutil.rmtree(home, ignore_errors=True)
            python = make_environment(home)
            command = [uv_executable(), "pip", "install", "--quiet", "--python", str(python)]
            environ = {**os.environ, **access.environment(), "UV_DEFAULT_INDEX": access.url}
            subprocess.run([*command, *requirements], env=environ, check=True, timeout=SLOW_SECONDS)
            done.touch()
    return home / ("Scripts" if os.name == "nt" else "bin")


class Settler(User):
    """Somebody whose clients read their files; the shim has one port for good."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        for variable in ("PIP_CONFIG_FILE", "UV_NO_CONFIG", "INDEXFALLBACK_CONFIG"):
            del self.environment[variable]
        self.port = free_port()
        self.config = home / "config" / "indexfallback" / "config.toml"
        self.config.parent.mkdir(parents=True)
        self.project = home / "project"
        self.project.mkdir()
        self.environment |= {
            "INDEXFALLBACK_PORT": str(self.port),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_DATA_HOME": str(home / "data"),
            "SHELL": "/bin/bash",
        }

    def setup(self, *arguments: str) -> Done:
        """``indexfallback setup``, in the directory of a project."""
        return self.ours("setup", *arguments, directory=self.project)

    def work(self, *command: str, programs: Path | None = None) -> Done:
        """Call a client in the directory of a project."""
        environ = dict(self.environment)
        if programs is not None:
            environ["PATH"] = f"{programs}{os.pathsep}{environ['PATH']}"
        return self._call(list(command), environ)

    def _call(self, command: list[str], environ: dict[str, str]) -> Done:
        done = subprocess.run(
            command, check=False, env=environ, cwd=self.project, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=SLOW_SECONDS,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def files(self) -> dict[str, bytes]:
        """Return what is in the configuration of clients: each file with its bytes."""
        folders = (self.home / "config", self.home / ".buildout", self.home / ".pip")
        found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        found += [path for path in self.home.glob(".*") if path.is_file()]
        own = self.config.parent
        return {
            str(path.relative_to(self.home)): path.read_bytes()
            for path in found
            if own not in path.parents
        }


def free_port() -> int:
    """Return a port that was free just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
