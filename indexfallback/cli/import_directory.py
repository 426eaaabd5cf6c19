"""``cache import`` of a directory: a wheelhouse, or the cache of another tool."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexfallback.cli.opening import open_store
from indexfallback.cli.output import is_quiet, note, print_json, print_table, tell, tilde, tracked
from indexfallback.config import Index, Settings
from indexfallback.words import counted, shortened, size

if TYPE_CHECKING:
    from indexfallback.carry.adopt import Adopted
    from indexfallback.carry.candidates import Skipped

#: The most names in a row of the table; the rest is counted.
_NAMES = 2


def import_directory(
    settings: Settings, directory: Path, as_index: str | None, *, as_json: bool
) -> None:
    """Import the files that the chain lists, and report the result for all files."""
    from indexfallback.carry.adopt import Adopted, adopt, adopt_pages  # noqa: PLC0415 - slow
    from indexfallback.carry.candidates import (  # noqa: PLC0415 - as above
        BANDERSNATCH,
        Skipped,
        candidates,
        kind_of,
    )
    from indexfallback.shim import Shim  # noqa: PLC0415 - as above

    kind = kind_of(directory)
    has_pages = kind == BANDERSNATCH
    index = _index(settings, as_index, has_pages=has_pages)
    with open_store(settings), closing(Shim(settings)) as shim:
        pages = list(adopt_pages(shim.store, directory, index, settings.page_size)) if index else []
        found = list(tracked(adopt(shim, candidates(directory)), f"Looking through the {kind}"))
    taken = [each for each in found if isinstance(each, Adopted)]
    left = [each for each in found if isinstance(each, Skipped)]
    left += [Skipped(f"the page of {name}", problem) for name, problem in pages if problem]
    new_pages = sum(not problem for _, problem in pages)
    if as_json:
        files = {"taken": _as_data(taken), "left": _as_data(left)}
        print_json({"kind": kind, "pages": new_pages, **files})
        return
    tell(f"{tilde(directory)}: {kind}")
    if index is not None:
        tell(f"{counted(new_pages, 'page')} taken as pages of {index.name}")
    rows = [*_taken_rows(taken), *_left_rows(left)]
    if not is_quiet():
        print_table(("files", "size", "result"), rows, right=(0, 1))
    if has_pages and index is None and not taken:
        note("its pages were not read: --as INDEX imports them as pages of an index")
    elif not taken and any(each.reason.endswith("does not list it") for each in left):
        note(
            "a directory of files that no index lists can be an index itself:",
            "add one with url = the directory to the configuration.",
        )


def _as_data(found: "Iterable[Adopted | Skipped]") -> list[dict[str, object]]:
    return [each._asdict() for each in found]


def _index(settings: Settings, name: str | None, *, has_pages: bool) -> Index | None:
    if name is None:
        return None
    index = settings.index(name)
    if index is None:
        known = ", ".join(each.name for each in settings.indexes)
        raise click.UsageError(f"--as {name} names no index; there are {known}")
    if not has_pages:
        raise click.UsageError("--as is for bandersnatch trees: other directories have no pages")
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


def _left_rows(left: Iterable["Skipped"]) -> list[tuple[str, str, str]]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for each in left:
        groups[each.reason].append(Path(each.what).name)
    return [
        (f"{len(names):,}", "", f"left: {reason} ({shortened(names, _NAMES)})")
        for reason, names in sorted(groups.items(), key=lambda group: -len(group[1]))
    ]
