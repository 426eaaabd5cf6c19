"""What of a page reaches clients."""

import pytest

from indexfallback.offer import offered, withheld
from indexfallback.page import File, ProjectPage

OLD, NEW, OF_METADATA = "a" * 64, "b" * 64, "c" * 64
WHEEL = "acme_app-1.0-py3-none-any.whl"
SDIST = "acme_app-1.0.tar.gz"


def file(filename: str = WHEEL, sha256: str | None = OLD, **fields: object) -> File:
    hashes = {"sha256": sha256} if sha256 else {}
    url = f"https://packages.example.com/{filename}"
    return File(filename=filename, url=url, hashes=hashes, **fields)  # type: ignore[arg-type]  # any


def page(*files: File, status: str | None = None) -> ProjectPage:
    return ProjectPage(name="acme-app", files=files, status=status)


def test_a_page_that_was_never_served_is_offered_as_it_is() -> None:
    whole = page(file(), file(SDIST, None))
    assert offered(whole, {}) is whole


def test_a_file_that_is_not_what_it_was_is_withheld_and_named() -> None:
    changed = page(file(sha256=NEW), file(SDIST, OLD))
    pins = {WHEEL: OLD, SDIST: OLD}
    assert [f.filename for f in offered(changed, pins).files] == [SDIST]
    assert [file.filename for file in withheld(changed, pins)] == [WHEEL]


def test_a_missing_sha256_is_filled_in_from_the_pin() -> None:
    listed = page(File(filename=WHEEL, url="https://x.example.com/w", hashes={"md5": "d" * 32}))
    (only,) = offered(listed, {WHEEL: OLD}).files
    assert only.hashes == {"md5": "d" * 32, "sha256": OLD}
    assert withheld(listed, {WHEEL: OLD}) == []


@pytest.mark.parametrize(
    ("status", "offers"),
    [("quarantined", 0), ("archived", 1), ("deprecated", 1), ("active", 1), (None, 1)],
)
def test_only_of_a_quarantined_project_nothing_is_offered(status: str | None, offers: int) -> None:
    shown = offered(page(file(), status=status), {})
    assert (len(shown.files), shown.status) == (offers, status)


def test_offline_only_files_that_are_held_are_offered() -> None:
    both = page(file(WHEEL, OLD), file(SDIST, NEW))
    assert [f.filename for f in offered(both, {}, held={NEW}).files] == [SDIST]
    assert offered(both, {}, held=set()).files == ()


def test_offline_a_file_that_its_page_states_no_hash_of_is_offered_by_its_pin() -> None:
    listed = page(file(WHEEL, None))
    assert offered(listed, {}, held={OLD}).files == ()
    (only,) = offered(listed, {WHEEL: OLD}, held={OLD}).files
    assert only.sha256 == OLD


def test_offline_metadata_is_only_advertised_where_it_is_here_or_inside_the_file() -> None:
    listed = page(file(core_metadata={"sha256": OF_METADATA}))
    pins = {f"{WHEEL}.metadata": OF_METADATA}
    (with_file,) = offered(listed, {}, held={OLD}).files
    assert with_file.core_metadata == {"sha256": OF_METADATA}
    (with_metadata,) = offered(listed, pins, held={OF_METADATA}).files
    assert with_metadata.core_metadata == {"sha256": OF_METADATA}
