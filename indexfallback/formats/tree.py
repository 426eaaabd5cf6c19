"""The pages of a static tree: what any web server, an object store or ``file:`` can serve.

The start page is for people; those below ``simple/`` are the simple API in both of its forms, with
links relative to their own place.
"""

from collections.abc import Iterable
from urllib.parse import quote

import msgspec

from indexfallback.formats import render_names, render_page
from indexfallback.formats.html import render_start
from indexfallback.formats.negotiation import Media
from indexfallback.page import File, ProjectPage

#: Where all distributions lie, side by side, so that ``--find-links`` works on it, too.
FILES = "files"
#: Where the pages lie.
SIMPLE = "simple"
#: The names of a page: what web servers and pip look for in a directory, and its JSON form.
_FORMS = {"index.html": Media.HTML, "index.json": Media.JSON_V1}


def project_pages(page: ProjectPage) -> dict[str, bytes]:
    """Return the pages of a project by their paths in the tree."""
    return {
        f"{SIMPLE}/{page.name}/{name}": render_page(page, media, _href)
        for name, media in _FORMS.items()
    }


def root_pages(names: Iterable[str]) -> dict[str, bytes]:
    """Return the pages that list all projects, by their paths in the tree."""
    listed = sorted(names)
    pages = {f"{SIMPLE}/{name}": render_names(listed, media) for name, media in _FORMS.items()}
    return {**pages, "index.html": "".join(render_start(listed, SIMPLE)).encode()}


def published(file: File, sha256: str, size: int, metadata_sha256: str | None) -> File:
    """Return a file as a tree lists it, which has neither signatures nor anything unhashed."""
    return msgspec.structs.replace(
        file,
        hashes={**file.hashes, "sha256": sha256},
        core_metadata={"sha256": metadata_sha256} if metadata_sha256 is not None else False,
        gpg_sig=None,
        size=size,
    )


def _href(file: File) -> str:
    return f"../../{FILES}/{quote(file.filename)}"
