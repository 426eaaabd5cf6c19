"""The HTML form (PEP 503) of a project page and of the root page, read and written."""

from collections.abc import Callable, Iterable, Iterator
from html import escape
from urllib.parse import unquote

from selectolax.lexbor import LexborNode

from indexfallback.config import without_credentials
from indexfallback.formats import fields
from indexfallback.formats.collected import UNSAFE_NAME, Collected
from indexfallback.formats.document import Document
from indexfallback.formats.links import Links
from indexfallback.names import (
    is_distribution,
    is_normalized,
    is_project_name,
    is_safe_filename,
    normalize,
)
from indexfallback.page import File, ProjectPage

_BOOLEANS = {"true": True, "false": False}
#: The part of the anchors that must be named like their address, in an undeclared root page.
_ROOT_MAJORITY = 0.75
#: HTML cannot hold NUL, and a parser reads a carriage return as a line feed.
_CONTROLS = {0: "\ufffd", 10: "&#10;", 13: "&#13;"}


def parse_page(
    body: bytes,
    charset: str | None,
    url: str,
    project: str,
    *,
    public: bool,
    whole: bool,
    logins: dict[str, str] | None,
) -> ProjectPage:
    """Read a project page; ``whole`` is whether its length shows that all of it is here.

    ``logins`` is as in `Links`.

    Raises:
        PageError: It is not one.

    """
    document = Document(body, charset, url, whole=whole)
    links = document.links(url, public=public, logins=logins)
    collected = Collected()
    for node in document.tree.tags("a"):
        file = _file(node, links, collected)
        if file is not None:
            collected.add(file)
    # A page for maintenance has nothing to click either.
    is_empty = (document.is_blank or document.is_listing) and document.speaks_of(project)
    is_page = collected.has_any or document.is_titled or is_empty
    if not document.is_declared and (document.is_login or not is_page):
        guess = "" if url.startswith("file:") else " (a login page, a captive portal, an error?)"
        raise fields.not_a_page(url, f"its HTML links to no distribution{guess}")
    status = fields.status(document.first("pypi:project-status"))
    return ProjectPage(
        name=project,
        files=collected.files,
        tracks=links.resolve_all(document.meta.get("pypi:tracks", ())),
        alternate_locations=links.resolve_all(document.meta.get("pypi:alternate-locations", ())),
        status=status,
        status_reason=document.first("pypi:project-status-reason") if status else None,
        dropped=collected.dropped,
    )


def parse_names(body: bytes, charset: str | None, url: str, *, whole: bool) -> Iterator[str]:
    """Yield the normalised project names of a root page, in its order; ``whole`` as above.

    Raises:
        PageError: It is not one, which may show only at its end.

    """
    document = Document(body, charset, url, whole=whole, parted=True)
    links = document.links(url, public=False)
    root, is_declared = links.resolve("./"), document.is_declared
    anchors = names = 0
    is_login, is_blank = False, True
    for tree in document.trees():
        is_login, is_blank = is_login or document.is_login, is_blank and document.is_blank
        for node in tree.tags("a"):
            href = node.attributes.get("href")
            # Not the links of directory listings for sorting, and to the parent.
            if not href or href.startswith(("?", "#", "..")):
                continue
            text = node.text().strip().removesuffix("/")
            if is_declared:
                name = normalize(text) if is_project_name(text) else None
            else:
                name = _listed(text, href, links, root)
            anchors += 1
            if name:
                names += 1
                yield name
    is_list = names >= _ROOT_MAJORITY * anchors if anchors else is_blank
    if not is_declared and (is_login or not is_list):
        raise fields.not_a_page(url, "its HTML is not a list of projects")


def render_page(page: ProjectPage, href: Callable[[File], str]) -> Iterator[str]:
    """Write a project page."""
    name = _quote(page.name)
    yield _head(f"Links for {name}", fields.api_version(page))
    if page.status is not None:
        yield _meta("project-status", page.status)
    if page.status_reason is not None:
        yield _meta("project-status-reason", page.status_reason)
    for address in page.tracks:
        yield _meta("tracks", address)
    for address in page.alternate_locations:
        yield _meta("alternate-locations", address)
    yield f"</head>\n<body>\n<h1>Links for {name}</h1>\n"
    for file in page.files:
        yield _anchor(file, href(file))
    yield "</body>\n</html>\n"


