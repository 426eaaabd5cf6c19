"""Faults of this machine: out of file handles, memory or threads; and their remedies. Pure.

No index is to blame for them, and no disk.
"""

import errno
from collections.abc import Iterator

_HANDLES = "raise the limit of open files (ulimit -n) and restart, or run fewer clients at once"
_MEMORY = "free memory and run again"
_REMEDIES = {
    errno.EMFILE: _HANDLES,
    errno.ENFILE: "close other programs: the whole system has no file handles left",
    errno.ENOBUFS: _MEMORY,
    errno.ENOMEM: _MEMORY,
    errno.EADDRNOTAVAIL: "wait a minute: no local port is free, so fewer clients at once help",
}
#: CPython's words; the error has no number.
_NO_THREAD = "can't start new thread"
_THREADS = "raise the limit of processes (ulimit -u), or free memory, and run again"


def fault_of(error: BaseException) -> str | None:
    """Return what this machine has run out of, and the remedy; None for any other error."""
    for cause in causes(error):
        if isinstance(cause, OSError) and cause.errno in _REMEDIES:
            return f"this machine: {cause.strerror}: {_REMEDIES[cause.errno]}"
        if isinstance(cause, MemoryError):
            return f"this machine: out of memory: {_MEMORY}"
        if isinstance(cause, RuntimeError) and str(cause).startswith(_NO_THREAD):
            return f"this machine: no thread can be started: {_THREADS}"
    return None


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes, also those that libraries put into args and reason."""
    seen: set[int] = set()
    todo: list[BaseException] = [error]
    while todo:
        cause = todo.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        todo.extend(item for item in inner if isinstance(item, BaseException))
