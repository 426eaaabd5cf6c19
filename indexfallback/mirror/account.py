"""What a run did, or would do: counts for the summary, and what went wrong by name."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Removal(NamedTuple):
    """What would go, and of how much."""

    projects: tuple[str, ...]
    files: tuple[str, ...]
    all_projects: int
    all_files: int


@dataclass
class Account:
    """One run. Sizes are bytes."""

    #: Projects that are wanted; of these, those whose page was asked for, and whose page is new.
    projects: int = 0
    asked: int = 0
    changed: int = 0
    #: Files that were fetched, and those that were there already under a page that has changed.
    files: int = 0
    bytes: int = 0
    present: int = 0
    #: What went, by the policy for what the index removes, or because it is wanted no more.
    removed_projects: list[str] = field(default_factory=list)
    removed_files: list[str] = field(default_factory=list)
    #: Files with another content than was first seen: they stay as they were.
    refused: list[str] = field(default_factory=list)
    #: Project to why it could not be had, or what of it could not.
    failed: dict[str, str] = field(default_factory=dict)
    #: What was not removed, since nobody agreed.
    stopped: Removal | None = None
    #: Whether it was interrupted.
    interrupted: bool = False
    seconds: float = 0.0

    @property
    def is_well(self) -> bool:
        """Whether everything that is wanted is here."""
        return not (self.failed or self.refused or self.stopped or self.interrupted)
