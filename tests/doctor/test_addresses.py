"""Addresses of the shim are told from all others, by host, port and path."""

import pytest

from indexfallback.doctor.addresses import FileAddress, IndexAddress, ShimAddresses
from indexfallback.names import FileKey

SHA256 = "a" * 64
SHIM = ShimAddresses(
    host="10.0.0.4",
    # An index of the chain is at a port where a shim was once.
    ports=frozenset((5503, 40123, 3141)),
    owners=frozenset(("private", "pypi")),
    others=frozenset((3141,)),
)
FILE = f"/files/pypi/foo.{SHA256}/foo-1.0-py3-none-any.whl"
API = IndexAddress(None, "", has_slash=True)


def only(text: str, shim: ShimAddresses = SHIM) -> object:
    """Return what the only address in a text is."""
    (found,) = shim.find(text)
    return found.what


@pytest.mark.parametrize(
    "root",
    [
        "http://127.0.0.1:5503", "http://localhost:40123", "https://127.0.0.1:5503",
        "http://[::1]:5503", "http://127.1.2.3:5503", "http://10.0.0.4:5503", "HTTP://x".lower()
        .replace("x", "LOCALHOST:5503"), "http://__token__:secret@127.0.0.1:5503",
    ],
)  # fmt: skip
def test_a_served_port_on_this_machine_is_the_shims(root: str) -> None:
    assert only(f'url = "{root}/simple/"') == API


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/simple/", API),
        ("/simple", IndexAddress(None, "", has_slash=False)),
        ("/simple/foo/", IndexAddress(None, "foo/", has_slash=True)),
        ("/direct/simple/", API),
        ("/index/private/simple/", IndexAddress("private", "", has_slash=True)),
        (FILE, FileAddress("pypi", FileKey("foo", SHA256), "foo-1.0-py3-none-any.whl")),
        ("/files/x/foo/foo-1.0.zip", FileAddress("x", FileKey("foo", None), "foo-1.0.zip")),
        (f"/files/pypi/foo.{SHA256}/foo-1.0%2Bcpu.zip",
         FileAddress("pypi", FileKey("foo", SHA256), "foo-1.0+cpu.zip")),
    ],
)  # fmt: skip
def test_the_forms_that_clients_write_are_read(path: str, what: object) -> None:
    assert only(f"http://127.0.0.1:5503{path}") == what


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/simple/",
        "http://127.0.0.1/simple/",
        "http://127.0.0.1:3141/simple/",
        "http://127.0.0.1:5503/team/dev/+simple/",
        "http://127.0.0.1:5503/simple2/",
        "http://127.0.0.1:5503/simple/foo/bar/",
        "http://127.0.0.1:5503/index/Not A Name/simple/",
        "http://127.0.0.1:5503/",
        "http://127.0.0.1:5503/upload/",
        "http://192.0.2.1:5503/simple/",
        "http://127.0.0.1.example.com:5503/simple/",
        "https://packages.example.com/simple/",
        f"http://127.0.0.1:8080/files/elsewhere/foo.{SHA256}/foo-1.0.zip",
        "http://127.0.0.1:8080/files/pypi/foo/foo-1.0.zip",
        f"https://packages.example.com/files/pypi/foo.{SHA256}/foo-1.0.zip",
        f"http://127.0.0.1:5503/files/pypi/foo.{SHA256}/..%2Ffoo-1.0.zip",
    ],
)
def test_what_may_be_another_server_is_not_the_shims(url: str) -> None:
    assert list(SHIM.find(f"index-url = {url}\n")) == []


@pytest.mark.parametrize(
    "before", ["--index-url ", "-i", "mine=", "foo @ ", "(", "'", "see http://"]
)
@pytest.mark.parametrize("after", ["", ".", "\r\n", '"', "'", ", more", "#sha256=1", " ; python"])
def test_an_address_ends_where_its_path_ends(before: str, after: str) -> None:
    (found,) = SHIM.find(text := f"{before}http://127.0.0.1:5503/simple/{after}")
    assert text[found.start : found.stop] == "http://127.0.0.1:5503/simple/"


def test_the_form_of_a_file_tells_the_shim_at_any_port() -> None:
    assert isinstance(only(f"http://127.0.0.1:49999{FILE}"), FileAddress)


def test_a_port_in_such_a_form_is_the_shims_for_other_forms() -> None:
    shim = SHIM.with_ports_in(f"http://127.0.0.1:49999{FILE}")
    assert only("http://127.0.0.1:49999/simple/", shim) == API
    assert list(SHIM.find("http://127.0.0.1:49999/simple/")) == []


def test_the_path_of_a_reverse_proxy_stands_before_the_forms() -> None:
    shim = ShimAddresses(host="127.0.0.1", ports=frozenset((5503,)), base_path="/index")
    assert only("http://127.0.0.1:5503/index/simple/", shim) == API
    assert only("http://127.0.0.1:5503/index/private/simple/", shim) == IndexAddress(
        "private", "", has_slash=True
    )
    assert list(SHIM.find("http://127.0.0.1:5503/pypi/simple/")) == []
