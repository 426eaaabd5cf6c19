"""The pages of a static tree, for any web server, an object store or ``file:`` addresses.

The start page is for people; the pages below ``simple/`` are the simple API in HTML and in JSON.
All links are relative.
"""

from collections.abc import Iterable
from urllib.parse import quote

import msgspec

from indexfallback.formats import render_names, render_page
from indexfallback.formats.negotiation import Media
from indexfallback.names import PROVENANCE_ENDING
from indexfallback.page import File, ProjectPage

#: The directory of all distributions, flat, so that ``--find-links`` works on it, too.
FILES = "files"
#: The directory of the pages.
SIMPLE = "simple"
#: The names of a page: the one that web servers and pip look for, and its JSON form.
_FORMS = {"index.html": Media.HTML, "index.json": Media.JSON_V1}
_START = f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Package index</title>
<meta name="viewport" content="width=device-width">
</head>
<body>
<h1>Package index</h1>
<p>Install from it by the address of this page:</p>
<pre>pip install --index-url ADDRESS/{SIMPLE}/ PROJECT</pre>
<ul>
"""


def project_pages(page: ProjectPage) -> dict[str, bytes]:
    """Return the pages of a project by their paths in the tree."""
    stated = {
        media: _without_provenance(page) if media.is_json else page for media in _FORMS.values()
    }
    return {
        f"{SIMPLE}/{page.name}/{name}": render_page(stated[media], media, _href)
        for name, media in _FORMS.items()
    }


def root_pages(names: Iterable[str]) -> dict[str, bytes]:
    """Return the pages that list all projects (normalised names), by their paths in the tree."""
    listed = sorted(names)
    items = (f'<li><a href="{SIMPLE}/{name}/index.html">{name}</a></li>\n' for name in listed)
    start = "".join((_START, *items, "</ul>\n</body>\n</html>\n"))
    pages = {f"{SIMPLE}/{name}": render_names(listed, media) for name, media in _FORMS.items()}
    return {**pages, "index.html": start.encode()}


def provenance_link(file: File) -> str:
    """Return the link of a page to the provenance object of a file."""
    return _href(file) + PROVENANCE_ENDING


def _without_provenance(page: ProjectPage) -> ProjectPage:
    """Return a page for JSON, in which readers refuse a relative address of provenance."""
    if not any(file.provenance for file in page.files):
        return page
    files = (msgspec.structs.replace(file, provenance=None) for file in page.files)
    return msgspec.structs.replace(page, files=tuple(files))


def _href(file: File) -> str:
    return f"../../{FILES}/{quote(file.filename)}"
