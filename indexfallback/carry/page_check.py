"""Checks that a page in an archive could have come from its index.

Pages in archives did not pass the checks of `formats`. The page of a directory or a bucket links to
its files: in an archive these links must stay below it, or an archive could make the shim serve any
file of this machine. An export changes links that lead elsewhere (`moved`): the files are
in the archive, and are found by their sha256.
"""

from urllib.parse import quote, unquote

import msgspec

from indexfallback.config.bucket_url import SCHEME
from indexfallback.formats.fields import valid_hashes
from indexfallback.formats.links import Links
from indexfallback.names import PROVENANCE_ENDING, is_safe_filename
from indexfallback.outcome import LONGEST_DETAIL
from indexfallback.page import File, ProjectPage

#: More reasons for leaving files out than a reader has.
_MOST_REASONS = 50


def is_possible(page: ProjectPage, source: str, *, public: bool) -> bool:
    """Tell whether the index at ``source`` could have this page."""
    links = Links(f"{source}{page.name}/", public=public)
    reasons_are_words = len(page.dropped) <= _MOST_REASONS and all(
        reason.isprintable() and len(reason) <= LONGEST_DETAIL for reason in page.dropped
    )
    return reasons_are_words and all(_is_possible(file, source, links) for file in page.files)


def moved(page: ProjectPage, source: str, key: str) -> ProjectPage:
    """Return a page of the directory at ``source`` as a page of the index at ``key``.

    Its local files are assumed to be at the other index under the same names. If the index is the
    same, this applies to those outside the directory: a static tree links to ``../../files/``.
    """
    if not source.startswith("file:"):
        return page

    def at_key(url: str | None, name: str) -> str | None:
        is_local = url is not None and url.startswith("file:")
        if url is None or not is_local or (key == source and _is_below(url, source)):
            return url
        return f"{key}{quote(name)}"

    files = tuple(
        msgspec.structs.replace(
            file,
            url=at_key(file.url, file.filename),
            provenance=at_key(file.provenance, file.filename + PROVENANCE_ENDING),
        )
        for file in page.files
    )
    return msgspec.structs.replace(page, files=files) if files != page.files else page


def _is_possible(file: File, source: str, links: Links) -> bool:
    return (
        is_safe_filename(file.filename)
        and valid_hashes(file.hashes) == file.hashes
        and all(
            (url.startswith(SCHEME) or links.resolve(url) == url)
            and (not url.startswith(("file:", SCHEME)) or _is_below(url, source))
            for url in (file.url, file.provenance)
            if url is not None
        )
    )


def _is_below(url: str, source: str) -> bool:
    return url.startswith(source) and ".." not in unquote(url).split("/")
