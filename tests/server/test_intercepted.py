"""What an address of an intercepted host asks for, for every spelling of it."""

import re
from urllib.parse import quote, unquote, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.config import Index
from indexfallback.files.file_url import FileUrl, file_at, file_named, segments
from indexfallback.names import is_normalized, normalize
from indexfallback.page import File, ProjectPage
from indexfallback.server.intercepted import Json, Moved, Names, Page, Wanted, wanted


def index(name: str, url: str) -> Index:
    return Index(name=name, url=url)


ROOT = index("root", "https://packages.example.com/")
SIMPLE = index("simple", "https://packages.example.com/simple/")
NESTED = index("nested", "https://packages.example.com/simple/team%20a/simple/")
PLAIN = index("plain", "http://10.0.0.5:8080/simple/")
LOCAL = index("local", "file:///srv/packages/")
ALL = (LOCAL, SIMPLE, ROOT, NESTED, PLAIN)


def asked(url: str, indexes: tuple[Index, ...] = ALL) -> Wanted | None:
    """Return what an address asks for, as the server decodes it."""
    scheme, _, rest = url.partition("://")
    authority, slash, target = rest.partition("/")
    path, _, query = f"{slash}{target}".partition("?")
    return wanted(indexes, scheme, authority, unquote(path), query)


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("https://packages.example.com/simple/", Names(SIMPLE)),
        ("https://packages.example.com/simple", Moved("/simple/")),
        ("https://packages.example.com/", Names(ROOT)),
        ("https://packages.example.com/simple/demo/", Page(SIMPLE, "demo")),
        ("https://packages.example.com/simple/demo/?format=json", Page(SIMPLE, "demo")),
        ("https://packages.example.com/simple/demo", Moved("/simple/demo/")),
        ("https://packages.example.com/simple/Zope.Interface/", Moved("/simple/zope-interface/")),
        ("https://packages.example.com/simple/team%20a/simple/demo/", Page(NESTED, "demo")),
        ("https://packages.example.com/simple/team a/simple/De.mo",
         Moved("/simple/team%20a/simple/de-mo/")),
        ("https://packages.example.com/other/", Page(ROOT, "other")),
        ("https://packages.example.com//simple//demo//", Page(SIMPLE, "demo")),
        ("https://packages.example.com/x/../simple/./demo/", Page(SIMPLE, "demo")),
        ("https://packages.example.com/x/%2e%2e/simple/demo/", Page(SIMPLE, "demo")),
        ("https://packages.example.com/pypi/Demo/json", Json(SIMPLE, "demo", None)),
        ("https://packages.example.com/pypi/demo/1.0/json", Json(SIMPLE, "demo", "1.0")),
        ("https://packages.example.com/simple/team%20a/pypi/demo/json",
         Json(NESTED, "demo", None)),
        ("http://10.0.0.5:8080/simple/demo/", Page(PLAIN, "demo")),
        ("http://10.0.0.5/simple/demo/", None),
        ("https://10.0.0.5:8080/simple/demo/", None),
        ("https://packages.example.com/simple/demo/index.html", None),
        ("https://packages.example.com/simple/demo-1.0.tar.gz/", Moved("/simple/demo-1-0-tar-gz/")),
        ("https://user@packages.example.com/simple/demo/", None),
        ("https://packages.example.com:port/simple/demo/", None),
        ("ftp://packages.example.com/simple/demo/", None),
        ("file:///srv/packages/demo/", None),
    ],
)  # fmt: skip
def test_an_address_asks_for(url: str, answer: Wanted | None) -> None:
    assert asked(url) == answer


