"""The evidence that an index owns a project, as values."""

from typing import NamedTuple


class Ownership(NamedTuple):
    """The evidence that an index owns a project; seconds since the epoch, None if never."""

    #: When the index first listed the project.
    listed: float | None = None
    #: When the index first served a page of its own for the project.
    served: float | None = None
    #: When its page was last found to be a copy of the public one (``defer_copies``).
    copied: float | None = None

    @property
    def since(self) -> float | None:
        """Time of the first evidence; None if the project is at most a copy."""
        return min((when for when in self[:2] if when is not None), default=None)

    def is_owner(self, defers_copies: bool) -> bool:
        """Tell whether the index owns the project; with ``defers_copies``, a copy is not owned."""
        if self.served is not None:
            return True
        return self.listed is not None and not (defers_copies and self.copied is not None)

    def merged(self, other: "Ownership") -> "Ownership":
        """Return the evidence of both."""
        return Ownership(
            min((w for w in (self.listed, other.listed) if w is not None), default=None),
            min((w for w in (self.served, other.served) if w is not None), default=None),
            max((w for w in (self.copied, other.copied) if w is not None), default=None),
        )


class NameList(NamedTuple):
    """When the list of names of an index was last fetched, and its length."""

    fetched: float
    names: int


class OwnedName(NamedTuple):
    """A name of an index, with the fields of its `Ownership`."""

    project: str
    listed: float | None
    served: float | None
    copied: float | None = None
