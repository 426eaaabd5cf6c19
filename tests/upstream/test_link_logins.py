"""The logins in links of pages: each for the files at its own origin, in memory alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexfallback.config import Index
from indexfallback.outcome import Kind
from indexfallback.upstream.credentials import LinkLogins
from indexfallback.upstream.directory import DirectoryIndex
from indexfallback.upstream.http import HttpIndex
from tests.fakes import FakeIndex, wheel
from tests.upstream.conftest import (
    OpenHttp,
    Upgraded,
    WriteNetrc,
    basic,
    page,
    sent,
    sent_to,
    within,
)

APP, LIB = wheel("acme-app"), wheel("acme-lib")


@pytest.fixture
def files() -> Iterator[FakeIndex]:
    """A host of files, by the name ``localhost``, that wants the login of ``ci``."""
    with FakeIndex([APP, LIB], username="ci", password="p@ss") as host:
        yield host


def link(to: FakeIndex, login: str = "ci:p%40ss", filename: str = APP.filename) -> str:
    return f"http://{login}{'@' if login else ''}localhost:{to.port}/files/{filename}"


def opened_file(upstream: HttpIndex | DirectoryIndex, project: str = "acme-app") -> Kind:
    """Ask for a page and then for its file; return what came of the file."""
    found = upstream.page(project, within(), None, None).page
    assert found is not None
    return upstream.open(found.files[0], 0, None, 5).outcome.kind


def test_a_file_is_asked_for_with_the_login_of_its_link(
    opened: OpenHttp, remote: FakeIndex, files: FakeIndex
) -> None:
    remote.add(APP, url=link(files))
    upstream = opened(remote, username="own", password="secret")
    assert opened_file(upstream) is Kind.FOUND
    assert sent(files) == basic("ci", "p@ss")
    assert sent(remote) == basic("own", "secret")


def test_the_metadata_of_a_file_is_asked_for_with_the_login_of_its_link(
    opened: OpenHttp, remote: FakeIndex, files: FakeIndex
) -> None:
    remote.add(APP, url=link(files) + "?token=a")
    upstream = opened(remote)
    found = page(upstream).page
    assert found is not None
    (listed,) = found.files
    metadata = type(listed)(filename=f"{APP.filename}.metadata", url=listed.metadata_url)
    assert upstream.link_login(metadata)
    assert upstream.open(metadata, 0, None, 5).outcome.kind is Kind.FOUND
    assert [request.target for request in files.requests] == [
        f"/files/{APP.filename}.metadata?token=a"
    ]


@pytest.mark.parametrize("login", [":s3cret", "token", "a%3Ab%20:"])
def test_a_login_without_a_user_name_or_a_password_is_sent_as_it_is(
    opened: OpenHttp, remote: FakeIndex, files: FakeIndex, login: str
) -> None:
    remote.add(APP, url=link(files, login))
    opened_file(opened(remote))
    expected = {":s3cret": ("", "s3cret"), "token": ("token", ""), "a%3Ab%20:": ("a:b ", "")}
    assert sent(files) == basic(*expected[login])


def test_the_login_of_a_link_wins_over_that_of_netrc(
    opened: OpenHttp, remote: FakeIndex, files: FakeIndex, netrc: WriteNetrc
) -> None:
    netrc(localhost=("other", "other"))
    remote.add(APP, url=link(files))
    assert opened_file(opened(remote)) is Kind.FOUND


def test_a_user_name_alone_in_a_link_leaves_it_to_netrc(
    opened: OpenHttp, remote: FakeIndex, files: FakeIndex, netrc: WriteNetrc
) -> None:
    netrc(localhost=("ci", "p@ss"))
    remote.add(APP, url=link(files, "ci"))
    assert opened_file(opened(remote)) is Kind.FOUND


def test_a_refused_user_name_is_sent_again_with_the_password_that_netrc_has_by_now(
    opened: OpenHttp, remote: FakeIndex, files: FakeIndex, netrc: WriteNetrc
) -> None:
    remote.add(APP, url=link(files, "ci"))
    upstream = opened(remote)
    assert opened_file(upstream) is Kind.OTHER_LOGIN
    netrc(localhost=("ci", "p@ss"))
    assert opened_file(upstream) is Kind.FOUND


def test_a_refused_login_of_a_link_is_not_replaced_by_another_one(
    opened: OpenHttp, remote: FakeIndex, files: FakeIndex, netrc: WriteNetrc
) -> None:
    netrc(localhost=("ci", "p@ss"))
    remote.add(APP, url=link(files, "ci:wrong"))
    assert opened_file(opened(remote)) is Kind.OTHER_LOGIN
    assert sent(files) == basic("ci", "wrong")


# Of the index itself.


def test_a_link_to_the_index_itself_may_have_its_own_login(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    remote.add(APP, url=f"http://file:login@127.0.0.1:{remote.port}/files/{APP.filename}")
    upstream = opened(remote, username="own", password="secret")
    assert opened_file(upstream) is Kind.FOUND
    assert opened_file(upstream) is Kind.FOUND
    own, of_file = basic("own", "secret"), basic("file", "login")
    assert sent_to(remote) == [own, of_file] * 2


def test_a_link_to_the_index_itself_without_a_login_gets_that_of_the_index(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    remote.add(APP, url=f"http://file:login@127.0.0.1:{remote.port}/files/{APP.filename}")
    remote.add(LIB)
    upstream = opened(remote, username="own", password="secret")
    page(upstream)
    remote.clear()
    assert opened_file(upstream, "acme-lib") is Kind.FOUND
    assert sent_to(remote) == [basic("own", "secret")] * 2


def test_a_login_of_a_link_that_the_index_refuses_is_not_said_to_be_its_own(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    remote.add(APP, url=f"http://file:login@127.0.0.1:{remote.port}/files/{APP.filename}")
    remote.fail(401, path="/files/")
    upstream = opened(remote, username="own", password="secret")
    assert opened_file(upstream) is Kind.OTHER_LOGIN


# Of other links and other origins.


def test_each_link_has_its_own_login_also_at_one_host(
    opened: OpenHttp, remote: FakeIndex, files: FakeIndex
) -> None:
    remote.add(APP, url=link(files, "app:1"))
    remote.add(LIB, url=link(files, "lib:2", LIB.filename))
    upstream = opened(remote)
    pages = [upstream.page(name, within(), None, None).page for name in ("acme-app", "acme-lib")]
    for found in pages:
        assert found is not None
        upstream.open(found.files[0], 0, None, 5)
    assert sent_to(files) == [basic("app", "1"), basic("lib", "2")]


def test_a_link_without_a_login_has_that_of_another_link_to_its_origin(
    opened: OpenHttp, remote: FakeIndex, files: FakeIndex
) -> None:
    remote.add(APP, url=link(files))
    remote.add(LIB, url=link(files, "", LIB.filename))
    upstream = opened(remote)
    assert opened_file(upstream, "acme-lib") is Kind.OTHER_LOGIN
    page(upstream)
    assert opened_file(upstream, "acme-lib") is Kind.FOUND


@pytest.mark.fault(43)
def test_the_login_of_a_link_goes_to_no_other_origin(
    opened: OpenHttp, remote: FakeIndex, files: FakeIndex
) -> None:
    with FakeIndex([APP, LIB]) as elsewhere:
        files.redirect(f"{elsewhere.base}{{path}}", path="/files/")
        remote.add(APP, url=link(files))
        remote.add(LIB, url=f"http://127.0.0.1:{files.port}/files/{LIB.filename}")
        upstream = opened(remote)
        assert opened_file(upstream) is Kind.FOUND
        assert opened_file(upstream, "acme-lib") is Kind.FOUND
        assert sent_to(files) == [basic("ci", "p@ss"), None]
        assert sent_to(elsewhere) == [None, None]


def test_the_login_of_a_link_is_for_files_and_not_for_pages(
    opened: OpenHttp, remote: FakeIndex, files: FakeIndex
) -> None:
    remote.add(APP, url=link(files))
    upstream = opened(remote)
    page(upstream)
    remote.redirect(f"http://localhost:{files.port}{{path}}", path="/simple/")
    assert page(upstream).outcome.kind is Kind.OTHER_LOGIN


def test_an_http_link_that_redirects_to_https_of_its_host_keeps_its_login(
    opened: OpenHttp, remote: FakeIndex, upgraded: Upgraded
) -> None:
    url = f"http://ci:s3cret@packages.example.com/files/{APP.filename}"
    remote.add(APP, url=url)
    upgraded.plain.redirect("https://packages.example.com{path}", 301)
    assert opened_file(opened(remote, ca_bundle=upgraded.bundle)) is Kind.FOUND
    assert sent(upgraded.plain) == sent(upgraded.secure) == basic("ci", "s3cret")


# Pages elsewhere.


def test_relative_links_of_a_page_have_the_login_of_the_redirect_to_it(
    opened: OpenHttp, remote: FakeIndex, files: FakeIndex
) -> None:
    remote.redirect(link(files).partition("/files/")[0] + "{path}", path="/simple/")
    assert opened_file(opened(remote)) is Kind.FOUND
    assert sent_to(files) == [basic("ci", "p@ss")] * 2


def test_a_page_in_a_directory_gives_the_logins_of_its_links(
    directory: Callable[..., DirectoryIndex], files: FakeIndex, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    (tree / "acme-app").mkdir(parents=True)
    (tree / "acme-app" / "index.html").write_text(f'<a href="{link(files)}">{APP.filename}</a>')
    upstream = directory(tree)
    found = upstream.page("acme-app", within(), None, None).page
    assert found is not None
    assert upstream.link_login(found.files[0])
    assert opened_file(upstream) is Kind.FOUND


# In memory.


def test_another_process_does_not_know_a_login_before_it_has_read_the_page(
    opened: OpenHttp, remote: FakeIndex, files: FakeIndex
) -> None:
    remote.add(APP, url=link(files))
    found = page(opened(remote)).page
    assert found is not None
    later = opened(remote)
    assert not later.link_login(found.files[0])
    assert later.open(found.files[0], 0, None, 5).outcome.kind is Kind.OTHER_LOGIN
    page(later)
    assert later.link_login(found.files[0])


def test_the_logins_that_were_read_last_are_remembered() -> None:
    logins = LinkLogins(Index(name="private", url="https://example.com/simple/"))
    for number in range(20_000):
        logins.learn({f"https://{number}.example.com/x.zip": f"user:{number}"})
    assert logins.of("https://99.example.com/x.zip") == ""
    assert logins.of("https://10000.example.com/x.zip") == "user:10000"
    assert logins.of("https://10000.example.com/y.zip") == ""
    assert logins.of("https://19999.example.com/y.zip") == "user:19999"