@pytest.mark.parametrize(
    ("path", "filename", "projects"),
    [
        ("/packages/ab/demo-1.0-py3-none-any.whl", "demo-1.0-py3-none-any.whl", ("demo",)),
        ("/x/demo-1.0%2Bcu1-py3-none-any.whl", "demo-1.0+cu1-py3-none-any.whl", ("demo",)),
        ("/x/demo-1.0+cu1-py3-none-any.whl", "demo-1.0+cu1-py3-none-any.whl", ("demo",)),
        ("/demo-1.0-py3-none-any.whl.metadata", "demo-1.0-py3-none-any.whl.metadata", ("demo",)),
        ("/f/Zope.Interface/a%20b-1.0.exe", "a b-1.0.exe", ("zope-interface", "f")),
        ("/simple/alias/demo-1.0.tar.gz", "demo-1.0.tar.gz", ("demo", "alias")),
        ("/simple/demo-1.0.tar.gz", "demo-1.0.tar.gz", ("demo",)),
    ],
)
def test_a_path_with_the_name_of_a_distribution_asks_for_a_file(
    path: str, filename: str, projects: tuple[str, ...]
) -> None:
    found = asked(f"https://packages.example.com{path}?a=%2B", (SIMPLE,))
    assert isinstance(found, FileUrl)
    assert (found.filename, found.projects) == (filename, projects)
    assert (found.origin, found.query) == ("https://packages.example.com", "a=%2B")


@pytest.mark.parametrize(
    "path", ["/", "/help", "/demo-1.0.tar.gz.asc", "/.hidden-1.0.whl", "/x/d\u00e9mo-1.0.whl"]
)
def test_other_paths_ask_for_nothing(path: str) -> None:
    assert asked(f"https://files.example.com{path}") is None


NAMES = st.from_regex(re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?", re.ASCII),
                      fullmatch=True)  # fmt: skip


@st.composite
def spelled(draw: st.DrawFn, path: str) -> str:
    """Return another spelling of a path: encoded characters, more slashes, dot segments."""
    out = []
    for character in path:
        if character == "/":
            out.append(draw(st.sampled_from(["/", "/", "//", "/./", "/%2e/", "/x/../"])))
        elif draw(st.integers(0, 5)) == 0:
            out.append("".join(f"%{byte:02x}" for byte in character.encode()))
        else:
            out.append(quote(character, safe="+"))
    return "".join(out)


@st.composite
def hosts(draw: st.DrawFn, host: str) -> str:
    return "".join(draw(st.sampled_from([c.upper(), c.lower()])) for c in host)


@given(st.data())
def test_every_spelling_of_a_page_is_that_page(data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from([SIMPLE, NESTED]))
    name = normalize(data.draw(NAMES))
    root = unquote(chosen.url.removeprefix("https://packages.example.com"))
    path = data.draw(spelled(f"{root}{name}/"))
    host = data.draw(hosts("packages.example.com")) + data.draw(st.sampled_from(["", ":443", ":"]))
    assert asked(f"HTTPS://{host}{path}") == Page(chosen, name)


@given(NAMES, st.sampled_from([SIMPLE, NESTED, PLAIN]), st.sampled_from(["", "/"]))
def test_a_redirect_leads_to_the_page_and_no_further(name: str, at: Index, slash: str) -> None:
    start = f"{at.url}{name}{slash}"
    answer = asked(start)
    if isinstance(answer, Moved):
        assert answer.location.startswith("/")
        answer = asked(urljoin(start, answer.location))
    if isinstance(answer, FileUrl):
        assert not slash
        return
    assert answer == Page(at, normalize(name))
    assert is_normalized(normalize(name))


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=60), st.text(max_size=20))
def test_no_text_is_too_strange(scheme: str, authority: str, path: str, query: str) -> None:
    wanted(ALL, scheme, authority, path, query)
    wanted(ALL, "https", "packages.example.com", path, query)


@given(st.lists(NAMES, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts)), st.data())
def test_segments_are_those_of_every_spelling(path: str, data: st.DataObject) -> None:
    assert segments(unquote(data.draw(spelled(path)))) == segments(path)


