"""Credentials belong to one origin, and appear nowhere else."""

import logging
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from indexfallback.carry.export import export
from indexfallback.carry.manifest import Known
from indexfallback.errors import FileError
from indexfallback.files.arrival import IncomingFile
from indexfallback.names import FileKey
from indexfallback.report.status import status
from indexfallback.report.why import why
from indexfallback.shim import Shim
from tests.chain.chain import ask, learn_names, mirror, private, pypi, refusal
from tests.conftest import MakeShim
from tests.fakes import Dist, FakeIndex, wheel

USER, SECRET = "ci-user", "s3cret-t0ken"
APP, LIB = wheel("acme-app", "1.0", size=1000), wheel("acme-lib", "1.0", size=1000)


@pytest.fixture
def strict() -> Iterator[FakeIndex]:
    with FakeIndex([APP], username=USER, password=SECRET) as index:
        yield index


def credentials(of: FakeIndex) -> list[str | None]:
    return [request.headers.get("Authorization") for request in of.requests]


def fetch(made: Shim, dist: Dist = APP) -> bytes:
    """Return the bytes of a file as a client gets them."""
    found = made.downloads.get("private", FileKey(dist.project, dist.sha256), dist.filename)
    if isinstance(found, IncomingFile):
        return b"".join(found.read(0, len(dist.data)))
    return found.path.read_bytes()


def in_base64(secret: str) -> Iterator[str]:
    """Yield what a text is in base64, wherever it begins in the encoded bytes."""
    for start in range(3):
        encoded = b64encode(b" " * start + secret.encode()).decode()
        yield encoded[4 if start else 0 : -4]


@pytest.mark.fault(46)
def test_each_index_gets_its_own_credentials_only(
    shim: MakeShim, strict: FakeIndex, near: FakeIndex, far: FakeIndex
) -> None:
    made = shim(private(strict, username=USER, password=SECRET), mirror(near), pypi(far))
    assert [ask(made, "acme-app"), ask(made, "unknown")] == ["private", 404]
    assert None not in credentials(strict)
    assert set(credentials(near)) == set(credentials(far)) == {None}


def test_files_at_the_index_are_fetched_with_credentials(shim: MakeShim, strict: FakeIndex) -> None:
    made = shim(private(strict, username=USER, password=SECRET))
    assert ask(made) == "private"
    assert fetch(made) == APP.data
    assert None not in credentials(strict)


def test_files_elsewhere_are_fetched_without_them(shim: MakeShim, strict: FakeIndex) -> None:
    with FakeIndex([APP]) as elsewhere:
        strict.files_url = f"{elsewhere.base}/files/"
        made = shim(private(strict, username=USER, password=SECRET))
        assert ask(made) == "private"
        assert fetch(made) == APP.data
        assert credentials(elsewhere) == [None]


@pytest.mark.fault(43)
@pytest.mark.fault("incident: requests CVE-2018-18074")
@pytest.mark.parametrize("of", ["page", "file"])
def test_a_redirect_to_another_host_takes_no_credentials_along(
    shim: MakeShim, strict: FakeIndex, of: str
) -> None:
    with FakeIndex([APP]) as elsewhere:
        path = "/simple/" if of == "page" else "/files/"
        strict.redirect(elsewhere.base + "{path}", path=path)
        made = shim(private(strict, username=USER, password=SECRET))
        assert ask(made) == "private"
        assert fetch(made) == APP.data
        assert elsewhere.requests
        assert set(credentials(elsewhere)) == {None}


