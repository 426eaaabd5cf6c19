"""Measures the shim against nginx serving the same bytes: ``python -m benchmarks.run --help``."""

import os
import platform
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.ahead import far
from benchmarks.buildout import buildout
from benchmarks.directory import directory
from benchmarks.figures import Row, Unit, table
from benchmarks.lock import lock
from benchmarks.rows import MEASURES, Bench
from benchmarks.tunnel import tunnel
from benchmarks.upstream import Nginx

#: What `--only` can name, in the order of the table.
_ALL = {**MEASURES, "buildout": buildout, "directory": directory, "far": far, "lock": lock,
        "tunnel": tunnel}  # fmt: skip


@click.command()
@click.option(
    "--only",
    "wanted",
    multiple=True,
    type=click.Choice(tuple(_ALL)),
    help="Measure only this (repeatable).",
)
@click.option("--repeat", default=3, type=click.IntRange(1), help="How often to measure each.")
@click.option("--markdown", is_flag=True, help="Print the table as Markdown.")
def main(*, wanted: tuple[str, ...], repeat: int, markdown: bool) -> None:
    """Print a table of medians, with least and most, each against nginx in the same run."""
    # As at Ctrl-C, so that no server is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    table_rows: dict[str, Row] = {}

    def row(name: str, unit: Unit, target: float | None = None) -> Row:
        return table_rows.setdefault(name, Row(name, unit, target))

    with _bench() as bench:
        for name, measure in _ALL.items():
            for number in range(repeat if name in (wanted or _ALL) else 0):
                click.echo(f"{name} {number + 1}/{repeat}", err=True)
                measure(bench, row)
    click.echo(machine())
    click.echo()
    click.echo(table(table_rows.values(), markdown=markdown))


@contextmanager
def _bench() -> Iterator[Bench]:
    with TemporaryDirectory(prefix="benchmarks-", ignore_cleanup_errors=True) as directory:
        home = Path(directory)
        root = home / "upstream"
        (root / "simple").mkdir(parents=True)
        with Nginx(root) as url:
            yield Bench(home, root, url)


def machine() -> str:
    model = platform.processor()
    if sys.platform == "linux":
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(": ")[2] for line in lines if "model name" in line), model)
    libraries = ("granian", "falcon", "requests", "pip", "uv")
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    return (
        f"{os.cpu_count()} cores, {model}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {versions}"
    )


if __name__ == "__main__":
    main()
