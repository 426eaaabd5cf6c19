"""Which files of a page are offered to clients: those that can be served, as first seen."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from indexfallback.chain.cooldown import Cooldown, withheld_files, young_files
from indexfallback.names import METADATA_ENDING, canonical_version, version_in
from indexfallback.page import File, ProjectPage
from indexfallback.store.pins import Pin

#: The pins of a project by file name, the oldest first.
PinsByName = Mapping[str, Sequence[Pin]]


class Available(NamedTuple):
    """The files that can be served without a network."""

    #: The sha256 of the stored files.
    held: Collection[str]
    #: Whether links of the page to files of this machine can be followed.
    is_local: bool = False
    #: Name and sha256 of the files whose provenance object is stored.
    provenance: Collection[tuple[str, str]] = ()


class Hidden(NamedTuple):
    """A file that is not offered because it cannot be served without a network."""

    file: File
    #: Whether it was stored once.
    was_held: bool


def refuses(pins: Iterable[Pin], stated: Collection[str]) -> bool:
    """Tell whether the files of one name are refused, since none of them is one that was served.

    ``pins`` are those of the name, ``stated`` all sha256 that one page states for it. A page that
    lists a pinned file beside another one has two files of one name, and both are right. A file
    whose sha256 is not stated is judged by its bytes.
    """
    known = {pin.sha256 for pin in pins}
    return bool(known and stated) and known.isdisjoint(stated)


def offered(
    page: ProjectPage,
    pins: PinsByName,
    available: Available | None = None,
    cooldown: Cooldown | None = None,
    *,
    promises: Callable[[File], bool] = lambda _: True,
) -> ProjectPage:
    """Return the page as clients see it.

    What `refuses` refuses is withheld, and so is what is too young for the ``cooldown``. A version
    whose files are all left out is not listed. A missing hash is filled in. ``available`` are the
    files that can be served offline, or None while there is a network. Wheels that ``promises`` is
    true for have metadata, also where the index has no file of it: it is read from the wheel.

    Of a quarantined project nothing is offered for installation (PEP 792).
    """
    if page.status == "quarantined":
        return msgspec.structs.replace(page, files=())
    page = without_young(page, pins, cooldown)
    if pins or available is not None:
        files = [
            offered
            for file in _not_refused(page, pins)
            if (offered := _offered_file(file, pins, available)) is not None
        ]
        page = _with_files(page, files)
    if not any(map(_lacks_metadata, page.files)):
        return page
    promised = (
        msgspec.structs.replace(file, core_metadata=True)
        if _lacks_metadata(file) and promises(file)
        else file
        for file in page.files
    )
    return msgspec.structs.replace(page, files=tuple(promised))


def without_young(page: ProjectPage, pins: PinsByName, cooldown: Cooldown | None) -> ProjectPage:
    """Return a page without the files that the cooldown of its index withholds."""
    young = young_files(page, cooldown)
    if cooldown is None or not young:
        return page
    withheld = {id(each.file) for each in withheld_files(young, pins, cooldown)}
    return _with_files(page, [file for file in page.files if id(file) not in withheld])


def withheld(page: ProjectPage, pins: PinsByName) -> list[File]:
    """Return the files of a page whose content has changed since they were first seen."""
    refused = _refused_names(page, pins)
    return [file for file in page.files if file.filename in refused] if refused else []


def has_unknown(page: ProjectPage, pins: PinsByName) -> bool:
    """Tell whether a page states a sha256 that is not pinned, for a name that has pins."""
    return bool(_unknown_names(page, pins))


def has_wrong_metadata(page: ProjectPage, pins: PinsByName) -> bool:
    """Tell whether a page states another hash of a metadata file than that file has."""
    return bool(pins) and any(_true_metadata(as_pinned(file, pins), pins) for file in page.files)


def hidden(
    page: ProjectPage,
    pins: PinsByName,
    available: Available | None,
    cooldown: Cooldown | None = None,
) -> list[Hidden]:
    """Return the files of a page that are left out only because there is no network."""
    if available is None or page.status == "quarantined":
        return []
    page = without_young(page, pins, cooldown)
    files = (as_pinned(file, pins) for file in _not_refused(page, pins))
    return [
        Hidden(file, any(pin.sha256 == file.sha256 for pin in pins.get(file.filename, ())))
        for file in files
        if not _is_available(file, available)
    ]


def as_pinned(file: File, pins: PinsByName) -> File:
    """Return a file with the sha256 of its pin if its page states none.

    That is the pin of the address without a sha256, or the only one of the name: a sha256 in
    another address may be that of another file.
    """
    known = pins.get(file.filename, ()) if file.sha256 is None else ()
    if not known:
        return file
    without = {pin.sha256 for pin in known if not pin.key} or {pin.sha256 for pin in known}
    if len(without) != 1:
        return file
    return msgspec.structs.replace(file, hashes={**file.hashes, "sha256": without.pop()})


def metadata_pin(filename: str, sha256: str | None, pins: PinsByName) -> Pin | None:
    """Return the pin of the metadata of a distribution, or None.

    Any address of the distribution counts: its pins say which ones led to the same ``sha256``.
    """
    known = pins.get(filename + METADATA_ENDING)
    if not known:
        return None
    keys = {pin.key for pin in pins.get(filename, ()) if pin.sha256 == sha256} | {sha256 or ""}
    return next((pin for pin in known if pin.key in keys), None)


def _with_files(page: ProjectPage, files: Sequence[File]) -> ProjectPage:
    """Return a page with these of its files, without the versions that have lost all theirs."""
    versions = page.versions
    if versions is not None and len(files) < len(page.files):
        lost = _versions(page.name, page.files) - _versions(page.name, files)
        versions = tuple(each for each in versions if canonical_version(each) not in lost)
    return msgspec.structs.replace(page, files=tuple(files), versions=versions)


def _versions(project: str, files: Iterable[File]) -> set[str | None]:
    return {canonical_version(version_in(file.filename, project)) for file in files}


def _unknown_names(page: ProjectPage, pins: PinsByName) -> set[str]:
    return {
        file.filename
        for file in page.files
        if (known := pins.get(file.filename))
        and (sha256 := file.sha256) is not None
        and known[0].sha256 != sha256
        and all(pin.sha256 != sha256 for pin in known)
    }


def _lacks_metadata(file: File) -> bool:
    return file.core_metadata is False and file.filename.endswith(".whl")


def _refused_names(page: ProjectPage, pins: PinsByName) -> set[str]:
    stated: dict[str, set[str]] = {name: set() for name in _unknown_names(page, pins)}
    for file in page.files if stated else ():
        if file.filename in stated and file.sha256 is not None:
            stated[file.filename].add(file.sha256)
    return {name for name, sha256s in stated.items() if refuses(pins[name], sha256s)}


def _not_refused(page: ProjectPage, pins: PinsByName) -> Iterable[File]:
    refused = _refused_names(page, pins)
    return (file for file in page.files if file.filename not in refused)


def _offered_file(file: File, pins: PinsByName, available: Available | None) -> File | None:
    file = as_pinned(file, pins)
    metadata = _true_metadata(file, pins)
    if metadata is not None:
        file = msgspec.structs.replace(file, core_metadata={"sha256": metadata})
    if available is None:
        return file
    # Metadata alone would have a resolver choose a file that cannot be fetched.
    if not _is_available(file, available):
        return None
    if file.core_metadata is not False and not _has_metadata(file, pins, available):
        file = msgspec.structs.replace(file, core_metadata=False)
    if file.provenance is not None and not _has_provenance(file, available):
        file = msgspec.structs.replace(file, provenance=None)
    return file


def _true_metadata(file: File, pins: PinsByName) -> str | None:
    """Return the sha256 of a metadata file where the page states another one."""
    stated = file.core_metadata
    if not isinstance(stated, dict) or "sha256" not in stated:
        return None
    pin = metadata_pin(file.filename, file.sha256, pins)
    return pin.sha256 if pin is not None and pin.sha256 != stated["sha256"] else None


def _is_available(file: File, available: Available) -> bool:
    return file.sha256 in available.held or (available.is_local and file.url.startswith("file:"))


def _has_provenance(file: File, available: Available) -> bool:
    is_local = available.is_local and (file.provenance or "").startswith("file:")
    return is_local or (file.filename, file.sha256) in available.provenance


def _has_metadata(file: File, pins: PinsByName, available: Available) -> bool:
    """Tell whether a file's metadata is stored, or is inside the file as in a wheel."""
    pin = metadata_pin(file.filename, file.sha256, pins)
    is_stored = pin is not None and pin.sha256 in available.held
    return is_stored or file.filename.endswith(".whl")
