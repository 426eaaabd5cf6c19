"""``/-/origins``: the hosts of the chain's indexes and of their files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.config import Index
from indexfallback.config.hosts import stated_origins
from indexfallback.config.pip import default_files_url, default_url
from indexfallback.origin import origin_of
from indexfallback.page import File, ProjectPage
from indexfallback.store import Store
from indexfallback.store.origins import MOST
from tests.conftest import Serve
from tests.fakes import FakeIndex, flat_directory, wheel
from tests.serving import index_table


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Packages.Example.com/simple/", "https://packages.example.com"),
        ("https://packages.example.com:443/a", "https://packages.example.com"),
        ("http://packages.example.com:443/a", "http://packages.example.com:443"),
        ("http://ci:secret@10.0.0.5:8080/a", "http://10.0.0.5:8080"),
        ("http://[::1]:80/a", "http://[::1]"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ("file:///srv/packages/", None),
        ("https:///a", None),
        ("http://example.com:port/", None),
        ("http://[/", None),
    ],
)
def test_an_origin_has_one_spelling(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin


@given(st.text(max_size=30))
def test_no_text_is_too_strange(text: str) -> None:
    found = origin_of(text)
    assert found is None or origin_of(found) == found


def test_pypi_has_a_second_host_for_files() -> None:
    pypi = Index(name="pypi", url=default_url(), role="public")
    other = Index(name="other", url="https://packages.example.com/simple/", mirror_of="pypi")
    assert stated_origins([other, pypi]) == {
        "https://packages.example.com": {"pypi"},
        origin_of(default_url()): {"pypi"},
        origin_of(default_files_url()): {"pypi"},
    }


def test_indexes_and_pypi_and_the_hosts_of_files_on_served_pages(
    served: Serve, tmp_path: Path
) -> None:
    flat_directory(tmp_path / "wheels", [wheel("local")])
    with FakeIndex([wheel("demo")], files_url="https://Files.Example.com:443/x/") as index:
        shim = served(
            index_table("wheels", str(tmp_path / "wheels"), role="private"),
            index_table("pypi", index.url),
        )
        known = [index.base, origin_of(default_url())]
        assert shim.json("/-/origins") == {"origins": known}
        shim.get("/simple/demo/")
        shim.get("/simple/local/")
        assert shim.json("/-/origins") == {"origins": [*known, "https://files.example.com"]}


def page(*urls: str) -> ProjectPage:
    return ProjectPage(
        name="demo", files=tuple(File(filename="demo-1.0.tar.gz", url=url) for url in urls)
    )


def test_what_is_known_is_not_written_again(store: Store) -> None:
    store.pages.origins.note([page("https://a.example.com/1", "https://a.example.com/2")])
    store.database.execute("DELETE FROM origin")
    store.pages.origins.note([page("https://a.example.com/3", "https://b.example.com/1")])
    assert store.pages.origins.all() == ["https://b.example.com"]


def test_a_page_that_names_thousands_of_hosts_is_not_followed_to_all(store: Store) -> None:
    store.pages.origins.note([page(*(f"https://{n}.example.com/1" for n in range(MOST + 9)))])
    store.pages.origins.note([page("https://another.example.com/1")])
    assert len(store.pages.origins.all()) == MOST
