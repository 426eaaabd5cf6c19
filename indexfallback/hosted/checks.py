"""What is found out of a file before it is hosted: that it is what its name and the form say."""

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
    """What a file name means, however it is spelt: two files of one identity are one too many."""

    #: Normalised.
    project: str
    #: As packaging spells it.
    version: str
    #: ``sdist``, or a wheel's build and tags.
    kind: str


class Checked(NamedTuple):
    """What reading a file told."""

    identity: Identity
    requires_python: str | None
    #: Of the metadata that is offered beside it, if any is.
    metadata_sha256: str | None


def identity_of(filename: str) -> Identity | None:
    """Return what a wheel's or sdist's name means, or None if it is not one that is taken."""
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
    """Return what a file's name means; raises `UploadRefusedError` if it means nothing."""
    identity = identity_of(filename) if is_safe_filename(filename) else None
    if identity is None or not is_project_name(identity.project):
        raise UploadRefusedError(
            filename,
            "this is not the name of a wheel or of an sdist (.tar.gz, .zip)",
            "Name it as a build tool does, without any directory",
        )
    return identity


def check_file(path: Path, filename: str, form: Form | None) -> Checked:
    """Return what is in the file at ``path``, which is to be ``filename``.

    Raises:
        UploadRefusedError: it is no archive to be trusted, or of another project or version
            than its name or the form says.

    """
    identity = check_filename(filename)
    try:
        if filename.endswith(".whl"):
            check_zip(path)
            metadata = read_wheel_metadata(path, filename)
        else:
            metadata = read_pkg_info(path, filename)
    except ArchiveError as error:
        raise UploadRefusedError(filename, str(error), "Build it anew") from error
    if metadata is None:
        where = "METADATA" if filename.endswith(".whl") else "PKG-INFO"
        cause = f"it has no {where} of {identity.project} to be trusted"
        raise UploadRefusedError(filename, cause, "Build it anew")
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
                f"its {where} says {name} {version}, its name {identity.project} "
                f"{identity.version}",
                "Build it anew, and do not rename it",
            )


def _one(headers: Message, key: str, filename: str) -> str:
    values = headers.get_all(key, [])
    if len(values) != 1 or not isinstance(values[0], str):
        raise UploadRefusedError(
            filename, f"its metadata has not one {key} but {len(values)}", "Build it anew"
        )
    return values[0].strip()


def _version(text: str, filename: str) -> str:
    try:
        return str(Version(text))
    except InvalidVersion as error:
        raise UploadRefusedError(
            filename, f'"{text}" is no version (PEP 440)', "Change it, and build anew"
        ) from error
