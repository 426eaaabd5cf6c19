"""Prints the result of a run of ``mirror``."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from indexfallback.cli.output import print_json, say, say_more, tell, wrapped
from indexfallback.words import counted, shortened, size, span

if TYPE_CHECKING:
    from indexfallback.cli.destination import Published
    from indexfallback.mirror.result import Removal, Result

#: The most names that are printed of a list, and within a sentence; the rest is counted.
_NAMES, _FEW = 10, 3


def report(result: "Result", tree: "Published | None" = None, *, dry: bool, as_json: bool) -> None:
    """Print the result of a run, and of the ``tree``, or what a ``dry`` run would have."""
    if as_json:
        bytes_ = {"bytes": None if result.unsized else result.bytes, "known_bytes": result.bytes}
        stopped = result.stopped._asdict() if result.stopped is not None else None
        print_json({**asdict(result), **bytes_, "dry_run": dry, "stopped": stopped,
                    "tree": tree.as_data() if tree is not None else None})  # fmt: skip
        return
    tell(_summary(result, dry=dry))
    for project, why in sorted(result.failed.items())[:_NAMES]:
        click.echo(wrapped(f"{project}: {why}"))
    if len(result.failed) > _NAMES:
        click.echo(f"  and {len(result.failed) - _NAMES:,} more")
    for remark in _remarks(result):
        say(remark)
    if result.stopped is not None:
        say(_why_stopped(result.stopped, dry=dry))
        print_removal(result.stopped)
        say_more("To remove all that, run again with --yes")
    if result.interrupted:
        say("interrupted; complete files are kept: run again to continue")
    elif result.failed:
        say("something could not be fetched: run again to continue")
    if tree is not None:
        tree.show()


def files_and_size(result: "Result") -> str:
    """Return how many files were fetched, or would be, and their size as far as it is known."""
    files = counted(result.files, "file")
    if not result.unsized:
        return f"{files} ({size(result.bytes)})" if result.files else files
    if result.unsized == result.files:
        return f"{files} (unknown size)"
    unsized = counted(result.unsized, "file")
    return f"{files} (at least {size(result.bytes)}, {unsized} of unknown size)"


def _remarks(result: "Result") -> Iterator[str]:
    """Yield sentences about what was not mirrored."""
    if owned := result.owned:
        listed = shortened([f"{name} ({owner})" for name, owner in sorted(owned.items())], _FEW)
        names = counted(len(owned), "project belongs", "projects belong")
        are = "is" if len(owned) == 1 else "are"
        yield f"{names} to a private index and {are} not mirrored from another one: {listed}"
    for refused in result.refused:
        yield f"refused: {refused}; its content has changed, and the first one stays"
    if withheld := result.withheld:
        files = counted(len(withheld), "file is", "files are")
        names = shortened(withheld, _FEW)
        yield f"{files} withheld by the cooldown of the index, for a later run: {names}"
    for left_out in result.left_out:
        yield (f"left out: {left_out}; its page lists another file of that name before it, and a "
               "mirror holds one")  # fmt: skip
    if unknown := result.unknown_requirements:
        files = counted(len(unknown), "file does not state its", "files do not state their")
        yield f"{files} requirements, which are therefore not mirrored: {shortened(unknown, _FEW)}"


def _summary(result: "Result", *, dry: bool) -> str:
    gone = (len(result.removed_projects), len(result.removed_files))
    would = "would be " if dry else ""
    return (
        f"{counted(result.projects, 'project')} selected, {result.asked:,} requested, "
        f"{result.changed:,} changed; {files_and_size(result)} {would}fetched; "
        f"{counted(gone[0], 'project')} and {counted(gone[1], 'file')} {would}removed; "
        f"{len(result.failed):,} failed ({span(result.seconds)})"
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


def print_removal(removal: "Removal") -> None:
    """Print what would be removed: the names, or their number if there are many."""
    emptied = sorted({*removal.emptied} - {*removal.projects})
    for what, names, of, change in (
        ("project", removal.projects, removal.all_projects, "be removed"),
        ("project", emptied, removal.all_projects, "lose all files"),
        ("file", removal.files, removal.all_files, "be removed"),
    ):
        if names:
            listed = shortened(names, _NAMES)
            say_more(f"{counted(len(names), what)} of {of:,} would {change}: {listed}")
