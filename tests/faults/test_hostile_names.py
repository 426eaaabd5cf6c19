"""Names and links that mean harm: none leaves its place, and none reaches a client."""

import json
from collections.abc import Iterator

import pytest

from indexfallback.config import Index
from tests.chain.chain import private, pypi
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.fakes.pages import JSON_TYPE
from tests.faults.client import Client

DEMO = wheel("demo", size=1000)
NAME = DEMO.filename
PAGE = "/simple/demo/"
HTML = {"Content-Type": "text/html"}
JSON = {"Content-Type": JSON_TYPE}

NAMES = {
    "up": "../demo-2.0.zip",
    "far up": "../../../../../../tmp/demo-2.0.zip",
    "absolute": "/etc/demo-2.0.zip",
    "backslashes": "..\\..\\demo-2.0.zip",
    "drive": "C:demo-2.0.zip",
    "NUL": "demo\0-2.0.zip",
    "300 bytes": f"demo-{'2' * 291}.zip",
    "look-alike": "dеmo-2.0.zip",  # noqa: RUF001 - the look-alike is the point
    "full width": "demo－2.0.zip",  # noqa: RUF001 - as above
    "trailing dot": "demo-2.0.zip.",
    "trailing space": "demo-2.0.zip ",
    "device": "demo-2.0.zip:stream",
    "line break": "demo-2.0\r\nSet-Cookie: a=b.zip",
    "markup": "<script>alert(1)</script>.zip",
    "quote": "demo-2.0\"onclick='x.zip",
}


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex([DEMO]) as fake:
        yield fake


def listing(*entries: tuple[str, str]) -> bytes:
    """Return a JSON page of file names and addresses, the right file last."""
    right = {"filename": NAME, "url": f"/files/{NAME}", "hashes": {"sha256": DEMO.sha256}}
    files = [{"filename": name, "url": url, "hashes": {}} for name, url in entries]
    page = {"meta": {"api-version": "1.0"}, "name": "demo", "files": [*files, right]}
    return json.dumps(page).encode()


@pytest.mark.fault(37)
@pytest.mark.fault("incident: setuptools CVE-2025-47273")
@pytest.mark.parametrize("kind", NAMES)
def test_a_file_name_that_leaves_its_place_is_dropped_and_the_rest_of_its_page_served(
    shim: MakeShim, index: FakeIndex, kind: str
) -> None:
    index.answer(200, JSON, listing((NAMES[kind], "/files/x-1.0.zip")), path=PAGE)
    client = Client(shim(index))
    assert list(client.files("demo")) == [NAME]
    assert client.fetch("demo", NAME).body == DEMO.data
    kept = client.kept(DEMO.sha256)
    assert kept.path.name == DEMO.sha256
    client.assert_clean()


@pytest.mark.fault(37)
@pytest.mark.fault(38)
@pytest.mark.parametrize(
    "href",
    [
        "/files/..%2f..%2f..%2fetc%2fdemo-2.0.zip",
        "/files/%2f%2f..%2fdemo-2.0.zip",
        "/files/..%5cdemo-2.0.zip",
        "/files/demo-2.0.zip%00",
        "/files/C%3Ademo-2.0.zip",
        "/files/%252f%252f..%252fdemo-2.0.zip",
    ],
)
def test_an_address_that_ends_in_an_encoded_path_names_no_file(
    shim: MakeShim, index: FakeIndex, href: str
) -> None:
    right = f'<a href="/files/{NAME}#sha256={DEMO.sha256}">{NAME}</a>'
    index.answer(200, HTML, f'<a href="{href}">download</a>{right}'.encode(), path=PAGE)
    assert list(Client(shim(index)).files("demo")) == [NAME]


