"""What pages say of files and what the files then are: hashes, fields, and pages in their place."""

import json
from collections.abc import Callable

import pytest

from tests.chain.chain import mirror, pypi
from tests.conftest import MakeShim
from tests.fakes import Dist, FakeIndex, sdist, wheel
from tests.fakes.pages import HTML_ONLY, JSON_TYPE
from tests.faults.client import Client

DEMO = wheel("demo", requires=["idna"], requires_python=">=3.8", size=50_000)
#: The same name, other bytes.
OTHER = wheel("demo", requires=["evil"], size=50_000)
NAME = DEMO.filename
FILE = f"/files/{NAME}"
PAGE = "/simple/demo/"
#: The root of the server, as the client of these tests names it.
SERVER = "http://127.0.0.1"


# Row 30: how a page is spelt.

BASE = f'<base href="/files/"><a href="{NAME}#sha256={DEMO.sha256}">{NAME}</a>'
SPELT = {
    "UTF-16 with a mark": (b"\xff\xfe" + BASE.encode("utf-16-le"), ""),
    "UTF-8 with a mark": (b"\xef\xbb\xbf" + BASE.encode(), ""),
    "a charset that is none": (BASE.encode(), "; charset=klingon"),
    "a charset that is wrong": (b"<!-- \xff\xfe\x80 -->" + BASE.encode(), "; charset=utf-8"),
}


@pytest.mark.fault(30)
@pytest.mark.parametrize("spelling", SPELT)
def test_a_page_in_a_bad_charset_with_a_mark_and_a_base_leads_to_its_file(
    shim: MakeShim, spelling: str
) -> None:
    body, charset = SPELT[spelling]
    with FakeIndex([DEMO]) as index:
        index.answer(200, {"Content-Type": f"text/html{charset}"}, body, path=PAGE)
        client = Client(shim(index))
        assert client.fetch("demo", NAME).body == DEMO.data


# Rows 31, 32, 33, 36: hashes.


