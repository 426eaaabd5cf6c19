"""The command line, on the machine of somebody who has configured nothing."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.in_process import ROOT, indexfallback
from tests.serving import Served, clean_environment, config_text

#: What any command of a test may take, seconds; they take half a second.
COMMAND_SECONDS = 60.0
#: The width of a usual terminal.
COLUMNS = 80


class Done(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str

    def expect(self, code: int = 0) -> "Done":
        """Return it if it ended with ``code``, else show all that it printed."""
        assert self.code == code, f"exit code {self.code}\n{self.out}\n{self.err}"
        return self

    @property
    def json(self) -> Any:
        """What it printed, as data."""
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """All that it printed, with single spaces for line ends and the gaps in tables."""
        return " ".join(f"{self.out} {self.err}".split())

    @property
    def widest(self) -> int:
        """The number of columns that it used."""
        return max(len(line) for line in f"{self.out}\n{self.err}".splitlines())


class CommandLine:
    """``indexfallback`` with a configuration, a cache and a home of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.config = directory / "config.toml"
        self.cache = directory / "cache"
        #: More variables for every command.
        self.environ: dict[str, str] = {}
        #: Where it is run.
        self.cwd = ROOT

    def configure(self, *tables: str, **sections: dict[str, object]) -> str:
        """Write the configuration file, and return its text."""
        text = config_text(*tables, **sections)
        self.config.write_text(text, encoding="utf-8")
        return text

    def use(self, served: Served) -> None:
        """Take a running shim, as its own user, for the one at the configured address."""
        self.environ["INDEXFALLBACK_PORT"] = str(served.port)
        self.environ["XDG_STATE_HOME"] = served.state_home

    def environment(self, **environ: str) -> dict[str, str]:
        """Return the environment of a command."""
        return {**clean_environment(self.directory), **self.environ, **environ}

    def arguments(self, *arguments: str) -> list[str]:
        """Return the whole command, for a process of its own."""
        return [sys.executable, "-m", "indexfallback", *self._options, *arguments]

    @property
    def _options(self) -> list[str]:
        return ["--config", str(self.config)] if self.config.exists() else []

    def __call__(self, *arguments: str, **environ: str) -> Done:
        """Run a command without a terminal; it must not end in a traceback."""
        return self.call_in(self.cwd, *arguments, **environ)

    def to_terminal(self, *arguments: str, **environ: str) -> Done:
        """Run a command whose output goes to a terminal of `COLUMNS`, but which cannot ask."""
        return self._call(self.cwd, arguments, environ, COLUMNS)

    def call_in(self, directory: Path, *arguments: str, **environ: str) -> Done:
        """Run a command in a directory."""
        return self._call(directory, arguments, environ)

    def _call(
        self, directory: Path, arguments: tuple[str, ...], environ: dict[str, str], columns: int = 0
    ) -> Done:
        done = indexfallback(
            *self._options, *arguments, environ=self.environment(**environ), directory=directory,
            columns=columns,
        )  # fmt: skip
        if "-vv" not in arguments:
            assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def by_process(self, *arguments: str, **environ: str) -> Done:
        """Run a command in a process of its own, without a terminal."""
        done = subprocess.run(
            self.arguments(*arguments), check=False, cwd=self.cwd,
            env=self.environment(**environ), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, encoding="utf-8", timeout=COMMAND_SECONDS,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def on_terminal(self, *arguments: str, typed: str = "", **environ: str) -> Done:
        """Run a command on a terminal of its own; Unix only."""
        master, slave = os.openpty()
        if typed:
            os.write(master, typed.encode())
        process = subprocess.Popen(
            self.arguments(*arguments), cwd=ROOT, env=self.environment(TERM="xterm", **environ),
            stdin=slave, stdout=slave, stderr=slave,
        )  # fmt: skip
        os.close(slave)
        with os.fdopen(master, "rb", buffering=0) as terminal, process:
            out = _all(terminal.fileno())
            return Done(process.wait(COMMAND_SECONDS), out, "")


def _all(terminal: int) -> str:
    """Return what is written to a terminal until its last user leaves."""
    received = bytearray()
    try:
        while piece := os.read(terminal, 65536):
            received += piece
    except OSError as error:
        if error.errno != errno.EIO:  # which is how Linux says that they left
            raise
    return received.decode()
