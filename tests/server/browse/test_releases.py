"""A project's files by version: the newest one, and the facts of each."""

from indexfallback.page import File, ProjectPage
from indexfallback.server.browse.releases import (
    PER_PAGE,
    Release,
    current,
    releases,
    releases_section,
)

SHA = "a" * 64


def file(filename: str, **values: object) -> File:
    return File(filename=filename, url="https://x.example.com/f", **values)  # type: ignore[arg-type]


def page(*files: File) -> list[Release]:
    return releases(ProjectPage(name="demo", files=files))


def section(*files: File, number: int = 1) -> str:
    return releases_section(page(*files), "demo", "pypi", {SHA}, number)


def test_versions_are_sorted_as_versions_and_not_as_text() -> None:
    found = page(*(file(f"demo-{version}.tar.gz") for version in ("1.9", "1.10", "2.0rc1", "1.2")))
    assert [release.version for release in found] == ["2.0rc1", "1.10", "1.9", "1.2"]


def test_files_whose_names_tell_no_version_come_last() -> None:
    found = page(file("strange.exe"), file("demo-1.0.tar.gz"))
    assert [release.version for release in found] == ["1.0", ""]


def test_a_wheel_stands_before_the_sdist() -> None:
    (found,) = page(file("demo-1.0.tar.gz"), file("demo-1.0-py3-none-any.whl"))
    assert [f.filename for f in found.files] == ["demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"]


def test_the_current_version_is_neither_yanked_nor_a_pre_release() -> None:
    files = [file("demo-3.0rc1.tar.gz"), file("demo-2.0.tar.gz", yanked=True),
             file("demo-1.0.tar.gz")]  # fmt: skip
    settled, early, nothing = current(page(*files)), current(page(*files[:1])), current([])
    assert settled is not None
    assert settled.version == "1.0"
    assert early is not None
    assert early.version == "3.0rc1"
    assert nothing is None


def test_a_file_leads_to_the_address_that_clients_use_and_shows_its_facts() -> None:
    shown = section(
        file("demo-1.0+local.tar.gz", hashes={"md5": "b" * 32, "sha256": SHA}, size=1_234_000,
             upload_time="2026-01-02T03:04:05.000000Z", requires_python=">=3.8,<4")
    )  # fmt: skip
    assert f'href="../../files/pypi/demo.{SHA}/demo-1.0%2Blocal.tar.gz"' in shown
    assert "1.2 MB · 2026-01-02 03:04 · Python &gt;=3.8,&lt;4" in shown
    assert f"<span>sha256</span> <code>{SHA}</code>" in shown
    assert "in the cache" in shown


def test_a_yanked_file_says_why() -> None:
    assert "yanked: broken &lt;b&gt;" in section(file("demo-1.0.tar.gz", yanked="broken <b>"))
    assert "yanked: no reason given" in section(file("demo-1.0.tar.gz", yanked=True))


def test_a_project_of_thousands_of_files_is_shown_in_pages() -> None:
    files = [file(f"demo-{number}.0.tar.gz") for number in range(3000)]
    first, last = section(*files), section(*files, number=10**6)
    assert first.count("<details") == last.count("<details") == PER_PAGE
    assert "<b>2999.0</b>" in first
    assert 'rel="next" href="?page=2"' in first
    assert "<b>0.0</b>" in last


def test_a_project_without_files_says_so() -> None:
    assert "No files that can be installed" in section()
