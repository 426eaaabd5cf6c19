"""What a test knows of the ownership of names, kept apart from the shim that it checks."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from indexfallback.config import OnOutage

#: What the private index claims, if it claims anything.
PATTERN = "acme-*"
_PREFIX = "acme-"


@dataclass(frozen=True)
class Setup:
    """How one shim is configured, and for how many seconds a page is fresh."""

    fresh: float = 0.0
    on_outage: OnOutage = "ledger"
    #: ``projects`` or ``only`` with `PATTERN`; empty for no claim.
    claim: str = ""
    defer_copies: bool = False
    offline: bool = False
    #: Whether a mirror stands before the public index.
    mirror: bool = False

    def claims(self, name: str) -> bool:
        """Tell whether the private index claims a name."""
        return bool(self.claim) and name.startswith(_PREFIX)


@dataclass
class Knowledge:
    """What one cache directory, one process or one archive must know at the least."""

    #: Names of which the private index served a page of its own.
    served: set[str] = field(default_factory=set)
    #: Names that it listed, or had a page for that may be a copy.
    listed: set[str] = field(default_factory=set)
    #: Names that it was asked for.
    asked: set[str] = field(default_factory=set)
    has_list: bool = False

    def copy(self) -> "Knowledge":
        """Return the same, to be changed apart from this one."""
        return replace(
            self, served=set(self.served), listed=set(self.listed), asked=set(self.asked)
        )

    def add(self, other: "Knowledge") -> None:
        """Take over what another one knows."""
        self.served |= other.served
        self.listed |= other.listed
        self.asked |= other.asked
        self.has_list |= other.has_list

    def list(self, names: Iterable[str]) -> None:
        """Note a list of names, which is not empty."""
        self.listed |= set(names)
        self.has_list = True

    def disown(self, name: str) -> None:
        """Note that nobody is to own the name any more."""
        self.served.discard(name)
        self.listed.discard(name)

    def is_owned(self, name: str, setup: Setup, copies: set[str]) -> bool:
        """Tell whether a shim must know that the private index owns a name.

        ``copies`` are the names of which it has had nothing but copies at some time.
        """
        if setup.claims(name):
            return True
        if setup.claim == "only":
            return False
        return name in self.served or (
            name in self.listed and not (setup.defer_copies and name in copies)
        )

    def may_be_public(self, name: str, setup: Setup) -> bool:
        """Tell whether a name that nobody owns may be public in an answer of the whole chain.

        The private index must have had a say: about the name, or by its list of names.
        """
        return name in self.asked or self.has_list or bool(setup.claim) or setup.on_outage == "next"
