"""Reads requirement files with pip's parser: nested files, constraints, hashes, options."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from indexfallback.errors import WantedError
from indexfallback.names import normalize
from indexfallback.wanted import Demand, DirectReference, Origin, Pin, Wanted
from indexfallback.wanted.pyproject import pyproject_file

#: Options that name other indexes: attribute of pip's parser to the option.
_INDEXES = {
    "index_url": "--index-url",
    "extra_index_urls": "--extra-index-url",
    "no_index": "--no-index",
    "find_links": "--find-links",
}
#: The most characters of an invalid line that a message shows: it may be all of a JSON document.
_LONGEST = 100


def requirements(path: Path, *, constraint: bool = False) -> Wanted:
    """Return the content of a requirement or constraint file; raises `WantedError`."""
    # No other parser reads all that pip reads. Imported here because it takes 0.2 s.
    from pip._internal.exceptions import PipError  # noqa: PLC0415
    from pip._internal.network.session import PipSession  # noqa: PLC0415
    from pip._internal.req.req_file import (  # noqa: PLC0415
        RequirementsFileParser,
        get_line_parser,
    )

    wanted = Wanted()
    try:
        parser = RequirementsFileParser(PipSession(), get_line_parser(None))
        for line in parser.parse(str(path), constraint=constraint):
            wanted += _wanted(line)
    except (PipError, UnicodeError) as error:
        problem = " ".join(str(error).split())
        raise WantedError(
            str(path), problem, "correct that, so that `pip install -r` can read it"
        ) from None
    return wanted


def specifier(text: str, origin: Origin) -> Wanted:
    """Return one requirement; raises `WantedError`."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        shown = text if text.isprintable() and len(text) <= _LONGEST else ascii(text[:_LONGEST])
        problem = f'"{shown}" is not a requirement ({str(error).splitlines()[0]})'
        raise WantedError(str(origin), problem, 'write it like "acme>=1.4"') from None
    if requirement.url is not None:
        return Wanted(direct_references=(DirectReference(text, origin),))
    return Wanted(demands=(Demand(text, origin),))


def _wanted(line: Any) -> Wanted:
    origin = Origin(line.filename, line.lineno)
    text = getattr(line, "requirement", None)  # pip 23 does not set it for a line of options
    if text is None:
        return _options(line.opts, origin)
    if line.is_editable or _is_direct(text):
        return _directory(text) or Wanted(direct_references=(DirectReference(text, origin),))
    wanted = specifier(text, origin)
    if line.constraint:
        return Wanted(constraints=wanted.demands)
    if wanted.demands and line.opts.hashes:
        return Wanted(pins=(_pin(text, line.opts.hashes, origin),))
    return wanted


def _is_direct(text: str) -> bool:
    """Tell whether a line is an address or a path."""
    start = text.partition(";")[0].partition(" @ ")[0]
    return "/" in start or start.startswith(".") or start.rstrip().endswith((".whl", ".tar.gz"))


def _directory(text: str) -> Wanted | None:
    """Return what a project in a local directory requires; None if it is not one."""
    start, bracket, extras = text.partition("[")
    path = Path(start.removeprefix("file:")) / "pyproject.toml"
    if "://" in text or not path.is_file():
        return None
    names = [name.strip() for name in extras.rstrip("] ").split(",")] if bracket else []
    return pyproject_file(path, names)


def _pin(text: str, hashes: dict[str, list[str]], origin: Origin) -> Pin:
    """Return a requirement with hashes, for which pip requires exactly one version."""
    requirement = Requirement(text)
    exact = [each for each in requirement.specifier if each.operator in ("==", "===")]
    if len(exact) != 1 or exact[0].version.endswith(".*"):
        problem = f"{requirement.name} has a hash but no version"
        raise WantedError(str(origin), problem, f"pin it: {requirement.name}==VERSION")
    stated = [f"{kind}:{digest.lower()}" for kind, digests in hashes.items() for digest in digests]
    return Pin(
        normalize(requirement.name),
        exact[0].version,
        origin,
        frozenset(stated),
        str(requirement.marker or ""),
    )


def _options(options: Any, origin: Origin) -> Wanted:
    control = options.format_control
    given = [name for key, name in _INDEXES.items() if getattr(options, key, None)]
    return Wanted(
        no_binary=frozenset(_projects(control.no_binary)) if control else frozenset(),
        only_binary=frozenset(_projects(control.only_binary)) if control else frozenset(),
        pre=bool(getattr(options, "pre", False)),
        remarks=tuple(f"{origin}: {name} has no effect: the chain is asked" for name in given),
    )


def _projects(names: set[str]) -> Iterator[str]:
    return (name if name.startswith(":") else normalize(name) for name in names)
