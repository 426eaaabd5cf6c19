"""Credentials belong to one origin, and appear nowhere else."""

import logging
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexfallback.files.arrival import IncomingFile
from indexfallback.names import FileKey
from indexfallback.shim import Shim
from indexfallback.why import status, why
from tests.chain.chain import ask, learn_names, mirror, private, pypi, refusal
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel

USER, SECRET = "ci-user", "s3cret-t0ken"
APP = wheel("acme-app", "1.0", size=1000)


@pytest.fixture
def strict() -> Iterator[FakeIndex]:
    with FakeIndex([APP], username=USER, password=SECRET) as index:
        yield index


def credentials(of: FakeIndex) -> list[str | None]:
    return [request.headers.get("Authorization") for request in of.requests]


def fetch(made: Shim) -> bytes:
    """Return the bytes of ``acme-app`` as a client gets them."""
    found = made.downloads.get("private", FileKey("acme-app", APP.sha256), APP.filename)
    if isinstance(found, IncomingFile):
        return b"".join(found.read(0, len(APP.data)))
    return found.path.read_bytes()


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


@pytest.mark.fault(46)
def test_credentials_in_links_of_a_page_are_dropped(shim: MakeShim, far: FakeIndex) -> None:
    url = f"http://{USER}:{SECRET}@127.0.0.1:{far.port}/files/{APP.filename}"
    far.add(APP, url=url)
    answer = shim(pypi(far)).fallback.page("acme-app")
    assert SECRET not in repr(answer)
    assert answer.page.file(APP.filename) is not None


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
    for secret in (SECRET, "czNjcmV0"):  # plain, and the beginning in base64
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
