"""What one attempt at one index meant: the kinds that everything else decides by."""

from dataclasses import dataclass
from enum import Enum

#: Characters of an outcome's words: an upstream's own can be 64 KB in a header, MBs in a page.
LONGEST_DETAIL = 300


class Kind(Enum):
    """What an index's answer, or its silence, meant."""

    FOUND = "found"
    NOT_MODIFIED = "not modified"
    #: 404 or 410: the index is well and does not have it.
    ABSENT = "absent"
    #: 401 or 403: it may have it.
    DENIED = "denied"
    #: 429.
    LIMITED = "rate limited"
    #: Something else than the simple API: a captive portal, an error page, garbage.
    NOT_AN_INDEX = "not an index"
    #: It answered and failed: 5xx, 408, a reset, a body cut short.
    FAILED = "failed"
    #: It did not answer: refused, no such name, no first byte in time.
    SILENT = "silent"
    #: Not even a connection in time: packets are dropped, and each try costs the whole limit.
    BLACKHOLE = "black hole"
    #: TLS: a wrong, expired or unknown certificate.
    INSECURE = "insecure"
    #: This machine's own fault: no file handles left, no memory.
    LOCAL = "local fault"
    #: This machine has no route anywhere.
    OFFLINE = "no network"
    #: The user's own setting leaves its host out, so that it was not asked.
    BARRED = "not allowed"
    #: A page or a redirect leads to this machine or its network, from outside; nothing was sent.
    FORBIDDEN = "forbidden address"


#: The index was asked and answered as an index does.
_WELL = frozenset({Kind.FOUND, Kind.NOT_MODIFIED, Kind.ABSENT})
_PAGE = frozenset({Kind.FOUND, Kind.NOT_MODIFIED})


@dataclass(frozen=True)
class Outcome:
    """One attempt at one index."""

    kind: Kind
    #: In words, for messages: ``connect timeout after 3 s``, ``503``, ``148 files``.
    detail: str
    #: Seconds that it took.
    elapsed: float = 0.0
    #: Seconds that the index asked to be left alone for.
    retry_after: float | None = None
    #: Another try may go well at once: a gateway's passing fault (502, 503, 504), or a reset.
    is_passing: bool = False

    def __post_init__(self) -> None:
        """Keep an index's own words to one short line, which paints no terminal."""
        if len(self.detail) > LONGEST_DETAIL or not self.detail.isprintable():
            short = self.detail[:LONGEST_DETAIL]
            words = "".join(c if c.isprintable() else " " for c in short).strip()
            object.__setattr__(self, "detail", words)

    @property
    def is_page(self) -> bool:
        """Whether there is a page to serve."""
        return self.kind in _PAGE

    @property
    def is_well(self) -> bool:
        """Whether the index did what an index does, also if it has nothing."""
        return self.kind in _WELL

    @property
    def is_unavailable(self) -> bool:
        """Whether the index could not say if it has the thing asked for."""
        return not self.is_well

    def __str__(self) -> str:
        return self.detail or self.kind.value