@pytest.mark.fault(38)
@pytest.mark.fault("incident: Nexus CVE-2024-4956")
def test_an_encoded_address_is_decoded_by_its_index_alone_and_shapes_no_path_here(
    shim: MakeShim, index: FakeIndex
) -> None:
    address = f"/files/%252f%252f..%252f{NAME}"
    index.answer(200, {"Content-Type": "application/zip"}, DEMO.data, path=address)
    page = listing().replace(f"/files/{NAME}".encode(), address.encode())
    index.answer(200, JSON, page, path=PAGE)
    client = Client(shim(index))
    url = client.files("demo")[NAME]["url"]
    assert url == f"../../files/pypi/demo.{DEMO.sha256}/{NAME}"
    assert client.fetch("demo", NAME).body == DEMO.data
    assert index.count(address) == 1
    client.kept(DEMO.sha256)
    client.assert_clean()


LINKS = [
    "javascript:alert(1)//demo-2.0.zip",
    "file:///etc/passwd#/demo-2.0.zip",
    "file:///tmp/demo-2.0.zip",
    "data:application/zip;base64,UEsDBA==/demo-2.0.zip",
    "ftp://packages.example.com/demo-2.0.zip",
    "vbscript:x/demo-2.0.zip",
    "JaVaScRiPt:x/demo-2.0.zip",
    " javascript:x/demo-2.0.zip",
    "java\tscript:x/demo-2.0.zip",
]


@pytest.mark.fault(39)
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("role", ["private", "public"])
def test_a_link_that_is_not_http_is_dropped_whatever_the_role(
    shim: MakeShim, index: FakeIndex, link: str, role: str
) -> None:
    html = f'<a href="{link}">demo-2.0.zip</a><a href="/files/{NAME}">{NAME}</a>'.encode()
    for headers, body in ((HTML, html), (JSON, listing(("demo-2.0.zip", link)))):
        with index.answer(200, headers, body, path=PAGE):
            made = private(index) if role == "private" else pypi(index)
            client = Client(shim(made, fresh=0.0))
            assert list(client.files("demo")) == [NAME]
            assert client.get("/files/pypi/demo/demo-2.0.zip").status == 404


LOCAL = [
    "127.0.0.1",
    "localhost",
    "10.0.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "[::1]",
    "2130706433",
]


@pytest.mark.fault(45)
@pytest.mark.fault("incident: Nexus CVE-2022-27907")
@pytest.mark.parametrize("host", LOCAL)
def test_a_public_page_leads_to_no_local_address_and_nobody_asks_there(
    shim: MakeShim, index: FakeIndex, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    # An index that is not at a local address itself, which a proxy stands for.
    monkeypatch.setenv("http_proxy", index.base)
    url = "http://packages.example.com/simple/"
    link = f"http://{host}:{index.port}/files/demo-2.0.zip"
    index.answer(200, JSON, listing(("demo-2.0.zip", link)), path=url)
    public = Client(shim(Index(name="pypi", url=url, role="public")))
    assert list(public.files("demo")) == [NAME]
    assert public.get("/files/pypi/demo/demo-2.0.zip").status == 404
    assert index.count("/files/demo-2.0.zip") == 0


@pytest.mark.fault(45)
def test_a_private_page_may_lead_to_a_local_address(
    shim: MakeShim, index: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", index.base)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    url = "http://packages.example.com/simple/"
    link = f"{index.base}/files/{NAME}"
    page = listing().replace(f"/files/{NAME}".encode(), link.encode())
    index.answer(200, JSON, page, path=url)
    client = Client(shim(Index(name="private", url=url, projects=("demo",))))
    assert client.fetch("demo", NAME).body == DEMO.data


@pytest.mark.fault(45)
@pytest.mark.fault(23)
@pytest.mark.parametrize("of", ["page", "file"])
def test_a_public_index_cannot_redirect_to_a_local_address_either(
    shim: MakeShim, index: FakeIndex, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    monkeypatch.setenv("http_proxy", index.base)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    root = "http://packages.example.com"
    index.answer(200, JSON, listing(), path=f"{root}/simple/")
    at = "/simple/demo/" if of == "page" else f"/files/{NAME}"
    index.redirect(f"{index.base}{at}", path=root + at)
    client = Client(shim(Index(name="pypi", url=f"{root}/simple/", role="public")))
    answer = client.get(PAGE) if of == "page" else client.fetch("demo", NAME)
    assert answer.status == 503
    assert f"unsafe redirect to {index.base}" in answer.problem
    assert index.count(at) == 0
