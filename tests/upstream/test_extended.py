"""Files at the addresses that a configuration extends: trust, logins, and why one is not there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexfallback.config import Index, Settings
from indexfallback.errors import WantedUnavailableError
from indexfallback.upstream.extended import ExtendedFiles
from tests.fakes import FakeIndex
from tests.fakes.wheels import Dist

TEXT = b"[versions]\nidna = 3.10\n"
FILE = Dist("versions", "1", "versions.cfg", TEXT, b"")


@pytest.fixture(scope="module")
def secured() -> Iterator[FakeIndex]:
    with FakeIndex([FILE], username="me", password="secret") as index:
        yield index


def settings(directory: Path, *indexes: Index, offline: bool = False) -> Settings:
    return Settings(indexes=indexes, cache_dir=directory, offline=offline)


def test_the_login_of_an_index_is_sent_to_its_own_host(tmp_path: Path, secured: FakeIndex) -> None:
    other = Index(name="other", url=secured.url, username="me", password="wrong")
    index = Index(name="private", url=secured.url, username="me", password="secret")
    files = ExtendedFiles(settings(tmp_path, other, index))
    assert files.get(secured.file_url("versions.cfg")) == TEXT
    asked = secured.count("/files/versions.cfg")
    assert files.get(secured.file_url("versions.cfg")) == TEXT
    assert secured.count("/files/versions.cfg") == asked


def test_a_login_in_the_address_is_sent_and_not_shown(tmp_path: Path, secured: FakeIndex) -> None:
    base = secured.login_url.removesuffix("/simple/")
    files = ExtendedFiles(settings(tmp_path))
    assert files.get(f"{base}/files/versions.cfg") == TEXT
    with pytest.raises(WantedUnavailableError) as error:
        files.get(f"{base}/files/nowhere.cfg")
    assert (
        str(error.value) == f"{secured.base}/files/nowhere.cfg: 404 Not Found; correct the address"
    )


def test_without_a_login_it_says_to_give_one(tmp_path: Path, secured: FakeIndex) -> None:
    with pytest.raises(WantedUnavailableError, match=r"401.*; put a login of that host into netrc"):
        ExtendedFiles(settings(tmp_path)).get(secured.file_url("versions.cfg"))


def test_offline_and_where_nothing_listens_extends_cache_is_the_remedy(tmp_path: Path) -> None:
    with FakeIndex([FILE]) as index:
        url = index.file_url("versions.cfg")
        with pytest.raises(WantedUnavailableError, match=r"offline; .*`extends-cache`"):
            ExtendedFiles(settings(tmp_path, offline=True)).get(url)
        assert not index.count("/files/versions.cfg")
    with pytest.raises(WantedUnavailableError, match=r"refused.*; .*`extends-cache`"):
        ExtendedFiles(settings(tmp_path)).get(url)


@pytest.mark.parametrize("url", ["ftp://example.com/x.cfg", "http://example.com:x/", "https:///x"])
def test_what_is_no_address_of_http_is_named(tmp_path: Path, url: str) -> None:
    with pytest.raises(WantedUnavailableError, match="correct the address"):
        ExtendedFiles(settings(tmp_path)).get(url)
