"""``mirror``: chosen projects of an index, kept complete; what is kept, and whether it is right."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import print_json, say, say_more, wrapped
from indexfallback.words import counted, size, span

if TYPE_CHECKING:
    from indexfallback.mirror.account import Account, Removal
    from indexfallback.mirror.running import Mirroring

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON; bytes as numbers.")
#: Names that are printed of a list: the rest is counted.
_NAMES = 10


class _Watcher:
    """Shows how far a run is on a terminal, and asks there."""

    def __init__(self, *, yes: bool) -> None:
        from rich.console import Console  # noqa: PLC0415 - slow
        from rich.progress import Progress  # noqa: PLC0415 - slow

        console = Console(stderr=True)
        self.bar = Progress(console=console, transient=True, disable=not console.is_terminal)
        self._task = self.bar.add_task("Mirroring", total=None)
        self._yes = yes

    def expect(self, projects: int) -> None:
        self.bar.update(self._task, total=projects)

    def advance(self, account: "Account") -> None:
        self.bar.update(self._task, advance=1, description=f"Mirroring {size(account.bytes)}")

    def agrees(self, removal: "Removal") -> bool:
        if self._yes:
            return True
        if not sys.stdin.isatty():
            return False
        self.bar.stop()
        _print_removal(removal)
        return click.confirm("Remove all that?", err=True)


@click.group(
    invoke_without_command=True,
    epilog=examples("indexfallback mirror --dry-run", "indexfallback mirror --every 1h"),
)
@click.option("--dry-run", "dry", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Remove also more than a fifth of what is mirrored.")
@_as_json
@takes_options
def mirror(options: Options, dry: bool, yes: bool, as_json: bool) -> None:
    """Bring what [mirror] selects up to date; exit 1 if something could not be had."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    with _mirroring(options) as mirroring:
        account = _run(mirroring, dry=dry, yes=yes)
    _report(account, dry=dry, as_json=as_json)
    sys.exit(0 if account.is_well else 1)


@contextmanager
def _mirroring(options: Options) -> "Iterator[Mirroring]":
    from indexfallback.mirror.running import Mirroring  # noqa: PLC0415 - slow to import

    with closing(Mirroring(options.settings())) as mirroring:
        yield mirroring


def _run(mirroring: "Mirroring", *, dry: bool, yes: bool) -> "Account":
    watcher = _Watcher(yes=yes)
    with watcher.bar:
        return mirroring.run(watcher, dry=dry)


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