@pytest.mark.fault(31)
def test_a_file_of_a_wrong_hash_is_a_409_that_names_the_index_and_nothing_of_it_is_kept(
    shim: MakeShim, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeIndex([DEMO]) as index:
        index.corrupt(NAME)
        client = Client(shim(index))
        answer = client.fetch("demo", NAME)
        assert answer.status == 409
        assert "pypi: wrong bytes: sha256 " in answer.problem
        assert f"where {DEMO.sha256} was expected" in answer.problem
        again = client.fetch("demo", NAME)
        assert (again.status, index.count(FILE)) == (409, 1)
        assert f"where {DEMO.sha256} was expected" in again.problem
        (line,) = [r.getMessage() for r in caplog.records if r.getMessage().startswith("pypi:")]
        assert line.startswith(f"pypi: {NAME}: wrong bytes: sha256 ")
        assert client.shim.store.blobs.records.count() == 0
        client.assert_clean()


@pytest.mark.fault(31)
def test_a_file_of_a_wrong_hash_is_taken_from_another_index_and_the_client_sees_one_answer(
    shim: MakeShim,
) -> None:
    with FakeIndex([DEMO]) as near, FakeIndex([DEMO]) as far:
        near.corrupt(NAME)
        client = Client(shim(mirror(near), pypi(far)))
        answer = client.fetch("demo", NAME)
        assert (answer.status, answer.body) == (200, DEMO.data)
        client.kept(DEMO.sha256)
        client.assert_clean()


@pytest.mark.fault(32)
def test_a_file_without_hash_is_pinned_first_and_other_bytes_are_refused_from_then_on(
    shim: MakeShim,
) -> None:
    with FakeIndex() as index:
        index.add(DEMO, hashes={})
        client = Client(shim(index, fresh=0.0))
        assert client.files("demo")[NAME]["hashes"] == {}
        assert client.fetch("demo", NAME).body == DEMO.data
        client.kept(DEMO.sha256)
        # From now on the page says what the file was.
        assert client.files("demo")[NAME]["hashes"] == {"sha256": DEMO.sha256}
        index.add(OTHER, hashes={})
        assert client.fetch("demo", NAME).body == DEMO.data
        client.shim.store.blobs.remove(DEMO.sha256)
        refused = client.fetch("demo", NAME)
        assert refused.status == 409
        assert "`indexfallback cache accept demo" in refused.problem
        client.assert_clean()


@pytest.mark.fault(33)
def test_a_file_that_is_another_at_the_mirror_than_at_pypi_is_pypis_from_then_on(
    shim: MakeShim, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeIndex([DEMO]) as near, FakeIndex([OTHER, wheel("demo", "2.0")]) as far:
        client = Client(shim(mirror(near), pypi(far), fresh=0.0))
        assert client.fetch("demo", NAME).body == DEMO.data
        client.kept(DEMO.sha256)
        near.stop_listening()
        for project in ("x", "y", "demo"):
            client.get(f"/simple/{project}/")
        assert list(client.shim.fallback.page("demo", "pypi").page.files)
        assert "mirror: demo-1.0-py3-none-any.whl is not the file that pypi lists" in caplog.text
        listed = client.get("/index/pypi/simple/demo/", {"Accept": JSON_TYPE}).body
        assert {file["filename"] for file in json.loads(listed)["files"]} == {
            NAME,
            wheel("demo", "2.0").filename,
        }
        assert client.get(f"/files/pypi/demo.{OTHER.sha256}/{NAME}").body == OTHER.data
        # What the mirror had is refused, also once it is back.
        refused = client.get(f"/files/pypi/demo.{DEMO.sha256}/{NAME}")
        assert refused.status == 409
        near.start_again()
        listed = client.get("/index/mirror/simple/demo/", {"Accept": JSON_TYPE}).body
        assert [file["hashes"]["sha256"] for file in json.loads(listed)["files"]] == [OTHER.sha256]


@pytest.mark.fault(32)
def test_a_mirror_without_hashes_is_held_to_what_pypi_lists(shim: MakeShim) -> None:
    with FakeIndex() as near, FakeIndex([OTHER]) as far:
        near.add(DEMO, hashes={})
        client = Client(shim(mirror(near), pypi(far)))
        assert client.fetch("demo", NAME).body == OTHER.data


@pytest.mark.fault(32)
def test_an_archive_without_its_end_is_not_kept_where_nothing_tells_its_bytes(
    shim: MakeShim,
) -> None:
    with FakeIndex() as index:
        index.add(DEMO, hashes={})
        index.answer(200, {}, DEMO.data[: len(DEMO.data) * 6 // 10], path=FILE, times=1)
        client = Client(shim(pypi(index)))
        assert client.fetch("demo", NAME).status == 503
        assert client.shim.store.pins.of_project("demo") == {}


@pytest.mark.fault(36)
@pytest.mark.parametrize(
    "digest",
    [
        "not hexadecimal",
        DEMO.sha256[:-1],
        "０" * 64,  # noqa: RUF001 - digits, but not hexadecimal ones
        "",
    ],
    ids=["no hexadecimal", "short", "other digits", "empty"],
)
def test_a_file_with_a_malformed_digest_is_withheld(shim: MakeShim, digest: str) -> None:
    other = wheel("demo", "2.0")
    with FakeIndex([other]) as index:
        index.add(DEMO, hashes={"sha256": digest})
        client = Client(shim(index))
        assert list(client.files("demo")) == [other.filename]
        assert client.get(f"/files/pypi/demo/{NAME}").status == 404
        assert index.count(FILE) == 0


@pytest.mark.fault(36)
def test_a_hash_of_an_unknown_kind_is_not_passed_on_and_the_file_is_pinned_as_if_it_had_none(
    shim: MakeShim,
) -> None:
    with FakeIndex() as index:
        index.add(DEMO, hashes={"crc32": "0" * 8})
        client = Client(shim(index))
        assert "sha256" not in client.files("demo")[NAME]["hashes"]
        assert client.fetch("demo", NAME).body == DEMO.data
        client.kept(DEMO.sha256)
        client.assert_clean()


@pytest.mark.fault(36)
def test_a_hash_in_capitals_is_the_same_hash(shim: MakeShim) -> None:
    with FakeIndex() as index:
        index.add(DEMO, hashes={"sha256": DEMO.sha256.upper()})
        client = Client(shim(index))
        assert client.files("demo")[NAME]["hashes"] == {"sha256": DEMO.sha256}
        assert client.fetch("demo", NAME).body == DEMO.data


@pytest.mark.fault(25)
@pytest.mark.fault(24)
def test_a_file_of_an_index_whose_page_cannot_be_read_is_unavailable_and_not_missing(
    shim: MakeShim,
) -> None:
    with FakeIndex([DEMO]) as index:
        index.answer(200, {"Content-Type": JSON_TYPE}, b'{"files": [', path=PAGE)
        client = Client(shim(index))
        answer = client.get(f"/files/pypi/demo.{DEMO.sha256}/{NAME}")
        assert answer.status == 503
        assert "pypi could not be asked" in answer.problem
        assert index.count(FILE) == 0


# Row 34: fields.


@pytest.mark.fault(34)
@pytest.mark.parametrize("formats", [HTML_ONLY, ("json",)])
def test_yanked_core_metadata_and_provenance_reach_the_client_in_both_forms(
    shim: MakeShim, formats: tuple[str, ...]
) -> None:
    provenance = "https://packages.example.com/demo.provenance"
    with FakeIndex(formats=formats) as index:  # type: ignore[arg-type]  # parametrize drops Literal
        index.add(DEMO, yanked="broken & <bad>", provenance=provenance, gpg_sig=False)
        client = Client(shim(index))
        file = client.files("demo")[NAME]
        assert file["yanked"] == "broken & <bad>"
        assert file["core-metadata"] == {"sha256": DEMO.metadata_sha256}
        assert file["dist-info-metadata"] == file["core-metadata"]
        assert file["provenance"] == f"{SERVER}/files/pypi/demo.{DEMO.sha256}/{NAME}.provenance"
        assert file["requires-python"] == ">=3.8"
        assert file["gpg-sig"] is False
        html = client.get(PAGE).body.decode()
        for attribute in (
            'data-yanked="broken &amp; &lt;bad&gt;"',
            f'data-core-metadata="sha256={DEMO.metadata_sha256}"',
            f'data-provenance="{file["provenance"]}"',
            'data-requires-python="&gt;=3.8"',
        ):
            assert attribute in html
        assert client.fetch("demo", NAME, ".metadata").body == DEMO.metadata


# Row 35: what comes in place of a file.

PORTAL = b"<!DOCTYPE html><html><form action=/login>Log in to the network</form></html>"
Break = Callable[[FakeIndex], object]
IN_PLACE: dict[str, tuple[Break, str]] = {
    "web page": (
        lambda i: i.answer(200, {"Content-Type": "text/html"}, PORTAL, path=FILE),
        "a web page where a file should be",
    ),
    "web page that says it is a file": (
        lambda i: i.answer(200, {"Content-Type": "application/zip"}, PORTAL, path=FILE),
        "wrong bytes",
    ),
    "redirect to a web page": (
        lambda i: (
            i.redirect(f"http://localhost:{i.port}/portal", path=FILE),
            i.answer(200, {"Content-Type": "text/HTML; charset=utf-8"}, PORTAL, path="/portal"),
        ),
        "a web page where a file should be",
    ),
    "nothing": (
        lambda i: i.answer(200, {"Content-Type": "application/zip"}, path=FILE),
        "wrong bytes",
    ),
}


@pytest.mark.fault(35)
@pytest.mark.parametrize("way", IN_PLACE)
def test_a_wheel_that_is_a_web_page_is_refused_and_not_kept(shim: MakeShim, way: str) -> None:
    failing, said = IN_PLACE[way]
    with FakeIndex([DEMO]) as index:
        failing(index)
        client = Client(shim(index))
        answer = client.fetch("demo", NAME)
        assert answer.status == 503
        assert f"pypi: {said}" in answer.problem
        assert client.shim.store.blobs.records.count() == 0
        assert client.shim.store.pins.get("demo", NAME) is None
        client.assert_clean()


@pytest.mark.fault(35)
@pytest.mark.parametrize("way", IN_PLACE)
def test_a_wheel_that_is_a_web_page_is_taken_from_another_index(shim: MakeShim, way: str) -> None:
    with FakeIndex([DEMO]) as near, FakeIndex([DEMO]) as far:
        IN_PLACE[way][0](near)
        client = Client(shim(mirror(near), pypi(far)))
        assert client.fetch("demo", NAME).body == DEMO.data
        client.kept(DEMO.sha256)
        client.assert_clean()


@pytest.mark.fault(35)
@pytest.mark.parametrize("dist", [DEMO, sdist("demo")], ids=["wheel", "sdist"])
def test_a_file_that_is_no_archive_is_refused_where_no_hash_tells(
    shim: MakeShim, dist: Dist
) -> None:
    with FakeIndex() as index:
        index.add(dist, hashes={})
        index.answer(200, {"Content-Type": "application/zip"}, PORTAL, path="/files/")
        client = Client(shim(index))
        answer = client.fetch("demo", dist.filename)
        assert answer.status == 503
        assert "not an archive of the kind that its name says" in answer.problem
        assert client.shim.store.blobs.records.count() == 0
        index.lift()
        assert Client(shim(index)).fetch("demo", dist.filename).body == dist.data


@pytest.mark.fault(35)
def test_metadata_that_is_a_web_page_comes_from_the_wheel_also_where_no_hash_tells(
    shim: MakeShim,
) -> None:
    page = {
        "meta": {"api-version": "1.0"},
        "name": "demo",
        "files": [{"filename": NAME, "url": FILE, "hashes": {}, "core-metadata": True}],
    }
    with FakeIndex([DEMO]) as index:
        index.answer(200, {"Content-Type": JSON_TYPE}, json.dumps(page).encode(), path=PAGE)
        index.answer(200, {"Content-Type": "text/html"}, PORTAL, path=f"{FILE}.metadata")
        client = Client(shim(index))
        assert client.fetch("demo", NAME, ".metadata").body == DEMO.metadata
