"""The pages in an archive: reads them, and checks that their indexes can have them."""

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from indexfallback.carry.archive import Archive
from indexfallback.carry.comparison import Comparison
from indexfallback.carry.manifest import CarriedPage, Manifest, pages_here
from indexfallback.carry.page_check import is_possible
from indexfallback.page import ProjectPage

_decoder = msgspec.msgpack.Decoder(ProjectPage)


class ArchivedPages:
    """Reads the pages of one archive."""

    def __init__(self, archive: Archive, manifest: Manifest, here: Comparison) -> None:
        self._archive = archive
        self._manifest = manifest
        self._here = here
        #: Addresses of the indexes that are private in the archive.
        self._private = {index.url for index in manifest.indexes if index.role == "private"}
        #: The sha256 of a content to the pages that have it.
        self._of_content: defaultdict[str, list[CarriedPage]] = defaultdict(list)
        for page in manifest.pages:
            self._of_content[page.sha256].append(page)
        #: The position of the first page in the archive.
        self._begins = 0

    def begin(self) -> None:
        """Remember that the archive's files have been read, and its pages come next."""
        self._begins = self._archive.tell()

    def read(self) -> Iterator[tuple[CarriedPage, ProjectPage]]:
        """Read and check the pages, and yield each with every index that has it.

        Raises `CarryError` if an index cannot have such a page.
        """
        self._archive.seek(self._begins)
        for member in pages_here(self._manifest.pages):
            page = self._decoded(member)
            carried = self._of_content[member.sha256]
            for each in carried:
                self._check(each, page)
            yield from ((each, page) for each in carried if each.here)

    def _decoded(self, member: CarriedPage) -> ProjectPage:
        body = b"".join(self._archive.member(member.member, member.size, member.sha256))
        try:
            return _decoder.decode(body)
        except msgspec.DecodeError as error:
            raise self._archive.error(
                f"the page of {member.project} is damaged ({error})"
            ) from error

    def _check(self, carried: CarriedPage, page: ProjectPage) -> None:
        """Refuse a page that its index cannot have; an unknown index may have what a public may.

        The archive does not decide which indexes may name local addresses.
        """
        index = self._here.index(carried.source)
        is_private = index is not None and index.is_private
        if page.name == carried.project and is_possible(
            page, carried.source, public=not is_private
        ):
            return
        problem = f"the page of {carried.project} cannot be from {carried.source}"
        if is_private or carried.source not in self._private:
            raise self._archive.error(problem)
        raise self._archive.error(
            f"{problem}, unless that is a private index",
            'if it is one, add it to the configuration with role = "private", or use --map'
            if index is None
            else f'if it is one, set role = "private" for {index.name}',
        )
