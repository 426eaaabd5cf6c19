"""What the tests of the search share: metadata that a shim holds, and what a search finds."""

from collections.abc import Iterable
from typing import Any

from indexfallback.names import METADATA_ENDING
from indexfallback.page import File, ProjectPage
from indexfallback.search.finding import Findings
from indexfallback.search.query import query_of
from indexfallback.shim import Shim
from indexfallback.store import PageFacts, Store, Validators

#: More than any search of these tests takes.
SECONDS = 20.0


def metadata(project: str, version: str, summary: str, *more: str) -> bytes:
    lines = [f"Name: {project}", f"Version: {version}", f"Summary: {summary}", *more]
    return "\n".join([*lines, "", "A description"]).encode()


def keep_page(store: Store, source: str, project: str, files: Iterable[File] = ()) -> None:
    page = ProjectPage(name=project, files=tuple(files))
    store.pages.put(source, page, PageFacts(Validators(), "digest", 1.0))


def keep(store: Store, source: str, project: str, version: str, summary: str, *more: str) -> None:
    """Store a page and the metadata of one version, as a request for them does."""
    keep_page(store, source, project)
    keep_metadata(store, source, project, version, summary, *more)


def keep_metadata(
    store: Store, source: str, project: str, version: str, summary: str, *more: str
) -> None:
    blob = store.blobs.add(metadata(project, version, summary, *more))
    name = f"{project.replace('-', '_')}-{version}-py3-none-any.whl{METADATA_ENDING}"
    store.pins.record(project, name, blob.sha256, source, key="a" * 64)


def find(shim: Shim, text: str = "", classifier: str = "", **more: Any) -> Findings:
    return shim.search.find(query_of(text, classifier), 0, 100, **{"patience": SECONDS, **more})


def names(findings: Findings) -> list[str]:
    return [found.project for found in findings.projects]
