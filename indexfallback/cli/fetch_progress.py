"""Shows the progress of ``fetch``: as a bar on a terminal, else as lines."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from indexfallback.cli.output import say, shows_bar
from indexfallback.words import counted, size

if TYPE_CHECKING:
    from rich.progress import Progress

    from indexfallback.fetch.download import Progress as FetchProgress


@contextmanager
def fetch_progress(verbose: int) -> Iterator["FetchProgress"]:
    """Give a display of the progress.

    With ``verbose`` it also prints each file's name; if that is negative, it prints nothing.
    """
    if verbose < 0:
        yield _Nothing()
        return
    if not shows_bar():
        yield _Lines(verbose)
        return
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

    # A long description must not wrap these columns.
    numbers = (DownloadColumn, TransferSpeedColumn, TimeRemainingColumn)
    columns = (TextColumn("{task.description}"), BarColumn(None),
               *(each(table_column=Column(no_wrap=True)) for each in numbers))  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bar(progress, verbose)


class _Nothing:
    """Shows nothing."""

    def step(self, text: str) -> None: ...

    def expect(self, files: int, size: int) -> None: ...

    def advance(self, size: int) -> None: ...

    def finish(self, name: str) -> None: ...


class _Lines:
    """Prints a line for each step."""

    def __init__(self, verbose: int) -> None:
        self._verbose = verbose

    def step(self, text: str) -> None:
        say(text)

    def expect(self, files: int, size: int) -> None:
        if files:
            say(f"Fetching {counted(files, 'file')}{_of(size)}")

    def advance(self, size: int) -> None:
        """Print nothing: a line for each piece would be too much."""

    def finish(self, name: str) -> None:
        if self._verbose:
            say(name)


class _Bar:
    """Shows one bar for all files; rich allows calls from any thread."""

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
        # HTML pages state no sizes: then `expect` adds them when files are opened.
        self._progress.update(self._task, total=self._size or None)
        self._show()

    def advance(self, size: int) -> None:
        self._progress.advance(self._task, size)

    def finish(self, name: str) -> None:
        self._done += 1
        self._show()
        if self._verbose:
            self._progress.console.print(name)

    def _show(self) -> None:
        text = f"Fetching {self._done}/{self._files}"
        self._progress.update(self._task, description=text)


def _of(total: int) -> str:
    return f" ({size(total)})" if total else ""
