"""An index in order serves what the PEPs and RFC 9110 say."""

import threading
from collections.abc import Iterator

import pypi_simple
import pytest
import requests

from tests.fakes import FakeIndex, sdist, wheel

FOO = wheel("foo", "1.0", requires_python=">=3.8", size=1000)
JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex([FOO]) as it:
        yield it


@pytest.mark.parametrize("accept", [pypi_simple.ACCEPT_JSON_ONLY, pypi_simple.ACCEPT_HTML_ONLY])
def test_both_forms_carry_the_fields_of_a_file(index: FakeIndex, accept: str) -> None:
    index.add(sdist("foo", "1.0"), yanked="broken & <bad>", gpg_sig=True)
    with pypi_simple.PyPISimple(index.url, accept=accept) as reader:
        built, source = reader.get_project_page("foo").packages
    assert built.url == index.file_url(FOO.filename)
    assert built.digests == {"sha256": FOO.sha256}
    assert built.requires_python == ">=3.8"
    assert built.metadata_digests == {"sha256": FOO.metadata_sha256}
    assert source.has_metadata in (None, False)
    assert (source.is_yanked, source.yanked_reason) == (True, "broken & <bad>")
    assert source.has_sig is True


@pytest.mark.parametrize("accept", [pypi_simple.ACCEPT_JSON_ONLY, pypi_simple.ACCEPT_HTML_ONLY])
def test_both_forms_carry_the_fields_of_a_project(index: FakeIndex, accept: str) -> None:
    project = index.project("foo")
    project.status, project.status_reason = "archived", "done"
    project.tracks = ("https://example.com/foo/",)
    project.alternate_locations = ("https://example.com/other/foo/",)
    with pypi_simple.PyPISimple(index.url, accept=accept) as reader:
        page = reader.get_project_page("foo")
    assert (page.status, page.status_reason) == ("archived", "done")
    assert page.tracks == ["https://example.com/foo/"]
    assert page.alternate_locations == ["https://example.com/other/foo/"]


def test_the_root_lists_the_projects(index: FakeIndex) -> None:
    index.project("Empty.One")
    with pypi_simple.PyPISimple(index.url) as reader:
        assert reader.get_index_page().projects == ["empty-one", "foo"]


def test_a_client_that_asks_for_nothing_gets_html(
    index: FakeIndex, client: requests.Session
) -> None:
    assert client.get(index.url + "foo/").headers["Content-Type"].startswith("text/html")


def test_an_index_of_html_only_never_answers_json(client: requests.Session) -> None:
    with FakeIndex([FOO], formats={"html"}) as index:
        page = client.get(index.url + "foo/", headers={"Accept": JSON})
    assert page.headers["Content-Type"].startswith("text/html")


def test_names_that_are_not_normalised_are_redirected(
    index: FakeIndex, client: requests.Session
) -> None:
    answer = client.get(index.url + "Foo/", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (301, "/simple/foo/")


@pytest.mark.parametrize("path", ["/simple/bar/", "/files/bar.whl", "/", "/simple/foo/x"])
def test_what_is_not_there_is_404(index: FakeIndex, client: requests.Session, path: str) -> None:
    assert client.get(index.base + path).status_code == 404


@pytest.mark.parametrize(
    ("asked", "told"), [("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")]
)
def test_a_page_is_revalidated_until_it_changes(
    index: FakeIndex, client: requests.Session, asked: str, told: str
) -> None:
    validator = {asked: client.get(index.url + "foo/").headers[told]}
    assert client.get(index.url + "foo/", headers=validator).status_code == 304
    index.add(wheel("foo", "1.1"))
    assert client.get(index.url + "foo/", headers=validator).status_code == 200


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("bytes=0-9", FOO.data[:10]), ("bytes=100-", FOO.data[100:]), ("bytes=-7", FOO.data[-7:])],
)
def test_a_file_is_served_in_parts(
    index: FakeIndex, client: requests.Session, asked: str, expected: bytes
) -> None:
    answer = client.get(index.file_url(FOO.filename), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, expected)


def test_a_range_beyond_the_end_is_416(index: FakeIndex, client: requests.Session) -> None:
    headers = {"Range": f"bytes={len(FOO.data)}-"}
    answer = client.get(index.file_url(FOO.filename), headers=headers)
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(FOO.data)}"


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "bytes=x-", "lines=0-1", "bytes=-"])
def test_a_range_that_is_not_understood_gets_the_whole(
    index: FakeIndex, client: requests.Session, asked: str
) -> None:
    answer = client.get(index.file_url(FOO.filename), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, FOO.data)


