"""A public index and its mirrors: whose pages are served, and whose bytes."""

import pytest

from indexfallback.files.sources import find_sources
from indexfallback.shim import Shim
from tests.chain.chain import ask, how, mirror, private, pypi, versions
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel

IDNA = "/simple/idna/"


def sources(made: Shim, project: str, filename: str) -> list[str]:
    """Return the indexes to fetch a file from, best first."""
    file = made.fallback.page(project).page.file(filename)
    assert file is not None
    found = find_sources(made.fallback, "pypi", project, filename, file.sha256)
    return [source.member.index.name for source in found]


def test_with_pages_first_a_mirror_answers_and_its_public_index_is_not_asked(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    far.add(wheel("idna", "4.0"))
    made = shim(mirror(near), pypi(far))
    assert versions(made, "idna") == ["3.0"]
    assert far.requests == []


def test_what_a_mirror_does_not_have_its_public_index_may(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    assert ask(shim(mirror(near), pypi(far)), "acme-app") == "pypi"


def test_an_authority_is_asked_for_pages_so_that_a_lagging_mirror_hides_no_release(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    far.add(wheel("idna", "4.0"))
    made = shim(mirror(near, pages="authority"), pypi(far))
    assert versions(made, "idna") == ["3.0", "4.0"]
    assert near.requests == []


def test_an_authoritys_mirror_comes_first_for_bytes(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    far.add(wheel("idna", "4.0"))
    made = shim(mirror(near, pages="authority"), pypi(far))
    assert sources(made, "idna", wheel("idna", "3.0").filename) == ["mirror", "pypi"]
    assert sources(made, "idna", wheel("idna", "4.0").filename) == ["pypi"]


@pytest.mark.fault(33)
def test_a_file_of_the_same_name_and_other_bytes_is_no_source(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    near.add(wheel("idna", "3.0", extra_files={"other.py": b""}))
    made = shim(mirror(near, pages="authority"), pypi(far))
    assert sources(made, "idna", wheel("idna", "3.0").filename) == ["pypi"]


def test_a_mirrors_page_stands_in_for_an_authority_that_is_down(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    far.stop_listening()
    made = shim(mirror(near, pages="authority"), pypi(far))
    assert ask(made, "idna") == "mirror"
    assert ask(made, "acme-app") == 503


def test_a_mirror_that_defers_is_not_asked_for_what_its_authority_does_not_have(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    made = shim(mirror(near, pages="authority"), pypi(far))
    assert ask(made, "unknown") == 404
    assert near.requests == []


def test_the_younger_stale_page_of_a_group_stands_in(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    made = shim(mirror(near), pypi(far), fresh=0.0)
    assert [ask(made, "idna", index="pypi"), ask(made, "idna", index="mirror")] == [
        "pypi",
        "mirror",
    ]
    near.stop_listening()
    far.stop_listening()
    assert (ask(made, "idna"), how(made, "idna")) == ("mirror", "stale")


def test_a_group_falls_back_inside_while_a_private_index_stays_first(
    shim: MakeShim, own: FakeIndex, near: FakeIndex, far: FakeIndex
) -> None:
    near.fail(503)
    made = shim(private(own), mirror(near), pypi(far))
    assert [ask(made, "acme-app"), ask(made, "idna")] == ["private", "pypi"]
    # Found in the group: the mirror's trouble is no reason to walk again.
    near.clear()
    far.clear()
    assert how(made, "idna") == "fresh"
    assert (near.requests, far.requests) == ([], [])
