"""A store with a row in every table, copied and damaged by tests."""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from indexfallback.page import File, ProjectPage
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.examination import problems
from indexfallback.store.mirrors import Run
from indexfallback.store.ownership import Ownership
from indexfallback.store.page_rows import digest_of
from indexfallback.store.pins import Pin
from indexfallback.upstream.facts import Facts

FILE = "index.sqlite3"
PRIVATE = "https://packages.example.com/simple/"
PUBLIC = "https://mirror.example.com/simple/"
PROJECTS = tuple(f"project-{number}" for number in range(40))
OWNED = tuple(f"acme-{number}" for number in range(40))
#: The contents of the stored files.
CONTENTS = tuple(b"%d" % number * 500 for number in range(20))


def page_of(project: str) -> ProjectPage:
    files = tuple(
        File(filename=f"{project}-{n}.tar.gz", url=f"https://files.example.com/{project}/{n}")
        for n in range(20)
    )
    return ProjectPage(name=project, files=files)


RUN = Run(1, 1.0, 2.0, 0)
FACTS_OF_FILE = Facts("0" * 64)
PAGES = {project: page_of(project) for project in PROJECTS}
FACTS = {
    project: PageFacts(Validators(f'"{project}"', None), digest_of(page), 1000.0, 900.0, "passed")
    for project, page in PAGES.items()
}


class Safety(NamedTuple):
    """The records that must survive."""

    owners: dict[str, dict[str, Ownership]]
    pins: dict[str, dict[str, list[Pin]]]


def safety(store: Store) -> Safety:
    return Safety(
        {name: store.ledger.owners(name) for name in OWNED},
        {project: store.pins.of_project(project) for project in PROJECTS},
    )


class Filled(NamedTuple):
    """A directory with records and files, which is copied, and what it holds."""

    directory: Path
    safety: Safety
    sha256s: dict[str, bytes]

    def __repr__(self) -> str:
        return "filled"


@contextmanager
def copied(filled: Filled, name: str) -> Iterator[Path]:
    directory = filled.directory.with_name(name)
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(filled.directory, directory)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def flip(path: Path, number: int, seed: int) -> None:
    """Flip as many bits of a file, without changing its inode."""
    chosen = random.Random(seed)
    with path.open("r+b") as file:
        size = path.stat().st_size
        for _ in range(number):
            place = chosen.randrange(size)
            file.seek(place)
            (byte,) = file.read(1)
            file.seek(place)
            file.write(bytes((byte ^ 1 << chosen.randrange(8),)))


def walk(store: Store, filled: Filled) -> bool:
    """Read everything as requests do, and store what is lost; return whether nothing was.

    Nothing that is read is wrong.
    """
    is_whole = True
    for project, page in PAGES.items():
        facts, found = store.pages.facts(PUBLIC, project), store.pages.load(PUBLIC, project)
        # A wrong time makes a page older, or is noticed.
        assert facts is None or facts[:2] == FACTS[project][:2]
        assert found in (None, page)
        if facts is None or found is None:
            is_whole = False
            store.pages.put(PUBLIC, page, FACTS[project])
    for sha256, content in filled.sha256s.items():
        blob = store.blobs.find(sha256)
        assert blob is not None
        assert b"".join(store.blobs.read(blob, 0, blob.size)) == content
    return is_whole


def assert_right(store: Store, filled: Filled) -> None:
    assert safety(store) == filled.safety
    read_until_whole(store, filled)
    assert safety(store) == filled.safety


def read_until_whole(store: Store, filled: Filled) -> None:
    """Read everything, which may find one damage after the other, until nothing is lost."""
    for _ in range(6):
        with suppress(sqlite3.DatabaseError):  # of a write, made again with the next request
            if walk(store, filled):
                return
    raise AssertionError("something is lost again and again")


def mended(store: Store) -> list[str]:
    """Mend the records, and say what was wrong."""
    found = []
    for problem in problems(store):
        problem.mend()
        found.append(problem.text)
    return found
