"""Prints the output of commands: messages, tables, JSON and progress bars.

Lines on a terminal are as wide as it is. Elsewhere, as in a pipe or a file, nothing is wrapped: a
line is a message, or a row of a table, and tools such as grep find whole sentences.
"""

import json
import os
import sys
import textwrap
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any, TypeVar

import click

T = TypeVar("T")

#: Version of the keys in JSON; a new one if a key is removed, or changes its meaning.
SCHEMA = 1
#: Where click's context has whether ``--quiet`` was given.
QUIET = "indexfallback.quiet"
#: Columns of a line at most, since longer ones are hard to read, and at least, since a table or a
#: sentence in fewer has a word a line.
MOST_COLUMNS, LEAST_COLUMNS = 100, 40
#: Columns of a terminal that does not tell.
_USUAL = 80
#: Indent of a table's last column if it has fewer than ``_NARROW`` columns, and so is put below.
_INDENT = "    "
_NARROW = 35
#: Items of a long list that are printed at once.
_ITEMS = 1000


def columns(*, err: bool = False) -> int | None:
    """Return the columns of a line on standard output, or with ``err`` on standard error.

    They are those of the terminal, or of ``COLUMNS``, within limits; None without a terminal.
    """
    stream = sys.stderr if err else sys.stdout
    if not stream.isatty():
        return None
    told = os.environ.get("COLUMNS", "")
    try:
        wide = int(told) if told.isdecimal() else os.get_terminal_size(stream.fileno()).columns
    except OSError:  # a terminal that does not tell, as one of an emulation
        wide = 0
    return max(LEAST_COLUMNS, min(wide or _USUAL, MOST_COLUMNS))


def colour(environ: Mapping[str, str]) -> bool | None:
    """Return whether output is coloured; None if only a terminal's is.

    Sources: no-color.org and force-color.org; the first of them that is set decides, as in Python.
    """
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return False if environ.get("TERM") == "dumb" else None


def say(message: str) -> None:
    """Print a message to standard error."""
    click.echo(wrapped(f"indexfallback: {message}", err=True).lstrip(), err=True)


def say_more(text: str) -> None:
    """Print the continuation of a message, indented."""
    click.echo(wrapped(text, err=True), err=True)


def tell(text: str, indent: str = "") -> None:
    """Print what a command did, unless ``--quiet`` was given."""
    if not is_quiet():
        click.echo(wrapped(text, indent))


def note(message: str, *more: str) -> None:
    """Print a message that is no error, with its continuation, unless ``--quiet`` was given."""
    if not is_quiet():
        say(message)
        for text in more:
            say_more(text)


def is_quiet() -> bool:
    """Tell whether the command of this thread prints only errors and the data asked for."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(QUIET))


def shows_bar() -> bool:
    """Tell whether a progress bar is shown; a forced colour makes no terminal of a file."""
    return sys.stderr.isatty() and not is_quiet()


def wrapped(text: str, indent: str = "  ", *, err: bool = False) -> str:
    """Return a text as indented lines of the stream's width, or as one line without a terminal.

    Long words, such as addresses, stay whole.
    """
    return _fill(text, indent, columns(err=err))


def _shown(text: str) -> str:
    """Return a text on one line, without the characters that a terminal would obey.

    Indexes and packages wrote parts of it: a summary may clear the screen.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def _fill(text: str, indent: str, width: int | None) -> str:
    if width is None:
        return indent + _shown(text)
    return textwrap.fill(
        _shown(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def print_json(value: Mapping[str, Any], *, one_line: bool = False) -> None:
    """Print an object as JSON, with the version of its keys (docs/json.md)."""
    told = {"schema": SCHEMA, **value}
    click.echo(json.dumps(told, indent=None if one_line else 2, sort_keys=True))


def print_json_lists(**lists: Iterable[Mapping[str, Any]]) -> None:
    """Print an object of lists as JSON, one item a line; few items are in memory at a time."""
    click.echo(f'{{\n  "schema": {SCHEMA}', nl=False)
    for name, items in lists.items():
        click.echo(f',\n  "{name}": [', nl=False)
        lines = (f"\n    {json.dumps(item, sort_keys=True)}" for item in items)
        separator = ""
        while batch := list(islice(lines, _ITEMS)):
            click.echo(separator + ",".join(batch), nl=False)
            separator = ","
        click.echo("\n  ]", nl=False)
    click.echo("\n}")


def print_table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Collection[int] = (),
    colours: Mapping[str, str] | None = None,
    err: bool = False,
) -> None:
    """Print rows in aligned columns; where there are colours, the header is bold.

    ``right`` are the columns to align right. ``colours`` are the colours of texts in the first
    column. The last column is text, which is wrapped on a terminal. Of a long table a
    part at a time is in memory, so a column may get wider further down.
    """
    width = columns(err=err)
    lines = (tuple(map(_shown, line)) for line in chain([header] if header else [], rows))
    is_header, widths = bool(header), list[int]()
    while some := list(islice(lines, _ITEMS)):
        cells = zip(*(line[:-1] for line in some), strict=True)
        widest = (max(map(len, column)) for column in cells)
        widths = [max(both) for both in zip_longest(widths, widest, fillvalue=0)]
        for line in some:
            text = _line(line, widths, right, width)
            # click removes colours as its context says.
            if is_header:
                text = click.style(text, bold=True)
            elif paint := (colours or {}).get(line[0]):
                text = click.style(line[0], fg=paint) + text[len(line[0]) :]
            click.echo(text, err=err)
            is_header = False


def _line(
    cells: Sequence[str], widths: Sequence[int], right: Collection[int], width: int | None
) -> str:
    """Return a row of a table as text, in lines of ``width`` columns."""
    aligned = [
        cell.rjust(widest) if column in right else cell.ljust(widest)
        for column, (cell, widest) in enumerate(zip(cells, widths, strict=False))
    ]
    return _laid_out("  ".join([*aligned, ""]), cells[-1], width)


def _laid_out(start: str, text: str, width: int | None) -> str:
    """Return a line that ends in wrapped text, in its own column or, if that is narrow, below."""
    if width is None or len(start) + len(text) <= width:
        return f"{start}{text}".rstrip()
    if width - len(start) < _NARROW:
        return f"{start.rstrip()}\n{_fill(text, _INDENT, width)}"
    return start + _fill(text, " " * len(start), width).lstrip()


def tracked(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Yield the items, with a progress bar on a terminal; ``total`` if they have no length."""
    if not shows_bar():
        yield from items
        return
    from rich.console import Console  # noqa: PLC0415 - slow, and few commands have a bar
    from rich.progress import Progress  # noqa: PLC0415 - as above

    with Progress(console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(items, total=total, description=description)


def clock(when: float) -> str:
    """Return the time of day, or the date if it is not today."""
    then, now = time.localtime(when), time.localtime()
    return time.strftime("%H:%M:%S" if then[:3] == now[:3] else "%Y-%m-%d", then)


def tilde(path: Path | str) -> str:
    """Return a path with ``~`` for the home directory."""
    try:
        return str(Path("~") / Path(path).relative_to(Path.home()))
    except (ValueError, RuntimeError):  # it is outside, or there is no home directory
        return str(path)
