"""A mirror as tests see it: run by the real command, and what is in its store."""

from typing import Any

from indexfallback.store import Store
from indexfallback.store.provenance import ProvenanceKey
from tests.cli.support import CommandLine, Done
from tests.fakes import FakeIndex
from tests.serving import index_table


class Mirrored:
    """A configuration with ``[mirror]``, and its cache."""

    def __init__(self, cli: CommandLine, upstream: FakeIndex) -> None:
        self.cli = cli
        self.upstream = upstream
        self.source = upstream.url

    def configure(self, **keys: object) -> None:
        """Write the configuration; ``keys`` are those of the table."""
        self.cli.configure(
            index_table("upstream", self.source), mirror={"index": "upstream", **keys}
        )

    def __call__(self, *arguments: str) -> Done:
        """Run the command."""
        return self.cli("mirror", *arguments)

    def run(self, *arguments: str, code: int = 0) -> Any:
        """Run it, and return its result."""
        return self("--json", *arguments).expect(code).json

    def open(self) -> Store:
        """Open the store; the caller closes it."""
        return Store(self.cli.cache, 10**9)

    def state(self) -> dict[str, Any]:
        """Return everything that clients can see of the mirror, and what is kept for that."""
        store = self.open()
        try:
            names = store.mirrors.names(self.source)
            pages = {name: store.pages.load(self.source, name) for name in names}
            files = sorted(f[:4] for f in store.mirrors.files(self.source))
            verdicts = dict(store.blobs.verify())
            needed = {file[2] for file in files}
            assert {verdicts.get(sha256) for sha256 in needed} <= {"right"}
            return {"pages": pages, "files": files}
        finally:
            store.close()

    def listed(self, project: str) -> list[str] | None:
        """Return the names of the files on a mirrored page, or None if there is none."""
        page = self.state()["pages"].get(project)
        return None if page is None else sorted(file.filename for file in page.files)

    def provenance(self, project: str) -> dict[str, bytes]:
        """Return the provenance objects that are stored of a project, by the names of files."""
        store = self.open()
        try:
            keys = [
                ProvenanceKey(self.source, project, *each)
                for each in store.provenance.held(self.source, project)
            ]
            found = {key.filename: store.provenance.load(key) for key in keys}
            return {name: each.body for name, each in found.items() if each is not None}
        finally:
            store.close()

    def held(self, sha256: str) -> bool:
        """Tell whether a file is stored."""
        store = self.open()
        try:
            return store.blobs.find(sha256) is not None
        finally:
            store.close()
