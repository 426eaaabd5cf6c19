"""The errors that users see: each holds its data, its HTTP status and its exit code.

A message says what failed, why, and what to do. Addresses in an error are redacted (`redact`).
"""

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit


def redact(url: str) -> str:
    """Return ``url`` without user name, password, query and fragment, to show in a message."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


class IndexFallbackError(Exception):
    """The base class of all errors; ``str(error)`` is the message for the user."""

    #: HTTP status of the response when the error ends a request.
    status = 500
    #: Title of the problem details (RFC 9457).
    title = "Internal error"
    #: Exit code when the error ends a command: 1 failed, 2 usage.
    exit_code = 1


@dataclass(eq=False)
class LocatedError(IndexFallbackError):
    """An error with a location: ``where: problem; remedy``."""

    #: A file and line, a directory, an option, an environment variable, a tool or an index.
    where: str
    #: What is wrong: ``index "mirror": mirror_of = "pypy" names no index``.
    problem: str
    #: What to do: ``did you mean "pypi"?``
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.remedy}"


class ConfigError(LocatedError):
    """A setting is wrong; ``where`` is ``/home/me/config.toml:14``, a variable or an option."""

    exit_code = 2


@dataclass(eq=False)
class PageError(IndexFallbackError):
    """The answer of an index is not a page of the simple API."""

    #: Redacted address.
    url: str
    problem: str

    def __str__(self) -> str:
        return f"{self.url} is not a simple API page: {self.problem}"


class StoreError(LocatedError):
    """The cache directory, ``where``, cannot be used."""

    status = 503
    title = "Cache unavailable"


class StoreClosedError(StoreError):
    """The process is ending and has closed its cache directory."""


class BucketUnavailableError(LocatedError):
    """The bucket that several shims share, ``where``, is needed and cannot be used now."""

    status = 503
    title = "Shared bucket unavailable"


class TreeError(LocatedError):
    """A static tree cannot be written, or a file for it is not available.

    ``where`` is the tree, or the index or directory that it is made from.
    """


class WantedError(LocatedError):
    """A requirement cannot be understood; ``where`` is ``requirements.txt:3`` or the like."""

    exit_code = 2


class WantedUnavailableError(WantedError):
    """A file that states requirements, ``where``, cannot be read, or one that it names."""

    exit_code = 1


class ResolveError(LocatedError):
    """The resolver, ``where`` (pip or uv), found no versions that fit together, or failed."""


class CarryError(LocatedError):
    """An archive or directory, ``where``, cannot be exported, or is not valid for import."""


class MirrorError(LocatedError):
    """The index ``where`` cannot be mirrored now."""


class TunnelError(LocatedError):
    """The tunnel of a ``run``, or a part of it, ``where``, cannot be made."""


@dataclass(frozen=True)
class Tried:
    """The part of one index in an answer: it was asked, skipped or not needed."""

    index: str
    #: ``found``, ``absent``, ``unavailable``, ``skipped``, ``not asked``.
    what: str
    #: Details for the user: ``404 in 38 ms``, ``connect timeout after 3 s``.
    detail: str
    #: Duration of the request in seconds; None if the index was not asked.
    seconds: float | None = None

    def __str__(self) -> str:
        return f"{self.index}: {self.what} ({self.detail})" if self.detail else self.index


@dataclass(eq=False)
class ProjectError(IndexFallbackError):
    """The page of a project cannot be served."""

    project: str
    #: One for each index, in the order of the chain.
    tried: tuple[Tried, ...]
    #: One sentence of why.
    cause: str
    #: One sentence of what to do.
    remedy: str
    #: The private index that the project belongs to, and that does not have it.
    owner: str = ""
    #: The index that decided it, if one alone did: for 503, a private one that could not be asked.
    decided_by: str = ""
    #: The indexes that have answered 401 themselves.
    wants_login: tuple[str, ...] = ()

    def __str__(self) -> str:
        asked = "; ".join(str(tried) for tried in self.tried if tried.what != "not asked")
        asked = f" [{asked}]" if asked else ""
        return f"{self.project}: {self.cause}{asked}. {self.remedy}"


class ProjectNotFoundError(ProjectError):
    """No index that may own the project has it, or it is not cached and the shim is offline."""

    status = 404
    title = "No such project"


class ProjectUnavailableError(ProjectError):
    """An index that may own the project could not be asked."""

    status = 503
    title = "Project unavailable"


@dataclass(eq=False)
class FileError(IndexFallbackError):
    """A file cannot be served."""

    filename: str
    #: One clause of why, without a full stop.
    cause: str
    #: One sentence of what to do.
    remedy: str
    #: The private index that the file's project belongs to, and that is not asked for it here.
    owner: str = ""
    #: As in `ProjectError`.
    wants_login: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.filename}: {self.cause}. {self.remedy}"


class FileMissingError(FileError):
    """No index lists the file, or it is not cached and the shim is offline."""

    status = 404
    title = "No such file"


class FileWithheldError(FileMissingError):
    """The cooldown of the index withholds the file, which was not served before."""

    title = "File withheld"


class FileRefusedError(FileError):
    """The content of the file has changed since it was first seen."""

    status = 409
    title = "File changed"


class FileWrongError(FileError):
    """Every index that has the file sends other bytes than its hash names."""

    status = 409
    title = "Wrong bytes"


class FileUnavailableError(FileError):
    """No index that lists the file could send it."""

    status = 503
    title = "File unavailable"


class UploadError(FileError):
    """A file cannot be added to a hosted index."""


class UploadRefusedError(UploadError):
    """The file is not valid, or its name is not allowed in this index."""

    status = 400
    title = "Upload refused"


class PromotionError(UploadError):
    """A release cannot be promoted; ``filename`` is its project and version, or its file."""

    status = 409
    title = "Promotion refused"


class UploadForbiddenError(UploadError):
    """The token is not for the project of the file."""

    status = 403
    title = "Token not good for this"


class UploadExistsError(UploadError):
    """Another file has this name in the index."""

    # As PyPI answers, and not 409: flit shows the reason of a 400 alone, and uv before 0.4.30 takes
    # a 409 for success. twine, poetry and pdm skip the file on request, for these words in a 400.
    status = 400
    title = "File already exists"


class UploadUnavailableError(UploadError):
    """The bucket does not answer, or it remains unknown which files it has."""

    status = 503
    title = "Change failed"


class UploadFailedError(UploadError):
    """The directory, the bucket or the database of records could not be written."""

    status = 507
    title = "Change failed"
