"""Where links lead, and which are refused."""

from urllib.parse import urljoin

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indexfallback.formats.links import Links, is_local

PAGE = "https://example.com/team/simple/foo/"
FILE = "foo-1.0.zip"


def resolve(href: str, page: str = PAGE, *, public: bool = False) -> str | None:
    return Links(page, public=public).resolve(href)


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        (FILE, f"{PAGE}{FILE}"),
        (f"./{FILE}", f"{PAGE}{FILE}"),
        (f"../../files/{FILE}", f"https://example.com/team/files/{FILE}"),
        (f"../../../../../{FILE}", f"https://example.com/{FILE}"),
        (f"a/../{FILE}", f"{PAGE}{FILE}"),
        (f"/{FILE}", f"https://example.com/{FILE}"),
        (f"/a/../{FILE}", f"https://example.com/{FILE}"),
        (f"//cdn.example.com/{FILE}", f"https://cdn.example.com/{FILE}"),
        (f"http://cdn.example.com:8080/{FILE}", f"http://cdn.example.com:8080/{FILE}"),
        (f"HTTPS://cdn.example.com/{FILE}", f"https://cdn.example.com/{FILE}"),
        (f"{FILE}?token=a/../b", f"{PAGE}{FILE}?token=a/../b"),
        ("?file=1", f"{PAGE}?file=1"),
        (f"{FILE}#sha256=00", f"{PAGE}{FILE}"),
        (f" {FILE}\n", f"{PAGE}{FILE}"),
        ("foo 1.0.zip", f"{PAGE}foo%201.0.zip"),
        (f"https://user:secret@cdn.example.com/{FILE}", f"https://cdn.example.com/{FILE}"),
    ],
)
def test_a_link_is_resolved(href: str, expected: str) -> None:
    assert resolve(href) == expected


@pytest.mark.fault(39)
@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)//foo-1.0.zip",
        "data:text/plain,foo-1.0.zip",
        "file:///etc/foo-1.0.zip",
        "ftp://example.com/foo-1.0.zip",
        "mailto:foo-1.0.zip",
        "https://example.com",
        "https:///foo-1.0.zip",
        "https://example.com:port/foo-1.0.zip",
        "https://[::1/foo-1.0.zip",
        "//[::1/foo-1.0.zip",
        "https://example.com?x=/foo-1.0.zip",
        "https://example%2ecom/foo-1.0.zip",
        "https://example.com\\@other.example.com/foo-1.0.zip",
        "/foo-1.0.zip\r\nHost: x",
        "/foo\0-1.0.zip",
        "/foo\t-1.0.zip",
        "/foo\x7f-1.0.zip",
        "/foo\ud800-1.0.zip",
        "/" + "a" * 9000,
        "../" * 5000,
    ],
)
def test_a_link_is_refused(href: str) -> None:
    assert resolve(href) is None


@pytest.mark.fault(46)
def test_the_credentials_of_the_page_are_in_no_link() -> None:
    page = "https://user:secret@example.com/simple/foo/"
    assert resolve(FILE, page) == f"https://example.com/simple/foo/{FILE}"
    assert resolve(f"/{FILE}", page) == f"https://example.com/{FILE}"


def test_a_directory_links_to_its_files() -> None:
    page = "file:///srv/packages/foo/"
    assert resolve(FILE, page) == f"file:///srv/packages/foo/{FILE}"
    assert resolve(f"/srv/{FILE}", page) == f"file:///srv/{FILE}"
    assert resolve(f"file:///srv/{FILE}", page) == f"file:///srv/{FILE}"
    assert resolve(f"https://example.com/{FILE}", page) == f"https://example.com/{FILE}"


def test_a_directory_does_not_link_to_files_of_another_host() -> None:
    assert resolve(f"file://server/share/{FILE}", "file:///srv/packages/foo/") is None


LOCAL = [
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "::ffff:127.0.0.1",
    "①②⑦.0.0.1",
]


@pytest.mark.parametrize("host", LOCAL)
def test_an_address_that_only_this_network_reaches_is_local(host: str) -> None:
    assert is_local(host)


@pytest.mark.parametrize(
    "host",
    ["example.com", "8.8.8.8", "2001:4860:4860::8888", "localhost.example.com", "10.example"],
)
def test_other_hosts_are_not_local(host: str) -> None:
    assert not is_local(host)


@pytest.mark.fault(45)
@pytest.mark.parametrize("host", LOCAL)
def test_a_public_page_does_not_link_to_a_local_address(host: str) -> None:
    netloc = f"[{host}]" if ":" in host else host
    assert resolve(f"http://{netloc}:8080/{FILE}", public=True) is None
    assert resolve(f"//{netloc}/{FILE}", public=True) is None


