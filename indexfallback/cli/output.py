"""What commands print: log lines, tables, sizes and times, for people and for programs."""

import json
import logging
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

import click

#: Levels by how often ``-v`` was given.
_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


def set_up_logging(verbose: int) -> None:
    """Send our log to standard error, one line a message: ``14:02:11 WARNING private: ...``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("indexfallback")
    logger.handlers[:] = [handler]
    logger.setLevel(_LEVELS[min(verbose, len(_LEVELS) - 1)])
    logger.propagate = False


def say(message: str) -> None:
    """Print a line for the user beside a command's own output."""
    click.echo(f"indexfallback: {message}", err=True)


def print_json(value: Any) -> None:
    """Print a value for programs."""
    click.echo(json.dumps(value, indent=2, sort_keys=True))


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print aligned columns, the header in bold on a terminal."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for number, line in enumerate(lines):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        text = "  ".join(cells).rstrip()
        click.echo(click.style(text, bold=True) if number == 0 else text)


def ms(seconds: float | None) -> str:
    """Return a short time in words: ``38 ms``."""
    return "-" if seconds is None else f"{seconds * 1000:,.0f} ms"


def clock(when: float) -> str:
    """Return a time of day, or the date if it was another day."""
    then, now = time.localtime(when), time.localtime()
    return time.strftime("%H:%M:%S" if then[:3] == now[:3] else "%Y-%m-%d", then)
