"""The change to one file: the plan, its obstacles, and how it is applied and undone."""

import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from indexfallback.clients import files, obstacles, record
from indexfallback.clients.catalogue import Client
from indexfallback.clients.machine import ClientFileError, Machine, read
from indexfallback.clients.obstacles import IsShim, Obstacle
from indexfallback.clients.record import Record
from indexfallback.clients.undo import Step, undone
from indexfallback.config import has_login
from indexfallback.config.units import InvalidValueError

#: The credentials of an address, anywhere in a line.
_CREDENTIALS = re.compile(r"(?<=://)[^/\s\"']*(?=@)")


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A planned change to one file, or the undoing of one."""

    #: The name of the record.
    name: str
    file: Path
    before: str
    after: str
    #: The data to undo it.
    record: Record
    #: Labels of the steps that cannot be undone, because the user has changed their lines.
    left: tuple[str, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether the file would change."""
        return self.before != self.after

    @property
    def diff(self) -> str:
        """The change as a unified diff, without passwords."""
        return diff_of(self.file, self.before, self.after)


@dataclass(frozen=True, kw_only=True)
class Change(Edit):
    """A planned change to one client's file."""

    client: Client
    obstacles: tuple[Obstacle, ...] = ()


def diff_of(file: Path, before: str, after: str) -> str:
    """Return the unified diff of two texts of a file, without passwords."""
    old, new = (_CREDENTIALS.sub("***", text).splitlines() for text in (before, after))
    return "\n".join(difflib.unified_diff(old, new, str(file), str(file), lineterm=""))


def planned(
    client: Client, machine: Machine, url: str, is_shim: IsShim, known: Collection[str]
) -> Change:
    """Return the change that points a client at the shim.

    ``known`` has the addresses of the chain: any other index in the file would be lost.

    Raises:
        ClientFileError: the client's file, or a file of the project here, is not valid.

    """
    before, file, kept = _found(client, machine)
    base, newline = before, "\r\n" if "\r\n" in before else "\n"
    if kept is not None:
        # A repeated set-up starts from the original file, so one undo is enough.
        base, _ = undone(kept.steps, before)
    is_known_shim = (lambda found: is_shim(found) or found == kept.url) if kept else is_shim
    try:
        steps = _with_newlines(
            client.steps(machine, base.replace("\r\n", "\n"), url), newline, base
        )
        found = (
            *obstacles.of_token(client.name, url, client.copies_to),
            *_obstacles(client, machine, base, is_known_shim, known),
        )
    except InvalidValueError as error:
        raise ClientFileError(str(file), error.problem, error.remedy) from error
    return Change(
        name=client.name,
        client=client,
        file=file,
        before=before,
        after=steps[-1].text,
        record=Record(
            file=file,
            url=url,
            existed=kept.existed if kept else machine.exists(file),
            mode=_taken_mode(file, url, kept),
            made=kept.made if kept else (),
            steps=tuple(steps),
        ),
        obstacles=found,
    )


def planned_edit(name: str, file: Path, steps: Sequence[Step]) -> Edit:
    """Return the change of a file of ours; the first step is its text now.

    Raises:
        ClientFileError: another file was changed under this name.

    """
    kept, before = record.load(name), steps[0].text
    if kept is not None and kept.file != file:
        problem = f"this file was changed before, and now {file} would be"
        raise ClientFileError(str(kept.file), problem, "run `indexfallback init --undo` first")
    history = tuple(steps[:1])
    if kept is not None:
        # One undo restores the text from before the first change.
        is_same = kept.steps[-1].text == before
        history = kept.steps if is_same else (Step("", undone(kept.steps, before)[0]),)
    return Edit(
        name=name,
        file=file,
        before=before,
        after=steps[-1].text,
        record=Record(
            file=file,
            url="",
            existed=kept.existed if kept else file.exists(),
            mode=kept.mode if kept else files.open_mode(file),
            made=kept.made if kept else (),
            steps=(*history, *steps[1:]),
        ),
    )


def planned_undo(name: str) -> Edit | None:
    """Return the edit that undoes the recorded one; None if nothing is recorded."""
    kept = record.load(name)
    if kept is None:
        return None
    before = read(kept.file)
    after, left = undone(kept.steps, before)
    return Edit(name=name, file=kept.file, before=before, after=after, record=kept, left=left)


def apply(edit: Edit) -> None:
    """Record the edit, so that it can be undone, then write the file.

    A file with the user's own token is for this user alone.
    """
    mode = files.PRIVATE if edit.record.mode is not None else None
    try:
        record.save(edit.name, edit.record)
        made = files.write(edit.file, edit.after, mode)
        record.save(edit.name, replace(edit.record, made=edit.record.made or made))
    except OSError as error:
        raise _unwritable(edit.file, error) from error


def apply_undo(edit: Edit) -> None:
    """Restore the file, or remove it if it did not exist before; then remove the record."""
    kept = edit.record
    try:
        if not kept.existed and not edit.after.strip():
            files.remove(edit.file, kept.made)
        elif edit.is_needed or kept.mode is not None:
            files.write(edit.file, edit.after, kept.mode)
    except OSError as error:
        raise _unwritable(edit.file, error) from error
    record.forget(edit.name)


def _taken_mode(file: Path, url: str, kept: Record | None) -> int | None:
    """Return the permissions that a file with this address loses, or has lost already."""
    if kept is not None and kept.mode is not None:
        return kept.mode
    return files.open_mode(file) if has_login(url) else None


def _found(client: Client, machine: Machine) -> tuple[str, Path, Record | None]:
    kept = record.load(client.name)
    file = kept.file if kept else Path(client.file(machine))
    return machine.read(file), file, kept


def _obstacles(
    client: Client, machine: Machine, text: str, is_shim: IsShim, known: Collection[str]
) -> Iterator[Obstacle]:
    file, named = client.file(machine), client.indexes(text)
    yield from obstacles.of_proxy(machine)
    yield from client.overrides(machine, is_shim)
    yield from obstacles.of_additional(file, named, is_shim, known)
    yield from obstacles.of_lost(file, named, is_shim, known)
    if client.name == "pip":
        yield from obstacles.of_pip_file(file, text)


def _with_newlines(steps: list[Step], newline: str, original: str) -> list[Step]:
    """Return the steps with the line ends of the file; the first one is the original text."""
    converted = [step._replace(text=step.text.replace("\n", newline)) for step in steps]
    return [converted[0]._replace(text=original), *converted[1:]]


def _unwritable(file: Path, error: OSError) -> ClientFileError:
    problem = f"the file cannot be written ({error.strerror})"
    return ClientFileError(str(file), problem, "make it a file that you can write")
