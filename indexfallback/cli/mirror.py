"""``mirror``: chosen projects of an index, kept complete; what is kept, and whether it is right."""

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
    from indexfallback.mirror.account import Account, Removal
    from indexfallback.mirror.running import Mirroring

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON; bytes as numbers.")
#: Names that are printed of a list: the rest is counted.
_NAMES = 10


@final
class _Watcher:
    """Shows how far a run is on a terminal, and asks there."""

    def __init__(self, *, yes: bool) -> None:
        self._yes = yes
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "_Watcher":
        if sys.stderr.isatty():
            from rich.console import Console  # noqa: PLC0415 - slow, and for terminals only
            from rich.progress import Progress  # noqa: PLC0415 - as above

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("Mirroring", total=None)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def expect(self, projects: int) -> None:
        """Show how many projects there are."""
        if self._bar is not None:
            self._bar.update(self._task, total=projects)

    def advance(self, account: "Account") -> None:
        """Show that one is done."""
        if self._bar is not None:
            came = f"Mirroring, {counted(account.files, 'file')}, {size(account.bytes)}"
            self._bar.update(self._task, advance=1, description=came)

    def agrees(self, removal: "Removal") -> bool:
        """Ask whether so much may go."""
        if self._yes or not sys.stdin.isatty():
            return self._yes
        if self._bar is not None:
            self._bar.stop()
        _print_removal(removal)
        return click.confirm("Remove all that?", err=True)


class _Every(click.ParamType):  # type: ignore[type-arg]  # generic in some versions only
    """A duration."""

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
@click.option("--yes", is_flag=True, help="Remove also more than a fifth of what is mirrored.")
@click.option("--every", type=_Every(), help="Run again and again, so often: 1h, until stopped.")
@_as_json
@takes_options
def mirror(options: Options, dry: bool, yes: bool, every: float | None, as_json: bool) -> None:
    """Bring what [mirror] selects up to date; exit 1 if something could not be had."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    # A run that is ended in good order keeps what is whole.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _mirroring(options) as mirroring:
        if every is not None:
            _repeat(mirroring, every, yes=yes, as_json=as_json)
            return
        with _Watcher(yes=yes) as watcher:
            account = mirroring.run(watcher, dry=dry)
    _report(account, dry=dry, as_json=as_json)
    sys.exit(0 if account.is_well else 1)


def _repeat(mirroring: "Mirroring", seconds: float, *, yes: bool, as_json: bool) -> None:
    """Run until Ctrl-C or SIGTERM; an index that is away now may be back the next time."""
    never = threading.Event()
    with suppress(KeyboardInterrupt):
        while True:
            began = time.monotonic()
            try:
                with _Watcher(yes=yes) as watcher:
                    account = mirroring.run(watcher)
                _report(account, dry=False, as_json=as_json)
                if account.interrupted:
                    return
            except MirrorError as error:
                say(str(error))
            never.wait(max(0.0, began + seconds - time.monotonic()))


@mirror.command(epilog=examples("indexfallback mirror status --json"))
@_as_json
@takes_options
def status(options: Options, as_json: bool) -> None:
    """Say how much is mirrored, and how old that is; asks no index."""
    with _mirroring(options) as mirroring:
        totals = mirroring.store.mirrors.totals(mirroring.source)
        run = mirroring.store.mirrors.last_run(mirroring.source)
    if as_json:
        print_json({**totals._asdict(), "last_run": run._asdict() if run else None})
        return
    rows = [
        ("index", mirroring.mirror.index),
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
    """Hash every mirrored file, and fetch what is wrong again; exit 1 if it is not to be had."""
    with _mirroring(options) as mirroring, _Watcher(yes=False) as watcher:
        found = mirroring.verify(watcher)
    if as_json:
        failed = found.account.failed
        print_json({**found._asdict(), "account": None} | {"failed": failed})
    else:
        mended = found.wrong - len(found.lost)
        files = counted(found.files, "file")
        click.echo(wrapped(f"{files}, {found.wrong:,} wrong or missing, {mended:,} mended", ""))
        for name in found.lost:
            say(f"{name} is lost: the index does not have it as it was")
    sys.exit(1 if found.lost or found.account.failed else 0)


@contextmanager
def _mirroring(options: Options) -> "Iterator[Mirroring]":
    from indexfallback.mirror.running import Mirroring  # noqa: PLC0415 - slow to import

    with closing(Mirroring(options.settings())) as mirroring:
        yield mirroring


def _report(account: "Account", *, dry: bool, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(account), "dry_run": dry, "stopped": _as_data(account.stopped)})
        return
    click.echo(wrapped(_summary(account, dry=dry), ""))
    for project, why in sorted(account.failed.items())[:_NAMES]:
        click.echo(wrapped(f"{project}: {why}"))
    if len(account.failed) > _NAMES:
        click.echo(f"  and {len(account.failed) - _NAMES:,} more")
    for refused in account.refused:
        say(f"refused: {refused}; it was first seen with another content, which stays")
    if account.stopped is not None and not dry:
        say("nothing was removed: more than a fifth would go")
        _print_removal(account.stopped)
        say_more("If that is meant, run again with --yes")
    if account.interrupted:
        say("interrupted; what is whole is kept: run again to go on")
    elif account.failed:
        say("not everything could be had: run again to go on")


def _summary(account: "Account", *, dry: bool) -> str:
    gone = (len(account.removed_projects), len(account.removed_files))
    would = "would be " if dry else ""
    return (
        f"{counted(account.projects, 'project')} wanted, {account.asked:,} asked for, "
        f"{account.changed:,} changed; {counted(account.files, 'file')} ({size(account.bytes)}) "
        f"{would}fetched; {counted(gone[0], 'project')} and {counted(gone[1], 'file')} "
        f"{would}removed; {len(account.failed):,} failed ({span(account.seconds)})"
    )


def _print_removal(removal: "Removal") -> None:
    for what, names, of in (
        ("project", removal.projects, removal.all_projects),
        ("file", removal.files, removal.all_files),
    ):
        if names:
            more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
            listed = ", ".join(names[:_NAMES])
            say_more(f"{counted(len(names), what)} of {of:,} would go: {listed}{more}")


def _as_data(removal: "Removal | None") -> dict[str, Any] | None:
    return removal._asdict() if removal is not None else None
