"""The shim as it is measured: `indexfallback serve` in a process of its own, and its memory."""

import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, final
from urllib.parse import urlsplit

import psutil
from platformdirs import user_state_path

from benchmarks.load import fetch

#: It starts in half a second.
_START_SECONDS = 20.0
_STOP_SECONDS = 10.0
_REST_SECONDS = 30.0
#: A shim that has nothing to do has about ten.
_THREADS_AT_REST = 16
_MB = 1e6


class Memory(NamedTuple):
    """Of the process, in MB."""

    #: What it shares with other processes counts in part.
    pss: float
    #: What it shares counts in full.
    rss: float


@final
class Shim:
    """A running shim; ``with Shim(home, config) as shim``, where ``config`` has its indexes.

    ``trusted`` is a CA that certifies them.

    Everything that it writes lies in ``home``, or in ``cache``, which is as the last shim there
    left it. With a ``port`` it has the same address each time.
    """

    def __init__(
        self,
        home: Path,
        config: str,
        trusted: Path | None = None,
        *,
        cache: Path | None = None,
        port: int = 0,
    ) -> None:
        self.cache = cache or home / "cache"
        self.log = home / "stderr.log"
        self._port = port
        #: Seconds from its start to its first answer.
        self.start = 0.0
        #: Of its root, ending in a slash.
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None
        runtime = home / "runtime"
        runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = home / "config.toml"
        file.write_text(config, encoding="utf-8")
        #: Of its process, and of others that use its configuration.
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            # This user's, so that it proves to be theirs to what asks it here.
            "XDG_STATE_HOME": str(user_state_path()),
            "XDG_RUNTIME_DIR": str(runtime),
            "PIP_CONFIG_FILE": os.devnull,
            "INDEXFALLBACK_CONFIG": str(file),
            "INDEXFALLBACK_CACHE_DIR": str(self.cache),
            **({"PIP_CERT": str(trusted)} if trusted else {}),
        }

    def __enter__(self) -> "Shim":
        began = time.perf_counter()
        with self.log.open("ab") as log:
            port = str(self._port)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "indexfallback", "serve", "--port", port, "--json"],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        try:
            self._wait(self._process, began)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stop()

    @property
    def simple(self) -> str:
        """The address of the simple API."""
        return f"{self.url}simple/"

    def page(self, project: str) -> str:
        """Return the address of a project's page."""
        return f"{self.simple}{project}/"

    @property
    def system(self) -> psutil.Process:
        """The process as the system knows it."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def kill(self) -> None:
        """End it as a crash does; ``__enter__`` starts it again."""
        assert self._process is not None
        self._process.kill()
        self._stop()

    def rest(self) -> None:
        """Wait until the threads that load has brought are gone, ten seconds after the last."""
        ends = time.monotonic() + _REST_SECONDS
        process = self.system
        while process.num_threads() > _THREADS_AT_REST and time.monotonic() < ends:
            time.sleep(0.1)

    def memory(self) -> Memory:
        """Return the memory of the process."""
        used = self.system.memory_full_info()
        return Memory(used.pss / _MB, used.rss / _MB)

    def cpu(self) -> float:
        """Return the seconds of CPU that the process has used."""
        used = self.system.cpu_times()
        return float(used.user + used.system)

    def _wait(self, process: "subprocess.Popen[bytes]", began: float) -> None:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(self.log.read_text(encoding="utf-8"))
        announced = json.loads(line)["url"]
        self.url = announced.removesuffix("simple/")
        port = urlsplit(self.url).port
        while True:
            try:
                fetch(f"{self.url}-/health")
            except (OSError, http.client.HTTPException):
                if time.perf_counter() > began + _START_SECONDS or process.poll() is not None:
                    raise RuntimeError(f"the shim does not answer on port {port}") from None
                time.sleep(0.002)  # nothing else tells when it listens
            else:
                self.start = time.perf_counter() - began
                return

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None
