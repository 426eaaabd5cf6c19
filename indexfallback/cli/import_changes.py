"""Shows which records here an archive would change, and asks for consent."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexfallback.cli.output import print_table, say, say_more, tilde
from indexfallback.words import counted, shortened

if TYPE_CHECKING:
    from indexfallback.carry.changes import Change
    from indexfallback.carry.imports import Imported

#: The most changes in a preview; the rest is counted. --json has all.
_MOST = 20
#: The most file names of one page in a preview.
_FILES = 3
#: Enough of a sha256 to tell two apart.
_DIGITS = 12


def as_data(imported: "Imported") -> dict[str, Any]:
    """Return the result of an import for JSON."""
    return {**imported._asdict(), "changes": [change._asdict() for change in imported.changes]}


def say_and_ask(path: Path, changes: Sequence["Change"]) -> Collection["Change"]:
    """Show the changes, and return all of them if the user agrees, else none."""
    print_changes(path, changes)
    return changes if click.confirm("Make these changes, too?", err=True) else ()


def print_changes(path: Path, changes: Sequence["Change"]) -> None:
    """Show the changes beside a command's own output."""
    projects = counted(len({change.project for change in changes}), "project")
    say(f"changes in {tilde(path)} to what is here of {projects}:")
    print_table((), [_row(change) for change in changes[:_MOST]], err=True)
    if len(changes) > _MOST:
        say_more(f"and {len(changes) - _MOST:,} more changes, which --json lists")


def print_left(names: Sequence[str], *, dry_run: bool) -> None:
    """Say which projects stay as they are, and what to do about it."""
    if not names:
        return
    left = "would be left" if dry_run else "left"
    projects = f"{counted(len(names), 'project')} {left} as before ({shortened(names, _FILES)})"
    say(f"{projects}: nothing of the archive is added there without consent.")
    say_more("If you trust its maker with these changes, import it again with --yes.")


def _row(change: "Change") -> tuple[str, str, str]:
    return change.kind, change.project, _text(change)


def _text(change: "Change") -> str:
    if change.kind == "owner":
        here, archive = ", ".join(change.here), ", ".join(change.archive) or "no owner"
        return f"comes from {here} now, and from {archive} after the import"
    if change.kind == "pin":
        here, archive = change.here[:_DIGITS], change.archive[:_DIGITS]
        return f"{change.filename}: sha256 {here} on the page here, {archive} in the archive"
    parts = [f"lacks {shortened(change.removed, _FILES)}"] if change.removed else []
    parts += (
        [f"has other content for {shortened(change.altered, _FILES)}"] if change.altered else []
    )
    return f"the page of {change.index_name} in the archive {' and '.join(parts)}"
