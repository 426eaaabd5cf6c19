"""The table ``[mirror]``: its values, and the functions that read its keys."""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from indexfallback.config.units import InvalidValueError
from indexfallback.names import normalize

OnRemoved = Literal["delete", "keep", "keep-hidden"]
ON_REMOVED: tuple[str, ...] = get_args(OnRemoved)

_WANTED = re.compile(
    r"\s*([A-Za-z0-9._*?-]+)\s*(?:\[([A-Za-z0-9._,\s-]*)\])?\s*(.*?)\s*", re.ASCII | re.DOTALL
)
_PYTHON = re.compile(r"3\.[0-9]{1,2}t?", re.ASCII)
_PLATFORM = re.compile(r"[A-Za-z0-9_*?.-]+", re.ASCII)
_MOST = 10_000


class Wanted(NamedTuple):
    """A pattern of project names, a specifier of their versions, and their extras."""

    #: Normalised, except ``*`` and ``?``.
    pattern: str
    #: PEP 440; empty for all versions.
    specifier: str = ""
    #: Normalised and sorted; what they require is a dependency, too.
    extras: tuple[str, ...] = ()

    def __str__(self) -> str:
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.pattern}{extras}{self.specifier}"


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """The index to mirror, and the selection of its files."""

    #: Name of the index in the chain.
    index: str
    projects: tuple[Wanted, ...] = ()
    exclude: tuple[Wanted, ...] = ()
    #: ``wheel``, ``sdist``, or patterns of file names; empty for all files.
    files: tuple[str, ...] = ()
    #: Patterns of platform tags, or platforms that wheels must run on.
    platforms: tuple[str, ...] = ()
    #: Versions of Python, ``3.12``, that files must support.
    pythons: tuple[str, ...] = ()
    #: Number of the newest versions of each project.
    latest: int | None = None
    #: ISO date of the oldest uploads.
    since: str | None = None
    prereleases: bool = True
    #: Bytes.
    max_file_size: int | None = None
    on_removed: OnRemoved = "delete"
    #: Requirement files, whose projects are mirrored as well.
    requirements: tuple[Path, ...] = ()
    #: Whether the dependencies of mirrored distributions are mirrored as well.
    dependencies: bool = False
    #: Concurrent transfers, and requests per second (None for no limit).
    connections: int = 8
    rate: int | None = None


def wanted(value: object, _base: Path) -> tuple[Wanted, ...]:
    """Read a list of patterns with extras and version specifiers."""
    read = []
    for item in _texts(value, 'write a list like ["acme-*", "django>=4,<6"]'):
        match = _WANTED.fullmatch(item)
        if match is None:
            raise InvalidValueError(
                f'has the item "{item}", which is not a pattern',
                'write names, "*" and "?", and versions, like "django>=4,<6"',
            )
        specifier = _specifier(match[3], item) if match[3] else ""
        extras = {normalize(extra.strip()) for extra in (match[2] or "").split(",")} - {""}
        read.append(Wanted(normalize(match[1]), specifier, tuple(sorted(extras))))
    return tuple(dict.fromkeys(read))


def _specifier(text: str, item: str) -> str:
    """Return a version specifier as packaging spells it."""
    from packaging.specifiers import (  # noqa: PLC0415 - 10 ms, for those who name versions
        InvalidSpecifier,
        SpecifierSet,
    )

    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier as error:
        raise InvalidValueError(
            f'has the item "{item}", which has an invalid version specifier',
            'write versions like "django>=4,<6"',
        ) from error


def excluded(value: object, base: Path) -> tuple[Wanted, ...]:
    """Read a list of patterns with version specifiers."""
    read = wanted(value, base)
    for item in read:
        if item.extras:
            problem = f'has the item "{item}", but an extra cannot be excluded'
            raise InvalidValueError(problem, f'write "{item._replace(extras=())}"')
    return read


def file_patterns(value: object, _base: Path) -> tuple[str, ...]:
    """Read a list of kinds and patterns of files."""
    return tuple(dict.fromkeys(_texts(value, 'write a list like ["wheel", "*.tar.gz"]')))


def platforms(value: object, _base: Path) -> tuple[str, ...]:
    """Read a list of platforms as wheels name them."""
    return _matching(value, _PLATFORM, "platform", ["manylinux_2_28_x86_64", "win_amd64"])


def pythons(value: object, _base: Path) -> tuple[str, ...]:
    """Read a list of Python versions."""
    return _matching(value, _PYTHON, "version of Python", ["3.9", "3.12"])


def count(value: object, _base: Path) -> int:
    """Read a number above zero."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise InvalidValueError(
            "is not a number above zero", "write a number like 3, without quotes"
        )
    return value


def day(value: object, _base: Path) -> str:
    """Read a date, as a TOML date or in quotes."""
    try:
        return date.fromisoformat(str(value)[: len("2026-01-01")]).isoformat()
    except ValueError as error:
        raise InvalidValueError("is not a date", "write a date like 2026-01-31") from error


def paths(value: object, base: Path) -> tuple[Path, ...]:
    """Read a list of paths."""
    read = _texts(value, 'write a list like ["requirements.txt"]')
    return tuple(base / Path(item).expanduser() for item in read)


def _matching(
    value: object, pattern: "re.Pattern[str]", what: str, like: list[str]
) -> tuple[str, ...]:
    example = ", ".join(f'"{item}"' for item in like)
    read = _texts(value, f"write a list like [{example}]")
    for item in read:
        if not pattern.fullmatch(item):
            raise InvalidValueError(
                f'has the item "{item}", which is not a {what}', f"write {example}"
            )
    return tuple(dict.fromkeys(read))


def _texts(value: object, remedy: str) -> list[str]:
    if not isinstance(value, list):
        raise InvalidValueError("is not a list", remedy)
    if not all(isinstance(item, str) and item.strip() for item in value):
        raise InvalidValueError("has an item that is not text", remedy)
    return value
