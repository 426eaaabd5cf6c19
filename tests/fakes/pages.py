"""Pages of the simple API, rendered without the product's own code so as to check it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

from tests.fakes.wheels import Dist

Format = Literal["html", "json"]

FORMATS: tuple[Format, ...] = ("html", "json")
HTML_ONLY: tuple[Format, ...] = ("html",)
JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPE = "text/html; charset=utf-8"
#: The newest that `Project` has fields for (PEP 792).
API_VERSION = "1.4"
#: The summary in each JSON document, as in none of the distributions.
SUMMARY = "from the index"
UPLOAD_TIME = "2026-01-01T00:00:00.000000Z"
#: What a client may call the JSON and the HTML form (PEP 691), with the wildcards.
_JSON_NAMES = (JSON_TYPE, "application/vnd.pypi.simple.latest+json")
_HTML_NAMES = (
    "text/html",
    "application/vnd.pypi.simple.v1+html",
    "application/vnd.pypi.simple.latest+html",
    "text/*",
    "*/*",
)


@dataclass(kw_only=True)
class Listed:
    """One distribution as a page lists it."""

    dist: Dist
    #: Address on the page, without fragment.
    url: str
    yanked: bool | str = False
    upload_time: str | None = UPLOAD_TIME
    provenance: str | None = None
    gpg_sig: bool | None = None
    #: As the page states them; may be wrong or empty on purpose.
    hashes: dict[str, str] = field(default_factory=dict)
    #: Whether the page says that a ``.metadata`` file exists.
    metadata: bool = True


@dataclass(kw_only=True)
class Project:
    """What a page says of its project, besides the files."""

    name: str
    files: dict[str, Listed] = field(default_factory=dict)
    status: str | None = None
    status_reason: str | None = None
    tracks: tuple[str, ...] = ()
    alternate_locations: tuple[str, ...] = ()
    serial: int | None = None
    #: What the JSON of each version states as known vulnerabilities.
    vulnerabilities: dict[str, Any] = field(default_factory=dict)
    #: Seconds since the epoch, for Last-Modified.
    modified: int = 0


def negotiate(accept: str, formats: Iterable[Format]) -> Format:
    """Return the format that a client asking with ``accept`` is served."""
    available = set(formats)
    if len(available) == 1:
        return available.pop()
    wishes = {}
    for wish in accept.split(","):
        name, _, parameters = wish.partition(";")
        wishes[name.strip().lower()] = float(parameters.strip().removeprefix("q=") or 1)
    json_wish = max(wishes.get(name, 0.0) for name in _JSON_NAMES)
    html_wish = max(wishes.get(name, 0.0) for name in _HTML_NAMES)
    return "json" if json_wish and json_wish >= html_wish else "html"


def render(project: Project, form: Format) -> bytes:
    """Return a project's page."""
    return _json(project) if form == "json" else _html(project)


def render_root(
    names: Iterable[str], form: Format, serials: Mapping[str, int] | None = None
) -> bytes:
    """Return the root page; ``serials`` are those of the names, and of the index under ``""``."""
    if form == "json":
        projects: list[dict[str, Any]] = [{"name": name} for name in names]
        meta: dict[str, Any] = {"api-version": API_VERSION}
        if serials is not None:
            meta["_last-serial"] = serials[""]
            projects = [{**each, "_last-serial": serials[each["name"]]} for each in projects]
        return json.dumps({"meta": meta, "projects": projects}).encode()
    anchors = [f'<a href="{escape(name)}/">{escape(name)}</a><br>' for name in names]
    return _document("Simple index", [], anchors)


def render_document(project: Project, version: str) -> bytes | None:
    """Return PyPI's JSON of a project, or of one version if not empty; None without such files."""
    of = version or max((listed.dist.version for listed in project.files.values()), default="")
    files = [listed for listed in project.files.values() if listed.dist.version == of]
    if not files:
        return None
    document: dict[str, Any] = {
        "info": {
            "name": files[0].dist.name,
            "version": of,
            "summary": SUMMARY,
            "requires_dist": None,
            "requires_python": files[0].dist.requires_python,
            "yanked": all(listed.yanked for listed in files),
        },
        "last_serial": project.serial,
        "ownership": {"organization": None, "roles": []},
        "urls": [_document_file(listed) for listed in files],
        "vulnerabilities": project.vulnerabilities.get(of, []),
    }
    if not version:
        releases: dict[str, list[dict[str, Any]]] = {}
        for listed in project.files.values():
            releases.setdefault(listed.dist.version, []).append(_document_file(listed))
        document["releases"] = releases
    return json.dumps(document).encode()


