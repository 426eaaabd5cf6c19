"""The JSON form on the wire, decoded into typed values; invalid ones are dropped."""

import codecs
from collections.abc import Iterable
from itertools import repeat
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec

from indexfallback.formats import fields

_Wire = TypeVar("_Wire", bound=msgspec.Struct)
_Decoded = TypeVar("_Decoded")

#: An integer that SQLite and every client can hold.
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
#: The most levels of an unknown key's value. Decoding allows some hundreds, which encoding, deeper
#: in the stack, could not write again.
_MAX_DEPTH = 16
_MAX_INT = 2**63 - 1


class File(msgspec.Struct, rename="kebab", forbid_unknown_fields=True, gc=False):
    """One of ``files``."""

    filename: str
    url: str
    hashes: dict[str, Any] | None = None
    requires_python: str | None = None
    core_metadata: bool | dict[str, Any] | None = None
    dist_info_metadata: bool | dict[str, Any] | None = None
    data_dist_info_metadata: bool | dict[str, Any] | None = None
    gpg_sig: bool | None = None
    yanked: bool | str | None = None
    size: _Count | None = None
    upload_time: str | None = None
    provenance: str | None = None


class Meta(msgspec.Struct, rename="kebab", forbid_unknown_fields=True):
    """The top level's ``meta``."""

    #: Any type, so that an invalid version is not taken for a missing one.
    api_version: Any = None
    last_serial: _Count | None = msgspec.field(default=None, name="_last-serial")
    tracks: tuple[str, ...] = ()


class Status(msgspec.Struct):
    """The top level's ``project-status``."""

    status: fields.Status | None = None
    reason: str | None = None


class Page(msgspec.Struct, rename="kebab", forbid_unknown_fields=True):
    """The top level."""

    files: list[File]
    meta: Meta = msgspec.field(default_factory=Meta)
    name: str | None = None
    versions: tuple[str, ...] | None = None
    alternate_locations: tuple[str, ...] = ()
    project_status: Status = msgspec.field(default_factory=Status)


class Project(msgspec.Struct, gc=False):
    """One of the root page's ``projects``."""

    name: str
    last_serial: _Count | None = msgspec.field(default=None, name="_last-serial")


class Root(msgspec.Struct):
    """The root page."""

    projects: list[Project]
    meta: Meta = msgspec.field(default_factory=Meta)


class Read(NamedTuple):
    """A decoded page and the keys that the wire model does not know."""

    page: Page
    extra: dict[str, Any]
    meta_extra: dict[str, Any]
    file_extras: Iterable[dict[str, Any] | None]
    #: Of entries of ``files`` that have no name or no address: the name, or nothing.
    incomplete: tuple[str, ...] = ()