def render_names(names: Iterable[str]) -> Iterator[str]:
    """Write a root page."""
    yield _head("Simple index", fields.LIST_VERSION)
    yield "</head>\n<body>\n"
    for name in map(_quote, names):
        yield f'<a href="{name}/">{name}</a><br>\n'
    yield "</body>\n</html>\n"


def _file(node: LexborNode, links: Links, collected: Collected) -> File | None:
    """Return the file that an anchor links to, or None if it is another link or dropped."""
    attributes = node.attributes
    target, _, fragment = (attributes.get("href") or "").partition("#")
    if not target:
        return None
    url = links.resolve(target)
    # As pip and uv do: an anchor's text is for people, and may name another file.
    address = url or without_credentials(target)
    filename = unquote(address.partition("?")[0].rpartition("/")[2])
    if not is_distribution(filename):
        last, filename = filename, node.text().strip()
        if not is_distribution(filename):
            collected.drop_link(last, url)
            return None
    if not is_safe_filename(filename):
        collected.drop(UNSAFE_NAME, filename)
        return None
    if url is None:
        collected.drop(links.why_refused(target), filename)
        return None
    try:
        hashes = fields.fragment_hashes(fragment.strip())
    except fields.MalformedHashError as error:
        collected.drop(str(error), filename)
        return None
    get = attributes.get
    provenance = get("data-provenance")
    return File(
        filename=filename,
        url=url,
        hashes=hashes,
        requires_python=(get("data-requires-python") or "").strip() or None,
        core_metadata=_core_metadata(get("data-core-metadata") or get("data-dist-info-metadata")),
        gpg_sig=_BOOLEANS.get(get("data-gpg-sig") or ""),
        yanked="data-yanked" in attributes and fields.yanked(get("data-yanked") or ""),
        upload_time=fields.upload_time(get("data-upload-time")),
        provenance=links.resolve(provenance) if provenance else None,
    )


def _core_metadata(stated: str | None) -> bool | dict[str, str]:
    """Return the value of ``true`` or ``sha256=...``."""
    if stated is None:
        return False
    if "=" in stated:
        try:
            return fields.fragment_hashes(stated.strip()) or True
        except fields.MalformedHashError:  # nothing could tell what comes for it
            return False
    return stated.strip().lower() == "true"


def _listed(text: str, href: str, links: Links, root: str | None) -> str | None:
    """Return the project whose name is both the text and the address of an anchor, or None.

    An address outside of the root must be a directory, which "Login" at ``/login`` is not.
    """
    parent, _, last = (
        (links.resolve(href) or "").partition("?")[0].removesuffix("/").rpartition("/")
    )
    segment = unquote(last)
    if not is_project_name(segment) or is_distribution(segment):
        return None
    if f"{parent}/" != root and not href.partition("?")[0].endswith("/"):
        return None
    name = normalize(segment)
    return name if name == normalize(text) and is_normalized(name) else None


def _quote(text: str) -> str:
    """Escape a text for an element or a quoted attribute."""
    quoted = escape(text)
    return quoted if quoted.isprintable() else quoted.translate(_CONTROLS)


def _head(title: str, version: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="pypi:repository-version" content="{version}">\n<title>{title}</title>\n'
    )


def _meta(name: str, content: str) -> str:
    return f'<meta name="pypi:{name}" content="{_quote(content)}">\n'


def _anchor(file: File, href: str) -> str:
    """Write one file's link."""
    digest = fields.best_hash(file.hashes)
    parts = [f'<a href="{_quote(href)}#{digest}"' if digest else f'<a href="{_quote(href)}"']
    if file.requires_python is not None:
        parts.append(f' data-requires-python="{_quote(file.requires_python)}"')
    if file.core_metadata is not False:
        metadata = file.core_metadata
        stated = "true" if metadata is True else fields.best_hash(metadata) or "true"
        parts.append(f' data-core-metadata="{stated}" data-dist-info-metadata="{stated}"')
    if file.gpg_sig is not None:
        parts.append(f' data-gpg-sig="{"true" if file.gpg_sig else "false"}"')
    if file.yanked is not False:
        parts.append(f' data-yanked="{"" if file.yanked is True else _quote(file.yanked)}"')
    if file.upload_time is not None:
        parts.append(f' data-upload-time="{_quote(file.upload_time)}"')
    if file.provenance is not None:
        parts.append(f' data-provenance="{_quote(file.provenance)}"')
    parts.append(f">{_quote(file.filename)}</a><br>\n")
    return "".join(parts)
