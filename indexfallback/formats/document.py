"""Decodes and parses an HTML answer, and reads its head."""

import codecs
import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser

from indexfallback.formats import fields
from indexfallback.formats.links import Links
from indexfallback.names import normalize

#: The beginning of an element, a comment or a declaration.
_TAG = re.compile("<[!?a-zA-Z]")
#: The most elements open at once. Real pages have about five; the parser's time grows with the
#: square of the depth, to 78 s for 100,000.
_MAX_DEPTH = 256
#: Tags that open a level, without those that HTML closes implicitly, which are most of a page.
_LEVEL = re.compile(
    r"<(?!/?(?i:a|br|dd|dt|hr|img|input|li|link|meta|option|p|td|th|tr)[\s/>])(/?[a-zA-Z][^\s/>]*)"
)
#: A long list of names is parsed in parts of this size, characters: the tree of a page of 40 MB
#: takes 900 MB, and to list its links at once stops all other threads for half a second.
_PART = 1 << 18
#: Where it is cut: before a link, and behind another element.
_CUT = re.compile(r"(?<=>)\s*(?=<a\s)", re.IGNORECASE)
#: What hides links until it is closed, and must not be cut: each begins and ends in the same part.
_HIDING = re.compile(
    r"<(!--)|(--)>|<(/?)(?:script|style|template|textarea|title|noscript|iframe|select|svg|math"
    r"|xmp|noembed|noframes|head)\b",
    re.IGNORECASE,
)
#: The first bytes, in which HTML looks for a charset.
_CHARSET_WITHIN = 1024
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=[\s\"']*([\w:.-]+)", re.IGNORECASE)
#: The allowed charsets: other codecs of Python are slow or wrong on arbitrary bytes (utf-7).
_CHARSETS = re.compile(
    r"utf-?8|utf-?16(?:[lb]e)?|(?:us-)?ascii|latin-?1|iso-?8859-\d+|(?:windows-|cp)125\d"
    r"|koi8-[ru]|gb(?:k|2312|18030)|big5|shift_jis|euc-(?:jp|kr)",
    re.IGNORECASE,
)
#: Room for comments of indexes behind the document's end (a serial, the generator), characters.
_MARGIN = 1024
#: Bytes at both ends that are searched for ``<html>``, between comments.
_EDGE = 2048
#: What no page leaves open at its end, and what closes it: a head may end where its body begins.
_PAIRS = (
    (b"<", (b">",)),
    (b"<a ", (b"</a",)),
    (b"<title", (b"</title",)),
    (b"<head", (b"</head", b"<body", b"<a ")),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Elements of login pages, captive portals and single-page applications, not of empty pages.
_INTERACTIVE = "a, form, input, button, script, iframe, frame, meta[http-equiv=refresh i]"


class Document:
    """A parsed page with its head.

    ``whole`` is whether the body's length was stated and all of it came. A missing end tag then
    says nothing. With ``parted``, a long one is parsed in parts (`trees`), the first with the head.

    Raises:
        PageError: It is not HTML, is cut short, or has another version of the API.

    """

    def __init__(
        self, body: bytes, charset: str | None, url: str, *, whole: bool, parted: bool = False
    ) -> None:
        text = _decode(body, charset)
        if not _TAG.search(text):
            raise fields.not_a_page(url, "its type is HTML, but its content is not")
        self._url = url
        self._parts = _parts(text) if parted else iter((text,))
        #: Of the whole, or of the present part.
        self.tree = self._parse(next(self._parts))
        self._is_whole = _is_whole(text)
        #: Lower-case name of a ``<meta>`` to its contents, in order.
        self.meta: dict[str, list[str]] = {}
        for node in self.tree.tags("meta"):
            attributes = node.attributes
            name, content = attributes.get("name"), attributes.get("content")
            if name and content:
                self.meta.setdefault(name.strip().lower(), []).append(content.strip())
        fields.check_version(self.first("pypi:repository-version"), url)
        if _breaks_off(body) if whole else _is_cut_short(body):
            raise fields.not_a_page(url, "its HTML is cut short")

    def _parse(self, text: str) -> LexborHTMLParser:
        if _nests_deeply(text):
            raise fields.not_a_page(self._url, f"its HTML nests more than {_MAX_DEPTH} levels deep")
        return LexborHTMLParser(text)

    def trees(self) -> Iterator[LexborHTMLParser]:
        """Yield the tree of each part, which is `tree` meanwhile; raises `PageError`."""
        yield self.tree
        for text in self._parts:
            self.tree = self._parse(text)
            yield self.tree

    def first(self, name: str) -> str | None:
        """Return the content of the first ``<meta>`` of that name, or None."""
        return next(iter(self.meta.get(name, ())), None)

    @property
    def is_declared(self) -> bool:
        """Whether the page states a version of the simple API."""
        return "pypi:repository-version" in self.meta

    @property
    def is_login(self) -> bool:
        """Whether the page asks for a password."""
        return self.tree.css_first("input[type=password i]") is not None

    @property
    def is_blank(self) -> bool:
        """Whether the page is complete and has nothing to click or run, as an empty list."""
        return self._is_whole and self.tree.css_first(_INTERACTIVE) is None

    def speaks_of(self, project: str) -> bool:
        """Tell whether the page has no text at all, or names a normalised project in its text."""
        body = self.tree.body
        text = body.text().strip() if body is not None else ""
        return not text or project in normalize(text)

    @property
    def is_titled(self) -> bool:
        """Whether the page has the traditional title of pages of the simple API."""
        return self._has_title("links for")

    @property
    def is_listing(self) -> bool:
        """Whether a web server has made the page, from a directory."""
        return self._has_title("index of", "directory listing for")

    def _has_title(self, *starts: str) -> bool:
        titles = (node.text().strip().lower() for node in self.tree.css("title, h1"))
        return any(title.startswith(starts) for title in titles)

    def links(self, url: str, *, public: bool, logins: dict[str, str] | None = None) -> Links:
        """Return the resolver of the page's links; the parameters are those of `Links`."""
        links = Links(url, public=public, logins=logins)
        base = self.tree.css_first("base[href]")
        if base is not None:
            links.rebase(base.attributes["href"] or "")
        return links


def _decode(body: bytes, charset: str | None) -> str:
    """Return the text by its BOM, else by its declared charset, else as UTF-8."""
    for bom, codec in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(codec, "replace")
    if charset is None and (declared := _CHARSET.search(body[:_CHARSET_WITHIN])):
        charset = declared[1].decode("ascii", "replace")
        if charset.lower().startswith("utf-16"):
            charset = None  # or this could not have been read
    if charset is None or not _CHARSETS.fullmatch(charset):
        charset = "utf-8"
    try:
        return body.decode(charset, "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


def _parts(text: str) -> Iterator[str]:
    """Yield a text in parts, between which nothing is open that hides links."""
    start, least = 0, _PART
    while cut := _CUT.search(text, start + least):
        part = text[start : cut.end()]
        if _is_closed(part):
            yield part
            start, least = cut.end(), _PART
        else:
            least = 2 * len(part)
    yield text[start:]


def _is_closed(part: str) -> bool:
    """Tell whether each comment, and each element that hides links, ends in the part."""
    found = [match.groups() for match in _HIDING.finditer(part)]
    comments = sum(bool(begin) - bool(end) for begin, end, _ in found)
    tags = [close for *comment, close in found if not any(comment)]
    return not comments and 2 * tags.count("/") == len(tags)


def _is_cut_short(body: bytes) -> bool:
    """Tell whether a document begins with ``<html>`` and does not end.

    No other sign shows this if the length of the body is not stated.
    """
    return b"<html" in body[:_EDGE].lower() and b"</html" not in body[-_EDGE:].lower()


def _breaks_off(body: bytes) -> bool:
    """Tell whether a document ends inside a tag, a link or its head: its stated length is wrong.

    A link may be left open by a page that has its end.
    """
    end = body.lower()
    if b"<html" not in end[:_EDGE] or b"</html" in end[-_EDGE:] or b"</body" in end[-_EDGE:]:
        return False
    return any(end.rfind(start) > max(map(end.rfind, stops)) for start, stops in _PAIRS)


def _is_whole(text: str) -> bool:
    """Tell whether a document has both a beginning and an end."""
    start, end = text.lstrip()[:_MARGIN].lower(), text[-_MARGIN:].lower()
    return start.startswith(("<!doctype html", "<html")) and ("</html>" in end or "</body>" in end)


def _nests_deeply(text: str) -> bool:
    """Tell whether more elements are open at once than any page needs.

    A malicious page can hide its depth from this. It then costs one core, because the parser
    releases the GIL; a malicious index can do worse.
    """
    levels: list[str] = []
    for tag in map(str.lower, _LEVEL.findall(text)):
        if tag[0] != "/":
            levels.append(tag)
            if len(levels) > _MAX_DEPTH:
                return True
        elif (name := tag[1:]) in levels:
            while levels.pop() != name:
                pass
    return False
