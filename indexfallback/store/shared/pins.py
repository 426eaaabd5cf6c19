"""Pins in the bucket: for each file name the first sha256 that any shim has seen.

A pin is created once; only the pin of an index that gives way to this one's is replaced, as of
a mirror to its public index (`store.pins`). What the bucket has holds for every shim, also against
one that served another content while it could not be asked: `reconcile`.

An object is JSON with a checksum: the bytes of a file are checked by its hash, and a pin is what
they are checked with.
"""

import logging

import msgspec

from indexfallback.memory.table import Table
from indexfallback.names import is_sha256
from indexfallback.store.forms import is_text, is_time, seal
from indexfallback.store.pins import Pin
from indexfallback.store.shared import keys
from indexfallback.store.shared.answers import Answer, Outcome
from indexfallback.store.shared.figures import Figures
from indexfallback.store.shared.link import Link
from indexfallback.store.shared.unshared import Unshared

log = logging.getLogger("indexfallback.store")

#: A pin with the longest file name and address has 1 KB.
_MOST_BYTES = 16_384
#: Another shim may replace or remove it between creating and reading.
_TRIES = 3


class _Object(msgspec.Struct):
    sha256: str
    key: str
    source: str
    seen: float
    seal: int


_decoder = msgspec.json.Decoder(_Object)


def encoded(pin: Pin) -> bytes:
    """Return the object of a pin."""
    return msgspec.json.encode(_Object(pin.sha256, pin.key, pin.source, pin.seen, seal(*pin)))


def decoded(project: str, filename: str, data: bytes) -> Pin | None:
    """Return the pin of an object, or None if it is damaged, or another file's."""
    try:
        found = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    pin = Pin(project, filename, found.key, found.sha256, found.seen, found.source)
    is_sound = is_sha256(pin.sha256) and is_time(pin.seen) and is_text(pin.key, pin.source)
    return pin if is_sound and found.seal == seal(*pin) else None


class SharedPins:
    """The pins of the bucket."""

    def __init__(self, link: Link, unshared: Unshared, figures: Figures) -> None:
        self._link = link
        self._unshared = unshared
        self._figures = figures
        #: The keys of those that are damaged: each is told once.
        self._damaged: Table[str, None] = Table("store.shared.pins.SharedPins._damaged")

    def read(self, project: str, filename: str, key: str) -> Pin | None:
        """Return the pin of the bucket, or None if it has none or cannot be asked."""
        if not self._link.has_conditions:
            return None
        return self._read(project, filename, key)[1]

    def _read(self, project: str, filename: str, key: str) -> tuple[Answer, Pin | None]:
        """Return the answer for a pin, and the pin; the answer for a damaged one is unreachable."""
        path = keys.pin(project, filename, key)
        answer = self._link.get(path, most=_MOST_BYTES)
        if not answer.is_found:
            return answer, None
        pin = decoded(project, filename, answer.data)
        if pin is None:  # on the way, perhaps
            self._figures.count("wrong")
            answer = self._link.get(path, most=_MOST_BYTES)
            pin = decoded(project, filename, answer.data) if answer.is_found else None
        if answer.is_found and pin is None:
            if self._damaged.put(path, None):
                log.error(
                    "the shared pin of %s (%s) is damaged: compare its content in the bucket, "
                    "and remove the object",
                    filename, path,
                )  # fmt: skip
            return Answer(Outcome.UNREACHABLE, cause=f"{path} is damaged"), None
        return answer, pin

    def claim(self, pin: Pin, gives_way: frozenset[str]) -> Pin:
        """Return the pin that holds, as `store.seam.Shared.claim` says."""
        if not self._link.has_conditions:
            return pin
        held = self._settle(pin, gives_way)
        if held is None and self._link.is_for_writing:
            self._unshared.add(pin)
        return held or pin

    def _settle(self, pin: Pin, gives_way: frozenset[str] = frozenset()) -> Pin | None:
        """Create a pin, or read the one that holds; None if neither can be done now."""
        path, data = keys.pin(pin.project, pin.filename, pin.key), encoded(pin)
        for _ in range(_TRIES):
            # First: a shim that has no pin has just asked for it.
            created = self._link.create(path, data) if self._link.may_create else None
            if created is not None and created.is_found:
                return pin
            answer, held = self._read(pin.project, pin.filename, pin.key)
            if held is not None and (held.sha256 == pin.sha256 or held.source not in gives_way):
                return held
            if held is not None and not self._link.may_create:
                return pin  # by the rule that would replace it
            if held is not None and self._link.replace_if(path, data, answer.etag).is_found:
                return pin
            if held is None and (created is None or created.outcome is not Outcome.EXISTS):
                return None
        return None

    def reconcile(self, pin: Pin) -> Pin | None:
        """Return the pin that holds in place of one that waited; None if the bucket is silent.

        It is the very same object if the bucket did not have it.
        """
        return self._settle(pin)

    def forget(self, project: str, filename: str | None) -> None:
        """Remove the pins of a file name, or of a project; raises `BucketUnavailableError`."""
        if not self._link.has_conditions:
            return
        prefix = f"{keys.PINS}/{project}/"
        if filename is not None and not keys.pin(project, filename, "-").endswith("/-"):
            self._link.remove([f"{prefix}{filename}"])
            return
        self._link.remove_below(prefix if filename is None else f"{prefix}{filename}/")
