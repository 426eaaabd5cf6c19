"""What happened to others: each incident, and what the client behind the shim sees of it."""

import re

import pytest

from indexfallback.health import State
from tests.chain.chain import mirror, pypi
from tests.conftest import MakeShim, Serve
from tests.fakes import FakeIndex, wheel
from tests.faults.client import Client
from tests.serving import index_table

DEMO = wheel("demo", size=50_000)
NAME = DEMO.filename
FILE = f"/files/{NAME}"
PAGE = "/simple/demo/"
#: What of a file fails while its page is well.
FILE_FAILURES = [403, 404, 500, 503]


@pytest.mark.fault("incident: PyPI 2018-04-16")
@pytest.mark.fault("incident: PyPI 2022-06-02")
@pytest.mark.parametrize("status", FILE_FAILURES)
def test_a_file_that_fails_is_no_failure_of_its_page_or_its_index(
    shim: MakeShim, status: int
) -> None:
    dists = [wheel("demo", f"{n}.0") for n in range(2, 6)]
    with FakeIndex([DEMO, *dists]) as index:
        index.fail(status, path="/files/")
        client = Client(shim(index, fresh=0.0))
        for dist in dists:
            answer = client.fetch("demo", dist.filename)
            assert answer.status == (404 if status == 404 else 503)
            assert f"pypi: {status} " in answer.problem
        assert client.shim.members["pypi"].health.state is State.CLOSED
        assert client.get(PAGE).status == 200
        index.lift()
        assert client.fetch("demo", NAME).body == DEMO.data


@pytest.mark.fault("incident: PyPI 2022-06-02")
@pytest.mark.parametrize("status", FILE_FAILURES)
def test_a_file_that_fails_at_one_index_comes_from_another_one(shim: MakeShim, status: int) -> None:
    with FakeIndex([DEMO]) as near, FakeIndex([DEMO]) as far:
        near.fail(status, path=FILE)
        client = Client(shim(mirror(near), pypi(far)))
        assert client.fetch("demo", NAME).body == DEMO.data
        assert client.shim.members["mirror"].health.state is State.CLOSED


#: Ten entities of ten each: 10^9 times "lol".
ENTITIES = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "lol">{ENTITIES}]><m>&l9;</m>'.encode()


@pytest.mark.fault("incident: pypiserver /RPC2")
@pytest.mark.parametrize("path", ["/RPC2", "/pypi", "/simple/", "/"])
def test_xml_is_read_nowhere(shim: MakeShim, path: str) -> None:
    with FakeIndex([DEMO]) as index:
        client = Client(shim(index))
        headers = {"Content-Type": "text/xml", "Content-Length": str(len(BOMB))}
        answer = client.get(path, headers, method="POST")
        assert b"lol" not in answer.body
        nothing = {"Content-Type": "text/xml", "Content-Length": "0"}
        unread = client.get(path, nothing, method="POST")
        assert (answer.status, answer.body) == (unread.status, unread.body)


@pytest.mark.fault("incident: pypiserver /RPC2")
def test_a_page_in_xml_is_refused_unread(shim: MakeShim) -> None:
    with FakeIndex() as index:
        for content_type in ("text/xml", "application/xml", "application/xhtml+xml"):
            with index.answer(200, {"Content-Type": content_type}, BOMB, path=PAGE):
                answer = Client(shim(index)).get(PAGE)
                assert answer.status == 503
                assert "not an index" in answer.problem


@pytest.mark.fault("incident: pip CVE-2019-20916")
@pytest.mark.parametrize("said", ["../../evil.whl", "/etc/evil.whl", "evil-9.9-py3-none-any.whl"])
def test_the_name_that_a_download_gives_itself_is_ignored(shim: MakeShim, said: str) -> None:
    with FakeIndex([DEMO]) as index:
        index.header("Content-Disposition", f'attachment; filename="{said}"', path=FILE)
        index.header("Location", said, path=FILE)
        client = Client(shim(index))
        answer = client.fetch("demo", NAME)
        assert answer.body == DEMO.data
        assert not {"content-disposition", "location"} & {name.lower() for name in answer.headers}
        assert client.kept(DEMO.sha256).path.name == DEMO.sha256
        assert not list(client.shim.store.directory.rglob("*evil*"))
        client.assert_clean()


@pytest.mark.fault("incident: NEXUS-31354")
@pytest.mark.parametrize("path", [PAGE, f"/files/pypi/demo.{DEMO.sha256}/{NAME}"])
def test_head_leaves_nothing_behind_that_get_would_answer_with(shim: MakeShim, path: str) -> None:
    with FakeIndex([DEMO]) as index:
        client = Client(shim(index))
        head = client.get(path, method="HEAD")
        assert (head.status, head.body) == (200, b"")
        got = client.get(path)
        assert len(got.body) == int(got.headers["content-length"]) > 0
        assert got.headers["etag"] == head.headers["etag"]
        assert client.fetch("demo", NAME).body == DEMO.data


@pytest.mark.fault("incident: NEXUS-31354")
def test_a_directory_listing_in_place_of_a_file_is_no_file(shim: MakeShim) -> None:
    listing = b"<html><title>Index of /files/</title><a href='../'>../</a></html>"
    with FakeIndex() as index:
        index.add(DEMO, hashes={})
        index.answer(200, {"Content-Type": "text/html"}, listing, path=FILE)
        client = Client(shim(index))
        assert "a web page where a file should be" in client.fetch("demo", NAME).problem
        assert client.shim.store.blobs.records.count() == 0


@pytest.mark.fault("incident: python-tuf CVE-2020-15163")
def test_a_file_put_into_the_store_by_someone_else_is_not_trusted_for_its_name(
    shim: MakeShim,
) -> None:
    with FakeIndex([DEMO]) as index:
        client = Client(shim(index))
        path = client.shim.store.blobs.path(DEMO.sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not verified by anybody")
        assert client.fetch("demo", NAME).body == DEMO.data
        assert client.kept(DEMO.sha256).size == len(DEMO.data)


@pytest.mark.fault("incident: devpi #1102")
def test_a_file_of_twenty_megabytes_passes_every_hop_whole(served: Serve) -> None:
    big = wheel("big", size=20_000_000)
    path = f"/files/pypi/big.{big.sha256}/{big.filename}"
    with FakeIndex([big]) as index:
        made = served(index_table("pypi", index.url))
        assert made.get(path).body == big.data
        assert made.get(path).body == big.data
        part = made.get(path, {"Range": f"bytes={10_000_000}-"})
        assert (part.status, part.body) == (206, big.data[10_000_000:])
        assert not re.search("WARNING|ERROR", made.log)
