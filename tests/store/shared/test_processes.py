"""Shims in processes of their own on one bucket: real clients, kills, and races."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from indexfallback.config.bucket_url import parse_bucket_url
from indexfallback.store.shared import keys
from indexfallback.store.shared.bucket import Bucket
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.fakes.object_store import WRITER, ObjectStore
from tests.fakes.proxy import FaultProxy
from tests.files.support import fetch
from tests.in_process import ROOT
from tests.serving import Served, config_text, index_table, serving, wait_until
from tests.store.shared.support import MakeCopy, copies, drained, sharing

DEMO = wheel("demo", size=3_000_000)
PATH = f"/files/pypi/demo.{DEMO.sha256}/{DEMO.filename}"


@pytest.fixture
def bucket(bucket_url: str, object_store: ObjectStore) -> Bucket:
    url = parse_bucket_url(bucket_url)
    return Bucket(url._replace(prefix=f"{url.prefix}/v1"), endpoint=object_store.endpoint)


@pytest.fixture
def copy(shim: MakeShim, bucket_url: str, object_store: ObjectStore, tmp_path: Path) -> MakeCopy:
    return copies(shim, bucket_url, object_store.endpoint, tmp_path)


class Copies:
    """Processes of ``serve``, each with a cache of its own."""

    def __init__(self, directory: Path, url: str, stack: ExitStack) -> None:
        self._directory = directory
        self._url = url
        self._stack = stack

    def start(self, name: str, index: FakeIndex, endpoint: str) -> Served:
        text = config_text(
            index_table("pypi", index.url),
            cache={"shared": self._url, "shared_endpoint": endpoint},
        )
        return self._stack.enter_context(serving(self._directory / name, text, port=0, **WRITER))


@pytest.fixture
def processes(tmp_path: Path, bucket_url: str) -> Iterator[Copies]:
    with ExitStack() as stack:
        yield Copies(tmp_path, bucket_url, stack)


def pip_download(served: Served, directory: Path) -> bytes:
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-cache-dir",
         "--disable-pip-version-check", "-d", directory, "-i", served.url, "demo"],
        check=True,
    )  # fmt: skip
    return (directory / DEMO.filename).read_bytes()


def test_pip_gets_from_one_copy_what_another_has_fetched(
    processes: Copies, object_store: ObjectStore, bucket: Bucket, tmp_path: Path
) -> None:
    with FakeIndex([DEMO]) as index:
        first = processes.start("a", index, object_store.endpoint)
        assert pip_download(first, tmp_path / "one") == DEMO.data
        stored = (keys.blob(DEMO.sha256), keys.page(index.url, "demo"))
        wait_until(lambda: all(bucket.head(key).is_found for key in stored), 10, "it is not there")
        second = processes.start("b", index, object_store.endpoint)
        assert pip_download(second, tmp_path / "two") == DEMO.data
        assert index.count("/simple/demo/") == 1
        assert index.count(f"/files/{DEMO.filename}") == 1
        assert second.json("/-/status")["shared"]["files"] >= 1


def test_a_shim_serves_and_is_healthy_while_its_bucket_is_silent(
    processes: Copies, object_store: ObjectStore
) -> None:
    with FakeIndex([DEMO]) as index, FaultProxy(object_store.port) as proxy:
        proxy.faults.blackhole = True
        made = processes.start("a", index, proxy.base)
        assert made.get("/-/health").status == 200
        assert made.get(PATH).body == DEMO.data
        assert made.json("/-/status")["shared"]["waiting"] == 1


@pytest.mark.parametrize("moment", ["pin", "file"])
def test_a_kill_between_pin_and_file_leaves_a_bucket_that_others_can_use(
    processes: Copies, object_store: ObjectStore, bucket: Bucket, copy: MakeCopy, moment: str
) -> None:
    awaited = keys.blob(DEMO.sha256) if moment == "file" else keys.pin("demo", DEMO.filename, "")
    with FakeIndex([DEMO]) as index:
        made = processes.start("a", index, object_store.endpoint)
        client = threading.Thread(target=_get_or_fail, args=(made,))
        client.start()
        wait_until(lambda: bucket.head(awaited).is_found, 10, "it is not there")
        made.process.kill()
        client.join()
        other = copy("b", index)
        assert fetch(other, DEMO) == DEMO.data
        drained(other)
        assert sharing(other).unshared.count() == 0
        assert bucket.get(keys.blob(DEMO.sha256)).data == DEMO.data
        again = processes.start("a", index, object_store.endpoint)
        assert again.get(PATH).body == DEMO.data


def _get_or_fail(served: Served) -> None:
    with suppress(OSError, HTTPException):  # it is killed
        served.get(PATH)


_CREATE = """
import sys
from indexfallback.config.bucket_url import parse_bucket_url
from indexfallback.store.shared.bucket import Bucket
bucket = Bucket(parse_bucket_url(sys.argv[1]), endpoint=sys.argv[2], timeout=30)
sys.stdin.readline()
print(*[number for number in range(5) if bucket.create(f"pins/{number}", b"").is_found])
"""


def test_of_processes_that_create_at_once_one_wins_each_pin(
    bucket_url: str, object_store: ObjectStore
) -> None:
    creating = [
        subprocess.Popen(
            [sys.executable, "-c", _CREATE, bucket_url, object_store.endpoint],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )
        for _ in range(3)
    ]  # fmt: skip
    for process in creating:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    won = [number for process in creating for number in process.communicate()[0].split()]
    assert sorted(won) == ["0", "1", "2", "3", "4"]
