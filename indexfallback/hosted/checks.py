"""Checks an uploaded file: it can be installed, and agrees with its name and with the form."""

import hashlib
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import NamedTuple

from packaging.utils import parse_wheel_filename
from packaging.version import InvalidVersion, Version

from indexfallback.dists.bounds import ArchiveError
from indexfallback.dists.sdist import is_static, read_sdist
from indexfallback.dists.tars import is_pkg_info
from indexfallback.dists.wheel import requires_python
from indexfallback.errors import UploadRefusedError
from indexfallback.hosted.form import ENDINGS, FORMATS, Form
from indexfallback.hosted.metadata_checks import check_fields, missing_licences
from indexfallback.hosted.wheel_checks import read_wheel
from indexfallback.names import (
    is_ambiguous,
    is_distribution,
    is_normalized,
    is_safe_filename,
    normalize,
    project_of,
    version_in,
    version_of,
)


class Identity(NamedTuple):
    """The normalised meaning of a file name; no two files of an index may share one."""

    #: Normalised.
    project: str
    #: Normalised (PEP 440).
    version: str
    #: ``sdist``, or a wheel's build and tags.
    kind: str


class Checked(NamedTuple):
    """The result of the checks."""

    identity: Identity
    requires_python: str | None
    #: Hash of the metadata file that is offered with it (PEP 658); None without one.
    metadata_sha256: str | None
    #: What its publisher should mend, though it can be installed.
    warnings: tuple[str, ...] = ()


class _Content(NamedTuple):
    """What was read from an archive."""

    metadata: bytes
    #: The paths of its members.
    names: frozenset[str]
    #: The directory of the licence files that the metadata names.
    licences: str
    warnings: tuple[str, ...] = ()


def identity_of(filename: str, project: str) -> Identity | None:
    """Return the identity of a wheel or sdist of a normalised project, or None for other files."""
    version = version_in(filename, project) if filename.endswith(ENDINGS) else None
    if version is None or not is_normalized(project):
        return None
    if not filename.endswith(".whl"):
        return Identity(project, version, "sdist")
    *_, build, tags = parse_wheel_filename(filename)
    return Identity(project, version, f"{build}{sorted(map(str, tags))}")


def check_filename(filename: str) -> str | None:
    """Return the normalised project in a file name, or None where only the metadata tells it.

    Raises `UploadRefusedError` for another format, and for a name without project and version.
    """
    if not filename.endswith(ENDINGS) and is_distribution(filename):
        raise UploadRefusedError(
            filename,
            f"only {FORMATS} are taken",
            "Build one of these, or copy the file into the directory of the index: it lists "
            "sdists in other archives, and eggs",
        )
    if filename.endswith(ENDINGS) and is_safe_filename(filename):
        if is_ambiguous(filename):
            return None
        project = project_of(filename)
        if project is not None:
            return project
    raise UploadRefusedError(
        filename,
        "this is not the name of a wheel (.whl) or of an sdist (.tar.gz, .zip)",
        "Use the name that the build tool gave it, without a directory",
    )


def check_file(path: Path, filename: str, form: Form | None) -> Checked:
    """Check the file at ``path``, which is to be published as ``filename``.

    Raises:
        UploadRefusedError: it cannot be installed, or its project or version differs from its name
            or the form.

    """
    project = check_filename(filename)
    try:
        content = _read(path, filename)
    except ArchiveError as error:
        raise UploadRefusedError(filename, str(error), error.remedy) from error
    if content is None:
        cause = "it has no valid PKG-INFO" + (f" of {project}" if project is not None else "")
        raise UploadRefusedError(filename, cause, "Build it again")
    metadata = content.metadata
    headers = BytesHeaderParser().parsebytes(metadata)
    identity = _identity(headers, filename, form)
    warnings = check_fields(headers, filename)
    is_offered = filename.endswith(".whl") or is_static(metadata)
    return Checked(
        identity,
        requires_python(metadata),
        hashlib.sha256(metadata).hexdigest() if is_offered else None,
        (*content.warnings, *warnings, *missing_licences(headers, content.names, content.licences)),
    )


def _read(path: Path, filename: str) -> _Content | None:
    """Return the content of an archive, or None without metadata; raises `ArchiveError`."""
    if filename.endswith(".whl"):
        wheel = read_wheel(path, filename)
        return _Content(wheel.metadata, wheel.names, f"{wheel.folder}/licenses", wheel.warnings)
    names, metadata = read_sdist(path, filename)
    if metadata is None:
        return None
    top = next(name for name in names if is_pkg_info(name)).partition("/")[0]
    return _Content(metadata, frozenset(names), top)


def _identity(headers: Message, filename: str, form: Form | None) -> Identity:
    """Return the identity of a file, on which its metadata, its name and the form agree."""
    name = normalize(_one(headers, "Name", filename))
    inside = name, _version(_one(headers, "Version", filename), filename)
    identity = identity_of(filename, name)
    named = identity[:2] if identity is not None else (project_of(filename), version_of(filename))
    said = [("metadata inside", inside)]
    if form is not None:
        said.append(("form", (normalize(form.name), _version(form.version, filename))))
    differing = [(where, *each) for where, each in said if each != named]
    if identity is not None and not differing:
        return identity
    where, project, version = differing[0]
    raise UploadRefusedError(
        filename,
        f"its {where} says {project} {version}, but its name says "
        f"{named[0] or 'no project'} {named[1] or 'and no version'}",
        "Build it again, and do not rename it",
    )


def _one(headers: Message, key: str, filename: str) -> str:
    values = headers.get_all(key, [])
    if len(values) != 1 or not isinstance(values[0], str):
        raise UploadRefusedError(
            filename, f"its metadata has {len(values)} {key} fields, not one", "Build it again"
        )
    return values[0].strip()


def _version(text: str, filename: str) -> str:
    try:
        return str(Version(text))
    except InvalidVersion as error:
        raise UploadRefusedError(
            filename, f'"{text}" is not a version (PEP 440)', "Change it, and build it again"
        ) from error