@pytest.mark.fault(43)
def test_credentials_in_a_redirect_go_to_its_origin_and_are_told_nowhere(
    shim: MakeShim, strict: FakeIndex, far: FakeIndex, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    strict.redirect(f"http://hop:h0p-s3cret@127.0.0.1:{far.port}{{path}}")
    made = shim(private(strict, username=USER, password=SECRET))
    told = [repr(made.fallback.page("acme-app")), repr(why(made, "acme-app")), caplog.text]
    hop = f"Basic {b64encode(b'hop:h0p-s3cret').decode()}"
    assert set(credentials(far)) == {hop}
    assert hop not in credentials(strict)
    assert not any("h0p-s3cret" in text or hop in text for text in told)


@pytest.fixture
def linking(strict: FakeIndex) -> Iterator[FakeIndex]:
    """An index whose page links to another host, with the login that this one wants."""
    login = f"{USER}:{SECRET}@"
    with FakeIndex(files_url=f"http://{login}localhost:{strict.port}/files/") as index:
        index.add(APP)
        yield index


@pytest.mark.parametrize("wrong", [None, "old"])
def test_a_login_in_a_link_that_is_not_known_is_read_from_the_page_once(
    shim: MakeShim, linking: FakeIndex, strict: FakeIndex, wrong: str | None
) -> None:
    """It is unknown after a restart, and wrong if the index has changed it since."""
    made = shim(private(linking))
    if wrong:
        strict.demand(USER, wrong)
        linking.files_url = linking.files_url and linking.files_url.replace(SECRET, "old")
    assert ask(made) == "private"
    if wrong:
        strict.demand(USER, SECRET)
        linking.files_url = linking.files_url and linking.files_url.replace("old", SECRET)
    else:
        made.close()
        made = shim(private(linking))
    assert ask(made) == "private"
    linking.clear()
    assert fetch(made) == APP.data
    # The list of names is asked for in the background.
    pages = [r for r in linking.requests if r.path == f"/simple/{APP.project}/"]
    assert [page.headers.get("If-None-Match") for page in pages] == [None]
    assert len(strict.requests) == 2


def test_a_login_in_a_link_that_is_refused_is_tried_twice(
    shim: MakeShim, linking: FakeIndex, strict: FakeIndex
) -> None:
    strict.demand(USER, "another")
    made = shim(private(linking))
    assert ask(made) == "private"
    with pytest.raises(FileError, match="401 Unauthorized by localhost") as raised:
        fetch(made)
    assert "Put a login for that host into netrc" in raised.value.remedy
    assert (linking.count("/simple/acme-app/"), len(strict.requests)) == (2, 2)


def test_two_projects_with_a_login_each_at_one_host_are_fetched_at_the_same_time(
    shim: MakeShim,
) -> None:
    """After a restart, so that each page is asked anew while the other one is."""
    dists = {"app": APP, "lib": LIB}
    with FakeIndex(dists.values()) as index, FakeIndex(dists.values()) as host:
        for login, dist in dists.items():
            url = host.file_url(dist.filename).replace("//", f"//{login}:{SECRET}@")
            index.add(dist, url=url)
            host.ask_for(login, SECRET, path=f"/files/{dist.filename}")
        first = shim(private(index))
        assert (ask(first), ask(first, "acme-lib")) == ("private", "private")
        first.close()
        made = shim(private(index))
        with ThreadPoolExecutor() as pool:
            fetched = pool.map(partial(fetch, made), dists.values())
            assert list(fetched) == [APP.data, LIB.data]


@pytest.mark.fault(46)
def test_credentials_in_links_of_a_page_are_neither_kept_nor_logged_nor_told(
    shim: MakeShim, linking: FakeIndex, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    made = shim(private(linking), fresh=0.0)
    assert ask(made) == "private"
    assert fetch(made) == APP.data
    told = [repr(made.fallback.page("acme-app")), repr(why(made, "acme-app")), repr(status(made))]
    linking.stop_listening()
    told += [repr(made.fallback.page("acme-app")), repr(why(made, "acme-app")), caplog.text]
    archive = tmp_path / "archive.tar"
    export(made.store, [private(linking)], ["acme-app"], archive, known=Known())
    made.store.close()
    kept = b"".join(p.read_bytes() for p in Path(made.settings.cache_dir).rglob("*") if p.is_file())
    for secret in (SECRET, *in_base64(SECRET)):
        assert not any(secret in text for text in told)
        assert secret.encode() not in kept + archive.read_bytes()


@pytest.mark.fault(46)
def test_credentials_are_neither_kept_nor_logged_nor_told(
    shim: MakeShim, strict: FakeIndex, far: FakeIndex, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    index = private(strict, username=USER, password=SECRET)
    made = shim(index, pypi(far), fresh=0.0, keep=0.0)
    assert ask(made) == "private"
    assert fetch(made) == APP.data
    learn_names(made, index)
    told = [repr(made.settings), repr(status(made)), repr(why(made, "acme-app"))]
    strict.stop_listening()
    told += [str(refusal(made)), repr(why(made, "acme-app")), repr(status(made)), caplog.text]
    made.store.close()
    kept = b"".join(p.read_bytes() for p in Path(made.settings.cache_dir).rglob("*") if p.is_file())
    for secret in (SECRET, *in_base64(SECRET)):
        assert not any(secret in text for text in told)
        assert secret.encode() not in kept


@pytest.mark.fault(46)
def test_a_stored_page_is_found_again_with_other_credentials(
    shim: MakeShim, strict: FakeIndex
) -> None:
    assert ask(shim(private(strict, username=USER, password=SECRET))) == "private"
    strict.clear()
    assert ask(shim(private(strict, username=USER, password="changed"))) == "private"
    assert strict.count("/simple/acme-app/") == 0
