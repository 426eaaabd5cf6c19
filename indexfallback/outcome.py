"""The result of one attempt at one index, and its kind, which all decisions depend on."""

from dataclasses import dataclass
from enum import Enum

#: Characters of a detail: the text of an index can be 64 KB in a header, megabytes in a page.
LONGEST_DETAIL = 300


class Kind(Enum):
    """What the answer of an index means, or the lack of one."""

    FOUND = "found"
    NOT_MODIFIED = "not modified"
    #: 404 or 410: the index works and does not have it.
    ABSENT = "absent"
    #: 401 to the login that is configured for it: no name can be asked for.
    DENIED = "denied"
    #: 401, and no login is configured for it.
    NO_LOGIN = "login wanted"
    #: 401 to the login in a link or a redirect, or from another host than the index's.
    OTHER_LOGIN = "login of another host"
    #: 403, 402, 451 and the like: it refuses this one name or file, and may have it.
    REFUSED = "refused"
    #: 429.
    LIMITED = "rate limited"
    #: Not the simple API: a captive portal, an error page, garbage.
    NOT_AN_INDEX = "not an index"
    #: The index answered and failed: 5xx, 408, a reset, a truncated body.
    FAILED = "failed"
    #: It has the file, and gives no parts of it that can be used, only the whole.
    NO_PARTS = "no parts"
    #: A file that is whole, and not the one that its hash names.
    WRONG = "wrong bytes"
    #: No answer: no route to it, no first byte in time.
    UNREACHABLE = "unreachable"
    #: Its machine refused the connection: nothing listens on the port.
    CLOSED = "closed port"
    #: Its host name cannot be resolved.
    NO_HOST = "unknown host"
    #: The proxy of this machine failed, or refused to connect.
    PROXY = "proxy"
    #: No connection in time: packets are dropped, so every attempt costs the whole time limit.
    CONNECT_TIMEOUT = "no connection"
    #: TLS: a certificate for another host, or no TLS at all.
    INSECURE = "insecure"
    #: TLS: an expired certificate.
    EXPIRED = "expired certificate"
    #: TLS: a certificate of an unknown authority.
    UNTRUSTED = "untrusted certificate"
    #: A fault of this machine: no file handles or no memory left.
    LOCAL = "local fault"
    #: This machine or this process was suspended during the request, or got no CPU.
    PAUSED = "paused"
    #: This machine has no route to any other.
    OFFLINE = "no network"
    #: The setting allow-hosts excludes the host; nothing was sent.
    NOT_ALLOWED = "not allowed"
    #: A page or a redirect of a public index leads to a local address; nothing was sent.
    FORBIDDEN = "forbidden address"


#: The index answered correctly.
_ANSWERS = frozenset({Kind.FOUND, Kind.NOT_MODIFIED, Kind.ABSENT, Kind.NO_PARTS})
_PAGE = frozenset({Kind.FOUND, Kind.NOT_MODIFIED})
#: Failures that the same request meets again, whenever it is sent.
_FINAL = frozenset({Kind.ABSENT, Kind.WRONG})
#: It wants another login, whatever it is asked for.
LOGIN_KINDS = frozenset({Kind.DENIED, Kind.NO_LOGIN, Kind.OTHER_LOGIN})
#: It was not reached, or did not answer.
UNREACHABLE_KINDS = frozenset({Kind.UNREACHABLE, Kind.CLOSED, Kind.NO_HOST, Kind.PROXY})
#: TLS failed, so that nothing was sent.
TLS_KINDS = frozenset({Kind.INSECURE, Kind.EXPIRED, Kind.UNTRUSTED})


@dataclass(frozen=True)
class Outcome:
    """The result of one attempt at one index."""

    kind: Kind
    #: For messages: ``connect timeout after 3 s``, ``503``, ``148 files``.
    detail: str
    #: Duration of the attempt, seconds.
    elapsed: float = 0.0
    #: Bytes of the answer's body, as they came on the wire.
    size: int = 0
    #: For how long the index asked not to be asked again (Retry-After), seconds.
    retry_after: float | None = None
    #: An immediate retry may succeed: 502, 503 or 504 of a gateway, or a reset.
    is_transient: bool = False

    def __post_init__(self) -> None:
        """Limit the detail to one short line without control characters."""
        if len(self.detail) > LONGEST_DETAIL or not self.detail.isprintable():
            short = self.detail[:LONGEST_DETAIL]
            words = "".join(c if c.isprintable() else " " for c in short).strip()
            object.__setattr__(self, "detail", words)

    @property
    def is_page(self) -> bool:
        """Whether there is a page to serve, a new one or the stored one."""
        return self.kind in _PAGE

    @property
    def is_answer(self) -> bool:
        """Whether the index answered correctly, be it that it has nothing."""
        return self.kind in _ANSWERS

    @property
    def is_unavailable(self) -> bool:
        """Whether it remains unknown if the index has what was asked for."""
        return not self.is_answer

    @property
    def may_pass(self) -> bool:
        """Whether the same request may go better later, for all that is known."""
        return self.is_unavailable and self.kind not in _FINAL

    def __str__(self) -> str:
        return self.detail or self.kind.value
