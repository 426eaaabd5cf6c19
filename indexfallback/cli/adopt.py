"""What `cache export` and `cache import` do with directories: wheelhouses, and others' caches."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexfallback.cli.forget import open_store
from indexfallback.cli.output import print_json, print_table, say, say_more, tilde, tracked, wrapped
from indexfallback.config import Index, Settings
from indexfallback.store import Store
from indexfallback.words import counted, size

if TYPE_CHECKING:
    from indexfallback.carry.adopting import Adopted
    from indexfallback.carry.foreign import Left

#: Names that a row has room for: the rest is counted.
_NAMES = 2


def export_wheelhouse(
    settings: Settings,
    select: Callable[[Store], frozenset[str]],
    directory: Path,
    *,
    as_json: bool,
) -> None:
    """Write a wheelhouse, and say what is in it."""
    from indexfallback.carry import wheelhouse  # noqa: PLC0415 - few need it

    with open_store(settings) as store:
        files = wheelhouse.chosen(store, select(store))
        written = wheelhouse.write(store, files, directory, tracked)
    projects = sorted({file.project for file in files})
    if as_json:
        print_json(
            {
                "directory": str(directory.absolute()),
                "projects": projects,
                "files": [file._asdict() for file in files],
                "written": written,
            }
        )
        return
    have = f"{counted(len(projects), 'project')} and {counted(len(files), 'file')}"
    click.echo(wrapped(f"{tilde(directory)} has {have}, {size(written)} of them new", ""))
    say(f"install from it with: pip install --no-index --find-links {directory} PROJECT")


def adopt_directory(
    settings: Settings, directory: Path, as_index: str | None, *, as_json: bool
) -> None:
    """Take from another tool's directory what the chain lists, and say what became of the rest."""
    from indexfallback.carry.adopting import Adopted, adopt, adopt_pages  # noqa: PLC0415 - slow
    from indexfallback.carry.foreign import (  # noqa: PLC0415 - as above
        BANDERSNATCH,
        Left,
        candidates,
        kind_of,
    )
    from indexfallback.shim import Shim  # noqa: PLC0415 - as above

    kind = kind_of(directory)
    index = _index(settings, as_index, has_pages=kind == BANDERSNATCH)
    with open_store(settings), closing(Shim(settings)) as shim:
        pages = list(adopt_pages(shim.store, directory, index, settings.page_size)) if index else []
        found = list(tracked(adopt(shim, candidates(directory)), f"Looking through the {kind}"))
    taken = [each for each in found if isinstance(each, Adopted)]
    left = [each for each in found if isinstance(each, Left)]
    left += [Left(f"the page of {name}", problem) for name, problem in pages if problem]
    new_pages = sum(not problem for _, problem in pages)
    if as_json:
        print_json(
            {
                "kind": kind,
                "pages": new_pages,
                "taken": [each._asdict() for each in taken],
                "left": [each._asdict() for each in left],
            }
        )
        return
    rows = [*_taken_rows(taken), *_left_rows(left)]
    click.echo(wrapped(f"{tilde(directory)}: {kind}", ""))
    if index is not None:
        click.echo(f"{counted(new_pages, 'page')} taken for those of {index.name}")
    print_table(("files", "size", "what became of them"), rows, right=(0, 1))
    if kind == BANDERSNATCH and index is None and not taken:
        say("its pages were not read: --as INDEX takes them for those of an index")
    elif not taken and any(each.reason.endswith("does not list it") for each in left):
        say("what no index lists can be an index itself:")
        say_more("a directory of files, with url = the directory in the configuration.")


def _index(settings: Settings, name: str | None, *, has_pages: bool) -> Index | None:
    if name is None:
        return None
    index = settings.index(name)
    if index is None:
        known = ", ".join(each.name for each in settings.indexes)
        raise click.UsageError(f"--as {name} names no index; there are {known}")
    if not has_pages:
        raise click.UsageError("--as is for trees of bandersnatch: nothing else has pages")
    return index


def _taken_rows(taken: Iterable["Adopted"]) -> list[tuple[str, str, str]]:
    groups: defaultdict[tuple[str, bool], list[int]] = defaultdict(list)
    for each in taken:
        groups[each.owner, each.new].append(each.size)
    return [
        (
            f"{len(sizes):,}",
            size(sum(sizes)),
            f"{'taken' if new else 'here already'}: {owner} lists them",
        )
        for (owner, new), sizes in sorted(groups.items())
    ]


def _left_rows(left: Iterable["Left"]) -> list[tuple[str, str, str]]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for each in left:
        groups[each.reason].append(Path(each.what).name)
    return [
        (f"{len(names):,}", "", f"left: {reason} ({_some(names)})")
        for reason, names in sorted(groups.items(), key=lambda group: -len(group[1]))
    ]


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more:,} more" if more > 0 else "")
