"""Checks the fields of METADATA and PKG-INFO that installers and resolvers go by.

Source: PyPA's core metadata specification, PEP 440, PEP 508, PEP 639.
"""

import re
from collections.abc import Collection, Iterator
from email.message import Message

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from indexfallback.errors import UploadRefusedError

#: Installers read a later minor version as the one that they know, and refuse a later major one.
#: Version 2.0 was never standardised, but wheels have it.
_VERSION = re.compile(r"[12]\.\d+", re.ASCII)
#: The first version whose paths of licence files are those in the distribution (PEP 639).
_LICENCE_FILES = Version("2.4")
_CORRECT = "Correct it in the project's configuration, and build it again"


def check_fields(headers: Message, filename: str) -> list[str]:
    """Return the warnings about the fields of the metadata of ``filename``.

    Raises:
        UploadRefusedError: a field is not valid, and installers would refuse the file.

    """
    version = _text(headers.get("Metadata-Version", ""))
    if not _VERSION.fullmatch(version):
        raise UploadRefusedError(
            filename,
            f'its Metadata-Version "{version}" is not 1.x or 2.x',
            "Build it again with a current build tool",
        )
    python = headers.get("Requires-Python")
    if python is not None:
        try:
            SpecifierSet(_text(python))
        except InvalidSpecifier as error:
            raise UploadRefusedError(
                filename,
                f'its Requires-Python "{_text(python)}" is not a specifier of versions (PEP 440)',
                _CORRECT,
            ) from error
    requirements = [_requirement(_text(each), filename) for each in headers.get_all(_REQUIRES, [])]
    return [
        f"it requires {requirement}: uv refuses an address in a requirement of a package, and pip "
        "fetches it without this index"
        for requirement in requirements
        if requirement.url is not None
    ]


_REQUIRES = "Requires-Dist"


def missing_licences(headers: Message, names: Collection[str], folder: str) -> Iterator[str]:
    """Yield a warning for each licence file in the metadata that is not in the archive.

    ``names`` are the members, and ``folder`` is the directory that the files are in (PEP 639).
    """
    if Version(_text(headers.get("Metadata-Version", ""))) < _LICENCE_FILES:
        return
    for stated in headers.get_all("License-File", []):
        path = f"{folder}/{_text(stated)}"
        if path not in names:
            yield f"it lacks {path}, which its License-File names (PEP 639): add it, then rebuild"


def _requirement(text: str, filename: str) -> Requirement:
    try:
        return Requirement(text)
    # Nested without end; a NUL or a backslash, with packaging 25.
    except (InvalidRequirement, RecursionError, SyntaxError, ValueError) as error:
        raise UploadRefusedError(
            filename, f'its {_REQUIRES} "{text}" is not a requirement (PEP 508)', _CORRECT
        ) from error


def _text(value: object) -> str:
    """Return a field as one line: it may be folded, and one that is not ASCII has another type."""
    return " ".join(str(value).split())
