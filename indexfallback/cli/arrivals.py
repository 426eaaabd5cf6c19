"""How far a fetch is: a bar with total, rate and time left on a terminal, else plain lines."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from indexfallback.cli.output import say
from indexfallback.words import counted, size

if TYPE_CHECKING:
    from rich.progress import Progress

    from indexfallback.fetch.bring import Watch


@contextmanager
def arrivals(verbose: int) -> Iterator["Watch"]:
    """Give who is told how far it is; with ``verbose``, each file is a line."""
    from rich.console import Console  # noqa: PLC0415 - slow, and few commands have a bar
    from rich.progress import (  # noqa: PLC0415 - as above
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.table import Column  # noqa: PLC0415 - as above

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(verbose)
        return
    # Beside a long description these would take a second line.
    numbers = (DownloadColumn, TransferSpeedColumn, TimeRemainingColumn)
    columns = (TextColumn("{task.description}"), BarColumn(None),
               *(each(table_column=Column(no_wrap=True)) for each in numbers))  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bar(progress, verbose)


class _Lines:
    """A line for each step."""

    def __init__(self, verbose: int) -> None:
        self._verbose = verbose

    def step(self, text: str) -> None:
        say(text)

    def expect(self, files: int, size: int) -> None:
        if files:
            say(f"Fetching {counted(files, 'file')}{_of(size)}")

    def advance(self, size: int) -> None:
        """Count nothing: a line for each piece would be noise."""

    def arrived(self, name: str) -> None:
        if self._verbose:
            say(name)


class _Bar:
    """One bar for the whole; rich takes calls from any thread."""

    def __init__(self, progress: "Progress", verbose: int) -> None:
        self._progress = progress
        self._verbose = verbose
        self._task = progress.add_task("", total=None)
        self._files = self._done = self._size = 0

    def step(self, text: str) -> None:
        self._progress.update(self._task, description=text)

    def expect(self, files: int, size: int) -> None:
        self._files += files
        self._size += size
        # Where no page states sizes, as HTML does not, the total comes with the files.
        self._progress.update(self._task, total=self._size or None)
        self._show()

    def advance(self, size: int) -> None:
        self._progress.advance(self._task, size)

    def arrived(self, name: str) -> None:
        self._done += 1
        self._show()
        if self._verbose:
            self._progress.console.print(name)

    def _show(self) -> None:
        text = f"Fetching {self._done}/{self._files}"
        self._progress.update(self._task, description=text)


def _of(total: int) -> str:
    return f" ({size(total)})" if total else ""
