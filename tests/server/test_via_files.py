"""Files at their own addresses, as lock files have them."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.fakes import FakeIndex, flat_directory, sdist, wheel
from tests.fakes.wheels import Dist
from tests.server.intercepting import files, via
from tests.serving import Served, index_table, wait_until

DEMO = wheel("demo", size=50_000)
PLUS = wheel("plus", "1.0+local.1")
ACME = wheel("acme-core")
LOGIN = {"Authorization": f"Basic {b64encode(b'ci:s3cret').decode()}"}


@pytest.fixture
def pypi() -> Iterator[FakeIndex]:
    with FakeIndex([DEMO, PLUS]) as index:
        yield index


@pytest.fixture
def private() -> Iterator[FakeIndex]:
    with FakeIndex([ACME]) as index:
        yield index


def chain(served: Serve, private: FakeIndex, pypi: FakeIndex, **keys: object) -> Served:
    return served(
        index_table("private", private.url, role="private", **keys), index_table("pypi", pypi.url)
    )


def test_a_file_is_fetched_once_checked_and_kept(served: Serve, pypi: FakeIndex) -> None:
    shim = served(index_table("pypi", pypi.url))
    url = pypi.file_url(DEMO.filename)
    first = via(shim, url)
    assert (first.status, first.body) == (200, DEMO.data)
    assert first.headers["ETag"] == f'"{DEMO.sha256}"'
    assert first.headers["Cache-Control"] == "no-cache"
    pypi.stop_listening()
    assert via(shim, url).body == DEMO.data


@pytest.mark.parametrize("plus", ["+", "%2B", "%2b"])
@pytest.mark.parametrize("folder", ["/files/", "/old/files/", "//files/./"])
def test_every_spelling_of_an_address_is_found(
    served: Serve, pypi: FakeIndex, plus: str, folder: str
) -> None:
    shim = served(index_table("pypi", pypi.url))
    answer = via(shim, f"{pypi.base}{folder}{PLUS.filename.replace('+', plus)}")
    assert answer.body == PLUS.data


def test_a_space_in_a_name_is_found(served: Serve, pypi: FakeIndex) -> None:
    odd = Dist("odd", "1.0", "Odd Tool-1.0.exe", b"MZ" * 50, b"")
    pypi.add(odd)
    shim = served(index_table("pypi", pypi.url))
    assert via(shim, f"{pypi.url}odd/").status == 200
    pypi.clear()
    assert via(shim, f"{pypi.base}/simple/odd/Odd%20Tool-1.0.exe").body == odd.data


def test_metadata_head_ranges_and_validators_are_answered(served: Serve, pypi: FakeIndex) -> None:
    shim = served(index_table("pypi", pypi.url))
    url = pypi.file_url(DEMO.filename)
    assert via(shim, f"{url}.metadata").body == DEMO.metadata
    head = via(shim, url, method="HEAD")
    assert (head.headers["Content-Length"], head.body) == (str(len(DEMO.data)), b"")
    part = via(shim, url, {"Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, DEMO.data[10:20])
    etag = via(shim, url).headers["ETag"]
    assert via(shim, url, {"If-None-Match": etag}).status == 304
    rest = via(shim, url, {"Range": "bytes=100-", "If-Range": etag})
    assert (rest.status, rest.body) == (206, DEMO.data[100:])
    other = via(shim, url, {"Range": "bytes=100-", "If-Range": '"other"'})
    assert (other.status, other.body) == (200, DEMO.data)


def test_metadata_of_a_wheel_are_there_though_the_index_has_no_file_of_them(served: Serve) -> None:
    with FakeIndex([DEMO], metadata=False) as pypi:
        shim = served(index_table("pypi", pypi.url))
        assert via(shim, f"{pypi.file_url(DEMO.filename)}.metadata").body == DEMO.metadata


def test_the_mirror_in_front_brings_a_file_of_its_public_index(served: Serve) -> None:
    with FakeIndex([DEMO]) as mirror, FakeIndex([DEMO]) as pypi:
        shim = served(
            index_table("mirror", mirror.url, role="mirror", mirror_of="pypi"),
            index_table("pypi", pypi.url),
        )
        pypi.stop_listening()
        assert via(shim, pypi.file_url(DEMO.filename)).body == DEMO.data
        assert mirror.count(f"/files/{DEMO.filename}") == 1


def test_wrong_bytes_are_refused(served: Serve, pypi: FakeIndex) -> None:
    pypi.add(wheel("bad"), hashes={"sha256": "0" * 64})
    shim = served(index_table("pypi", pypi.url))
    assert via(shim, pypi.file_url(wheel("bad").filename)).problem["status"] == 409


def test_a_held_file_is_served_with_every_index_gone(
    served: Serve, private: FakeIndex, pypi: FakeIndex, tmp_path: Path
) -> None:
    tables = (
        index_table("private", private.url, role="private"),
        index_table("pypi", pypi.url),
    )
    urls = {pypi.file_url(DEMO.filename): DEMO, private.file_url(ACME.filename): ACME}
    shim = served(*tables)
    for url, dist in urls.items():
        assert via(shim, url).body == dist.data
    shim.stop()
    for index in (pypi, private):
        index.stop_listening()
    again = served(*tables)
    for url, dist in urls.items():
        assert via(again, url).body == dist.data
        assert via(again, f"{url}.metadata").body == dist.metadata


def test_what_no_page_lists_is_for_its_own_host(
    served: Serve, private: FakeIndex, pypi: FakeIndex
) -> None:
    shim = chain(served, private, pypi)
    for path in ("demo-7.0.tar.gz", "nowhere-1.0.tar.gz", "tool-1.0.exe", "x.tar.gz.asc"):
        assert via(shim, f"{pypi.base}/files/{path}").problem["status"] == 421, path


def test_a_public_file_at_the_host_of_a_private_index_is_its_own(
    served: Serve, private: FakeIndex, pypi: FakeIndex
) -> None:
    shim = chain(served, private, pypi)
    via(shim, f"{pypi.url}demo/")
    url = f"{private.base}/raw/fork/{DEMO.filename}"
    assert via(shim, url).problem["status"] == 421


@pytest.mark.parametrize("known", ["not yet", "by its page", "by projects", "gone"])
def test_a_public_file_with_the_name_of_a_private_project_is_a_404(
    served: Serve, private: FakeIndex, pypi: FakeIndex, known: str
) -> None:
    public = wheel("acme-core", "9.0")
    pypi.add(public)
    keys = {"projects": ["acme-*"]} if known == "by projects" else {}
    if known == "by projects":
        private.remove_project("acme-core")
    shim = chain(served, private, pypi, fresh="0 s", **keys)
    if known in ("by its page", "gone"):
        assert via(shim, f"{private.url}acme-core/").status == 200
    if known == "gone":
        private.remove_project("acme-core")
    problem = via(shim, pypi.file_url(public.filename)).problem
    assert problem["status"] == 404
    assert "private" in problem["detail"]
    assert pypi.count(f"/files/{public.filename}") == 0


def test_a_name_that_became_private_is_not_served_from_the_public_page_of_before(
    served: Serve, private: FakeIndex, pypi: FakeIndex
) -> None:
    shim = chain(served, private, pypi, fresh="0 s")
    url = pypi.file_url(DEMO.filename)
    assert via(shim, url).status == 200
    private.add(wheel("demo", "5.0"))
    assert via(shim, f"{private.url}demo/", {"Cache-Control": "no-cache"}).status == 200
    problem = via(shim, url).problem
    assert (problem["status"], "private" in problem["detail"]) == (404, True)


def test_while_a_private_index_might_own_the_name_nothing_passes(
    served: Serve, private: FakeIndex, pypi: FakeIndex
) -> None:
    shim = chain(served, private, pypi)
    private.stop_listening()
    assert via(shim, pypi.file_url(DEMO.filename)).problem["status"] == 503


def test_while_the_public_index_is_down_its_host_of_files_is_left_to_the_client(
    served: Serve,
) -> None:
    with FakeIndex([]) as storage, FakeIndex([DEMO]) as pypi:
        pypi.add(DEMO, url=storage.file_url(DEMO.filename))
        shim = served(index_table("pypi", pypi.url))
        pypi.stop_listening()
        assert via(shim, storage.file_url(DEMO.filename)).problem["status"] == 421
        assert via(shim, pypi.file_url(DEMO.filename)).problem["status"] == 503


def test_offline_what_is_not_held_is_a_404(served: Serve, pypi: FakeIndex) -> None:
    shim = served(index_table("pypi", pypi.url), arguments=("--offline",))
    problem = via(shim, pypi.file_url(DEMO.filename)).problem
    assert (problem["status"], "offline" in problem["detail"]) == (404, True)


def test_at_a_host_that_only_links_tell_of_the_address_alone_counts(served: Serve) -> None:
    with FakeIndex([]) as bucket, FakeIndex([DEMO]) as pypi:
        pypi.add(DEMO, url=f"{pypi.file_url(DEMO.filename)}?signed=1".replace(
            "127.0.0.1", "localhost"))  # fmt: skip
        shim = served(index_table("pypi", pypi.url))
        host = f"http://localhost:{pypi.port}"
        assert via(shim, f"{host}/files/{DEMO.filename}?signed=2").body == DEMO.data
        assert via(shim, f"{host}/fork/{DEMO.filename}").problem["status"] == 421
        assert bucket.count() == 0


def test_a_file_is_found_where_the_page_of_any_index_has_it(served: Serve) -> None:
    with FakeIndex([DEMO]) as pypi, FakeIndex([DEMO]) as mirror:
        mirror.files_url = f"http://localhost:{mirror.port}/files/"
        shim = served(
            index_table("pypi", pypi.url),
            index_table("mirror", mirror.url, role="mirror", mirror_of="pypi"),
        )
        for index in (mirror, pypi):
            assert via(shim, f"{index.url}demo/").status == 200
        assert via(shim, mirror.file_url(DEMO.filename)).body == DEMO.data


def test_of_several_files_of_one_name_the_address_decides(served: Serve, pypi: FakeIndex) -> None:
    one = sdist("twin", "1.0")
    two = Dist("twin", "1.0", one.filename, sdist("twin", "2.0").data, b"")
    pypi.add(one, folder="a/")
    pypi.add(two, folder="b/")
    shim = served(index_table("pypi", pypi.url))
    assert via(shim, f"{pypi.base}/files/a/{one.filename}").body == one.data
    assert via(shim, f"{pypi.base}/files/b/{one.filename}").body == two.data
    assert via(shim, f"{pypi.base}/files/c/{one.filename}").problem["status"] == 421
    assert via(shim, f"{pypi.base}/c/{two.sha256}/{one.filename}").body == two.data


@pytest.mark.parametrize("path", ["files/", "simple/", "simple/other/", "acme-core/"])
def test_a_file_of_a_directory_is_nowhere_but_beside_its_page(
    served: Serve, tmp_path: Path, pypi: FakeIndex, path: str
) -> None:
    flat_directory(tmp_path / "wheels", [ACME])
    shim = served(
        index_table("wheels", str(tmp_path / "wheels"), role="private"),
        index_table("pypi", pypi.url),
    )
    assert via(shim, f"{pypi.base}/{path}{ACME.filename}").problem["status"] == 404


@pytest.mark.parametrize("files_elsewhere", [False, True])
def test_a_clients_login_fetches_a_private_file(
    served: Serve, pypi: FakeIndex, files_elsewhere: bool
) -> None:
    with FakeIndex([ACME], username="ci", password="s3cret") as private:
        if files_elsewhere:
            private.files_url = f"http://localhost:{private.port}/files/"
        shim = chain(served, private, pypi)
        url = private.file_url(ACME.filename)
        if files_elsewhere:
            assert via(shim, f"{private.url}acme-core/", LOGIN).status == 200
        else:
            refused = via(shim, url)
            assert refused.status == 401
            assert refused.headers["WWW-Authenticate"] == 'Basic realm="private"'
        assert via(shim, f"{url}.metadata", LOGIN).body == ACME.metadata
        part = via(shim, url, {**LOGIN, "Range": "bytes=0-9"})
        assert (part.status, part.body) == (206, ACME.data[:10])
        assert via(shim, url, LOGIN).body == ACME.data
        # It is stored a moment after its last byte, and needs no login then.
        wait_until(lambda: via(shim, url).body == ACME.data, 30, "it is not stored")


def test_a_login_that_is_refused_for_a_file_is_asked_for_again(
    served: Serve, pypi: FakeIndex
) -> None:
    with FakeIndex([ACME], username="ci", password="s3cret") as private:
        shim = chain(served, private, pypi)
        assert list(files(shim, f"{private.url}acme-core/", LOGIN)) == [ACME.filename]
        wrong = {"Authorization": f"Basic {b64encode(b'ci:no').decode()}"}
        url = private.file_url(ACME.filename)
        assert via(shim, url, wrong).status == 401
        assert via(shim, url).status == 401
        assert via(shim, url, LOGIN).body == ACME.data


def test_a_clients_login_goes_to_its_own_host_alone(served: Serve) -> None:
    with FakeIndex([]) as storage, FakeIndex([ACME]) as private, FakeIndex([]) as pypi:
        storage.add(ACME)
        private.add(ACME, url=f"http://localhost:{storage.port}/files/{ACME.filename}")
        shim = chain(served, private, pypi)
        assert via(shim, f"{private.url}acme-core/", LOGIN).status == 200
        # The file's own host, though the index gave the link.
        assert via(shim, private.file_url(ACME.filename), LOGIN).body == ACME.data
        assert storage.count(f"/files/{ACME.filename}") == 1
        for request in [*storage.requests, *pypi.requests]:
            assert request.headers.get("Authorization") is None
        assert any(r.headers.get("Authorization") for r in private.requests)


def test_the_activity_tells_of_what_was_sent(served: Serve, pypi: FakeIndex) -> None:
    shim = served(index_table("pypi", pypi.url))
    url = pypi.file_url(DEMO.filename)
    via(shim, url)
    via(shim, url)
    sent = shim.json("/-/status")["activity"]["bytes"]
    assert sum(sent.values()) == 2 * len(DEMO.data)
    assert json.loads(shim.get("/-/why/demo").body)["status"] == 200
