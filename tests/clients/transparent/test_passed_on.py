"""Uploads and JSON at an index's host: the former reach it once and whole, the latter is kept."""

import json
import shutil

import pytest

from tests.clients.setup.conftest import Programs
from tests.clients.transparent.support import LOGIN, PRIVATE, PYPI, Developer, Internet
from tests.fakes import wheel

#: Larger than what a connection holds at once.
UPLOADED = wheel("acme-new", "1.0", size=3_000_000)


@pytest.mark.network
def test_twine_uploads_to_an_intercepted_host_once_and_whole(
    developer: Developer, internet: Internet, programs: Programs
) -> None:
    developer.configure("private", "pypi")
    developer.write({UPLOADED.filename: UPLOADED.data})
    internet.private.answer(200, {"Content-Type": "text/plain"}, b"OK", path="/legacy/")
    url = f"https://{PRIVATE}/legacy/"
    login = ("--non-interactive", "--username", LOGIN[0], "--password", LOGIN[1])
    developer.through(
        *("twine", "upload", "--repository-url", url, *login, UPLOADED.filename),
        programs=programs("twine"),
    ).expect()
    (upload,) = [each for each in internet.private.requests if each.method == "POST"]
    assert UPLOADED.data in upload.body
    assert len(upload.body) == int(upload.headers["Content-Length"])


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
@pytest.mark.parametrize("path", ["bar/json", "bar/1.1/json"])
def test_json_as_pip_audit_asks_for_it_is_answered_while_pypi_is_down(
    developer: Developer, internet: Internet, path: str
) -> None:
    known = {"vulnerabilities": [{"id": "PYSEC-2026-1", "fixed_in": ["1.2"]}]}
    information = {"info": {"name": "bar", "version": "1.1"}, "urls": [], "releases": {}}
    body = json.dumps({**information, **known}).encode()
    internet.public.answer(200, {"Content-Type": "application/json"}, body, path=f"/pypi/{path}")
    ask = ("curl", "--fail", "--silent", "--show-error", f"https://{PYPI}/pypi/{path}")
    first = developer.through(*ask).expect()
    internet.stop()
    second = developer.through(*ask).expect()
    assert json.loads(first.stdout)["vulnerabilities"] == known["vulnerabilities"]
    assert json.loads(second.stdout) == json.loads(first.stdout)
