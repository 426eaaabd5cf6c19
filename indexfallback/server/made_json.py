"""The JSON of a project or of one version, made from its page and its metadata, as PyPI has it.

Source: PyPI's documentation, "Index API", "JSON API". Addresses of PyPI's own pages are left out,
and what only PyPI knows is empty: a made document knows of no vulnerabilities.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from indexfallback.page import File, ProjectPage
from indexfallback.server.browse.releases import Release

#: Ending of a file's name to its type, as the upload API calls it; anything else is an sdist.
_TYPES = {
    ".whl": "bdist_wheel",
    ".egg": "bdist_egg",
    ".exe": "bdist_wininst",
    ".msi": "bdist_msi",
    ".rpm": "bdist_rpm",
    ".deb": "bdist_dumb",
    ".dmg": "bdist_dmg",
}
#: Fields of the metadata that are lists in both, and null if they are empty.
_LISTS = ("classifiers", "dynamic", "license_files", "platforms", "provides_extra", "requires_dist")
_TEXTS = (
    "author", "author_email", "description", "description_content_type", "download_url",
    "home_page", "license", "license_expression", "maintainer", "maintainer_email", "summary",
)  # fmt: skip


def made(
    page: ProjectPage,
    release: Release,
    metadata: bytes | None,
    address: Callable[[File], str],
    *,
    releases: Sequence[Release] | None = None,
) -> bytes:
    """Return the document of a version, or of its project if all ``releases`` are given.

    ``metadata`` is the core metadata of the version, ``address`` returns that of a file.
    """
    document: dict[str, Any] = {
        "info": _info(page.name, release, _raw(metadata)),
        "last_serial": page.serial or 0,
        "urls": [_file(file, address) for file in release.files],
        "vulnerabilities": [],
    }
    if releases is not None:
        document["releases"] = {
            known.version: [_file(file, address) for file in known.files]
            for known in reversed(releases)
            if known.version
        }
    return msgspec.json.encode(document)


def _raw(metadata: bytes | None) -> Mapping[str, Any]:
    if metadata is None:
        return {}
    from packaging.metadata import parse_email  # noqa: PLC0415 - 20 ms that clients need not wait for

    return parse_email(metadata)[0]


def _info(project: str, release: Release, raw: Mapping[str, Any]) -> dict[str, Any]:
    stated = (file.requires_python for file in release.files if file.requires_python)
    yanked = release.is_yanked
    reason = next((f.yanked for f in release.files if isinstance(f.yanked, str)), None)
    return {
        "name": raw.get("name") or project,
        "version": release.version,
        **{field: raw.get(field) for field in _TEXTS},
        **{field: raw.get(field) or None for field in _LISTS},
        "keywords": ",".join(raw.get("keywords", ())) or None,
        "project_urls": raw.get("project_urls") or None,
        "requires_python": raw.get("requires_python") or next(stated, None),
        "yanked": yanked,
        "yanked_reason": reason if yanked else None,
    }


def _file(file: File, address: Callable[[File], str]) -> dict[str, Any]:
    ending = file.filename[file.filename.rfind(".") :]
    time = file.upload_time
    return {
        "comment_text": "",
        "digests": file.hashes,
        "downloads": -1,
        "filename": file.filename,
        "has_sig": file.gpg_sig or False,
        "md5_digest": file.hashes.get("md5"),
        "packagetype": _TYPES.get(ending, "sdist"),
        "python_version": _python(file.filename, ending),
        "requires_python": file.requires_python,
        "size": file.size,
        "upload_time": time.partition(".")[0].removesuffix("Z") if time is not None else None,
        "upload_time_iso_8601": time,
        "url": address(file),
        "yanked": file.yanked is not False,
        "yanked_reason": file.yanked if isinstance(file.yanked, str) else None,
    }


def _python(filename: str, ending: str) -> str:
    """Return which Python a file is for, as the upload API says it."""
    parts = filename.removesuffix(ending).split("-")
    if ending == ".whl":
        return parts[-3]
    if ending == ".egg":  # NAME-VERSION-py3.8[-PLATFORM]
        return parts[2].removeprefix("py") if len(parts) > 2 else "any"  # noqa: PLR2004
    return "source" if ending not in _TYPES else "any"
