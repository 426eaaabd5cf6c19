"""The JSON form (PEP 691) of a project page and of the root page, read and written."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from indexfallback.formats import fields, wire
from indexfallback.formats.collected import INCOMPLETE, NO_DISTRIBUTION, UNSAFE_NAME, Collected
from indexfallback.formats.links import Links
from indexfallback.names import (
    is_distribution,
    is_normalized,
    is_project_name,
    is_safe_filename,
    normalize,
)
from indexfallback.page import File, ProjectPage


def parse_page(
    body: bytes,
    url: str,
    project: str,
    *,
    public: bool,
    declared: bool,
    logins: dict[str, str] | None,
) -> ProjectPage:
    """Read a project page; ``declared`` tells whether its media type is that of the simple API.

    ``logins`` is as in `Links`.

    Raises:
        PageError: It is not one.

    """
    page, extra, meta_extra, file_extras, incomplete = wire.read_page(body, url)
    if not declared and (page.name is None or page.meta.api_version is None):
        raise fields.not_a_page(url, "its JSON has no name and API version")
    if page.name is not None and normalize(page.name) != project:
        raise fields.not_a_page(url, f"it is the page of {page.name[:80]!r}, not of {project!r}")
    links = Links(url, public=public, logins=logins)
    collected = Collected()
    for name in incomplete:
        collected.drop(INCOMPLETE, name)
    for raw, unknown in zip(page.files, file_extras):  # noqa: B905 - the second may be endless
        file = _file(raw, unknown, links, collected)
        if file is not None:
            collected.add(file)
    status = page.project_status.status
    return ProjectPage(
        name=project,
        files=collected.files,
        versions=page.versions,
        tracks=links.resolve_all(page.meta.tracks),
        alternate_locations=links.resolve_all(page.alternate_locations),
        status=status,
        status_reason=page.project_status.reason if status else None,
        serial=page.meta.last_serial,
        dropped=collected.dropped,
        extra=extra,
        meta_extra=meta_extra,
    )


def parse_listing(
    body: bytes, url: str, *, declared: bool
) -> tuple[Iterator[tuple[str, int | None]], int | None]:
    """Read a root page: the normalised project names with their serials, and the index's own.

    Raises:
        PageError: It is not one.

    """
    root = wire.read_root(body, url)
    if not declared and root.meta.api_version is None:
        raise fields.not_a_page(url, "its JSON has no API version")
    return named(root.projects), root.meta.last_serial


def named(projects: list[wire.Project]) -> Iterator[tuple[str, int | None]]:
    """Yield the valid names, nearly all of which are normalised, and empty the list.

    To free 800,000 entries at once would stop all threads.
    """
    projects.reverse()
    while projects:
        item = projects.pop()
        if is_normalized(item.name):
            yield item.name, item.last_serial
        elif is_project_name(item.name):
            yield normalize(item.name), item.last_serial


def render_page(page: ProjectPage, href: Callable[[File], str]) -> bytes:
    """Write a project page."""
    meta: dict[str, Any] = {**page.meta_extra, "api-version": fields.api_version(page)}
    if page.serial is not None:
        meta["_last-serial"] = page.serial
    if page.tracks:
        meta["tracks"] = page.tracks
    answer: dict[str, Any] = {**page.extra, "meta": meta, "name": page.name}
    if page.status is not None:
        answer["project-status"] = {"status": page.status}
        if page.status_reason is not None:
            answer["project-status"]["reason"] = page.status_reason
    if page.alternate_locations:
        answer["alternate-locations"] = page.alternate_locations
    if page.versions is not None:
        answer["versions"] = page.versions
    answer["files"] = [_entry(file, href(file)) for file in page.files]
    return msgspec.json.encode(answer)


def render_names(names: Iterable[str]) -> bytes:
    """Write a root page."""
    projects = [{"name": name} for name in names]
    meta = {"api-version": fields.LIST_VERSION}
    return msgspec.json.encode({"meta": meta, "projects": projects})


def _file(
    raw: wire.File, extra: dict[str, Any] | None, links: Links, collected: Collected
) -> File | None:
    """Return the file of an entry of ``files``, or None if it may not be offered."""
    filename = raw.filename
    if not (is_distribution(filename) and is_safe_filename(filename)):
        reason = UNSAFE_NAME if is_distribution(filename) else NO_DISTRIBUTION
        collected.drop(reason, filename)
        return None
    url = links.resolve(raw.url)
    if url is None:
        collected.drop(links.why_refused(raw.url), filename)
        return None
    try:
        hashes = fields.stated_hashes(raw.hashes) if raw.hashes else {}
    except fields.MalformedHashError as error:
        collected.drop(str(error), filename)
        return None
    return File(
        filename=filename,
        url=url,
        hashes=hashes,
        requires_python=(raw.requires_python or "").strip() or None,
        core_metadata=_core_metadata(raw),
        gpg_sig=raw.gpg_sig,
        yanked=fields.yanked(raw.yanked) if raw.yanked else False,
        size=raw.size,
        upload_time=fields.upload_time(raw.upload_time),
        provenance=links.resolve(raw.provenance) if raw.provenance else None,
        extra=extra or {},
    )


def _core_metadata(raw: wire.File) -> bool | dict[str, str]:
    """Return the value under its newest spelling (PEP 714)."""
    for stated in (raw.core_metadata, raw.dist_info_metadata, raw.data_dist_info_metadata):
        if isinstance(stated, bool):
            return stated
        if stated is not None:
            try:
                return fields.stated_hashes(stated) or True
            except fields.MalformedHashError:  # nothing could tell what comes for it
                return False
    return False


def _entry(file: File, href: str) -> dict[str, Any]:
    """Return an entry of ``files``."""
    entry = {**file.extra, "filename": file.filename, "url": href, "hashes": file.hashes}
    if file.requires_python is not None:
        entry["requires-python"] = file.requires_python
    entry["core-metadata"] = entry["dist-info-metadata"] = file.core_metadata
    if file.gpg_sig is not None:
        entry["gpg-sig"] = file.gpg_sig
    entry["yanked"] = file.yanked
    if file.size is not None:
        entry["size"] = file.size
    if file.upload_time is not None:
        entry["upload-time"] = file.upload_time
    if file.provenance is not None:
        entry["provenance"] = file.provenance
    return entry
