"""The wire formats: reads and writes pages of the simple API, in HTML and in JSON.

The parser of HTML is imported with the first page in HTML: most indexes answer in JSON.
"""

from collections.abc import Callable, Iterable, Iterator

from indexfallback.errors import PageError
from indexfallback.formats import fields, json, listing_diff
from indexfallback.formats.negotiation import Media, negotiate
from indexfallback.page import File, ProjectPage

__all__ = [
    "ListingChanges",
    "Media",
    "listing_changes",
    "negotiate",
    "parse_listing",
    "parse_page",
    "render_names",
    "render_page",
]

ListingChanges = listing_diff.ListingChanges

_API = "application/vnd.pypi.simple."
_HTML = ("text/html", f"{_API}v1+html", f"{_API}latest+html")
_JSON = (f"{_API}v1+json", f"{_API}latest+json")
#: The type from plain web servers; the body has to show that it is a page of the simple API.
_PLAIN_JSON = "application/json"


def parse_page(
    body: bytes,
    content_type: str,
    url: str,
    project: str,
    *,
    public: bool = False,
    whole: bool = False,
    logins: dict[str, str] | None = None,
) -> ProjectPage:
    """Read the page of the normalised ``project`` from the index at ``url``.

    To ``logins`` are added the logins in its links (`Links`): no page has them, since pages are
    stored and served.

    ``whole`` is whether the body's length shows that all of it is here; otherwise HTML that
    begins with ``<html>`` has to end with ``</html>``.

    With ``public``, links to loopback, link-local and private addresses are dropped, unless
    ``url`` itself is one.

    Raises:
        PageError: The answer is not a page of the simple API, or of another project.

    """
    kind, charset = _split(content_type)
    if kind in _JSON or kind == _PLAIN_JSON:
        declared = kind in _JSON
        return json.parse_page(body, url, project, public=public, declared=declared, logins=logins)
    if kind in _HTML:
        from indexfallback.formats import html  # noqa: PLC0415 - see above

        return html.parse_page(
            body, charset, url, project, public=public, whole=whole, logins=logins
        )
    raise _wrong_type(kind, url)


def parse_listing(
    body: bytes, content_type: str, url: str, *, whole: bool = False
) -> tuple[Iterator[tuple[str, int | None]], int | None]:
    """Read a root page: the normalised names, each with its serial, and the index's serial.

    There may be 800,000 names, which are read one by one. None stands for a serial that is not
    stated; ``whole`` as in `parse_page`. Both this and the iteration raise:
        PageError: The answer is not a root page of the simple API.

    """
    kind, charset = _split(content_type)
    if kind in _JSON or kind == _PLAIN_JSON:
        return json.parse_listing(body, url, declared=kind in _JSON)
    if kind in _HTML:
        from indexfallback.formats import html  # noqa: PLC0415 - see above

        return ((name, None) for name in html.parse_names(body, charset, url, whole=whole)), None
    raise _wrong_type(kind, url)


def listing_changes(before: bytes, now: bytes, content_type: str) -> ListingChanges | None:
    """Compare a root page with an earlier one, as `listing_diff.listing_diff` does.

    None as well if the page is not declared as JSON of the simple API.
    """
    kind, _ = _split(content_type)
    return listing_diff.listing_diff(before, now) if kind in _JSON else None


def render_page(page: ProjectPage, media: Media, href: Callable[[File], str]) -> bytes:
    """Write a page; ``href`` gives a file's address without fragment, relative to the page's."""
    if media.is_json:
        return json.render_page(page, href)
    from indexfallback.formats import html  # noqa: PLC0415 - see above

    return "".join(html.render_page(page, href)).encode()


def render_names(names: Iterable[str], media: Media) -> bytes:
    """Write a root page of normalised names, with links relative to its own address."""
    if media.is_json:
        return json.render_names(names)
    from indexfallback.formats import html  # noqa: PLC0415 - see above

    return "".join(html.render_names(names)).encode()


def _split(content_type: str) -> tuple[str, str | None]:
    """Return the media type and the charset parameter."""
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return kind.lower(), value.strip().strip("\"'")
    return kind.lower(), None


def _wrong_type(kind: str, url: str) -> PageError:
    """Return the error for a type that pages do not have."""
    if kind.startswith(f"{_API}v"):
        version = kind.removeprefix(f"{_API}v").partition("+")[0]
        return fields.not_a_page(url, f"it has API version {version[:20]!r}, only 1.x is known")
    stated = f"its type is {kind[:80]!r}" if kind else "it states no type"
    return fields.not_a_page(url, f"{stated}, neither HTML nor JSON of the simple API")