def test_a_range_of_another_version_gets_the_whole(
    index: FakeIndex, client: requests.Session
) -> None:
    etag = client.head(index.file_url(FOO.filename)).headers["ETag"]
    url, part = index.file_url(FOO.filename), {"Range": "bytes=1-2"}
    assert client.get(url, headers={**part, "If-Range": etag}).status_code == 206
    assert client.get(url, headers={**part, "If-Range": '"other"'}).status_code == 200


def test_ranges_can_be_switched_off(index: FakeIndex, client: requests.Session) -> None:
    index.ranges = False
    answer = client.get(index.file_url(FOO.filename), headers={"Range": "bytes=1-2"})
    assert answer.status_code == 200
    assert "Accept-Ranges" not in answer.headers


def test_head_tells_the_length_and_sends_nothing(
    index: FakeIndex, client: requests.Session
) -> None:
    for _ in range(2):
        answer = client.head(index.file_url(FOO.filename))
        assert (answer.headers["Content-Length"], answer.content) == (str(len(FOO.data)), b"")
    assert index.connections == 1


def test_metadata_is_served_until_switched_off(index: FakeIndex, client: requests.Session) -> None:
    url = index.file_url(FOO.filename) + ".metadata"
    assert client.get(url).content == FOO.metadata
    index.metadata = False
    assert client.get(url).status_code == 404
    assert "core-metadata" not in client.get(index.url + "foo/").text


def test_a_removed_file_is_gone_and_its_project_is_not(
    index: FakeIndex, client: requests.Session
) -> None:
    index.remove(FOO.filename)
    assert client.get(index.file_url(FOO.filename)).status_code == 404
    assert FOO.filename not in client.get(index.url + "foo/").text


def test_a_removed_project_is_gone(index: FakeIndex, client: requests.Session) -> None:
    index.remove_project("foo")
    assert client.get(index.url + "foo/").status_code == 404


def test_a_page_can_lie_about_a_file(index: FakeIndex, client: requests.Session) -> None:
    index.add(FOO, url="javascript:alert(1)", hashes={})
    page = client.get(index.url + "foo/", headers={"Accept": JSON}).json()
    assert (page["files"][0]["url"], page["files"][0]["hashes"]) == ("javascript:alert(1)", {})


def test_files_can_be_linked_at_another_host(client: requests.Session) -> None:
    with FakeIndex([FOO]) as host, FakeIndex([FOO], files_url=host.base + "/files/") as index:
        page = client.get(index.url + "foo/", headers={"Accept": JSON}).json()
        assert client.get(page["files"][0]["url"]).content == FOO.data
        assert host.count(f"/files/{FOO.filename}") == 1


def test_an_index_with_a_password_wants_it(client: requests.Session) -> None:
    with FakeIndex([FOO], username="ci", password="p:@/") as index:
        answer = client.get(index.url + "foo/")
        assert (answer.status_code, "Basic" in answer.headers["WWW-Authenticate"]) == (401, True)
        assert client.get(index.url + "foo/", auth=("ci", "wrong")).status_code == 401
        assert client.get(index.login_url + "foo/").status_code == 200


def test_every_request_is_recorded(index: FakeIndex, client: requests.Session) -> None:
    client.get(index.url + "foo/?a=b", headers={"X-Mark": "7"})
    client.post(index.base + "/upload/", data=b"body")
    get, post = index.requests
    assert (get.method, get.target, get.headers["x-mark"]) == ("GET", "/simple/foo/?a=b", "7")
    assert (post.method, post.body) == ("POST", b"body")
    assert post.when > get.when
    assert get.connection == post.connection == 1
    assert index.count("/simple/foo/") == index.count(method="POST") == 1
    index.clear()
    assert index.count() == 0


def test_waiting_for_a_request_ends_with_it(index: FakeIndex, client: requests.Session) -> None:
    thread = threading.Thread(target=client.get, args=[index.url])
    thread.start()
    index.wait_for("/simple/")
    thread.join()
    with pytest.raises(TimeoutError, match="'/simple/'"):
        index.wait_for("/other/", seconds=0.01)


def test_fifty_clients_at_once_are_all_answered(index: FakeIndex) -> None:
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(requests.get(index.url + "foo/", timeout=60).status_code)

    threads = [threading.Thread(target=ask) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 50
