"""The command ``config check``."""

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import pytest
import trustme

from tests.cli.support import COLUMNS, CommandLine
from tests.fakes import FakeIndex, flat_directory, wheel
from tests.fakes.pages import HTML_ONLY
from tests.serving import index_table


@pytest.mark.usefixtures("chain")
def test_indexes_in_order_are_ok(cli: CommandLine, public: FakeIndex) -> None:
    public.add(wheel("pip", "26.3"))
    done = cli("config", "check").expect()
    private, pypi = done.out.splitlines()
    assert private.split()[:2] == ["ok", "private"]
    assert private.endswith(" ms  1 name")
    assert pypi.endswith(" ms  1 file of pip")
    assert public.count("/simple/") == 0


def test_a_public_index_is_asked_for_its_probe(cli: CommandLine, public: FakeIndex) -> None:
    cli.configure(index_table("pypi", public.url, probe="idna"))
    assert "2 files of idna" in cli("config", "check").expect().out
    assert [request.path for request in public.requests] == ["/simple/idna/"]


@pytest.mark.parametrize("role", ["public", "private"])
def test_files_of_the_probe_that_are_left_out_are_counted_with_the_reason(
    cli: CommandLine, public: FakeIndex, role: str
) -> None:
    body = b'<a href="idna-1.0.zip#sha256=beef">x</a><a href="idna-2.0.zip">y</a>'
    public.answer(200, {"Content-Type": "text/html"}, body, path="/simple/idna/")
    cli.configure(index_table("pypi", public.url, probe="idna", role=role))
    done = cli("config", "check").expect()
    assert "1 file of idna, 1 left out (1: a malformed sha256)" in done.words
    assert "ok" in done.words


def test_an_index_all_of_whose_files_are_left_out_is_warned_of(
    cli: CommandLine, public: FakeIndex
) -> None:
    body = b'<a href="idna-1.0.zip#sha256=beef">x</a>'
    public.answer(200, {"Content-Type": "text/html"}, body, path="/simple/idna/")
    cli.configure(index_table("pypi", public.url, probe="idna"))
    done = cli("config", "check").expect()
    assert "warn" in done.words
    assert "0 files of idna, 1 left out (1: a malformed sha256)" in done.words


def test_a_public_index_of_other_things_is_asked_for_its_names(
    cli: CommandLine, public: FakeIndex
) -> None:
    cli.configure(index_table("other", public.url))
    assert "1 name" in cli("config", "check").expect().out


def test_a_probe_that_the_index_does_not_have_fails(cli: CommandLine, public: FakeIndex) -> None:
    cli.configure(index_table("pypi", public.url, probe="nope"))
    done = cli("config", "check").expect(1)
    assert "404 Not Found for nope. Correct the url of pypi, or set probe" in done.words


@pytest.mark.usefixtures("chain")
def test_an_index_that_refuses_connections_fails_with_a_remedy(
    cli: CommandLine, private: FakeIndex
) -> None:
    private.stop_listening()
    done = cli.to_terminal("config", "check").expect(1)
    assert done.out.startswith("FAIL  private")
    assert "down: connection refused (127.0.0.1:" in done.words
    assert "Start private, or correct the port in its url" in done.words
    assert "ok    pypi" in done.out
    assert done.widest <= COLUMNS


@pytest.mark.usefixtures("chain")
def test_an_index_that_wants_a_login_fails_with_a_remedy(
    cli: CommandLine, private: FakeIndex
) -> None:
    private.fail(401)
    done = cli("config", "check").expect(1)
    assert "refused: 401 Unauthorized. Give private a login: username and" in done.words


def test_a_refused_login_fails_with_a_remedy(cli: CommandLine) -> None:
    with FakeIndex(username="ci", password="right") as index:
        login = index.login_url.replace("right", "wrong")
        cli.configure(index_table("private", login, role="private"))
        done = cli("config", "check").expect(1)
    assert "refused: 401 Unauthorized. Check the user name and password of private." in done.words


