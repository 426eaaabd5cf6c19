"""What `test_network_namespace.py` runs inside a network of its own: one scenario, told as JSON."""

import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from indexfallback.chain.network import mode_file
from indexfallback.config import Index, Settings
from indexfallback.errors import ProjectError
from indexfallback.names import FileKey
from indexfallback.report.status import offline_status
from indexfallback.shim import Shim
from tests.fakes import FakeIndex, wheel
from tests.serving import wait_until

#: Behind the cable to nowhere that the test has laid (documentation addresses, RFC 5737).
NOBODY = "http://198.51.100.2/simple/"
NAMED = "http://packages.example.com/simple/"

Story = dict[str, Any]


def _shim(*indexes: Index, **values: Any) -> Shim:
    cache = Path(tempfile.mkdtemp()) / "cache"
    return Shim(Settings(**{"indexes": indexes, "cache_dir": cache, **values}))


def _mirror(url: str, **values: Any) -> Index:
    return Index(name="mirror", url=url, role="mirror", mirror_of="pypi", **values)


def _ask(shim: Shim, project: str) -> Story:
    """Return who owns a project or the status, how, what was tried, and in how many seconds."""
    begun = time.monotonic()
    try:
        answer = shim.fallback.page(project)
        who: str | int = answer.owner.name
        said, tried = answer.how, answer.tried
    except ProjectError as error:
        who, said, tried = error.status, str(error), error.tried
    seconds = time.monotonic() - begun
    return {"who": who, "said": said, "tried": [t.what for t in tried], "seconds": seconds}


def dropped() -> list[Story]:
    """Ask a group whose mirror's packets are dropped on the way."""
    with FakeIndex([wheel("demo-1"), wheel("demo-2")]) as far:
        shim = _shim(
            _mirror(NOBODY, connect_timeout=0.5), Index(name="pypi", url=far.url, role="public"),
            deadline=60.0,
        )  # fmt: skip
        told = [_ask(shim, project) for project in ("unknown", "demo-1", "demo-2")]
        shim.close()
    return told


def silent_resolver() -> list[Story]:
    """Ask a group whose mirror's name is looked up by a resolver that never answers."""
    fakes = FakeIndex([wheel("demo-1"), wheel("demo-2"), wheel("demo-3")])
    with fakes as far, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
        resolver.bind(("127.0.0.1", 53))
        shim = _shim(_mirror(NAMED), Index(name="pypi", url=far.url, role="public"), deadline=4.0)
        told = [_ask(shim, project) for project in ("demo-1", "demo-2", "demo-3")]
        told.append({"threads": sum(t.name == "ask-mirror" for t in threading.enumerate())})
        shim.close()
    return told


def no_network() -> list[Story]:
    """Ask an index before the network goes, while it is away, and when it is back."""
    with FakeIndex([wheel("demo-1"), wheel("demo-2")]) as fake:
        shim = _shim(Index(name="pypi", url=fake.url, role="public"), fresh=0.0)
        told = [_ask(shim, "demo-1")]
        fake.drop_connections()
        with _away():
            told += [_ask(shim, project) for project in ("demo-1", *["demo-2"] * 5)]
            health = shim.members["pypi"].health
            told.append({"state": health.state.value, "failures": health.failures})
        told.append(_ask(shim, "demo-2"))
        shim.close()
    return told


@contextmanager
def _away() -> Iterator[None]:
    """Take the network away: without its address it has no way to anywhere."""
    _run("ip", "addr", "flush", "dev", "lo")
    try:
        yield
    finally:
        _run("ip", "addr", "add", "127.0.0.1/8", "dev", "lo")


def travel() -> list[Story]:
    """Offer a page that stays fresh before the network goes, while it is away, and afterwards."""
    one, two = wheel("demo", "1.0"), wheel("demo", "2.0")
    with FakeIndex([one, two, wheel("never", "1.0"), wheel("never", "2.0")]) as fake:
        url = fake.url.replace("127.0.0.1", "packages.example.com")
        shim = _shim(Index(name="pypi", url=url, role="public"))
        told = [_offer(shim, "demo")]
        shim.fallback.page("never")
        transfer = shim.downloads.get("pypi", FileKey("demo", one.sha256), one.filename)
        wait_until(
            lambda: shim.store.blobs.records.held([one.sha256]), 10, f"{transfer} is not kept"
        )
        fake.drop_connections()
        with _away():
            told += [
                _seen(shim, True),
                _offer(shim, "never"),
                offline_status(shim.network.offline_state),
            ]
            mode_file().parent.mkdir(parents=True)
            mode_file().write_text("off")
            told.append(_seen(shim, False))
            mode_file().unlink()
            told.append(_seen(shim, True))
        told.append(_seen(shim, False))
        shim.close()
    return told


def _seen(shim: Shim, is_offline: bool) -> Story:
    """Return what is offered as soon as the shim has seen that the network has changed."""
    wait_until(lambda: _offer(shim, "demo")["offline"] is is_offline, 10, "it was not seen")
    return _offer(shim, "demo")


def _offer(shim: Shim, project: str) -> Story:
    """Return the versions that a project's page offers, or why there are none."""
    try:
        answer = shim.fallback.page(project)
        files = [file.filename.split("-")[1] for file in shim.offer(answer).files]
    except ProjectError as error:
        return {"said": str(error), "offline": True}
    return {"files": files, "offline": answer.offline is not None}


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def main() -> None:
    """Run the scenario that is named, and tell what came of it."""
    scenarios: dict[str, Callable[[], list[Story]]] = {
        "dropped": dropped,
        "silent-resolver": silent_resolver,
        "no-network": no_network,
        "travel": travel,
    }
    sys.stdout.write(json.dumps(scenarios[sys.argv[1]]()))


if __name__ == "__main__":
    main()
