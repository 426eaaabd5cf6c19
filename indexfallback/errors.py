"""Every error that a user can meet: it carries data, knows its HTTP status and renders itself.

A message is one sentence of what, one of why, one of what to do. Only redacted addresses
(`redact`) may be put into an error.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit


def redact(url: str) -> str:
    """Return ``url`` without user name, password, query and fragment, fit for a message."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


class IndexFallbackError(Exception):
    """The base of all errors here; ``str(error)`` is the message for the user."""

    #: Status of the answer when the error ends a request.
    status = 500
    #: Title of the problem (RFC 9457).
    title = "Internal error"
    #: Exit code when the error ends a command: 1 failed, 2 usage.
    exit_code = 1


@dataclass(eq=False)
class ConfigError(IndexFallbackError):
    """A setting is wrong."""

    #: Where: ``/home/me/config.toml:14``, ``INDEXFALLBACK_PORT``, ``--index``.
    origin: str
    #: What: ``index "mirror": mirror_of = "pypy" names no index``.
    problem: str
    #: What to do: ``did you mean "pypi"?``
    remedy: str

    exit_code = 2

    def __str__(self) -> str:
        return f"{self.origin}: {self.problem}; {self.remedy}"


@dataclass(eq=False)
class PageError(IndexFallbackError):
    """What an index answered is not a page of the simple API."""

    #: Redacted address.
    url: str
    problem: str

    def __str__(self) -> str:
        return f"{self.url} is not a simple API page: {self.problem}"


@dataclass(eq=False)
class StoreError(IndexFallbackError):
    """The directory of what was seen cannot be used."""

    path: str
    problem: str
    remedy: str

    status = 503
    title = "Cache unavailable"

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; {self.remedy}"


class StoreClosedError(StoreError):
    """The directory is not used any more, by this process: it is ending."""


@dataclass(eq=False)
class TreeError(IndexFallbackError):
    """A static tree cannot be written, or what is to be in it cannot be had."""

    #: The tree, or the index or directory that it is made of.
    where: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.remedy}"


@dataclass(eq=False)
class WantedError(IndexFallbackError):
    """What a file, or the command line, says is wanted cannot be understood."""

    #: ``requirements.txt:3``.
    origin: str
    problem: str
    remedy: str

    exit_code = 2

    def __str__(self) -> str:
        return f"{self.origin}: {self.problem}; {self.remedy}"


@dataclass(eq=False)
class ResolveError(IndexFallbackError):
    """A resolver found no versions that fit together, or could not ask for them."""

    #: ``pip``, ``uv``, or the target that nobody resolves for.
    who: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.who}: {self.problem}; {self.remedy}"


@dataclass(eq=False)
class CarryError(IndexFallbackError):
    """What is carried from one cache to another cannot be written, or is not as it should be."""

    #: The archive or directory.
    where: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.remedy}"


@dataclass(eq=False)
class MirrorError(IndexFallbackError):
    """An index cannot be mirrored now."""

    index: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.index}: {self.problem}; {self.remedy}"


@dataclass(frozen=True)
class Tried:
    """What one index contributed to an answer: asked, skipped or not needed."""

    index: str
    #: ``found``, ``absent``, ``unavailable``, ``skipped``, ``not asked``.
    what: str
    #: In words: ``404 in 38 ms``, ``circuit open since 14:02: connect timeout after 3 s``.
    detail: str
    #: Seconds that asking took; None if it was not asked.
    seconds: float | None = None

    def __str__(self) -> str:
        return f"{self.index}: {self.what} ({self.detail})" if self.detail else self.index


@dataclass(eq=False)
class ProjectError(IndexFallbackError):
    """A project's page cannot be served."""

    project: str
    #: Index by index, in the order of the chain.
    tried: tuple[Tried, ...]
    #: One sentence of why.
    cause: str
    #: One sentence of what to do.
    remedy: str

    def __str__(self) -> str:
        asked = "; ".join(str(tried) for tried in self.tried if tried.what != "not asked")
        asked = f" [{asked}]" if asked else ""
        return f"{self.project}: {self.cause}{asked}. {self.remedy}"


class ProjectNotFoundError(ProjectError):
    """No index that could own the project has it, or it was never seen and this is offline."""

    status = 404
    title = "No such project"


class ProjectUnavailableError(ProjectError):
    """An index that might own the project could not be asked."""

    status = 503
    title = "Project unavailable"


@dataclass(eq=False)
class FileError(IndexFallbackError):
    """A file cannot be served."""

    filename: str
    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.filename}: {self.cause}. {self.remedy}"


class FileMissingError(FileError):
    """No index lists the file, or it was never fetched and this is offline."""

    status = 404
    title = "No such file"


class FileRefusedError(FileError):
    """The file's content is not what it was when it was first seen."""

    status = 409
    title = "File changed"


class FileUnavailableError(FileError):
    """The file could not be fetched from any index that lists it."""

    status = 503
    title = "File unavailable"


@dataclass(eq=False)
class UploadError(IndexFallbackError):
    """A file cannot be taken into a hosted index."""

    filename: str
    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.filename}: {self.cause}. {self.remedy}"


class UploadRefusedError(UploadError):
    """The file is not what it should be, or not to be had under this name."""

    status = 400
    title = "Upload refused"


class UploadExistsError(UploadError):
    """Another file has the name already; the title is what clients look for."""

    status = 400
    title = "File already exists"


class UploadFailedError(UploadError):
    """The directory could not be written."""

    status = 507
    title = "Upload failed"
