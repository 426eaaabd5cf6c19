"""What is said of a name whose owner does not have it any more: the same at every place."""

import html
import re
import time

import pytest

from indexfallback.words import day
from tests.cli.support import COLUMNS, CommandLine
from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.serving import Served, index_table

#: What a browser sends.
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def _cause() -> str:
    return (
        f"belongs to private (known there since {day(time.time())}), which says 404 Not Found now; "
        "no other index was asked, since a package of that name there is another one"
    )


REMEDY = (
    "Check the login of private: many indexes answer 404 to a login without rights. If the project "
    "has left private for good, `indexfallback cache disown acme-app` lets another index own it."
)


@pytest.fixture
def shim(cli: CommandLine, private: FakeIndex, public: FakeIndex, served: Serve) -> Served:
    """Return a shim whose private index has lost a project that the public one has as well."""
    public.add(wheel("acme-app", "9.0"))
    text = cli.configure(
        index_table("private", private.url, role="private"),
        index_table("pypi", public.url),
        cache={"fresh": "0 s"},
    )
    shim = served(text, directory=cli.directory)
    cli.use(shim)
    assert shim.get("/simple/acme-app/").status == 200
    private.remove_project("acme-app")
    return shim


def test_why_says_whose_it_is_since_when_and_what_to_do(cli: CommandLine, shim: Served) -> None:
    assert shim.url
    done = cli.to_terminal("why", "acme-app").expect(1)
    assert f"Why: it {_cause()}." in done.words
    assert f"What you can do: {REMEDY}" in done.words
    assert f"owner: served by it, known there since {day(time.time())}" in done.words
    assert "2 pypi skipped acme-app belongs to private" in done.words
    assert done.widest <= COLUMNS


@pytest.mark.parametrize("address", ["/simple/acme-app/", "/projects/acme-app/"])
def test_a_problem_detail_says_it(shim: Served, address: str) -> None:
    detail = shim.get(address).problem["detail"]
    assert _cause() in detail
    assert REMEDY in detail


def test_the_projects_page_says_it(shim: Served) -> None:
    page = html.unescape(shim.get("/projects/acme-app/", BROWSER).body.decode())
    assert _cause() in page
    assert REMEDY.replace("`", "") in re.sub(r"</?code[^>]*>", "", page)
    reason = f"served by it, known there since {day(time.time())}"
    assert f"It belongs to <b>private</b> ({reason}): no other index can serve it." in page


def test_status_names_it(cli: CommandLine, shim: Served) -> None:
    assert "refused" not in cli("status").expect().words
    shim.get("/-/why/acme-app")
    done = cli.to_terminal("status").expect()
    assert "names 1 refused: acme-app of private (see `indexfallback why PROJECT`)" in done.words
    assert done.widest <= COLUMNS


def test_the_setting_that_claims_a_name_is_named(
    cli: CommandLine, private: FakeIndex, public: FakeIndex
) -> None:
    cli.configure(
        index_table("private", private.url, role="private", only=["acme-*"]),
        index_table("pypi", public.url),
    )
    done = cli("why", "acme-app").expect()
    assert "owner: claimed by only" in done.words
    assert "2 pypi skipped acme-app is claimed by private (only)" in done.words
    done = cli("why", "idna").expect()
    assert "1 private skipped it is asked for nothing but acme-* (only)" in done.words


def test_a_name_from_before_only_left_it_out_belongs_to_the_index_no_more(
    cli: CommandLine, private: FakeIndex, public: FakeIndex
) -> None:
    tables = [index_table("pypi", public.url)]
    cli.configure(index_table("private", private.url, role="private"), *tables)
    cli("why", "acme-app").expect()
    cli.configure(index_table("private", private.url, role="private", only=["torch"]), *tables)
    assert cli("why", "acme-app", "--json").expect(1).json["belongs_to"] is None
