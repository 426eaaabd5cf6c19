"""``mirror``: keep selected projects of an index complete, show their state, verify them."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, final

import click

from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import clock, print_json, print_table, say, say_more, wrapped
from indexfallback.config.units import InvalidValueError, parse_duration
from indexfallback.errors import MirrorError
from indexfallback.words import counted, size, span

if TYPE_CHECKING:
    from indexfallback.mirror.result import Removal, Result
    from indexfallback.mirror.session import MirrorSession

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON; bytes as numbers.")
#: The most names that are printed of a list; the rest is counted.
_NAMES = 10


@final
class _Progress:
    """Shows how far a run is, and asks for consent, on a terminal."""

    def __init__(self, *, yes: bool) -> None:
        from rich.console import Console  # noqa: PLC0415 - slow to import
        from rich.progress import Progress  # noqa: PLC0415 - as above

        self._yes = yes
        console = Console(stderr=True)
        self._bar = Progress(console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("Mirroring", total=None)

    def __enter__(self) -> "_Progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def expect(self, projects: int) -> None:
        """Show the number of projects."""
        self._bar.update(self._task, total=projects)

    def advance(self, result: "Result") -> None:
        """Show that one more project is done."""
        text = f"Mirroring, {counted(result.files, 'file')}, {size(result.bytes)}"
        self._bar.update(self._task, advance=1, description=text)

    def agrees(self, removal: "Removal") -> bool:
        """Ask whether so much may be removed."""
        if self._yes or not sys.stdin.isatty():
            return self._yes
        self._bar.stop()
        _print_removal(removal)
        return click.confirm("Remove all that?", err=True)


class _Duration(click.ParamType):  # type: ignore[type-arg]  # generic in some versions only
    """A duration, as in the configuration."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read ``1h``."""
        try:
            return parse_duration(value)
        except InvalidValueError as error:
            self.fail(f'"{value}" {error}', param, ctx)


