"""What a public index says of the files of its mirrors."""

from indexfallback.chain.authority import Correction, corrected, corrections, described_by
from indexfallback.page import File, ProjectPage
from indexfallback.store.pins import Pin

NAME, SDIST = "acme_app-1.0-py3-none-any.whl", "acme_app-1.0.tar.gz"


def page(*sha256s: str | None, at: str = "near", yanked: str = "") -> ProjectPage:
    """Return a page with files of one name, each at an address of ``at``."""
    files = (
        File(
            filename=NAME,
            url=f"https://{at}.example.com/{sha256}",
            hashes={"sha256": sha256} if sha256 else {},
            yanked=sha256 in yanked if sha256 else False,
        )
        for sha256 in sha256s
    )
    return ProjectPage(name="acme-app", files=tuple(files))


def urls(found: ProjectPage) -> list[str]:
    return [file.url.removeprefix("https://").replace(".example.com", "") for file in found.files]


def test_what_the_public_index_lists_stays_as_the_mirror_has_it() -> None:
    for mirror in (page("a", "b"), page("b", "a"), page("b"), page(None)):
        assert corrected(mirror, page("a", "b", at="far")) is mirror
        assert not list(corrections(mirror, page("a", "b"), ()))


def test_a_wrong_file_is_replaced_by_those_that_the_mirror_lacks() -> None:
    far = page("a", "b", at="far")
    assert urls(corrected(page("x"), far)) == ["far/a", "far/b"]
    assert urls(corrected(page("a", "x"), far)) == ["near/a", "far/b"]
    assert urls(corrected(page("x", "b", "y"), far)) == ["far/a", "near/b"]
    assert urls(corrected(page("a", "x", "b"), far)) == ["near/a", "near/b"]


def test_where_the_public_index_states_no_sha256_the_mirror_is_as_good() -> None:
    mirror = page("x")
    assert corrected(mirror, page(None, at="far")) is mirror
    assert not list(corrections(mirror, page(None), ()))


def test_what_the_mirror_pinned_is_corrected_as_well() -> None:
    pins = [Pin("acme-app", NAME, key, sha256, 0.0, "near") for key, sha256 in
            (("a", "a"), ("", "y"), ("x", "x"))]  # fmt: skip
    assert list(corrections(page("x"), page("a", "b"), pins)) == [
        Correction(NAME, ("a", "b"), "x"),
        Correction(NAME, ("a", "b"), "y"),
    ]


def test_files_that_the_wanted_page_lists_are_described_as_there() -> None:
    far = page("a", "b", None, at="far")
    assert urls(described_by(far, page("b", "c", None, "a"))) == [
        "far/b", "near/c", "near/None", "far/a",
    ]  # fmt: skip


def test_a_file_is_yanked_if_either_page_says_so() -> None:
    found = described_by(page("a", "b", "c", yanked="b"), page("a", "b", "c", yanked="c"))
    assert [file.yanked for file in found.files] == [False, True, True]
