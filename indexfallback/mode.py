"""Whether indexes may be asked: the user's mode, what overrules it, and the words for why not."""

from enum import Enum
from typing import NamedTuple


class Mode(Enum):
    """What the user has said, for good."""

    #: No index is asked.
    ON = "on"
    #: Every index is asked always: that there is no network counts as an outage of each.
    OFF = "off"
    #: As the network is.
    AUTO = "auto"


class Cause(Enum):
    """Why no index is asked, the strongest first."""

    #: For one process: the option, its variable, or a buildout's own.
    OPTION = "option"
    #: By `indexfallback offline on`.
    COMMAND = "command"
    NETWORK = "network"

    @property
    def words(self) -> str:
        """The clause that says so."""
        return _WORDS[self]

    @property
    def remedy(self) -> str:
        """One sentence of what to do."""
        return _REMEDIES[self]


_WORDS = {
    Cause.OPTION: "--offline is on",
    Cause.COMMAND: "`indexfallback offline on` holds",
    Cause.NETWORK: "there is no network",
}
_REMEDIES = {
    Cause.OPTION: "Connect and run again without --offline.",
    Cause.COMMAND: "Connect, and have the indexes asked again with `indexfallback offline auto`.",
    Cause.NETWORK: "Connect and run again.",
}


class OfflineState(NamedTuple):
    """How it stands now."""

    mode: Mode = Mode.AUTO
    #: The user's word, for this process or for good; None if indexes may be asked.
    ordered: Cause | None = None
    #: This machine has no route anywhere while an index needs one, and the mode takes note of
    #: it: only trying tells whether an index can be reached all the same.
    is_cut: bool = False
    #: The latest tries have found no network, either.
    is_found_cut: bool = False

    @property
    def cause(self) -> Cause | None:
        """Why the shim is offline, as far as is known without asking; None if it is not."""
        return self.ordered or (Cause.NETWORK if self.is_found_cut else None)

    @property
    def presumed(self) -> Cause | None:
        """Why no index over a network can be asked, as it seems before one is tried."""
        return self.ordered or (Cause.NETWORK if self.is_cut else None)

    @property
    def heeds_network(self) -> bool:
        """Whether a try that finds no network means being offline, and no outage."""
        return self.mode is not Mode.OFF


def judge(mode: Mode, *, option: bool, has_route: bool, found_cut: bool) -> OfflineState:
    """Return how it stands; ``found_cut`` is what the latest tries have told."""
    if option:
        return OfflineState(mode, Cause.OPTION)
    if mode is Mode.ON:
        return OfflineState(mode, Cause.COMMAND)
    is_cut = mode is Mode.AUTO and not has_route
    return OfflineState(mode, None, is_cut, is_cut and found_cut)
