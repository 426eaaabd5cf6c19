"""Reads a buildout in a process of its own, because zc.buildout changes the process that it is in.

The process asks for the addresses that the buildout extends, which are fetched here.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import msgspec

from indexfallback.errors import LocatedError, WantedUnavailableError
from indexfallback.process.child import Child, ChildError, child

#: Fetches an address with the user's settings; raises `LocatedError`.
Fetch: TypeAlias = Callable[[str], bytes]
#: Option to its value, and to the file or address that it is from.
Section: TypeAlias = dict[str, tuple[str, str]]

#: For each answer of the process, seconds. It takes less than one, on a busy machine some.
_SECONDS = 60.0


class Read(msgspec.Struct):
    """A buildout with all that it extends, and with its substitutions made.

    Where a recipe or an extension would set an option, a reference to it is left as it is:
    ``${instance:location}``.
    """

    buildout: Section
    #: The sections that buildout would install, by name, in that order.
    parts: dict[str, Section]
    #: The name of the section with the pins; empty for none.
    versions_section: str
    versions: Section
    #: Parts that cannot be read, each with the reason.
    problems: list[tuple[str, str]] = []


def read(file: Path, markers: Mapping[str, str] | None, fetch: Fetch) -> Read:
    """Return the content of a buildout; raises `WantedUnavailableError`.

    ``markers`` is the environment (PEP 508) for conditional sections; None for this Python.
    """
    path = file.absolute()
    with (
        TemporaryDirectory(prefix="indexfallback-") as directory,
        child(module="indexfallback.wanted.buildout_child") as process,
    ):
        try:
            answer = _send(process, {"file": str(path), "markers": markers and dict(markers)})
            while "fetch" in answer:
                answer = _send(process, _fetched(answer["fetch"], fetch, Path(directory)))
        except ChildError:
            problem = f"zc.buildout ended, or did not read it within {_SECONDS:g} s"
            remedy = "look at the lines above, and run `buildout query buildout:directory` in it"
            raise WantedUnavailableError(str(path), problem, remedy) from None
    if "read" not in answer:
        raise WantedUnavailableError(answer["where"], answer["problem"], answer["remedy"])
    return msgspec.convert(answer["read"], Read)


def _send(process: Child, value: Mapping[str, Any]) -> dict[str, Any]:
    """Send a line of JSON, and return the answer; raises `ChildError`."""
    process.send(json.dumps(value).encode() + b"\n")
    answer: dict[str, Any] = json.loads(process.receive(_SECONDS))
    return answer


def _fetched(url: str, fetch: Fetch, directory: Path) -> dict[str, str]:
    """Return the path of a file with what is at an address, or why it cannot be fetched."""
    try:
        content = fetch(url)
    except LocatedError as error:
        return {"cause": error.problem, "remedy": error.remedy}
    path = directory / "extended.cfg"  # the process removes it before it asks for the next one
    path.write_bytes(content)
    return {"path": str(path)}
