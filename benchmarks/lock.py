"""What a lock costs where the index has wheels and no metadata beside them."""

import re
from collections.abc import Callable
from pathlib import Path

from benchmarks.ahead import remove_metadata
from benchmarks.figures import KB, Row
from benchmarks.rows import Bench
from benchmarks.upstream import Nginx, write_tree
from tests.fakes import tree
from tests.serving import index_table

_WHEELS = 3
#: Bytes of each, as those of large frameworks have.
_SIZE = 60_000_000
#: The bytes of a body, after request and status in nginx's usual log.
_SENT = re.compile(r'" \d{3} (\d+) "')


def lock(bench: Bench, rows: Callable[..., Row]) -> None:
    """``uv pip compile`` of large wheels: the bytes that the index sends."""
    root, log = bench.home / "large", bench.home / "large.log"
    if not root.exists():
        write_tree(root, tree(_WHEELS, prefix="large", size=_SIZE))
        remove_metadata(root)
    with Nginx(root, f"access_log {log};") as url:
        simple = f"{url}simple/"
        bench.clients.compile(simple, "large-0")
        direct = _sent(log)
        with bench.new_shim(index_table("public", simple)) as shim:
            bench.clients.compile(shim.simple, "large-0")
        name = f"uv pip compile of {_WHEELS} wheels of 60 MB without metadata: from the index"
        rows(name, KB, 1000).add(_sent(log) / 1e3)
        rows(f"{name}, without the shim", KB).add(direct / 1e3)


def _sent(log: Path) -> int:
    """Return the bytes in a log, and begin a new one."""
    sent = sum(map(int, _SENT.findall(log.read_text(encoding="utf-8"))))
    log.write_text("", encoding="utf-8")
    return sent
