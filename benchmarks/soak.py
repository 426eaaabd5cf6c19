"""Runs two shims on one cache through faults, kills and a full disk: ``python -m benchmarks.soak``.

It fails if anything grows, if an answer is wrong or late, or if something stays broken.
"""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import click

from benchmarks.disturbance import Disturbance, Kills, full_at_times, small_disk
from benchmarks.run import machine
from benchmarks.samples import Sampler, sample
from benchmarks.shim import Shim
from benchmarks.universe import universe
from benchmarks.verdict import Outcome, rows, table
from benchmarks.verifying import Client, Report, crowd
from tests.fakes import FakeIndex
from tests.serving import config_text, index_table

#: Of the cache, and of the file system that it lies in where this user may mount one, bytes: half
#: of all files, so that some are always evicted, and room for the transfers.
_LIMIT, _DISK = 30_000_000, 80_000_000
#: An answer may begin so much later than the deadline, seconds.
_GRACE = 1.0
#: After the last fault all must be right again in this time, seconds: a circuit stays open for up
#: to 300 s.
_PATIENCE = 400.0


def soak(home: Path, minutes: float, clients: int, deadline: float, seed: int) -> Outcome:
    """Run it all once, with everything below ``home``."""
    known = universe()
    with ExitStack() as stack:
        on_disk = stack.enter_context(small_disk(home / "disk", _DISK))
        private = stack.enter_context(FakeIndex(known.private))
        mirror = stack.enter_context(FakeIndex(known.public))
        public = stack.enter_context(FakeIndex((*known.public, *known.impostors)))
        config = config_text(
            index_table("private", private.url, role="private"),
            index_table("mirror", mirror.url, role="mirror", mirror_of="pypi"),
            index_table("pypi", public.url),
            cache={"max_size": f"{_LIMIT} B", "fresh": "3 s"},
            limits={"deadline": f"{deadline} s"},
        )
        cache = home / "disk" / "cache"
        shims = [
            stack.enter_context(Shim(home / name, config, cache=cache, port=_free_port()))
            for name in ("lasting", "killed")
        ]
        # All is well at first: what the private index owns is known from here on.
        Client([shims[0].url], deadline + _GRACE, "first").wanting(shims[0].url)
        names = sorted({dist.project for dist in known.public})
        own = sorted({dist.project for dist in known.private})
        pool = stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
        with ExitStack() as troubles:
            disturbed = [
                troubles.enter_context(Disturbance(index, projects, f"{seed} {number}"))
                for number, (index, projects) in enumerate(
                    ((private, own), (mirror, names), (public, names))
                )
            ]
            full = None
            if on_disk:
                full = troubles.enter_context(full_at_times(home / "disk", Random(f"disk {seed}")))
            kills = troubles.enter_context(Kills(shims[1], Random(f"kills {seed}")))
            sampler = troubles.enter_context(Sampler(shims[0]))
            urls = [shim.url for shim in shims]
            report = pool.submit(
                crowd, urls, clients, minutes * 60, deadline + _GRACE, seed
            ).result()
        healed = _healed(shims, deadline + _GRACE, report)
        shims[0].rest()
        return Outcome(
            minutes,
            _LIMIT,
            _PATIENCE,
            report,
            sampler.samples,
            sample(shims[0]),
            kills.restarts,
            kills.gaps,
            None if full is None else len(full),
            sum(each.counts.total() for each in disturbed),
            healed,
            _damage(shims[0]),
            sum(shim.log.read_text(encoding="utf-8").count("Traceback") for shim in shims),
        )


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _healed(shims: Sequence[Shim], allowed: float, report: Report) -> float | None:
    """Return the seconds until every shim has every file; None if that takes too long."""
    began = time.monotonic()
    while time.monotonic() < began + _PATIENCE:
        client = Client([], allowed, "last")
        wanting = sum(client.wanting(shim.url) for shim in shims)
        report.add(client.report)
        if not wanting:
            return time.monotonic() - began
        time.sleep(1)  # an index is asked again when its circuit has been open for long enough
    return None


def _damage(shim: Shim) -> str:
    """Return what `cache verify` finds, but for files whose records a kill prevented."""
    done = subprocess.run(
        [sys.executable, "-m", "indexfallback", "cache", "verify", "--json"],
        check=False,
        capture_output=True,
        text=True,
        env=shim.environment,
    )
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return done.stdout + done.stderr
    damage = {what: found.get(what) for what in ("quarantined", "missing", "records")}
    return json.dumps(damage) if any(damage.values()) else ""


@click.command()
@click.option("--minutes", default=10.0, help="How long the faults last.")
@click.option("--clients", default=20, type=click.IntRange(1), help="How many act at once.")
@click.option("--deadline", default=10.0, help="Of the shims, seconds.")
@click.option("--seed", default=1, help="Of all that is chosen at random.")
@click.option("--markdown", is_flag=True, help="Print the table as Markdown.")
@click.option("--logs", type=click.Path(path_type=Path), help="Keep the shims' logs here.")
def main(
    *, minutes: float, clients: int, deadline: float, seed: int, markdown: bool, logs: Path | None
) -> None:
    """Print a table of what the shims did; exit with 1 if anything in it must not be."""
    # As at Ctrl-C, so that no server and no mount is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as directory:
        home = Path(directory)
        try:
            found = rows(soak(home, minutes, clients, deadline, seed))
        finally:
            if logs is not None:
                logs.mkdir(parents=True, exist_ok=True)
                for log in home.glob("*/stderr.log"):
                    (logs / f"{log.parent.name}.log").write_bytes(log.read_bytes())
    click.echo(machine())
    click.echo()
    click.echo(table(found, markdown=markdown))
    wrong = [message for row in found for message in row[3]]
    for message in wrong[:100]:
        click.echo(message, err=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
