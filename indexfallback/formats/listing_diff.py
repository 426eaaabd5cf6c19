"""The differences between two root pages in JSON, of which nearly all entries are the same.

PyPI's has 800,000 entries. To decode all of them takes a tenth of a second, and to compare each
with a record ten times as long. Here both texts are cut at the same marks, between entries, and
only the pieces that one of the two has are decoded. A mark is the end of an entry, so the pieces
behind an entry that was added stay the same.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from indexfallback.errors import PageError
from indexfallback.formats import fields, json, wire

#: What ends an entry behind which the text is cut: a name that ends in 0, or a serial that does. At
#: PyPI one name in some hundred does.
_MARKS = (b'0"}', b"0}")
#: So many bytes tell which of the two the index writes.
_SAMPLE = 1 << 16
_KEY = b'"projects"'
_BETWEEN = b", \t\r\n"

_ENTRIES = msgspec.json.Decoder(list[wire.Project])
_ROOTS = msgspec.json.Decoder(wire.Root)


class ListingChanges(NamedTuple):
    """The differences of a root page from an earlier one; names are normalised."""

    #: The names of entries that are new or changed, with their serials; others may be among them.
    present: dict[str, int | None]
    #: The names of entries that are gone or changed; others may be among them.
    past: dict[str, int | None]
    #: The serial of the index.
    serial: int | None


class _Cut(NamedTuple):
    #: The page without its entries.
    shell: bytes
    #: Texts of some entries each, without their mark.
    pieces: list[bytes]
    #: The entries behind the last mark.
    last: bytes


def listing_diff(before: bytes, now: bytes) -> ListingChanges | None:
    """Compare two root pages, of which ``before`` is known to be one.

    Returns None if ``now`` has to be read as a whole: it is not one, or some of its values are not
    valid.
    """
    mark = max(_MARKS, key=now[:_SAMPLE].count)
    old, new = _cut(before, mark), _cut(now, mark)
    if old is None or new is None:
        return None
    known = set(old.pieces)
    added = [piece for piece in new.pieces if piece not in known]
    gone = known.difference(new.pieces)
    try:
        shell = _ROOTS.decode(new.shell)
        present = _entries(added, mark, new.last)
        past = _entries(gone, mark, old.last)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    try:
        fields.check_version(shell.meta.api_version, "")
    except PageError:  # whoever reads the page as a whole says so
        return None
    if shell.projects:
        return None
    return ListingChanges(dict(json.named(present)), dict(json.named(past)), shell.meta.last_serial)


def _cut(body: bytes, mark: bytes) -> _Cut | None:
    """Cut a root page at its marks; None if its entries cannot be found."""
    pieces = body.split(mark)
    first = pieces[0]
    key = first.find(_KEY)
    start = first.find(b"[", key) + 1
    end = pieces[-1].rfind(b"]")
    if key < 0 or not start or (end < start and len(pieces) == 1) or end < 0:
        return None
    shell = first[:start] + pieces[-1][end:]
    if len(pieces) == 1:
        return _Cut(shell, [], first[start:end])
    last = pieces.pop()[:end]
    pieces[0] = first[start:]
    return _Cut(shell, pieces, last)


def _entries(pieces: Iterable[bytes], mark: bytes, last: bytes) -> list[wire.Project]:
    """Decode pieces, and the entries behind the last mark; raises `msgspec.DecodeError`."""
    texts = [piece.lstrip(_BETWEEN) + mark for piece in pieces]
    if ending := last.strip(_BETWEEN):
        texts.append(ending)
    return _ENTRIES.decode(b"[" + b",".join(texts) + b"]")
