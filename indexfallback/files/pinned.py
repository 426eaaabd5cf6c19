"""The content that a file must have: that of its first download, or that of its address."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from indexfallback.chain.fallback import Fallback
from indexfallback.chain.members import Member
from indexfallback.chain.offer import PinsByName, metadata_pin, refuses
from indexfallback.chain.refusals import acceptance, changed
from indexfallback.errors import (
    FileError,
    FileRefusedError,
    FileUnavailableError,
    ProjectError,
)
from indexfallback.files.sources import Source
from indexfallback.names import METADATA_ENDING, FileKey
from indexfallback.page import ProjectPage
from indexfallback.store import Blob, best_effort
from indexfallback.store.pins import Pin, first


class FileAddress(NamedTuple):
    """What a file's address on this server says."""

    owner: str
    key: FileKey
    filename: str

    @property
    def listed(self) -> str:
        """The name of the distribution, which is on the page also where its metadata is meant."""
        return self.filename.removesuffix(METADATA_ENDING)

    @property
    def is_metadata(self) -> bool:
        """Whether it is that of a metadata file."""
        return self.filename != self.listed


class PinnedFiles:
    """Applies the pins to the files that are served."""

    def __init__(self, fallback: Fallback) -> None:
        self._fallback = fallback
        self._store = fallback.store

    def find(self, address: FileAddress) -> tuple[Blob | None, str | None]:
        """Return the file with the pinned content, if it is stored, and the sha256 it must have.

        Raises `FileRefusedError` for a file whose name has other pins, unless a page lists it
        beside a pinned one.
        """
        self._bring(address)
        known = self._known(address)
        pin = self._pin_of(address, known)
        if pin is not None:
            self._check_shared(address)
        blob = self._store.blobs.find(pin.sha256) if pin is not None else None
        if blob is None:
            self._check(address, _others(address, known))
        if pin is not None:
            return blob, pin.sha256
        # The address of a metadata file has the hash of the distribution, not its own.
        return None, None if address.is_metadata else address.key.sha256

    def _bring(self, address: FileAddress) -> None:
        """Get the pins that other shims have for a file that is new here."""
        if self._fallback.network.offline_state.requested is not None:
            return
        key = address.key.sha256 or ""
        self._store.pins.bring(address.key.project, address.filename, key)
        if address.is_metadata:
            self._store.pins.bring(address.key.project, address.listed, key)

    def _check_shared(self, address: FileAddress) -> None:
        """Raise `FileUnavailableError` if its pin must be shared, and could not be yet."""
        shared = self._store.shared
        if shared is None or not shared.is_strict:
            return
        if shared.waits(address.key.project, address.filename):
            raise FileUnavailableError(
                address.filename,
                "the shared bucket does not have its pin yet, and strict_pins is set",
                "Run again, or see `indexfallback doctor`.",
            )

    def claimed(self, address: FileAddress, sha256: str, source: Source) -> FileError | None:
        """Pin a file that is shared, before it is served; return why it must not be, or None."""
        if self._store.shared is None:
            return None
        pin = self.pin(address, sha256, source)
        if pin != sha256:
            return self.changed(address, pin, sha256)
        try:
            self._check_shared(address)
        except FileUnavailableError as error:
            return error
        return None

    def sha256(self, address: FileAddress) -> str | None:
        """Return the sha256 that was first seen at an address, or None."""
        pin = self._pin_of(address, self._known(address))
        return pin.sha256 if pin is not None else None

    def distribution(self, address: FileAddress) -> str | None:
        """Return the sha256 of the distribution that an address belongs to, if it is known.

        Where the address states none, that is the one that was first.
        """
        owner, key, _ = address
        pins = self._store.pins
        return key.sha256 or pins.get(key.project, address.listed, self._foreign(owner))

    def of_listed(self, address: FileAddress) -> Sequence[Pin]:
        """Return the pins of the distribution's name."""
        return self._known(address)[address.listed]

    def _check(self, address: FileAddress, pins: Sequence[Pin]) -> None:
        """Refuse a file whose name has other pins, unless a page lists it beside a pinned one.

        The pages are asked anew before it is refused: a client may have the address from
        elsewhere, and the page here may be older. Raises `FileRefusedError`.
        """
        if not pins or self._is_listed(address, pins, self._stored_pages(address)):
            return
        is_offline = self._fallback.network.is_offline
        if is_offline or not self._is_listed(address, pins, self._asked_pages(address)):
            raise self.changed(address, pins[0].sha256, address.key.sha256 or "")

    def pin(self, address: FileAddress, sha256: str, source: Source) -> str:
        """Pin the file's content, and return the pin that holds: it may be an older one.

        A pin of another group at the address is replaced, and one of a mirror by that of its public
        index.
        """
        owner, key, filename = address
        index = source.member.index
        mirrors = set()
        if index.name == index.group:
            mirrors = {member.index.key for member in self._fallback.members.group(index.group)}
            mirrors -= {index.key}
        with best_effort(f"read the pins of {filename}"):
            # Another file of the name may have come meanwhile.
            others = _others(address, self._known(address))
            if others and not self._is_listed(address, others, self._stored_pages(address)):
                return others[0].sha256
        # It holds in memory where it cannot be written.
        with best_effort(f"store the pin of {filename}"):
            return self._store.pins.record(
                key.project, filename, sha256, index.key, self._foreign(owner) | mirrors,
                key=key.sha256 or "",
                # Where the public index states no hash, the name has this content alone.
                corrects=() if key.sha256 else mirrors, right=(sha256,),
            )  # fmt: skip
        return sha256

    def pinned(self, address: FileAddress, blob: Blob, source: Source) -> Blob:
        """Pin a file and return it; raises `FileRefusedError` if its pin has another sha256."""
        pin = self.pin(address, blob.sha256, source)
        if pin != blob.sha256:
            raise self.changed(address, pin, blob.sha256)
        self._check_shared(address)
        return blob

    def changed(self, address: FileAddress, pin: str, sha256: str) -> FileRefusedError:
        """Return the error for content that differs from the pin, and record who offers it."""
        owner, key, filename = address
        for member in self._fallback.members.group(owner):
            page = self._store.pages.load(member.index.key, key.project)
            if page is not None and sha256 in page.sha256s(filename):
                self.note_change(address, member.index.name, sha256)
        return FileRefusedError(
            filename,
            changed(pin, sha256),
            acceptance(key.project, filename),
        )

    def note_change(self, address: FileAddress, index: str, offered: str) -> None:
        """Note that ``index`` offers a file with another sha256 than was first seen."""
        known = self._known(address)
        pin = self._pin_of(address, known)
        pins = [pin] if pin is not None else _others(address, known)
        self._fallback.refusals.note(pins, index, offered)

    def _foreign(self, owner: str) -> frozenset[str]:
        """Return the addresses of indexes whose pins say nothing about files of ``owner``."""
        return self._fallback.settings.foreign_keys(self._fallback.members[owner].index.group)

    def _known(self, address: FileAddress) -> PinsByName:
        """Return the pins of the distribution's name and of the file's own."""
        names = {address.filename, address.listed}
        return self._store.pins.of_names(address.key.project, names, self._foreign(address.owner))

    def _pin_of(self, address: FileAddress, known: PinsByName) -> Pin | None:
        """Return the pin of an address, or None; ``known`` are the pins of its names.

        An address without a sha256, or another address of the same distribution, has it from the
        first one, and keeps it.
        """
        key, filename = address.key, address.filename
        pin = next((pin for pin in known[filename] if pin.key == (key.sha256 or "")), None)
        if pin is not None:
            return pin
        if address.is_metadata:
            dist = first(known[address.listed])
            sha256 = key.sha256 or (dist.sha256 if dist is not None else None)
            pin = metadata_pin(address.listed, sha256, known)
        elif key.sha256 is None:
            pin = first(known[filename])
        else:
            pin = next((pin for pin in known[filename] if pin.sha256 == key.sha256), None)
        if pin is not None:
            with best_effort(f"store the pin of {filename}"):
                self._store.pins.record(
                    key.project, filename, pin.sha256, pin.source, key=key.sha256 or ""
                )
        return pin

    def _is_listed(
        self,
        address: FileAddress,
        pins: Sequence[Pin],
        pages: Iterator[tuple[Member, ProjectPage | None]],
    ) -> bool:
        """Tell whether one of the pages lists the file of an address beside a pinned one."""
        for member, page in pages:
            stated = page.sha256s(address.listed) if page is not None else frozenset()
            if address.key.sha256 in stated and not refuses(pins, stated):
                return True
            if stated and member.index.name == member.index.group:
                return False  # the public index is right, whatever its mirrors list
        return False

    def _stored_pages(self, address: FileAddress) -> Iterator[tuple[Member, ProjectPage | None]]:
        for member in self._authority_first(address.owner):
            yield member, self._store.pages.load(member.index.key, address.key.project)

    def _asked_pages(self, address: FileAddress) -> Iterator[tuple[Member, ProjectPage | None]]:
        for member in self._authority_first(address.owner):
            try:
                answer = self._fallback.page(address.key.project, member.index.name, again=True)
            except ProjectError:  # another index of the group may list it
                continue
            yield member, answer.page

    def _authority_first(self, owner: str) -> list[Member]:
        members = self._fallback.members.group(owner)
        return sorted(members, key=lambda member: member.index.name != member.index.group)


def _others(address: FileAddress, known: PinsByName) -> Sequence[Pin]:
    """Return the pins of the distribution's name, unless one has the sha256 of the address."""
    sha256, pins = address.key.sha256, known[address.listed]
    return () if sha256 is None or any(pin.sha256 == sha256 for pin in pins) else pins
