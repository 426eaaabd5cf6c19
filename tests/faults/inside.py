"""What `test_network_namespace.py` runs inside a network of its own: one scenario, told as JSON."""

import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from indexfallback.config import Index, Settings
from indexfallback.errors import ProjectError
from indexfallback.shim import Shim
from tests.fakes import FakeIndex, wheel

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
    """Return who owns a project or the status of the error, how, and in how many seconds."""
    begun = time.monotonic()
    try:
        answer = shim.fallback.page(project)
        who: str | int = answer.owner.name
        said = answer.how
    except ProjectError as error:
        who, said = error.status, str(error)
    return {"who": who, "said": said, "seconds": time.monotonic() - begun}


def dropped() -> list[Story]:
    """Ask a group whose mirror's packets are dropped on the way."""
    with FakeIndex([wheel("demo-1"), wheel("demo-2")]) as far:
        shim = _shim(
            _mirror(NOBODY, connect_timeout=0.5), Index(name="pypi", url=far.url, role="public")
        )
        told = [_ask(shim, project) for project in ("unknown", "demo-1", "demo-2")]
        shim.close()
    return told


def silent_resolver() -> list[Story]:
    """Ask a group whose mirror's name is looked up by a resolver that never answers."""
    fakes = FakeIndex([wheel("demo-1"), wheel("demo-2"), wheel("demo-3")])
    with fakes as far, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
        resolver.bind(("127.0.0.1", 53))
        shim = _shim(_mirror(NAMED), Index(name="pypi", url=far.url, role="public"), deadline=1.0)
        told = [_ask(shim, project) for project in ("demo-1", "demo-2", "demo-3")]
        told.append({"threads": sum(t.name == "ask-mirror" for t in threading.enumerate())})
        shim.close()
    return told


def no_network() -> list[Story]:
    """Ask an index before the network goes, while it is away, and when it is back."""
    with FakeIndex([wheel("demo-1"), wheel("demo-2")]) as fake:
        shim = _shim(Index(name="pypi", url=fake.url, role="public"), fresh=0.0, deadline=2.0)
        told = [_ask(shim, "demo-1")]
        fake.drop_connections()
        # Without its address this network has no way to anywhere.
        _run("ip", "addr", "flush", "dev", "lo")
        told += [_ask(shim, project) for project in ("demo-1", *["demo-2"] * 5)]
        health = shim.members["pypi"].health
        told.append({"state": health.state.value, "failures": health.failures})
        _run("ip", "addr", "add", "127.0.0.1/8", "dev", "lo")
        told.append(_ask(shim, "demo-2"))
        shim.close()
    return told


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def main() -> None:
    """Run the scenario that is named, and tell what came of it."""
    scenarios: dict[str, Callable[[], list[Story]]] = {
        "dropped": dropped,
        "silent-resolver": silent_resolver,
        "no-network": no_network,
    }
    sys.stdout.write(json.dumps(scenarios[sys.argv[1]]()))


if __name__ == "__main__":
    main()
