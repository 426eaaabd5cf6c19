"""How a page that is sent links to its files: at this server, or at their index."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from indexfallback.names import FileKey
from indexfallback.page import File, ProjectPage

#: The beginning of the address of a file in a directory on this machine.
_LOCAL = "file:"


@dataclass(frozen=True)
class Links:
    """Links to the files of this server; as a value, so that it can be part of a key."""

    #: What leads from the page to the root of this server; it ends with a slash.
    to_root: str

    def href(self, owner: str, page: ProjectPage) -> Callable[[File], str]:
        """Return what gives the address of a file on a page; ``owner`` is a group."""
        return partial(self._ours, owner, page)

    def promises(self, file: File) -> bool:  # noqa: ARG002 - the interface
        """Tell whether a wheel has metadata where the link leads, whatever its index offers."""
        return True

    def _ours(self, owner: str, page: ProjectPage, file: File) -> str:
        key = FileKey(page.name, file.sha256)
        return f"{self.to_root}files/{owner}/{key}/{quote(file.filename)}"


@dataclass(frozen=True)
class DirectLinks(Links):
    """Links to files at their index, as it has them; only local files are at this server."""

    #: The beginnings of addresses at which this server answers for the index.
    answered: tuple[str, ...] = ()

    @classmethod
    def answering(cls, to_root: str, origins: Iterable[str]) -> "DirectLinks":
        """Return links of pages whose hosts this server answers for, at these origins."""
        return cls(to_root, tuple(f"{origin}/" for origin in origins))

    def href(self, owner: str, page: ProjectPage) -> Callable[[File], str]:
        """Return what gives the address of a file on a page; ``owner`` is a group."""
        ours = super().href(owner, page)
        return lambda file: ours(file) if file.url.startswith(_LOCAL) else file.url

    def promises(self, file: File) -> bool:
        """Tell whether a wheel has metadata where the link leads, whatever its index offers."""
        return file.url.startswith((_LOCAL, *self.answered))
