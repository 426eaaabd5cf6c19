"""How far a mirror's page is behind, and that the status says so."""

from collections.abc import Iterator

import pytest

from indexfallback.chain.lag import Lag, behind
from indexfallback.page import File, ProjectPage
from indexfallback.shim import Shim
from tests.chain.chain import ask, mirror, pypi
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel

YOUNG, OLD = "2026-01-02T00:00:00Z", "2026-01-01T00:00:00.500000Z"


def page(**files: str | None) -> ProjectPage:
    """Return a page of files, each with its upload time."""
    made = [
        File(filename=f"demo-{name}.tar.gz", url="https://example.com/f", upload_time=time)
        for name, time in files.items()
    ]
    return ProjectPage(name="demo", files=tuple(made))


def test_a_page_with_all_files_is_not_behind() -> None:
    assert behind(page(a=OLD, b=YOUNG), page(a=OLD, b=YOUNG)) is None
    assert behind(page(), page()) is None


def test_a_page_with_more_files_is_not_behind() -> None:
    assert behind(page(a=OLD, b=YOUNG), page(a=OLD)) is None


def test_a_page_without_the_youngest_file_is_behind_by_its_age() -> None:
    assert behind(page(a=OLD), page(a=OLD, b=YOUNG)) == Lag(1, 86399.5)


def test_without_upload_times_only_files_are_counted() -> None:
    assert behind(page(a=None), page(a=None, b=None, c=None)) == Lag(2, None)
    assert behind(page(), page(a=OLD)) == Lag(1, None)


# What the status makes of it.


@pytest.fixture
def near() -> Iterator[FakeIndex]:
    """A mirror that lacks a release."""
    with FakeIndex([wheel("idna", "3.0")]) as index:
        yield index


@pytest.fixture
def far() -> Iterator[FakeIndex]:
    """Its public index."""
    with FakeIndex([wheel("idna", "3.0")]) as index:
        index.add(wheel("idna", "4.0"), upload_time=YOUNG)
        yield index


@pytest.fixture
def group(shim: MakeShim, near: FakeIndex, far: FakeIndex, monkeypatch: pytest.MonkeyPatch) -> Shim:
    monkeypatch.setattr("indexfallback.chain.fallback.REPEAT_SECONDS", 0.0)
    return shim(mirror(near), pypi(far), fresh=0.0)


def lag(made: Shim) -> tuple[object, object]:
    """Return of how many projects the mirror is behind, and by how many seconds."""
    status = made.members["mirror"].status()
    return status["behind"], status["behind_seconds"]


def test_a_mirror_is_taken_at_its_word_while_nothing_else_is_known(group: Shim) -> None:
    assert ask(group, "idna") == "mirror"
    assert lag(group) == (0, 0.0)


@pytest.mark.parametrize("order", [("pypi", "mirror"), ("mirror", "pypi")])
def test_a_mirror_is_behind_whichever_page_came_last(group: Shim, order: tuple[str, str]) -> None:
    for name in order:
        assert ask(group, "idna", index=name) == name
    assert lag(group)[0] == 1


def test_a_mirror_that_has_not_changed_is_still_behind(group: Shim, near: FakeIndex) -> None:
    assert ask(group, "idna", index="mirror") == "mirror"
    assert ask(group, "idna", index="pypi") == "pypi"
    group.members["mirror"].figures.note_lag("idna", None)
    assert ask(group, "idna", index="mirror") == "mirror"
    assert near.requests[-1].headers["If-None-Match"]
    assert lag(group)[0] == 1


def test_the_lag_is_the_time_between_the_youngest_files(
    group: Shim, near: FakeIndex, far: FakeIndex
) -> None:
    near.add(wheel("idna", "3.0"), upload_time="2026-01-01T00:00:00Z")
    for name in ("pypi", "mirror"):
        ask(group, "idna", index=name)
    assert lag(group) == (1, 86400.0)


def test_a_mirror_that_has_caught_up_is_no_longer_behind(group: Shim, near: FakeIndex) -> None:
    for name in ("pypi", "mirror"):
        ask(group, "idna", index=name)
    near.add(wheel("idna", "4.0"))
    assert ask(group, "idna") == "mirror"
    assert lag(group) == (0, 0.0)
