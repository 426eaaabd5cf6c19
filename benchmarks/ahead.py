"""Installs from an index far away, whose round trips read-ahead saves; and what it costs."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.far import Far
from benchmarks.figures import SECONDS, SHARE, Row
from benchmarks.load import fetch
from benchmarks.rows import Bench
from benchmarks.shim import Shim
from benchmarks.upstream import write_tree
from tests.fakes import Dist, wheel
from tests.serving import config_text, index_table

#: A project on the other side of a continent, seconds.
_DELAY = 0.05
#: Each project requires two others, so that the last ones are five levels below the first.
_PROJECTS, _FANOUT = 40, 2
#: Bytes of a wheel: what counts is the requests.
_WHEEL = 20_000
#: Every so many projects have a version that those who require them exclude.
_EXCLUDED = 4
_CORE_METADATA = re.compile(r' data-(?:core|dist-info)-metadata="[^"]*"')
#: Projects of which the user wants an older version, as a file of pins has it; none requires
#: another one of them.
_PINNED = 40
_TARGETS = {"pip": 0.4, "uv": 1.0}
#: The same where the index has no metadata beside its wheels.
_TARGET_WITHOUT = 0.45


def far(bench: Bench, rows: Callable[..., Row]) -> None:
    """``pip install`` and ``uv pip install`` of a tree, and of pins that the shim cannot know."""
    root = bench.home / "far"
    if not root.exists():
        write_tree(root, [*_tree(), *_pinned()])
    pins = [f"pin-{n}==1.0" for n in range(_PINNED)]
    _without_metadata(bench, rows)
    with Far(root, _DELAY) as url:
        for client, target in _TARGETS.items():
            install = getattr(bench.clients, client)
            name = _name(client)
            with _shim(bench, url) as shim:
                fetch(shim.page("pin-0"))  # opens a connection, and imports what is left to import
                direct = install(f"{url}simple/", "far-0")
                rows(f"{name}, cold", SECONDS, target).add(install(shim.simple, "far-0"), direct)
                rows(f"{name}, warm", SECONDS).add(install(shim.simple, "far-0"), direct)
                share = f"{client}: bytes fetched ahead and never used / used"
                rows(f"{share}, a tree", SHARE, 10.0).add(_unused(shim))
            with _shim(bench, url) as shim:
                install(shim.simple, *pins)
                rows(f"{share}, {_PINNED} pins", SHARE, 10.0).add(_unused(shim))


def _without_metadata(bench: Bench, rows: Callable[..., Row]) -> None:
    root = bench.home / "far-without"
    if not root.exists():
        write_tree(root, [*_tree(), *_pinned()])
        remove_metadata(root)
    with Far(root, _DELAY) as url, _shim(bench, url) as shim:
        fetch(shim.page("pin-0"))
        direct = bench.clients.pip(f"{url}simple/", "far-0")
        name = f"{_name('pip')}, without metadata, cold"
        rows(name, SECONDS, _TARGET_WITHOUT).add(bench.clients.pip(shim.simple, "far-0"), direct)


def remove_metadata(root: Path) -> None:
    """Remove the metadata files of a tree, and the pages' promise of them."""
    for page in root.glob("simple/*/index.html"):
        listed = page.read_text(encoding="utf-8")
        page.write_text(_CORE_METADATA.sub("", listed), encoding="utf-8")
    for file in root.glob("files/*.metadata"):
        file.unlink()


def _name(client: str) -> str:
    return f"{client} install of {_PROJECTS} projects, {_DELAY * 1000:.0f} ms away"


def _shim(bench: Bench, url: str) -> Shim:
    index = index_table("public", f"{url}simple/")
    home = bench.home / f"shim-far-{time.monotonic_ns()}"
    return Shim(home, config_text(index, cache={"fresh": "1 day"}))


def _tree() -> list[Dist]:
    """Return the wheels of a tree; of some projects the newest version is excluded."""
    dists = []
    for n in range(_PROJECTS):
        children = range(n * _FANOUT + 1, min(n * _FANOUT + 1 + _FANOUT, _PROJECTS))
        requires = [f"far-{child}{'' if child % _EXCLUDED else '<2'}" for child in children]
        dists.append(wheel(f"far-{n}", "1.0", requires=requires, size=_WHEEL))
        if n and not n % _EXCLUDED:
            dists.append(wheel(f"far-{n}", "2.0", requires=["nowhere"], size=_WHEEL))
    return dists


def _pinned() -> list[Dist]:
    return [
        wheel(f"pin-{n}", version, size=_WHEEL)
        for n in range(_PINNED)
        for version in ("1.0", "2.0")
    ]


def _unused(shim: Shim) -> float:
    """Return what was fetched ahead and never used, in percent of all bytes that were used."""
    activity = json.loads(fetch(f"{shim.url}-/status"))["activity"]
    ahead, sent = activity["ahead"], activity["bytes"]
    used = max(ahead["used"], sent["fetched"])
    return 100 * (ahead["bytes"] - ahead["used"]) / used
