"""The files of a page as a reader collects them, and how many it leaves out for which reason."""

from indexfallback.formats import fields
from indexfallback.names import METADATA_ENDING
from indexfallback.page import File

#: The reasons. With that of a malformed digest, one for each algorithm, they are the bound of
#: `ProjectPage.dropped`.
NO_DISTRIBUTION = "no distribution's name"
UNSAFE_NAME = "a name with characters that no distribution's has"
INCOMPLETE = "no name or no address"
SECOND = "a second file of the same name"
PRIVATE_ADDRESS = "a link to a private address"
NO_ADDRESS = "an address that cannot be used"
#: Any web page may have links that are left out for these.
_OF_ANY_PAGE = frozenset({NO_DISTRIBUTION, NO_ADDRESS})

#: Endings of web pages and what they are made of, and of what lies beside a distribution.
_NO_FILES = (
    ".html", ".htm", ".php", ".txt", ".json", ".xml", ".css", ".js", ".ico", ".png", ".svg",
    METADATA_ENDING, ".provenance", ".asc", ".sig", ".md5", ".sha1", ".sha256", ".sha512",
)  # fmt: skip


class Collected:
    """The files of one page, each name and sha256 once, and what was dropped."""

    def __init__(self) -> None:
        #: By name and sha256. A name that has a file with a sha256 has none without.
        self._files: dict[tuple[str, str | None], File] = {}
        self._hashed: set[str] = set()
        #: The reason to the number.
        self.dropped: dict[str, int] = {}

    @property
    def files(self) -> tuple[File, ...]:
        """The files in their order."""
        return tuple(self._files.values())

    @property
    def has_any(self) -> bool:
        """Whether the page links to distributions, kept or not."""
        return bool(self._files) or not self.dropped.keys() <= _OF_ANY_PAGE

    def add(self, file: File) -> None:
        """Keep a file unless one of its name and sha256 is there; the first of those stays.

        A file's address here has its name and sha256. A file without a sha256 therefore stays only
        if no other one of its name has one.
        """
        name, sha256 = file.filename, file.sha256
        if sha256 is None and name in self._hashed:
            self.drop(SECOND, name)
            return
        if sha256 is not None and name not in self._hashed:
            self._hashed.add(name)
            if self._files.pop((name, None), None) is not None:
                self.drop(SECOND, name)
        first = self._files.setdefault((name, sha256), file)
        if first is not file and (first.url != file.url or first.hashes != file.hashes):
            self.drop(SECOND, name)

    def drop(self, reason: str, name: str) -> None:
        """Count what is left out; ``name`` is for the log."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
        fields.say_left_out(name, reason)

    def drop_link(self, last: str, url: str | None) -> None:
        """Count a link that names no distribution, unless it is plainly to no file.

        ``last`` is the last segment of the address, ``url`` is None if that cannot be used.
        """
        if url is not None and "." in last.strip(".") and not last.lower().endswith(_NO_FILES):
            self.drop(NO_DISTRIBUTION, last)
