"""The media types of the simple API, and which of them a client gets (RFC 9110, 12.5.1)."""

from enum import Enum
from functools import lru_cache
from typing import NamedTuple


class Media(Enum):
    """A type that this server sends; the first one is sent where the client does not care."""

    #: What buildout reads: it needs "html" in the type and sends no Accept.
    HTML = "text/html"
    JSON_V1 = "application/vnd.pypi.simple.v1+json"
    HTML_V1 = "application/vnd.pypi.simple.v1+html"

    @property
    def is_json(self) -> bool:
        """Whether the body is JSON."""
        return self is Media.JSON_V1


#: What a client may call each type: PEP 691 has ``latest`` answered with the version sent.
_SPELLINGS = {
    media: (media.value, media.value.replace(".v1+", ".latest+")) for media in Media
}  # fmt: skip
#: Distinct Accept headers remembered; a machine has a dozen clients.
_REMEMBERED = 256


class _Rank(NamedTuple):
    """How much a client wants a type: by weight, then exact before ``*``, then as listed."""

    weight: float
    exactness: int
    place: int


@lru_cache(_REMEMBERED)
def negotiate(accept: str | None) -> Media | None:
    """Return the type to answer an Accept header with, or None if it takes none of ours (406)."""
    if accept is None or not accept.strip():
        return Media.HTML
    ranges = _ranges(accept)
    ranks = {media: rank for media in Media if (rank := _rank(media, ranges)).weight > 0}
    return max(ranks, key=ranks.__getitem__, default=None)


def _ranges(accept: str) -> dict[str, tuple[float, int]]:
    """Return each media range with its weight and its place, counted down from 0."""
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
    """Return the weight among a range's parameters, or None for one that is none."""
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
    """Return the rank of a type: the most exact range that it matches decides, as RFC 9110 says."""
    family = media.value.partition("/")[0]
    for exactness, names in ((2, _SPELLINGS[media]), (1, (f"{family}/*",)), (0, ("*/*",))):
        found = [ranges[name] for name in names if name in ranges]
        if found:
            weight, place = max(found)
            return _Rank(weight, exactness, place)
    return _Rank(0.0, 0, 0)
