"""The addresses that a page or a redirect may lead to, also by names that resolve to them."""

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File
from indexfallback.upstream.answers import FileAnswer, PageAnswer
from indexfallback.upstream.http import HttpIndex
from tests.fakes import FakeIndex, wheel
from tests.fakes.pages import JSON_TYPE
from tests.upstream.conftest import OpenHttp, within

#: An index outside, which a proxy stands for where it has to answer, and names of this machine.
OUTSIDE, INSIDE = "packages.example.com", "files.example.com"
ADDRESSES = {OUTSIDE: "8.8.8.8", INSIDE: "127.0.0.1", "index.corp.example": "127.0.0.1"}
WHEEL = wheel("acme-app")


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **values: Any) -> Any:
        return real(ADDRESSES.get(host, host), *args, **values)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch, remote: FakeIndex) -> None:
    """Let the index outside answer by a proxy, and nothing else."""
    monkeypatch.setenv("http_proxy", remote.base)
    monkeypatch.setenv("no_proxy", f"{INSIDE},127.0.0.1")


def address(of: FakeIndex, host: str = INSIDE, scheme: str = "http") -> str:
    return f"{scheme}://{host}:{of.port}/files/{WHEEL.filename}"


def opening(upstream: HttpIndex, url: str) -> FileAnswer:
    answer = upstream.open(File(filename=WHEEL.filename, url=url), 0, None, 5)
    if answer.body is not None:
        answer.body.close()
    return answer


def page(upstream: HttpIndex) -> PageAnswer:
    return upstream.page("acme-app", within(), None, None)


def refused(outcome: Outcome) -> bool:
    said = f"{INSIDE} is at 127.0.0.1, where a public index may not lead"
    return outcome.kind is Kind.FORBIDDEN and outcome.detail == said


@pytest.mark.fault(45)
@pytest.mark.parametrize("role", ["public", "mirror"])
def test_a_link_to_a_name_of_this_machine_is_not_followed(
    opened: OpenHttp, remote: FakeIndex, role: str
) -> None:
    group = {"mirror_of": "pypi"} if role == "mirror" else {}
    upstream = opened(f"http://{OUTSIDE}/simple/", role=role, **group)
    assert refused(opening(upstream, address(remote)).outcome)
    assert remote.requests == []


@pytest.mark.fault(45)
def test_not_a_byte_is_sent_to_such_an_address_not_even_of_tls(
    opened: OpenHttp, tmp_path: Path
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(INSIDE).configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    greetings: list[str | None] = []
    context.sni_callback = lambda _, name, __: greetings.append(name)
    with FakeIndex([WHEEL], tls=context) as inside:
        upstream = opened(f"https://{OUTSIDE}/simple/", role="public", ca_bundle=bundle)
        assert refused(opening(upstream, address(inside, scheme="https")).outcome)
    assert greetings == []


@pytest.mark.fault(45)
@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize("of", ["page", "file"])
def test_a_redirect_to_a_name_of_this_machine_is_not_followed(
    opened: OpenHttp, remote: FakeIndex, of: str
) -> None:
    upstream = opened(f"http://{OUTSIDE}/simple/", role="public")
    path = "/simple/acme-app/" if of == "page" else f"/files/{WHEEL.filename}"
    asked = f"http://{OUTSIDE}{path}"
    remote.redirect(f"http://{INSIDE}:{remote.port}{path}", path=asked)
    outcome = page(upstream).outcome if of == "page" else opening(upstream, asked).outcome
    assert outcome.kind is Kind.NOT_AN_INDEX
    assert outcome.detail.startswith(f"unsafe redirect: {INSIDE} is at 127.0.0.1")
    assert remote.count(path) == 0


def test_a_private_index_leads_to_names_of_this_machine(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    upstream = opened(f"http://{OUTSIDE}/simple/", role="private")
    assert opening(upstream, address(remote)).outcome.kind is Kind.FOUND


@pytest.mark.parametrize("asked_before", [True, False])
def test_a_public_index_with_a_local_address_may_lead_to_local_addresses(
    opened: OpenHttp, remote: FakeIndex, *, asked_before: bool
) -> None:
    upstream = opened(f"http://index.corp.example:{remote.port}/simple/", role="public")
    if asked_before:
        assert page(upstream).outcome.kind is Kind.FOUND
    assert opening(upstream, address(remote)).outcome.kind is Kind.FOUND


def test_a_page_of_such_an_index_may_spell_local_addresses_out(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    remote.files_url = f"{remote.base}/files/"
    answer = page(opened(f"http://index.corp.example:{remote.port}/simple/", role="public"))
    assert answer.page is not None
    assert [file.url for file in answer.page.files] == [f"{remote.base}/files/{WHEEL.filename}"]


def test_behind_a_proxy_the_name_is_the_proxys_to_look_up(
    opened: OpenHttp, remote: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", remote.base)
    monkeypatch.delenv("no_proxy", raising=False)
    remote.answer(200, {"Content-Type": JSON_TYPE}, b"x", path=address(remote))
    upstream = opened(f"http://{OUTSIDE}/simple/", role="public")
    assert opening(upstream, address(remote)).outcome.kind is Kind.FOUND
