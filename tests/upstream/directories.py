"""Helpers for tests of directories as indexes."""

from collections.abc import Callable
from typing import TypeAlias

from indexfallback.outcome import Kind, Outcome
from indexfallback.page import ProjectPage
from indexfallback.upstream.directory import DirectoryIndex
from tests.fakes import sdist, wheel
from tests.upstream.conftest import within

Open: TypeAlias = Callable[..., DirectoryIndex]

WHEEL = wheel("acme-app", "1.0", requires_python=">=3.9")
SDIST = sdist("acme-app", "1.0")
NEWER = wheel("acme-app", "2.0")
#: The promise is a second; the rest is for a machine that is busy with other tests.
SECONDS = 10.0


def page(of: DirectoryIndex, project: str = "acme-app") -> ProjectPage:
    answer = of.page(project, within(), None, None)
    assert answer.outcome.kind is Kind.FOUND, answer.outcome
    assert answer.page is not None
    return answer.page


def filenames(of: DirectoryIndex, project: str = "acme-app") -> list[str]:
    return [file.filename for file in page(of, project).files]


def outcome(of: DirectoryIndex, project: str = "acme-app") -> Outcome:
    return of.page(project, within(), None, None).outcome


def skipped(index: DirectoryIndex) -> dict[str, str]:
    return dict(index.skipped())
