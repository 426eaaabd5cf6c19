"""What commands print: log lines, tables, sizes and times, for people and for programs."""

import json
import logging
import os
import sys
import textwrap
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

T = TypeVar("T")

#: Levels by how often ``-v`` was given.
_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
#: The last column that is written to.
WIDTH = 79
#: Before text below a line that had no room for it, and the room that makes it a column, or not.
_INDENT = "    "
_NARROW = 35


def set_up_logging(verbose: int) -> None:
    """Send our log to standard error, one line a message: ``14:02:11 WARNING private: ...``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("indexfallback")
    logger.handlers[:] = [handler]
    logger.setLevel(_LEVELS[min(verbose, len(_LEVELS) - 1)])
    logger.propagate = False


def say(message: str) -> None:
    """Print a sentence for the user beside a command's own output."""
    click.echo(wrapped(f"indexfallback: {message}").lstrip(), err=True)


def say_more(text: str) -> None:
    """Print what belongs to the line before: indented, and wrapped at words."""
    click.echo(wrapped(text), err=True)


def wrapped(text: str, indent: str = "  ") -> str:
    """Return a sentence in lines that fit, each indented; a long word, an address, stays whole."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def print_json(value: Any) -> None:
    """Print a value for programs."""
    click.echo(json.dumps(value, indent=2, sort_keys=True))


def print_table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Collection[int] = (),
    colours: Mapping[str, str] | None = None,
    err: bool = False,
) -> None:
    """Print aligned columns, the header, if there is one, in bold on a terminal.

    ``right`` are columns of figures. ``colours`` are those of texts in the first column, on a
    terminal. The last column is free text, in as many lines as it needs.
    """
    lines = [list(header), *map(list, rows)] if header else [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*(line[:-1] for line in lines), strict=True)]
    for number, line in enumerate(lines):
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=False))
        ]
        text = _laid_out("  ".join([*cells, ""]), line[-1])
        if not os.environ.get("NO_COLOR"):  # and without a terminal click leaves it out
            if header and number == 0:
                text = click.style(text, bold=True)
            elif colour := (colours or {}).get(line[0]):
                text = click.style(line[0], fg=colour) + text[len(line[0]) :]
        click.echo(text, err=err)


def _laid_out(start: str, text: str) -> str:
    """Return a line that ends in free text, in its own column or, if that is narrow, below."""
    if len(start) + len(text) <= WIDTH:
        return f"{start}{text}".rstrip()
    if WIDTH - len(start) < _NARROW:
        return f"{start.rstrip()}\n{wrapped(text, _INDENT)}"
    return start + wrapped(text, " " * len(start)).lstrip()


def tracked(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Pass items on, with a progress bar on a terminal; ``total`` is for those without a length."""
    from rich.console import Console  # noqa: PLC0415 - slow, and few commands have a bar
    from rich.progress import Progress  # noqa: PLC0415 - as above

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        yield from progress.track(items, total=total, description=description)


def clock(when: float) -> str:
    """Return a time of day, or the date if it was another day."""
    then, now = time.localtime(when), time.localtime()
    return time.strftime("%H:%M:%S" if then[:3] == now[:3] else "%Y-%m-%d", then)


def tilde(path: Path | str) -> str:
    """Return a path as one writes it, the home directory as ``~``."""
    try:
        return str(Path("~") / Path(path).relative_to(Path.home()))
    except (ValueError, RuntimeError):  # elsewhere, or there is no home
        return str(path)
