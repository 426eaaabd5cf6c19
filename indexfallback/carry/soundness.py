"""Whether a page is such as could have come from its index: the wire was not there to check it.

A page of a directory may link to any file of this machine when it is read from there. One that was
carried may not, or whoever made the archive could have such files served.
"""

from urllib.parse import quote, unquote

import msgspec

from indexfallback.formats.fields import valid_hashes
from indexfallback.formats.links import Links
from indexfallback.names import is_safe_filename
from indexfallback.page import File, ProjectPage


def is_sound(page: ProjectPage, source: str, *, public: bool) -> bool:
    """Tell whether all that a page names could stand on a page of the index at ``source``."""
    links = Links(f"{source}{page.name}/", public=public)
    return all(_is_sound(file, source, links) for file in page.files)


def moved(page: ProjectPage, source: str, key: str) -> ProjectPage:
    """Return a page of the directory at ``source`` as one of the index at ``key`` has it.

    What it had in the directory lies at the other index by its name, as far as anybody can tell.
    """
    if key == source or not source.startswith("file:"):
        return page
    files = tuple(
        msgspec.structs.replace(file, url=f"{key}{quote(file.filename)}")
        if file.url.startswith("file:")
        else file
        for file in page.files
    )
    return msgspec.structs.replace(page, files=files)


def _is_sound(file: File, source: str, links: Links) -> bool:
    return (
        is_safe_filename(file.filename)
        and valid_hashes(file.hashes) == file.hashes
        and all(
            links.resolve(url) == url and (not url.startswith("file:") or _is_below(url, source))
            for url in (file.url, file.provenance)
            if url is not None
        )
    )


def _is_below(url: str, source: str) -> bool:
    return url.startswith(source) and ".." not in unquote(url).split("/")
