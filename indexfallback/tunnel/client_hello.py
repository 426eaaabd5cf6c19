"""The first message of a TLS connection, the ClientHello, as a mark of the program that sent it.

The formats are those of RFC 8446, 4.1.2 and 5.1.
"""

from hashlib import sha256

_HANDSHAKE, _CLIENT_HELLO = 22, 1
_RECORD_HEADER = 5
_MESSAGE_HEADER = 4
#: A message may be longer; a program whose ClientHello is has no fingerprint.
_MOST_BYTES = 64 * 1024
#: Version and random.
_FIXED = 34
#: Extensions that a program sends for some hosts or connections only: server_name, padding,
#: session_ticket, pre_shared_key, early_data, cookie.
_VARYING = frozenset((0, 21, 35, 41, 42, 44))


class NotClientHelloError(ValueError):
    """The bytes are not the start of a TLS connection."""


def fingerprint(data: bytes) -> str | None:
    """Return the fingerprint of the program that sent a ClientHello, or None if it is incomplete.

    The same TLS library with the same settings gives the same fingerprint for every host. It
    consists of the cipher suites in their order and of the types of the extensions, without the
    random values of GREASE (RFC 8701). The extensions are sorted, since some libraries shuffle
    them. Raises `NotClientHelloError`.
    """
    message = _message(data)
    if message is None:
        return None
    reader = _Reader(message)
    reader.take(_FIXED)
    reader.vector(1)  # session identifier
    suites = [suite for suite in reader.vector(2).numbers() if not _is_grease(suite)]
    reader.vector(1)  # compression methods
    extensions = sorted(_extensions(reader.vector(2) if reader.left else _Reader(b"")))
    return sha256(repr((suites, extensions)).encode()).hexdigest()


def _message(data: bytes) -> bytes | None:
    """Return the body of the first handshake message, which records may divide."""
    message, rest = b"", data
    while True:
        if message[:1] not in (b"", bytes([_CLIENT_HELLO])):
            raise NotClientHelloError("not a ClientHello")
        if len(message) >= _MESSAGE_HEADER:
            end = _MESSAGE_HEADER + int.from_bytes(message[1:_MESSAGE_HEADER], "big")
            if end > _MOST_BYTES:
                raise NotClientHelloError("a ClientHello of more than 64 KB")
            if len(message) >= end:
                return message[_MESSAGE_HEADER:end]
        if rest[:1] not in (b"", bytes([_HANDSHAKE])):
            raise NotClientHelloError("not a TLS handshake")
        if len(rest) < _RECORD_HEADER:
            return None
        size = int.from_bytes(rest[3:_RECORD_HEADER], "big")
        if size == 0:
            raise NotClientHelloError("an empty record")
        if len(rest) < _RECORD_HEADER + size:
            return None
        message += rest[_RECORD_HEADER : _RECORD_HEADER + size]
        rest = rest[_RECORD_HEADER + size :]


def _extensions(reader: "_Reader") -> list[int]:
    found = []
    while reader.left:
        kind = reader.number(2)
        reader.vector(2)
        if kind not in _VARYING and not _is_grease(kind):
            found.append(kind)
    return found


def _is_grease(value: int) -> bool:
    return value & 0x0F0F == 0x0A0A and value >> 8 == value & 0xFF  # noqa: PLR2004 - RFC 8701


class _Reader:
    """Reads numbers and vectors one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise NotClientHelloError("a ClientHello with a wrong length")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> "_Reader":
        """Read a vector whose length is a number of ``size`` bytes."""
        return _Reader(self.take(self.number(size)))

    def numbers(self) -> list[int]:
        """Return all that is left as numbers of two bytes."""
        return [self.number(2) for _ in range(self.left // 2)]
