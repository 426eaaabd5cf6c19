"""The media types of the simple API, and content negotiation (RFC 9110, 12.5.1)."""

from enum import Enum
from functools import lru_cache
from typing import NamedTuple


class Media(Enum):
    """A type that this server sends; the first is the default."""

    #: For buildout, which needs "html" in the type and sends no Accept.
    HTML = "text/html"
    JSON_V1 = "application/vnd.pypi.simple.v1+json"
    HTML_V1 = "application/vnd.pypi.simple.v1+html"

    @property
    def is_json(self) -> bool:
        """Whether the body is JSON."""
        return self is Media.JSON_V1


#: The names of each type in Accept; PEP 691 answers ``latest`` with the sent version.
_SPELLINGS = {
    media: (media.value, media.value.replace(".v1+", ".latest+")) for media in Media
}  # fmt: skip
#: Cached Accept headers; a machine has about a dozen clients.
_REMEMBERED = 256
#: Characters of the longest of them: pip's has 120, a browser's 150.
_LONGEST = 500


class _Rank(NamedTuple):
    """A client's preference for a type: by weight, then exact before ``*``, then as listed."""

    weight: float
    exactness: int
    place: int


def negotiate(accept: str | None) -> Media | None:
    """Return the type for an Accept header, or None if it accepts none of them (406)."""
    return (_remembered if len(accept or "") <= _LONGEST else _negotiate)(accept)


def _negotiate(accept: str | None) -> Media | None:
    if accept is None or not accept.strip():
        return Media.HTML
    ranges = _ranges(accept)
    ranks = {media: rank for media in Media if (rank := _rank(media, ranges)).weight > 0}
    return max(ranks, key=ranks.__getitem__, default=None)


_remembered = lru_cache(_REMEMBERED)(_negotiate)


def _ranges(accept: str) -> dict[str, tuple[float, int]]:
    """Return each media range with its weight and its place (0, -1, -2, ...)."""
    ranges: dict[str, tuple[float, int]] = {}
    for place, item in enumerate(accept.lower().split(",")):
        name, *parameters = (part.strip() for part in item.split(";"))
        # Java's old default header has a lone asterisk.
        spelled = "*/*" if name == "*" else name
        weight = _weight(parameters)
        if weight is not None and weight > ranges.get(spelled, (-1.0, 0))[0]:
            ranges[spelled] = (weight, -place)
    return ranges


def _weight(parameters: list[str]) -> float | None:
    """Return the weight among a range's parameters, or None if it is invalid."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return None
            return weight if 0 <= weight <= 1 else None
    return 1.0


def _rank(media: Media, ranges: dict[str, tuple[float, int]]) -> _Rank:
    """Return the rank of a type, by the most exact range that it matches (RFC 9110)."""
    family = media.value.partition("/")[0]
    for exactness, names in ((2, _SPELLINGS[media]), (1, (f"{family}/*",)), (0, ("*/*",))):
        found = [ranges[name] for name in names if name in ranges]
        if found:
            weight, place = max(found)
            return _Rank(weight, exactness, place)
    return _Rank(0.0, 0, 0)
