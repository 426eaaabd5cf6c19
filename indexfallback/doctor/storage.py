"""The disk: room, a cache that works, and secrets that nobody else reads."""

import re
from collections.abc import Iterator

from indexfallback.doctor.finding import Finding, fail, ok, warn
from indexfallback.doctor.machine import Machine, TextFile

#: Below this no large wheel fits (the largest on PyPI are near 1 GB), bytes.
LITTLE = 1_000_000_000
#: Below this not even SQLite's log and a usual wheel do.
NONE_LEFT = 50_000_000
#: What anybody but the owner may do.
_OTHERS = 0o077
#: A user name and a password in an address.
_LOGIN = re.compile(r"://[^\s/@:]*:[^\s/@]+@")


def room(machine: Machine) -> Iterator[Finding]:
    """Find a disk that is full."""
    cache = machine.cache
    free = f"{cache.free / 1e9:,.1f} GB free at {cache.directory}"
    remedy = "indexfallback cache gc, or set cache.max_size or cache.dir"
    if cache.free < NONE_LEFT:
        yield fail("disk", f"{free}: nothing can be kept", remedy)
    elif cache.free < LITTLE:
        yield warn("disk", f"{free}: a large file may not fit", remedy)
    else:
        yield ok("disk", free)


def cache(machine: Machine) -> Iterator[Finding]:
    """Find a cache that cannot be used, or that holds what was found damaged."""
    state = machine.cache
    found = []
    if state.problem:
        found.append(fail("cache", f"{state.directory}: {state.problem}", state.remedy))
    elif state.is_temporary:
        what = f"{state.directory} cannot be written: nothing is kept"
        found.append(fail("cache", what, "Make it yours to write, or set INDEXFALLBACK_CACHE_DIR"))
    if state.is_newer:
        what = f"{state.directory} was written by a newer version: this one keeps its own in there"
        found.append(warn("cache", what, "Install the newer version of indexfallback here, too"))
    if state.damaged:
        what = f"its records were damaged, and put aside as {', '.join(state.damaged)}"
        found.append(warn("cache", what, "indexfallback cache verify, then remove what is aside"))
    if state.quarantined:
        what = f"{state.quarantined:,} damaged files were put aside"
        found.append(warn("cache", what, "indexfallback cache gc"))
    if not found:
        kept = f"{state.files:,} files" if state.exists else "nothing kept so far"
        found.append(ok("cache", f"{kept} in {state.directory}"))
    yield from found


def secrets(machine: Machine) -> Iterator[Finding]:
    """Find files with a password in them that others may read."""
    own = (machine.config,) if machine.config is not None else ()
    files = (*own, *machine.pip, *machine.pip_of_environments)
    bare = [file for file in files if _is_open(file) and _LOGIN.search(file.text)]
    for file in bare:
        what = f"{file.path} holds a password, and others can read it"
        yield fail("secrets", what, f"chmod 600 {file.path}")
    if not bare:
        yield ok("secrets", "no password is where others can read it")


def _is_open(file: TextFile) -> bool:
    return file.mode is not None and bool(file.mode & _OTHERS)


CHECKS = (room, cache, secrets)
