"""Checks an uploaded file: its content must agree with its name and with the form."""

import hashlib
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import NamedTuple

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from indexfallback.dists.bounds import ArchiveError
from indexfallback.dists.sdist import is_static, read_pkg_info
from indexfallback.dists.wheel import read_wheel_metadata, requires_python
from indexfallback.dists.zips import check_zip
from indexfallback.errors import UploadRefusedError
from indexfallback.hosted.form import Form
from indexfallback.names import is_project_name, is_safe_filename, normalize


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


def identity_of(filename: str) -> Identity | None:
    """Return the identity of a wheel or sdist, or None for any other name."""
    try:
        if filename.endswith(".whl"):
            name, version, build, tags = parse_wheel_filename(filename)
            kind = f"{build}{sorted(map(str, tags))}"
            return Identity(normalize(name), str(version), kind)
        name, version = parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return Identity(normalize(name), str(version), "sdist")


def check_filename(filename: str) -> Identity:
    """Return the identity of a file; raises `UploadRefusedError` if its name is not valid."""
    identity = identity_of(filename) if is_safe_filename(filename) else None
    if identity is None or not is_project_name(identity.project):
        raise UploadRefusedError(
            filename,
            "this is not the name of a wheel or of an sdist (.tar.gz, .zip)",
            "Use the name that the build tool gave it, without a directory",
        )
    return identity


def check_file(path: Path, filename: str, form: Form | None) -> Checked:
    """Check the file at ``path``, which is to be published as ``filename``.

    Raises:
        UploadRefusedError: it is not a valid archive, or its project or version differs from its
            name or the form.

    """
    identity = check_filename(filename)
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
        cause = f"it has no valid {where} of {identity.project}"
        raise UploadRefusedError(filename, cause, "Build it again")
    _check_metadata(metadata, filename, identity, form)
    is_offered = filename.endswith(".whl") or is_static(metadata)
    return Checked(
        identity,
        requires_python(metadata),
        hashlib.sha256(metadata).hexdigest() if is_offered else None,
    )


def _check_metadata(metadata: bytes, filename: str, identity: Identity, form: Form | None) -> None:
    headers = BytesHeaderParser().parsebytes(metadata)
    said = [
        ("file name", identity.project, identity.version),
        ("metadata inside", normalize(_one(headers, "Name", filename)),
         _version(_one(headers, "Version", filename), filename)),
    ]  # fmt: skip
    if form is not None:
        said.append(("form", normalize(form.name), _version(form.version, filename)))
    for where, name, version in said[1:]:
        if (name, version) != said[0][1:]:
            raise UploadRefusedError(
                filename,
                f"its {where} says {name} {version}, but its name says {identity.project} "
                f"{identity.version}",
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
