"""The offline state: whether indexes may be asked, and if not, why and what to do about it."""

from enum import Enum
from typing import NamedTuple


class Mode(Enum):
    """The mode that the user has set with `indexfallback offline`."""

    #: No index is asked.
    ON = "on"
    #: Every index is always asked: a missing network counts as an outage of each.
    OFF = "off"
    #: Indexes are asked unless this machine has no network.
    AUTO = "auto"


class Cause(Enum):
    """Why no index is asked, in order of precedence."""

    #: For one process: the option, its variable, or buildout's own option.
    OPTION = "option"
    #: By `indexfallback offline on`.
    COMMAND = "command"
    NETWORK = "network"

    @property
    def words(self) -> str:
        """The cause as a clause of a message."""
        return _WORDS[self]

    @property
    def remedy(self) -> str:
        """What the user can do, in one sentence."""
        return _REMEDIES[self]


_WORDS = {
    Cause.OPTION: "--offline is on",
    Cause.COMMAND: "`indexfallback offline on` holds",
    Cause.NETWORK: "there is no network",
}
_REMEDIES = {
    Cause.OPTION: "Connect and run again without --offline.",
    Cause.COMMAND: "Connect and run `indexfallback offline auto`.",
    Cause.NETWORK: "Connect and run again.",
}


class OfflineState(NamedTuple):
    """Whether the shim is offline now, and why."""

    mode: Mode = Mode.AUTO
    #: The user's setting that stops all requests; None if indexes may be asked.
    requested: Cause | None = None
    #: The mode is ``auto``, an index needs a route, and this machine has none. An index may be
    #: reachable all the same; only an attempt shows that.
    has_no_route: bool = False
    #: The latest attempts have confirmed ``has_no_route``.
    network_failed: bool = False

    @property
    def cause(self) -> Cause | None:
        """Why the shim is offline, as confirmed by attempts; None if it is not."""
        return self.requested or (Cause.NETWORK if self.network_failed else None)

    @property
    def presumed(self) -> Cause | None:
        """Why the shim is probably offline, before any attempt; None if it is not."""
        return self.requested or (Cause.NETWORK if self.has_no_route else None)

    @property
    def detects_network(self) -> bool:
        """Whether a missing network means offline, rather than an outage of each index."""
        return self.mode is not Mode.OFF


def offline_state(
    mode: Mode, *, option: bool, has_route: bool, network_failed: bool
) -> OfflineState:
    """Return the state; ``network_failed`` tells whether the latest attempts found no network."""
    if option:
        return OfflineState(mode, Cause.OPTION)
    if mode is Mode.ON:
        return OfflineState(mode, Cause.COMMAND)
    has_no_route = mode is Mode.AUTO and not has_route
    return OfflineState(mode, None, has_no_route, has_no_route and network_failed)
