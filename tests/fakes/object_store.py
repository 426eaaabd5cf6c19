"""Real object stores that speak S3, each as one process with its data in a temporary place.

SeaweedFS honours conditions, has identities with different rights, and creates a bucket when one
with all rights first writes to it. rclone ignores conditions.
"""

import json
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import final

from tests.serving import wait_until

#: Credentials, as variables of the environment.
WRITER = {
    "AWS_ACCESS_KEY_ID": "writer",
    "AWS_SECRET_ACCESS_KEY": "writer-secret",
    "AWS_REGION": "us-east-1",
}
READER = {**WRITER, "AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": "reader-secret"}
#: Without any rights.
STRANGER = {**WRITER, "AWS_ACCESS_KEY_ID": "stranger", "AWS_SECRET_ACCESS_KEY": "stranger-secret"}
_RIGHTS = {
    "writer": ["Admin", "Read", "Write", "List", "Tagging"],
    "reader": ["Read", "List"],
    "stranger": [],
}
BUCKET = "shared"
#: A start takes 3 s; the machine may be busy with other tests.
_START_SECONDS = 60.0
#: Ports below those that systems give to programs that ask for any: SeaweedFS takes its ports one
#: after the other, within seconds.
_FREE = range(20_000, 32_000)
#: Each port has a second one for gRPC, which is 10,000 above it by default and may be taken.
_PORTS = [
    f"{part}.port{kind}" for part in ("master", "volume", "filer", "s3") for kind in ("", ".grpc")
]
_OPTIONS = (
    "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", "-s3.port.iceberg=0",
    "-s3.port.lance=0", "-volume.max=300", "-master.volumeSizeLimitMB=64",
    "-master.volumePreallocate=false", "-master.telemetry=false",
)  # fmt: skip


@final
class ObjectStore:
    """SeaweedFS; ``with ObjectStore() as running``."""

    def __init__(self) -> None:
        self.port = 0
        self._directory = Path()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The address of its S3 API."""
        return f"http://127.0.0.1:{self.port}"

    def new_url(self) -> str:
        """Return the address of a part of the bucket that nobody else uses."""
        return f"s3://{BUCKET}/{uuid.uuid4().hex[:12]}"

    def __enter__(self) -> "ObjectStore":
        self._directory = Path(tempfile.mkdtemp(prefix="object-store-"))
        identities = [
            {
                "name": name,
                "credentials": [{"accessKey": name, "secretKey": f"{name}-secret"}],
                "actions": actions,
            }
            for name, actions in _RIGHTS.items()
        ]
        config = self._directory / "s3.json"
        config.write_text(json.dumps({"identities": identities}))
        data = self._directory / "data"
        data.mkdir()
        ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
        self.port = ports["s3.port"]
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    Path(sys.executable).with_name("weed"), "server", f"-dir={data}",
                    f"-s3.config={config}", *_OPTIONS,
                    *(f"-{name}={port}" for name, port in ports.items()),
                ],
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        # The S3 API says that it is ready before a volume can be written.
        assign = f"http://127.0.0.1:{ports['master.port']}/dir/assign"
        wait_until(lambda: b'"fid"' in self._get(assign), _START_SECONDS, "no volume")
        healthy = f"{self.endpoint}/healthz"
        wait_until(lambda: self._get(healthy) is not _NOTHING, _START_SECONDS, "no S3")
        return self

    def _get(self, url: str) -> bytes:
        assert self._process is not None
        assert self._process.poll() is None, (self._directory / "log").read_text()[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bytes(answer.read())
        except (OSError, urllib.error.URLError):  # it does not listen yet
            return _NOTHING

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()  # it flushes for seconds what is removed next
            self._process.wait()
        shutil.rmtree(self._directory)


@contextmanager
def careless_store() -> Iterator[str]:
    """Run an object store that ignores conditions (rclone); give the endpoint.

    It has the `BUCKET`, and the credentials are those of the `WRITER`.
    """
    (port,) = _free_ports(1)
    login = f"{WRITER['AWS_ACCESS_KEY_ID']},{WRITER['AWS_SECRET_ACCESS_KEY']}"
    with tempfile.TemporaryDirectory(prefix="object-store-") as directory:
        (Path(directory) / BUCKET).mkdir()
        process = subprocess.Popen(
            [
                Path(sys.executable).with_name("rclone"), "serve", "s3",
                f"--addr=127.0.0.1:{port}", f"--auth-key={login}", directory,
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"HOME": directory},
        )  # fmt: skip
        try:
            wait_until(lambda: _listens(port), _START_SECONDS, "rclone does not listen")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port)):
            return True
    except OSError:  # not yet
        return False


_NOTHING = b"(no answer)"


def _free_ports(number: int) -> list[int]:
    """Return ports that are free now, of those that no system gives away by itself meanwhile."""
    found: list[int] = []
    with ExitStack() as stack:
        for port in random.sample(_FREE, len(_FREE)):
            one = stack.enter_context(socket.socket())
            with suppress(OSError):  # it is taken
                one.bind(("127.0.0.1", port))
                found.append(port)
            if len(found) == number:
                break
    return found
