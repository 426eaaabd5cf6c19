"""Checks of the disk: free space, the cache, and files with passwords."""

import re
from collections.abc import Iterator

from indexfallback.doctor.finding import Cause, Finding, fail, ok, warn
from indexfallback.doctor.machine import Machine, TextFile
from indexfallback.words import counted

#: Bytes: a large wheel does not fit in less (the largest on PyPI have nearly 1 GB).
LITTLE = 1_000_000_000
#: Bytes: SQLite's log and a small wheel do not fit in less.
NONE_LEFT = 50_000_000
#: The permission bits of group and others.
_OTHERS = 0o077
#: A user name and a password in an address.
_LOGIN = re.compile(r"://[^\s/@:]*:[^\s/@]+@")


def room(machine: Machine) -> Iterator[Finding]:
    """Find a disk that is full."""
    cache = machine.cache
    free = f"{cache.free / 1e9:,.1f} GB free at {cache.directory}"
    remedy = "indexfallback cache gc, or set cache.max_size or cache.dir"
    if cache.free < NONE_LEFT:
        yield fail("disk", f"{free}: nothing can be cached", remedy, states=Cause.DISK)
    elif cache.free < LITTLE:
        yield warn("disk", f"{free}: a large file may not fit", remedy)
    else:
        yield ok("disk", free)


def cache(machine: Machine) -> Iterator[Finding]:
    """Find a cache that cannot be used, or has damaged files."""
    state = machine.cache
    found = []
    if state.problem:
        found.append(
            fail("cache", f"{state.directory}: {state.problem}", state.remedy, follows=Cause.DISK)
        )
    elif state.is_temporary:
        what = f"{state.directory} cannot be written: nothing is cached"
        found.append(
            fail(
                "cache",
                what,
                "Change its owner, or set INDEXFALLBACK_CACHE_DIR",
                follows=Cause.DISK,
            )
        )
    if state.is_newer:
        what = f"{state.directory} is from a newer version: this one has its own cache in it"
        found.append(warn("cache", what, "Upgrade indexfallback"))
    found += [fail("cache", text, "indexfallback cache verify") for text in state.problems]
    if state.damaged:
        what = f"its database was damaged, and renamed to {', '.join(state.damaged)}"
        remedy = "Check the disk's health, then remove the old database"
        if machine.shared is not None and machine.shared.is_for_writing:
            # What waited for the bucket in it may be lost.
            remedy = f"Run `indexfallback cache share`. {remedy}"
        found.append(warn("cache", what, remedy))
    if state.quarantined:
        what = f"{counted(state.quarantined, 'file')} in quarantine, damaged or refused"
        found.append(warn("cache", what, "indexfallback cache gc"))
    if not found:
        kept = f"{state.files:,} files" if state.exists else "nothing cached yet"
        found.append(ok("cache", f"{kept} in {state.directory}"))
    yield from found


def secrets(machine: Machine) -> Iterator[Finding]:
    """Find files with a password that other users can read."""
    own = (machine.config,) if machine.config is not None else ()
    files = (*own, *machine.pip, *machine.pip_of_environments)
    bare = [file for file in files if _is_open(file) and _LOGIN.search(file.text)]
    for file in bare:
        what = f"{file.path} contains a password, and other users can read it"
        yield fail("secrets", what, f"chmod 600 {file.path}")
    if not bare:
        yield ok("secrets", "other users can read no password")


def _is_open(file: TextFile) -> bool:
    return file.mode is not None and bool(file.mode & _OTHERS)


CHECKS = (room, cache, secrets)