@pytest.mark.usefixtures("chain")
def test_an_index_that_refuses_its_list_and_a_page_fails_with_advice_to_give_a_login(
    cli: CommandLine, private: FakeIndex
) -> None:
    private.fail(403)
    done = cli("config", "check").expect(1)
    assert "refused: 403 Forbidden. If private wants a login, give it one: username" in done.words
    assert "Otherwise, ask whoever runs private for access." in done.words
    assert 'set forbidden = "absent" for it' in done.words
    assert "Check the user name" not in done.words


def test_a_certificate_that_ends_soon_is_warned_of_with_the_day(
    cli: CommandLine, tmp_path: Path
) -> None:
    authority, end = trustme.CA(), datetime.now(timezone.utc) + timedelta(days=3)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = SSLContext(PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", not_after=end).configure_cert(context)
    with FakeIndex([wheel("acme-app")], tls=context) as index:
        cli.configure(index_table("private", index.url, role="private"))
        done = cli("config", "check", REQUESTS_CA_BUNDLE=str(tmp_path / "ca.pem")).expect()
    assert done.out.startswith("warn  private")
    assert f"1 name; its certificate ends on {end.date()}, in 3 days." in done.words
    assert "Tell whoever runs private to renew it." in done.words


@pytest.mark.usefixtures("chain")
def test_the_data_have_the_state_in_the_words_of_the_status(
    cli: CommandLine, private: FakeIndex
) -> None:
    private.fail(401)
    first, second = cli("config", "check", "--json").expect(1).json["checks"]
    assert (first["state"], first["kind"]) == ("refused (401)", "login wanted")
    assert (second["state"], second["kind"]) == (None, None)


@pytest.mark.usefixtures("chain")
def test_a_captive_portal_fails(cli: CommandLine, private: FakeIndex, public: FakeIndex) -> None:
    portal = b"<html><body><form>Log in to the Wi-Fi</form></body></html>"
    for index in (private, public):
        index.answer(200, {"Content-Type": "text/html"}, portal)
    checks = cli("config", "check", "--json").expect(1).json["checks"]
    assert [check["verdict"] for check in checks] == ["FAIL", "FAIL"]
    assert all(check["what"].startswith("down: not an index: ") for check in checks)


@pytest.mark.usefixtures("chain")
def test_an_address_that_has_nothing_fails(cli: CommandLine, private: FakeIndex) -> None:
    private.fail(404)
    done = cli("config", "check").expect(1)
    assert "404 Not Found for pip. Correct the url of private, or set probe" in done.words


def test_a_private_index_without_a_list_of_names_is_warned_of(
    cli: CommandLine, private: FakeIndex
) -> None:
    private.answer(404, path="/simple/", times=1)
    cli.configure(index_table("private", private.url, role="private", probe="acme-app"))
    done = cli("config", "check").expect()
    assert done.out.startswith("warn  private")
    assert "but its list of names cannot be read (404 Not Found)" in done.words
    assert "set projects, or on_outage" in done.words


@pytest.mark.parametrize("keys", [{"projects": ["acme-*"]}, {"on_outage": "next"}])
def test_it_is_fine_without_one_where_the_configuration_says_what_then(
    cli: CommandLine, private: FakeIndex, keys: dict[str, object]
) -> None:
    private.answer(404, path="/simple/", times=1)
    cli.configure(index_table("private", private.url, role="private", probe="acme-app", **keys))
    assert cli("config", "check").expect().out.startswith("ok  private")


def test_a_directory_says_how_many_projects_it_has(cli: CommandLine, tmp_path: Path) -> None:
    directory = flat_directory(tmp_path / "wheels", [wheel("acme-app"), wheel("acme-lib")])
    cli.configure(index_table("wheels", str(directory)))
    assert "2 names" in cli("config", "check").expect().out


def test_a_missing_directory_fails(cli: CommandLine, tmp_path: Path) -> None:
    cli.configure(index_table("wheels", str(tmp_path / "nowhere")))
    done = cli("config", "check").expect(1)
    assert "No such file or directory. Make the directory of wheels readable" in done.words


def test_silent_indexes_are_waited_for_at_the_same_time(
    cli: CommandLine, private: FakeIndex, public: FakeIndex
) -> None:
    private.hang()
    public.hang()
    cli.configure(
        index_table("private", private.url, role="private"), index_table("pypi", public.url),
        limits={"deadline": "1 s"},
    )  # fmt: skip
    checks = cli("config", "check", "--json").expect(1).json["checks"]
    assert [check["verdict"] for check in checks] == ["FAIL", "FAIL"]
    assert all(check["seconds"] < 1.5 for check in checks)


@pytest.mark.usefixtures("chain")
def test_offline_nothing_is_asked(cli: CommandLine, private: FakeIndex) -> None:
    checks = cli("config", "check", "--offline", "--json").expect().json["checks"]
    assert [check["verdict"] for check in checks] == ["skip", "skip"]
    assert private.requests == []


def test_secrets_are_not_printed(cli: CommandLine) -> None:
    with FakeIndex([wheel("acme-app")], username="ci", password="hunter2") as index:
        cli.configure(index_table("private", index.login_url, role="private"))
        assert cli("config", "check").expect().out.startswith("ok  private")
        index.fail(403)
        done = cli("-vv", "config", "check").expect(1)
    assert "hunter2" not in done.out + done.err


def test_a_mirror_that_lags_is_warned_of(
    cli: CommandLine, private: FakeIndex, public: FakeIndex
) -> None:
    for index, versions in ((private, ["1"]), (public, ["1", "2"])):
        for version in versions:
            index.add(wheel("pip", version), upload_time=f"2026-01-0{version}T00:00:00.000000Z")
    tables = (
        index_table("mirror", private.url, role="mirror", mirror_of="pypi"),
        index_table("pypi", public.url),
    )
    cli.configure(*tables)
    done = cli("config", "check").expect()
    assert done.out.startswith("warn  mirror")
    assert '1 file of pip, 1 file behind pypi by 1 d. Set pages = "authority"' in done.words
    private.add(wheel("pip", "2"))
    assert cli("config", "check").expect().out.startswith("ok  mirror")


def test_the_clock_is_compared_with_each_indexs(cli: CommandLine, public: FakeIndex) -> None:
    page = b'<a href="pip-1.0-py3-none-any.whl">pip-1.0-py3-none-any.whl</a>'
    headers = {"Content-Type": "text/html", "Date": "Thu, 01 Jan 2026 00:00:00 GMT", "Age": "3600"}
    public.answer(200, headers, page)
    cli.configure(index_table("pypi", public.url))
    (check,) = cli("config", "check", "--json").expect().json["checks"]
    assert check["clock_ahead"] == pytest.approx(time.time() - (1767225600 + 3600), abs=30)


def test_a_cooldown_of_an_index_without_upload_times_is_a_warning(cli: CommandLine) -> None:
    """Not of a mirror, whose times are those of its public index."""
    dists = [wheel("idna")]
    with FakeIndex(dists, formats=HTML_ONLY) as without, FakeIndex(dists) as stating:
        cli.configure(
            index_table("near", without.url, role="mirror", mirror_of="pypi", probe="idna"),
            index_table("pypi", stating.url, cooldown="7 days", probe="idna"),
        )
        near, pypi = cli("config", "check", "--json").expect().json["checks"]
        assert (near["verdict"], pypi["verdict"]) == ("ok", "ok")
        cli.configure(index_table("pypi", without.url, cooldown="7 days", probe="idna"))
        (pypi,) = cli("config", "check", "--json").expect().json["checks"]
    assert pypi["verdict"] == "warn"
    assert "it states no upload times" in pypi["what"]