@click.group(
    invoke_without_command=True,
    epilog=examples("indexfallback mirror --dry-run", "indexfallback mirror --every 1h"),
)
@click.option("--dry-run", "dry", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--yes", is_flag=True, help="Remove also whole projects, and more than a fifth of all."
)
@click.option("--every", type=_Duration(), help="Repeat the run every so often (1h).")
@_as_json
@takes_options
def mirror(options: Options, dry: bool, yes: bool, every: float | None, as_json: bool) -> None:
    """Bring what [mirror] selects up to date; exit 1 if something is missing."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    # SIGTERM ends a run as Ctrl-C does: complete files are kept.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _session(options) as session:
        if every is not None:
            _repeat(session, every, yes=yes, as_json=as_json)
            return
        with _Progress(yes=yes) as progress:
            result = session.run(progress, dry=dry)
    _report(result, dry=dry, as_json=as_json)
    sys.exit(0 if result.is_complete else 1)


def _repeat(session: "MirrorSession", seconds: float, *, yes: bool, as_json: bool) -> None:
    """Run until Ctrl-C or SIGTERM; an index that fails now may answer the next run."""
    never = threading.Event()
    with suppress(KeyboardInterrupt):
        while True:
            began = time.monotonic()
            try:
                with _Progress(yes=yes) as progress:
                    result = session.run(progress)
                _report(result, dry=False, as_json=as_json)
                if result.interrupted:
                    return
            except MirrorError as error:
                say(str(error))
            never.wait(max(0.0, began + seconds - time.monotonic()))


@mirror.command(epilog=examples("indexfallback mirror status --json"))
@_as_json
@takes_options
def status(options: Options, as_json: bool) -> None:
    """Show how much is mirrored, and how old it is, without asking the index."""
    with _session(options) as session:
        totals = session.store.mirrors.totals(session.source)
        run = session.store.mirrors.last_run(session.source)
    if as_json:
        print_json({**totals._asdict(), "last_run": run._asdict() if run else None})
        return
    rows = [
        ("index", session.mirror.index),
        ("projects", f"{totals.projects:,}, {totals.incomplete:,} of them incomplete"),
        ("files", f"{totals.files:,}, {totals.removed:,} of them removed by the index"),
        ("size", size(totals.bytes)),
        ("last run", f"{clock(run.ended)}, {run.failed:,} failed" if run else "none yet"),
    ]
    print_table((), rows)


@mirror.command(epilog=examples("indexfallback mirror verify"))
@_as_json
@takes_options
def verify(options: Options, as_json: bool) -> None:
    """Hash every mirrored file, and fetch wrong ones again; exit 1 if that fails."""
    with _session(options) as session, _Progress(yes=False) as progress:
        found = session.verify(progress)
    if as_json:
        print_json(found._asdict())
    else:
        mended = found.wrong - len(found.lost)
        files = counted(found.files, "file")
        click.echo(wrapped(f"{files}, {found.wrong:,} wrong or missing, {mended:,} mended", ""))
        for name in found.lost:
            say(f"{name} is lost: the index does not have the same file any more")
    sys.exit(1 if found.lost or found.failed else 0)


@contextmanager
def _session(options: Options) -> "Iterator[MirrorSession]":
    from indexfallback.mirror.session import MirrorSession  # noqa: PLC0415 - slow to import

    with closing(MirrorSession(options.settings())) as session:
        yield session


def _report(result: "Result", *, dry: bool, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(result), "dry_run": dry, "stopped": _as_data(result.stopped)})
        return
    click.echo(wrapped(_summary(result, dry=dry), ""))
    for project, why in sorted(result.failed.items())[:_NAMES]:
        click.echo(wrapped(f"{project}: {why}"))
    if len(result.failed) > _NAMES:
        click.echo(f"  and {len(result.failed) - _NAMES:,} more")
    if result.owned:
        first = ", ".join(f"{name} ({owner})" for name, owner in sorted(result.owned.items())[:3])
        names = counted(len(result.owned), "project belongs", "projects belong")
        say(f"{names} to a private index and {'is' if len(result.owned) == 1 else 'are'} not "
            f"mirrored from another one: {first}")  # fmt: skip
    for refused in result.refused:
        say(f"refused: {refused}; its content has changed, and the first one stays")
    for left_out in result.left_out:
        say(f"left out: {left_out}; its page lists another file of that name before it, and a "
            "mirror holds one")  # fmt: skip
    if result.stopped is not None:
        say(_why_stopped(result.stopped, dry=dry))
        _print_removal(result.stopped)
        say_more("To remove all that, run again with --yes")
    if result.interrupted:
        say("interrupted; complete files are kept: run again to continue")
    elif result.failed:
        say("something could not be fetched: run again to continue")


def _summary(result: "Result", *, dry: bool) -> str:
    gone = (len(result.removed_projects), len(result.removed_files))
    would = "would be " if dry else ""
    return (
        f"{counted(result.projects, 'project')} selected, {result.asked:,} requested, "
        f"{result.changed:,} changed; {counted(result.files, 'file')} ({size(result.bytes)}) "
        f"{would}fetched; {counted(gone[0], 'project')} and {counted(gone[1], 'file')} "
        f"{would}removed; {len(result.failed):,} failed ({span(result.seconds)})"
    )


def _why_stopped(removal: "Removal", *, dry: bool) -> str:
    if removal.is_large:
        would = "nothing would be" if dry else "nothing was"
        return f"{would} removed: it would be more than a fifth"
    stay = "would stay" if dry else "stay"
    number = len(removal.emptied)
    if number == 1:
        return f"1 project would lose all its files: it {stay if dry else 'stays'} as it is"
    return f"{number:,} projects would lose all their files: they {stay} as they are"


def _print_removal(removal: "Removal") -> None:
    emptied = sorted({*removal.emptied} - {*removal.projects})
    for what, names, of, change in (
        ("project", removal.projects, removal.all_projects, "be removed"),
        ("project", emptied, removal.all_projects, "lose all files"),
        ("file", removal.files, removal.all_files, "be removed"),
    ):
        if names:
            more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
            listed = ", ".join(names[:_NAMES])
            say_more(f"{counted(len(names), what)} of {of:,} would {change}: {listed}{more}")


def _as_data(removal: "Removal | None") -> dict[str, Any] | None:
    return removal._asdict() if removal is not None else None
