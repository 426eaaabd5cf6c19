"""The result of a run: counts for the summary, and the names of what failed."""

from dataclasses import dataclass, field
from typing import NamedTuple

#: The part of the projects, or of the files, that may be removed without the user's consent.
MOST_REMOVED = 0.2
#: From so many projects or files on, a part of them is counted: of fewer, one is a large part.
COUNTED_FROM = 10


class Removal(NamedTuple):
    """What a run wants to remove, and how much is mirrored in all."""

    projects: tuple[str, ...]
    #: Files whose bytes are not mirrored under another name of their project.
    files: tuple[str, ...]
    all_projects: int
    all_files: int
    #: Projects that would lose all of their files, removed or not.
    emptied: tuple[str, ...] = ()

    @property
    def is_large(self) -> bool:
        """Whether it is a large part of the projects, or of the files."""
        return _is_large(len(self.projects), self.all_projects) or _is_large(
            len(self.files), self.all_files
        )

    @property
    def needs_consent(self) -> bool:
        """Whether the user has to agree."""
        return self.is_large or bool(self.emptied)


def _is_large(removed: int, of: int) -> bool:
    return of >= COUNTED_FROM and removed > MOST_REMOVED * of


@dataclass
class Result:
    """What a run did, or would do in a dry run. Sizes are bytes."""

    #: Projects that are selected; those whose page was requested; those whose page has changed.
    projects: int = 0
    asked: int = 0
    changed: int = 0
    #: Files that were fetched, and files of changed pages that were stored already.
    files: int = 0
    bytes: int = 0
    #: Of the files of a dry run, those whose size is not known and not in ``bytes``.
    unsized: int = 0
    present: int = 0
    #: Removed because the index has removed them (``on_removed``) or they are not selected now.
    removed_projects: list[str] = field(default_factory=list)
    removed_files: list[str] = field(default_factory=list)
    #: Files whose content differs from their pin: the stored content stays.
    refused: list[str] = field(default_factory=list)
    #: Files that the cooldown of the index withholds, for a later run.
    withheld: list[str] = field(default_factory=list)
    #: Files of a name that an earlier file of the page has: a mirror holds one file of a name.
    left_out: list[str] = field(default_factory=list)
    #: Files whose dependencies are not mirrored, because no file of their release states them.
    unknown_requirements: list[str] = field(default_factory=list)
    #: Project to the reason why it, or some of its files, could not be fetched.
    failed: dict[str, str] = field(default_factory=dict)
    #: Project to the private index that it belongs to: it is not mirrored from another one.
    owned: dict[str, str] = field(default_factory=dict)
    #: What was not removed because it needs consent and has none.
    stopped: Removal | None = None
    #: Whether Ctrl-C or SIGTERM ended the run.
    interrupted: bool = False
    seconds: float = 0.0

    @property
    def is_complete(self) -> bool:
        """Whether everything that is selected is mirrored."""
        return not (self.failed or self.refused or self.stopped or self.interrupted)
