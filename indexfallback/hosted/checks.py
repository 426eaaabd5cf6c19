"""Checks an uploaded file: its content must agree with its name and with the form."""

import hashlib
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import NamedTuple

from packaging.utils import parse_wheel_filename
from packaging.version import InvalidVersion, Version

from indexfallback.dists.bounds import ArchiveError
from indexfallback.dists.sdist import is_static, read_pkg_info
from indexfallback.dists.wheel import read_wheel_metadata, requires_python
from indexfallback.dists.zips import check_zip
from indexfallback.errors import UploadRefusedError
from indexfallback.hosted.form import ENDINGS, FORMATS, Form
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
        UploadRefusedError: it is not a valid archive, or its project or version differs from its
            name or the form.

    """
    project = check_filename(filename)
    try:
        if filename.endswith(".whl"):
            check_zip(path)
            metadata = read_wheel_metadata(path, filename)
        else:
            metadata = read_pkg_info(path, filename)
    except ArchiveError as error:
        raise UploadRefusedError(filename, str(error), "Build it again") from error
    if metadata is None:
        where = "METADATA" if filename.endswith(".whl") else "PKG-INFO"
        cause = f"it has no valid {where}" + (f" of {project}" if project is not None else "")
        raise UploadRefusedError(filename, cause, "Build it again")
    identity = _identity(metadata, filename, form)
    is_offered = filename.endswith(".whl") or is_static(metadata)
    return Checked(
        identity,
        requires_python(metadata),
        hashlib.sha256(metadata).hexdigest() if is_offered else None,
    )


def _identity(metadata: bytes, filename: str, form: Form | None) -> Identity:
    """Return the identity of a file, on which its metadata, its name and the form agree."""
    headers = BytesHeaderParser().parsebytes(metadata)
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