def test_a_page_that_need_not_be_public_links_anywhere() -> None:
    assert resolve(f"http://10.0.0.1/{FILE}") == f"http://10.0.0.1/{FILE}"


@pytest.mark.fault(45)
def test_a_public_index_at_a_local_address_links_to_local_addresses() -> None:
    page = "http://127.0.0.1:8000/simple/foo/"
    assert resolve(FILE, page, public=True) == f"{page}{FILE}"
    assert resolve(f"http://10.0.0.1/{FILE}", page, public=True) == f"http://10.0.0.1/{FILE}"


@pytest.mark.fault(45)
def test_a_base_at_a_local_address_makes_relative_links_local() -> None:
    links = Links(PAGE, public=True)
    links.rebase("http://192.168.0.1/")
    assert links.resolve(FILE) == f"{PAGE}{FILE}"


def test_links_follow_the_base() -> None:
    links = Links(PAGE)
    links.rebase("../../files/")
    assert links.resolve(FILE) == f"https://example.com/team/files/{FILE}"
    assert links.resolve(f"../{FILE}") == f"https://example.com/team/{FILE}"


@pytest.mark.fault(30)
def test_a_base_that_may_not_be_followed_is_ignored() -> None:
    links = Links(PAGE)
    links.rebase("javascript:alert(1)")
    assert links.resolve(FILE) == f"{PAGE}{FILE}"


# Logins.


def logins_of(*hrefs: str, page: str = PAGE, base: str = "") -> dict[str, str]:
    """Return the logins of links, by their resolved address."""
    logins: dict[str, str] = {}
    links = Links(page, logins=logins)
    if base:
        links.rebase(base)
    links.resolve_all(hrefs)
    return logins


@pytest.mark.parametrize(
    "login", ["ci:s3cret", "ci:", ":s3cret", "token", "a%40b:p%3Aw%2F", "ci@example.com:p@ss"]
)
def test_the_login_of_a_link_is_collected_beside_its_address(login: str) -> None:
    there = f"//cdn.example.com:8443/{FILE}"
    assert logins_of(f"https://{login}@{there[2:]}#sha256=00") == {f"https:{there}": login}
    assert logins_of(f"//{login}@{there[2:]}") == {f"https:{there}": login}


def test_a_link_without_a_login_has_none() -> None:
    assert (
        logins_of(FILE, f"https://cdn.example.com/{FILE}", f"https://@cdn.example.com/{FILE}") == {}
    )


@pytest.mark.parametrize("href", ["javascript://ci:s3cret@x/foo.zip", "https://ci:no/slash@x/a"])
def test_a_refused_link_has_no_login(href: str) -> None:
    assert logins_of(href) == {}


def test_a_relative_link_has_the_login_of_its_base_and_another_host_has_not() -> None:
    relative = (FILE, f"../{FILE}", f"/{FILE}", f"a/../{FILE}?x=//y")
    elsewhere = (f"//cdn.example.com/{FILE}", f"https://cdn.example.com/{FILE}")
    base = "https://ci:s3cret@files.example.com/a/b/"
    resolved = [Links("https://files.example.com/a/b/").resolve(href) for href in relative]
    assert logins_of(*relative, *elsewhere, base=base) == dict.fromkeys(resolved, "ci:s3cret")
    assert logins_of(*relative, *elsewhere, page=base) == dict.fromkeys(resolved, "ci:s3cret")


def test_of_two_logins_for_one_address_the_first_is_collected() -> None:
    first, second = (f"https://{login}@cdn.example.com/{FILE}" for login in ("a:b", "c:d"))
    assert list(logins_of(first, second).values()) == ["a:b"]


def test_the_number_of_logins_of_a_page_is_limited() -> None:
    hrefs = (f"https://ci:s3cret@cdn.example.com/{n}/{FILE}" for n in range(10_005))
    assert len(logins_of(*hrefs)) == 10_000


UNQUOTED = st.text("ab:@%~", min_size=1, max_size=8)


@given(UNQUOTED, st.sampled_from(["/simple/x.zip", "/@/x.zip", "/x.zip?a@b:c"]))
def test_a_login_changes_no_address(login: str, path: str) -> None:
    logins: dict[str, str] = {}
    address = Links(PAGE, logins=logins).resolve(f"https://{login}@cdn.example.com{path}")
    assert address == f"https://cdn.example.com{path}"
    assert logins == {address: login}


SEGMENT = st.text("ab.:", max_size=4)


@example("..//")
@given(st.lists(SEGMENT, min_size=1, max_size=6).map("/".join))
def test_joining_is_what_urljoin_does(href: str) -> None:
    expected = urljoin(PAGE, href)
    assert resolve(href) in (expected, None)
    if expected.startswith("https://example.com/"):
        assert resolve(href) == expected
