"""Logins: from the settings, the keyring and netrc, for one origin each; and cookies."""

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from indexfallback.config import Index
from indexfallback.config.load import load_settings
from indexfallback.outcome import Kind
from indexfallback.upstream.credentials import Logins, is_upgrade, origin
from indexfallback.upstream.http import HttpIndex
from tests.fakes import FakeIndex, wheel
from tests.upstream.conftest import (
    OpenHttp,
    Upgraded,
    WriteNetrc,
    basic,
    page,
    sent,
    sent_to,
)

APP = wheel("acme-app")


# Sources of a login.


def test_user_name_and_password_of_the_settings_are_sent_at_once(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    assert page(opened(remote, username="ci", password="p@ss:w\u20ac")).page is not None
    assert sent(remote) == basic("ci", "p@ss:w\u20ac")


@pytest.mark.parametrize("by", ["url", "variable"])
def test_credentials_of_the_configuration_reach_the_index(
    remote: FakeIndex, tmp_path: Path, by: str
) -> None:
    config = tmp_path / "config.toml"
    with FakeIndex([wheel("acme-app")], username="ci", password="a/b@c") as strict:
        if by == "url":
            config.write_text(f'[[index]]\nname = "private"\nurl = "{strict.login_url}"\n')
        else:
            config.write_text(
                f'[[index]]\nname = "private"\nurl = "{strict.url}"\n'
                'username = "ci"\npassword_env = "ACME_TOKEN"\n'
            )
        settings = load_settings(config=config, environ={"ACME_TOKEN": "a/b@c"})
        upstream = HttpIndex(settings.indexes[0], settings)
        assert page(upstream).outcome.kind is Kind.FOUND
        upstream.close()


def test_netrc_is_used_without_other_credentials(
    opened: OpenHttp, remote: FakeIndex, netrc: WriteNetrc
) -> None:
    netrc(_127_0_0_1=("from-netrc", "secret"))
    page(opened(remote))
    assert sent(remote) == basic("from-netrc", "secret")
    remote.clear()
    page(opened(remote, username="ci", password="own"))
    assert sent(remote) == basic("ci", "own")


class Credential(NamedTuple):
    username: str
    password: str


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[str, Credential]:
    """Return what a keyring in place of the real one holds, by address."""
    held: dict[str, Credential] = {}
    module = types.ModuleType("keyring")

    def get_credential(service: str, username: str | None) -> Credential | None:
        found = held.get(service)
        return found if found is None or username in (None, found.username) else None

    module.get_credential = get_credential  # type: ignore[attr-defined]  # a module of our own
    monkeypatch.setitem(sys.modules, "keyring", module)
    return held


def test_the_keyring_is_asked_where_the_settings_say_so(
    opened: OpenHttp, remote: FakeIndex, keyring: dict[str, Credential]
) -> None:
    keyring[remote.url] = Credential("from-keyring", "secret")
    page(opened(remote, keyring=True))
    assert sent(remote) == basic("from-keyring", "secret")
    remote.clear()
    page(opened(remote, keyring=True, username="from-keyring"))
    assert sent(remote) == basic("from-keyring", "secret")
    remote.clear()
    page(opened(remote))
    assert sent(remote) is None


def test_a_keyring_that_knows_nothing_leaves_it_to_netrc_or_the_user_name(
    opened: OpenHttp, remote: FakeIndex, keyring: dict[str, Credential]
) -> None:
    page(opened(remote, keyring=True))
    assert sent(remote) is None
    remote.clear()
    page(opened(remote, keyring=True, username="ci"))
    assert sent(remote) == basic("ci", "")


def test_a_failing_keyring_is_logged_and_the_index_is_asked_without_credentials(
    opened: OpenHttp,
    remote: FakeIndex,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)  # as if it were not installed
    assert page(opened(remote, keyring=True)).outcome.kind is Kind.FOUND
    assert "index remote: the keyring gave no password" in caplog.text
    assert "its extra [keyring]" in caplog.text


@pytest.mark.fault(43)
@pytest.mark.fault("incident: requests CVE-2018-18074")
def test_credentials_follow_redirects_only_within_their_origin(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    with FakeIndex([wheel("acme-app")]) as elsewhere:
        upstream = opened(remote, username="ci", password="secret")
        remote.redirect("/simple/acme-app/", path="/simple/", times=1)
        assert page(upstream).page is not None
        headers = [request.headers.get("Authorization") for request in remote.requests]
        assert headers == [basic("ci", "secret")] * 2
        remote.redirect(elsewhere.base + "{path}")
        assert page(upstream).page is not None
        assert sent(elsewhere) is None


def test_a_user_name_of_the_settings_gets_its_password_from_netrc(
    opened: OpenHttp, remote: FakeIndex, netrc: WriteNetrc
) -> None:
    netrc(_127_0_0_1=("ci", "secret"))
    page(opened(remote, username="ci"))
    page(opened(remote, username="other"))
    assert sent_to(remote) == [basic("ci", "secret"), basic("other", "")]


def test_an_invalid_netrc_is_logged_without_its_content(
    opened: OpenHttp,
    remote: FakeIndex,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / "netrc"
    path.write_text("machine 127.0.0.1\nlogin ci password my s3cret\n")
    monkeypatch.setenv("NETRC", str(path))
    assert page(opened(remote)).outcome.kind is Kind.FOUND
    assert f"{path} is invalid near line " in caplog.text
    assert "s3cret" not in caplog.text


# A login that is refused.


@pytest.fixture
def strict() -> Iterator[FakeIndex]:
    with FakeIndex([APP], username="ci", password="old") as index:
        yield index


def test_a_rotated_password_of_netrc_works_without_a_restart(
    opened: OpenHttp, strict: FakeIndex, netrc: WriteNetrc
) -> None:
    netrc(_127_0_0_1=("ci", "old"))
    upstream = opened(strict)
    assert page(upstream).outcome.kind is Kind.FOUND
    strict.demand("ci", "new")
    netrc(_127_0_0_1=("ci", "new"))
    assert page(upstream).outcome.kind is Kind.FOUND
    assert page(upstream).outcome.kind is Kind.FOUND
    old, new = basic("ci", "old"), basic("ci", "new")
    assert sent_to(strict) == [old, old, new, new]


def test_a_password_that_the_keyring_has_anew_works_without_a_restart(
    opened: OpenHttp, strict: FakeIndex, keyring: dict[str, Credential]
) -> None:
    upstream = opened(strict, keyring=True)
    assert page(upstream).outcome.kind is Kind.NO_LOGIN
    keyring[strict.url] = Credential("ci", "old")
    assert page(upstream).outcome.kind is Kind.FOUND


@pytest.mark.parametrize("loaded", ["old", None])
def test_a_password_that_the_environment_has_anew_works_without_a_restart(
    opened: OpenHttp, strict: FakeIndex, monkeypatch: pytest.MonkeyPatch, loaded: str | None
) -> None:
    upstream = opened(strict, username="ci", password=loaded, password_env="ACME_TOKEN")
    if loaded:
        assert page(upstream).outcome.kind is Kind.FOUND
        strict.demand("ci", "new")
    monkeypatch.setenv("ACME_TOKEN", "wrong")
    assert page(upstream).outcome.kind is Kind.DENIED
    monkeypatch.setenv("ACME_TOKEN", "new" if loaded else "old")
    assert page(upstream).outcome.kind is Kind.FOUND


@pytest.mark.parametrize("value", [None, ""])
def test_a_password_whose_variable_is_gone_is_as_it_was_loaded(
    opened: OpenHttp, strict: FakeIndex, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv("ACME_TOKEN", value)
    upstream = opened(strict, username="ci", password="old", password_env="ACME_TOKEN")
    assert page(upstream).outcome.kind is Kind.FOUND


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_refused_request_is_not_sent_again_with_the_same_login(
    opened: OpenHttp, strict: FakeIndex, netrc: WriteNetrc, password: str | None
) -> None:
    if password:
        netrc(_127_0_0_1=("ci", password))
    assert page(opened(strict)).outcome.kind is (Kind.DENIED if password else Kind.NO_LOGIN)
    assert len(strict.requests) == 1


def test_a_refused_request_is_sent_again_once(
    opened: OpenHttp, strict: FakeIndex, netrc: WriteNetrc
) -> None:
    netrc(_127_0_0_1=("ci", "wrong"))
    upstream = opened(strict)
    page(upstream)
    strict.clear()
    netrc(_127_0_0_1=("ci", "wrong-too"))
    assert page(upstream).outcome.kind is Kind.DENIED
    assert len(strict.requests) == 2


def test_a_login_that_another_request_has_renewed_is_not_looked_up_again(
    remote: FakeIndex, netrc: WriteNetrc
) -> None:
    netrc(_127_0_0_1=("ci", "old"))
    where = origin(remote.url)
    logins = Logins(Index(name="private", url=remote.url))
    refused = logins.header(where)
    netrc(_127_0_0_1=("ci", "new"))
    assert logins.renewed(where, refused) == basic("ci", "new")
    netrc(_127_0_0_1=("ci", "newer"))
    assert logins.renewed(where, refused) == basic("ci", "new")


# Other origins.


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_login_that_another_host_wants_is_not_asked_of_the_index(
    opened: OpenHttp, remote: FakeIndex, strict: FakeIndex, netrc: WriteNetrc, password: str | None
) -> None:
    if password:
        netrc(localhost=("ci", password))
    remote.redirect(f"http://localhost:{strict.port}{{path}}")
    outcome = page(opened(remote, username="own", password="secret")).outcome
    assert outcome.kind is Kind.OTHER_LOGIN
    assert outcome.detail == f"401 Unauthorized by localhost:{strict.port}"


def test_another_host_gets_its_own_login_of_netrc(
    opened: OpenHttp, remote: FakeIndex, strict: FakeIndex, netrc: WriteNetrc
) -> None:
    netrc(localhost=("ci", "old"))
    remote.redirect(f"http://localhost:{strict.port}{{path}}")
    upstream = opened(remote, username="own", password="secret")
    assert page(upstream).outcome.kind is Kind.FOUND
    assert sent(strict) == basic("ci", "old")
    assert sent(remote) == basic("own", "secret")


def test_the_default_entry_of_netrc_is_for_the_index_alone(
    opened: OpenHttp, remote: FakeIndex, strict: FakeIndex, netrc: WriteNetrc
) -> None:
    netrc(default=("ci", "old"))
    remote.redirect(f"http://localhost:{strict.port}{{path}}")
    page(opened(remote))
    assert (sent(remote), sent(strict)) == (basic("ci", "old"), None)


def test_a_login_in_a_redirect_is_sent_to_its_origin_in_that_request_alone(
    opened: OpenHttp, remote: FakeIndex, strict: FakeIndex
) -> None:
    strict.demand("c@i", "o/ld")
    upstream = opened(remote, username="own", password="secret")
    rule = remote.redirect(f"http://c%40i:o%2Fld@localhost:{strict.port}{{path}}")
    assert page(upstream).outcome.kind is Kind.FOUND
    rule.lift()
    remote.redirect(f"http://localhost:{strict.port}{{path}}")
    assert page(upstream).outcome.kind is Kind.OTHER_LOGIN
    assert sent_to(strict) == [basic("c@i", "o/ld"), None]
    assert set(sent_to(remote)) == {basic("own", "secret")}


def test_a_login_in_a_redirect_goes_no_further_than_its_origin(
    opened: OpenHttp, remote: FakeIndex, strict: FakeIndex
) -> None:
    with FakeIndex([APP]) as last:
        remote.redirect(f"http://ci:old@localhost:{strict.port}{{path}}")
        strict.redirect(f"{last.base}{{path}}")
        assert page(opened(remote)).outcome.kind is Kind.FOUND
        assert (sent(strict), sent(last)) == (basic("ci", "old"), None)


def test_an_http_index_that_redirects_to_https_of_its_host_keeps_its_login(
    opened: OpenHttp, upgraded: Upgraded
) -> None:
    upgraded.plain.redirect("https://packages.example.com{path}", 301)
    upstream = opened(
        "http://packages.example.com/simple/",
        username="ci", password="secret", ca_bundle=upgraded.bundle,
    )  # fmt: skip
    assert page(upstream).outcome.kind is Kind.FOUND
    assert sent(upgraded.secure) == basic("ci", "secret")


@pytest.mark.parametrize("by", ["settings", "netrc"])
@pytest.mark.parametrize("from_default", [True, False])
def test_another_port_of_the_host_gets_no_login_but_that_of_netrc(
    opened: OpenHttp, upgraded: Upgraded, netrc: WriteNetrc, by: str, *, from_default: bool
) -> None:
    start = "" if from_default else f":{upgraded.plain.port}"
    target = f":{upgraded.secure.port}" if from_default else ""
    upgraded.plain.redirect(f"https://packages.example.com{target}{{path}}", 301)
    login = {"username": "ci", "password": "secret"}
    if by == "netrc":  # which knows hosts alone
        netrc(packages_example_com=tuple(login.values()))
        login = {}
    upstream = opened(
        f"http://packages.example.com{start}/simple/", ca_bundle=upgraded.bundle, **login
    )
    assert page(upstream).outcome.kind is Kind.FOUND
    assert sent(upgraded.plain) == basic("ci", "secret")
    assert sent(upgraded.secure) == (basic("ci", "secret") if by == "netrc" else None)


@pytest.mark.parametrize(
    ("start", "target", "expected"),
    [
        ("http://a.example.com/", "https://a.example.com/", True),
        ("http://a.example.com:80/", "https://A.example.com:443/", True),
        ("http://a.example.com:8080/", "https://a.example.com:8080/", True),
        ("http://a.example.com:8080/", "https://a.example.com/", False),
        ("http://a.example.com/", "https://a.example.com:8443/", False),
        ("http://a.example.com/", "https://b.example.com/", False),
        ("https://a.example.com/", "http://a.example.com/", False),
        ("http://a.example.com/", "http://a.example.com/", False),
    ],
)
def test_https_is_the_same_server_as_http_at_the_default_ports_or_at_the_same_port(
    start: str, target: str, *, expected: bool
) -> None:
    assert is_upgrade(origin(start), origin(target)) is expected


@pytest.mark.parametrize("host", ["packages.example.com", "files.example.com"])
def test_an_https_index_causes_no_login_to_be_sent_over_http(
    opened: OpenHttp, upgraded: Upgraded, netrc: WriteNetrc, host: str
) -> None:
    netrc(packages_example_com=("ci", "secret"), files_example_com=("ci", "secret"))
    upgraded.secure.files_url = f"http://{host}/files/"
    upstream = opened("https://packages.example.com/simple/", ca_bundle=upgraded.bundle)
    found = page(upstream).page
    assert found is not None
    assert upstream.open(found.files[0], 0, None, 5).outcome.kind is Kind.FOUND
    assert (sent(upgraded.secure), sent(upgraded.plain)) == (basic("ci", "secret"), None)


# Cookies.


def cookies(of: FakeIndex) -> list[str | None]:
    return [request.headers.get("Cookie") for request in of.requests]


def test_a_cookie_that_a_redirect_sets_is_returned_within_that_request_alone(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    upstream = opened(remote)
    for _ in range(2):
        remote.answer(
            302, {"Location": "/simple/acme-app/", "Set-Cookie": "seen=1; Path=/"}, times=1
        )
        assert page(upstream).outcome.kind is Kind.FOUND
    assert cookies(remote) == [None, "seen=1"] * 2


def test_a_cookie_goes_back_to_its_own_origin_only(opened: OpenHttp, remote: FakeIndex) -> None:
    with FakeIndex() as gateway:
        there = {"Location": f"{gateway.base}/login", "Set-Cookie": "at=index"}
        back = {"Location": remote.url + "acme-app/", "Set-Cookie": "at=gateway"}
        remote.answer(302, there, times=1)
        gateway.answer(302, back)
        assert page(opened(remote)).outcome.kind is Kind.FOUND
        assert (cookies(gateway), cookies(remote)) == ([None], [None, "at=index"])