def _document_file(listed: Listed) -> dict[str, Any]:
    return {
        "filename": listed.dist.filename,
        "url": listed.url,
        "digests": listed.hashes,
        "packagetype": "bdist_wheel" if listed.dist.is_wheel else "sdist",
        "size": len(listed.dist.data),
        "upload_time_iso_8601": listed.upload_time,
        "yanked": bool(listed.yanked),
    }


def _json(project: Project) -> bytes:
    meta: dict[str, Any] = {"api-version": API_VERSION}
    page: dict[str, Any] = {
        "meta": meta,
        "name": project.name,
        "versions": sorted({listed.dist.version for listed in project.files.values()}),
        "files": [_json_file(listed) for listed in project.files.values()],
    }
    if project.serial is not None:
        meta["_last-serial"] = project.serial
    if project.tracks:
        meta["tracks"] = list(project.tracks)
    if project.alternate_locations:
        page["alternate-locations"] = list(project.alternate_locations)
    if project.status:
        page["project-status"] = {"status": project.status}
        if project.status_reason:
            page["project-status"]["reason"] = project.status_reason
    return json.dumps(page).encode()


def _json_file(listed: Listed) -> dict[str, Any]:
    dist = listed.dist
    metadata = {"sha256": dist.metadata_sha256} if listed.metadata else False
    entry = {
        "filename": dist.filename,
        "url": listed.url,
        "hashes": listed.hashes,
        "size": len(dist.data),
        "yanked": listed.yanked,
        "core-metadata": metadata,
        "dist-info-metadata": metadata,
    }
    optional = {
        "requires-python": dist.requires_python,
        "upload-time": listed.upload_time,
        "gpg-sig": listed.gpg_sig,
        "provenance": listed.provenance,
    }
    return entry | {key: value for key, value in optional.items() if value is not None}


def _html(project: Project) -> bytes:
    metas = [
        *(("pypi:tracks", url) for url in project.tracks),
        *(("pypi:alternate-locations", url) for url in project.alternate_locations),
    ]
    if project.status:
        metas.append(("pypi:project-status", project.status))
    if project.status_reason:
        metas.append(("pypi:project-status-reason", project.status_reason))
    anchors = [_anchor(listed) for listed in project.files.values()]
    return _document(f"Links for {project.name}", metas, anchors)


def _anchor(listed: Listed) -> str:
    dist = listed.dist
    # The page has room for one hash.
    fragment = next((f"#{name}={value}" for name, value in listed.hashes.items()), "")
    attributes = {"href": listed.url + fragment}
    if dist.requires_python is not None:
        attributes["data-requires-python"] = dist.requires_python
    if listed.metadata:
        attributes["data-core-metadata"] = f"sha256={dist.metadata_sha256}"
        attributes["data-dist-info-metadata"] = f"sha256={dist.metadata_sha256}"
    if listed.yanked is not False:
        attributes["data-yanked"] = "" if listed.yanked is True else listed.yanked
    if listed.gpg_sig is not None:
        attributes["data-gpg-sig"] = str(listed.gpg_sig).lower()
    if listed.provenance is not None:
        attributes["data-provenance"] = listed.provenance
    spelled = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<a {spelled}>{escape(dist.filename)}</a><br>"


def _document(title: str, metas: Iterable[tuple[str, str]], anchors: Iterable[str]) -> bytes:
    head = "".join(
        f'<meta name="{escape(name)}" content="{escape(content)}">\n'
        for name, content in [("pypi:repository-version", API_VERSION), *metas]
    )
    body = "\n".join(anchors)
    return (
        f"<!DOCTYPE html>\n<html><head>\n{head}<title>{escape(title)}</title></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    ).encode()
