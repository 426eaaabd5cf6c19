"""Real buildouts in real environments, for a user who has nothing configured."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import psutil

from indexfallback.names import project_of, version_of
from tests.clients.support import Done
from tests.fakes import Dist
from tests.serving import clean_environment, wait_until

#: What a buildout of a test may take, seconds; they take one to five.
BUILDOUT_SECONDS = 120.0
#: Nobody listens there: what goes past the shim fails at once, on machines with a network too.
_NOBODY = "http://127.0.0.1:1"


class Version(NamedTuple):
    """One zc.buildout, and what fits to it: it conflicts with newer recipes and setuptools."""

    buildout: str
    recipe: str
    setuptools: str
    #: Installed beside them.
    more: tuple[str, ...] = ()
    #: What an index needs to have for the recipe to be built.
    builders: tuple[str, ...] = ()
    #: Whether our extension is installed beside them.
    is_beside: bool = True

    @property
    def requirements(self) -> tuple[str, ...]:
        versions = f"zc.buildout=={self.buildout}", f"setuptools{self.setuptools}"
        return *versions, "wheel", "pip", *self.more


NEWEST = Version("6.0.1", "6.0.0", ">=75.8.2")
_OLD = Version("3.4", "2.0.7", "<80", builders=("setuptools<82", "wheel", "packaging"))
#: Unpacks wheels itself, where newer ones start pip for each; Plone 6.1 pins one like it.
UNPACKING = Version("4.2.0", "3.0.0", "<82")
VERSIONS = (NEWEST, Version("5.2.0", "4.0.0", "<82"), UNPACKING, _OLD)
#: With the extension that many buildouts have.
WITH_ANOTHER = NEWEST._replace(more=("mr.developer==3.0.0",))
#: Without our extension, which lies in a directory, with all that it depends on.
WITHOUT_US = NEWEST._replace(is_beside=False)
#: Options of a part with wheels, and an sdist, whose build takes as long as all else.
WITH_SDIST = {"eggs": "acme-app\nacme.built"}


@dataclass(frozen=True)
class Environment:
    """A virtual environment with a zc.buildout."""

    version: Version
    python: Path
    #: zc.recipe.egg, as PyPI has it, and what it needs to be built.
    recipe: tuple[Dist, ...]
    #: The directory of our extension and of what it depends on, where it is not installed.
    wheels: Path

    @property
    def executable(self) -> Path:
        return self.python.with_name("buildout.exe" if os.name == "nt" else "buildout")


class Project:
    """A directory with a buildout.cfg, whose parts are installed from fake indexes."""

    def __init__(self, directory: Path, environment: Environment) -> None:
        self.directory = directory
        self._environment = environment
        directory.mkdir(exist_ok=True)
        self.environ = clean_environment(
            directory.parent, HTTP_PROXY=_NOBODY, HTTPS_PROXY=_NOBODY, no_proxy="", NO_PROXY=""
        )

    def write(self, indexes: str, *, name: str = "buildout.cfg", **sections: object) -> None:
        """Write a configuration whose part ``py`` has a Python with ``eggs``.

        Each section is a mapping of options, or None to leave it out.
        """
        version = self._environment.version
        content: dict[str, Mapping[str, str] | None] = {
            "buildout": {"extensions": "indexfallback", "parts": "py"},
            "indexfallback": {"indexes": indexes},
            "versions": {"zc.recipe.egg": version.recipe},
            "py": {"recipe": "zc.recipe.egg", "eggs": "acme-app", "interpreter": "py"},
        }
        for section, options in sections.items():
            if options is None:
                content.pop(section)
            else:
                assert isinstance(options, dict)
                content[section] = {**(content.get(section) or {}), **options}
        text = "".join(_section(section, options or {}) for section, options in content.items())
        (self.directory / name).write_text(text, encoding="utf-8")

    def command(self, *arguments: str) -> list[str]:
        return [str(self._environment.executable), *arguments]

    def run(self, *arguments: str, before: tuple[str, ...] = (), **environ: str) -> Done:
        """Run buildout, behind another command if need be, and wait for its end."""
        done = subprocess.run(
            [*before, *self.command(*arguments)],
            cwd=self.directory, env={**self.environ, **environ},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False, timeout=BUILDOUT_SECONDS,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, "")

    @contextmanager
    def running(self, *arguments: str) -> Iterator["Running"]:
        """Give a buildout in a session of its own, and leave none of its processes behind."""
        log = self.directory / "buildout.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                self.command(*arguments), cwd=self.directory, env=self.environ,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        running = Running(process, log)
        try:
            yield running
        finally:
            running.kill()

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.directory / "buildout.cfg"

    @property
    def _cache(self) -> Path:
        return Path(self.environ["INDEXFALLBACK_CACHE_DIR"])

    @property
    def has_cache(self) -> bool:
        """Whether a shim was started since the cache was forgotten: it makes its directory."""
        return self._cache.exists()

    def forget_cache(self) -> None:
        """Remove what the shim has seen."""
        shutil.rmtree(self._cache)

    def forget_eggs(self) -> None:
        """Remove what is installed."""
        shutil.rmtree(self.directory / "eggs")

    @property
    def installed(self) -> str:
        """What buildout remembers of its parts."""
        return (self.directory / ".installed.cfg").read_text(encoding="utf-8")

    def version_of(self, module: str) -> str:
        """Return the version that the part's Python imports."""
        python = self.directory / "bin" / "py"
        code = f"import {module}; print({module}.__version__)"
        command = [sys.executable, str(python)] if os.name == "nt" else [str(python)]
        done = subprocess.run(
            [*command, "-c", code], capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout.strip()

    def processes(self) -> list[psutil.Process]:
        """Return what runs for this project's user."""
        cache = self.environ["INDEXFALLBACK_CACHE_DIR"]
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if process.environ().get("INDEXFALLBACK_CACHE_DIR") == cache:
                    found.append(process)
        return found


class Running:
    """A buildout that has not ended."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self._log = log
        self._family: dict[int, psutil.Process] = {}

    @property
    def output(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def wait_for(self, file: Path) -> None:
        """Wait until a command of the buildout has made a file."""
        wait_until(lambda: file.exists() or self.process.poll() is not None, BUILDOUT_SECONDS, "")
        assert file.exists(), self.output

    def family(self) -> list[psutil.Process]:
        """Return all that it has started and that runs."""
        found = psutil.Process(self.process.pid).children(recursive=True)
        self._family |= {each.pid: each for each in found}
        return list(found)

    def send(self, number: int) -> int:
        """Send a signal as a terminal does, to the group in front; return the exit code."""
        os.killpg(self.process.pid, number)
        return self.process.wait(BUILDOUT_SECONDS)

    def kill(self) -> None:
        for process in self._family.values():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def ports(processes: list[psutil.Process]) -> set[int]:
    """Return the ports that processes listen on."""
    return {
        each.laddr.port
        for process in processes
        for each in process.net_connections()
        if each.status == psutil.CONN_LISTEN
    }


def file_dist(path: Path) -> Dist:
    """Return a real distribution that lies on the disk."""
    name, version = project_of(path.name), version_of(path.name)
    assert name is not None
    assert version is not None
    return Dist(name, version, path.name, path.read_bytes(), b"")


def key_of(*parts: object) -> str:
    """Return a short name for what parts decide."""
    return sha256(repr(parts).encode()).hexdigest()[:12]


def _section(name: str, options: Mapping[str, str]) -> str:
    lines = [f"[{name}]"]
    for option, value in options.items():
        operator = "" if option.endswith("+") else " "
        lines.append(f"{option}{operator}= " + "\n    ".join(value.strip().splitlines()))
    return "\n".join([*lines, "", ""])