def page(*files: tuple[str, str | None]) -> ProjectPage:
    """Return a page with files: address, and what the sha256 consists of."""
    return ProjectPage(
        name="demo",
        files=tuple(
            File(
                filename=unquote(url.partition("?")[0].rpartition("/")[2]),
                url=url,
                hashes={} if digit is None else {"sha256": digit * 64},
            )
            for url, digit in files
        ),
    )


HOST = "https://files.example.com"
FILE = "demo-1.0%2Bcu1.tar.gz"


def file_url(text: str) -> FileUrl:
    found = asked(text)
    assert isinstance(found, FileUrl)
    return found


@pytest.mark.parametrize(
    ("on_page", "url", "which"),
    [
        ([(f"{HOST}/a/{FILE}", "a")], f"{HOST}/a/{FILE}", 0),
        ([(f"{HOST}/a/{FILE}", "a")], f"{HOST}/a/demo-1.0+cu1.tar.gz", 0),
        ([(f"{HOST}/a/{FILE}", "a")], f"{HOST}/a/{FILE}.metadata", 0),
        ([("https://Files.Example.com:443//a/./demo-1.0+cu1.tar.gz", "a")], f"{HOST}/a/{FILE}", 0),
        ([(f"{HOST}/a/{FILE}", "a")], f"{HOST}/b/{FILE}", None),
        ([(f"{HOST}/a/{FILE}", "a")], f"http://files.example.com/a/{FILE}", None),
        ([(f"{HOST}/a/{FILE}", "a"), (f"{HOST}/b/{FILE}", "b")], f"{HOST}/b/{FILE}", 1),
        ([(f"{HOST}/a/{FILE}?s=1", "a"), (f"{HOST}/a/{FILE}?s=2", "b")], f"{HOST}/a/{FILE}?s=2", 1),
        ([(f"{HOST}/a/{FILE}?s=1", "a")], f"{HOST}/a/{FILE}?s=3", 0),
        ([(f"{HOST}/a/{FILE}?s=1", "a"), (f"{HOST}/a/{FILE}?s=2", "b")], f"{HOST}/a/{FILE}", None),
    ],
)
def test_a_page_has_a_file_at_an_address(
    on_page: list[tuple[str, str | None]], url: str, which: int | None
) -> None:
    listed = page(*on_page)
    assert file_at(listed, file_url(url)) == (None if which is None else listed.files[which])


@pytest.mark.parametrize(
    ("on_page", "url", "which"),
    [
        ([(f"{HOST}/a/{FILE}", "a")], f"{HOST}/old/{FILE}", 0),
        ([(f"{HOST}/a/{FILE}", None)], f"{HOST}/old/{FILE}", 0),
        ([(f"{HOST}/a/{FILE}", "a"), (f"{HOST}/b/{FILE}", "a")], f"{HOST}/old/{FILE}", 0),
        ([(f"{HOST}/a/{FILE}", "a"), (f"{HOST}/b/{FILE}", "b")], f"{HOST}/old/{FILE}", None),
        ([(f"{HOST}/a/{FILE}", "a"), (f"{HOST}/b/{FILE}", "b")],
         f"{HOST}/old/{'b' * 64}/{FILE}", 1),
        ([(f"{HOST}/a/{FILE}", "a"), (f"{HOST}/b/{FILE}", "b")],
         f"{HOST}/old/{FILE}?sha256={'b' * 64}", 1),
        ([(f"{HOST}/a/{FILE}", "a"), (f"{HOST}/b/{FILE}", "b")],
         f"{HOST}/old/{FILE}?sha256={'b' * 65}", None),
        ([(f"{HOST}/a/other-1.0.tar.gz", "a")], f"{HOST}/old/{FILE}", None),
    ],
)  # fmt: skip
def test_a_page_has_a_file_of_a_name(
    on_page: list[tuple[str, str | None]], url: str, which: int | None
) -> None:
    listed = page(*on_page)
    assert file_named(listed, file_url(url)) == (None if which is None else listed.files[which])