_PAGES = msgspec.json.Decoder(Page)
_ROOTS = msgspec.json.Decoder(Root)
_ANYTHING = msgspec.json.Decoder()
#: Wire type to the types of its keys as they are spelt.
_TYPES: dict[type[msgspec.Struct], dict[str, Any]] = {
    kind: {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    for kind in (File, Meta, Page, Project)
}


def read_page(body: bytes, url: str) -> Read:
    """Decode a project page.

    First strictly, which is fast and refuses unknown keys and invalid values. If that fails, value
    by value: unknown keys are kept, and invalid values, and files without a name or an address,
    are dropped.

    Raises:
        PageError: It is not one, or has another version of the API.

    """
    try:
        read = Read(_decode(body, url, _PAGES), {}, {}, repeat(None))
    except msgspec.ValidationError:
        return _salvage_page(_decode_object(body, url), url)
    fields.check_version(read.page.meta.api_version, url)
    return read


def read_root(body: bytes, url: str) -> Root:
    """Decode a root page in the same way.

    Raises:
        PageError: It is not one, or has another version of the API.

    """
    try:
        root = _decode(body, url, _ROOTS)
    except msgspec.ValidationError:
        return _salvage_root(_decode_object(body, url), url)
    fields.check_version(root.meta.api_version, url)
    return root


def _decode(body: bytes, url: str, decoder: "msgspec.json.Decoder[_Decoded]") -> _Decoded:
    """Decode ``body``.

    Raises:
        PageError: It is not JSON.
        msgspec.ValidationError: It is JSON of another shape.

    """
    try:
        return decoder.decode(body.removeprefix(codecs.BOM_UTF8))
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise fields.not_a_page(url, f"its JSON cannot be read ({error})") from error
    except RecursionError as error:
        raise fields.not_a_page(url, "its JSON nests too deeply") from error


def _decode_object(body: bytes, url: str) -> dict[str, Any]:
    """Decode ``body``, whatever keys it has.

    Raises:
        PageError: It is not a JSON object.

    """
    try:
        raw = _decode(body, url, _ANYTHING)
    except msgspec.ValidationError as error:  # a number that no type holds
        raise fields.not_a_page(url, f"its JSON cannot be read ({error})") from error
    if not isinstance(raw, dict):
        raise fields.not_a_page(url, "its JSON is not an object")
    return raw


def _salvage_page(raw: dict[str, Any], url: str) -> Read:
    """Return the readable part of a project page."""
    meta, meta_extra = _salvage_meta(raw, url)
    items = _pop_list(raw, "files", url)
    files, file_extras, incomplete = [], [], []
    for item in items:
        file, extra = _salvage(item, File)
        if file is not None:
            files.append(file)
            file_extras.append(extra)
        else:
            name = item.get("filename") if isinstance(item, dict) else None
            incomplete.append(name if isinstance(name, str) else "")
    page, extra = _salvage({**raw, "files": []}, Page)
    assert page is not None  # noqa: S101 - no other key is required
    page = msgspec.structs.replace(page, files=files, meta=meta)
    return Read(page, extra, meta_extra, file_extras, tuple(incomplete))


def _salvage_root(raw: dict[str, Any], url: str) -> Root:
    """Return the readable part of a root page."""
    meta, _ = _salvage_meta(raw, url)
    projects = (_salvage(item, Project)[0] for item in _pop_list(raw, "projects", url))
    return Root(projects=[project for project in projects if project is not None], meta=meta)


def _salvage_meta(raw: dict[str, Any], url: str) -> tuple[Meta, dict[str, Any]]:
    """Remove ``meta`` from a page and return it; checks the version, which defines the shape."""
    found, extra = _salvage(raw.pop("meta", None), Meta)
    meta = found or Meta()
    fields.check_version(meta.api_version, url)
    return meta, extra


def _pop_list(raw: dict[str, Any], key: str, url: str) -> list[Any]:
    """Remove a list from a page and return it."""
    items = raw.pop(key, None)
    if not isinstance(items, list):
        raise fields.not_a_page(url, f"its JSON has no list of {key}")
    return items


def _salvage(raw: Any, kind: type[_Wire]) -> tuple[_Wire | None, dict[str, Any]]:
    """Return the valid values of ``raw`` as ``kind``, and its unknown keys.

    The first is None if ``raw`` is not an object or a required value is missing.
    """
    if not isinstance(raw, dict):
        return None, {}
    types = _TYPES[kind]
    known = {key: value for key, value in raw.items() if key in types}
    extra = {key: value for key, value in raw.items() if key not in types and _is_plain(value)}
    try:
        return msgspec.convert(known, kind), extra
    except msgspec.ValidationError:
        known = {key: value for key, value in known.items() if _is_valid(value, types[key])}
    try:
        return msgspec.convert(known, kind), extra
    except msgspec.ValidationError:
        return None, extra


def _is_valid(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _is_plain(value: Any, depth: int = 0) -> bool:
    """Tell whether an unknown value can be written again: not too deep, no huge integers."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return depth < _MAX_DEPTH and all(_is_plain(item, depth + 1) for item in value)
    return not isinstance(value, int) or abs(value) <= _MAX_INT
