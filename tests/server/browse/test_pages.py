"""The pages for people, as a browser gets them from a running shim."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import quote, urljoin

import pytest

from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.server.browse.conftest import BROWSER, Town
from tests.server.browse.described import described
from tests.serving import index_table, wait_until

_ROW = re.compile(r'<b>([a-z]+)</b> <small>[a-z]+</small> <span class="state \w+">(\w+)<')
PAGES = [
    "/",
    "/projects/",
    "/projects/?q=Zope.Interface",
    "/projects/demo/",
    "/projects/no-such-thing/",
]


def test_a_project_shows_its_metadata(town: Town) -> None:
    page = town.page("/projects/demo/")
    for expected in (
        "<h1>demo <small>2.0</small></h1>",
        "A small &lt;demonstration&gt; of what a page shows",
        "<strong>one thing</strong>",
        "Ada Lovelace &lt;ada@example.com&gt;",
        '<a rel="nofollow noreferrer noopener" href="https://docs.example.com/">Documentation</a>',
        "<code>idna&gt;=3</code>",
    ):
        assert expected in page
    assert "javascript:" not in page


def test_a_project_shows_how_to_install_it(town: Town) -> None:
    page = town.page("/projects/demo/")
    assert f"<code>pip install --index-url {town.shim.url} demo</code>" in page
    assert f"<code>uv pip install --default-index {town.shim.url} demo</code>" in page


def test_a_project_shows_its_owner_and_the_indexes_asked_before(town: Town) -> None:
    page = town.page("/projects/demo/")
    assert "From <b>pypi</b>" in page
    (private, mirror, pypi) = _ROW.findall(page)
    assert (private, pypi) == (("private", "absent"), ("pypi", "found"))
    assert mirror[1] in ("skipped", "unavailable")


def test_a_private_project_names_its_owner(town: Town) -> None:
    page = town.page("/projects/acme-core/")
    assert "It belongs to <b>private</b>" in page
    assert "no other index can serve it" in page


def test_a_files_link_leads_to_the_file(town: Town) -> None:
    page = town.page("/projects/demo/")
    (href,) = re.findall(r'href="([^"]*demo-1\.0-py3-none-any\.whl)"', page)
    answer = town.shim.get(urljoin("/projects/demo/", href))
    assert answer.body == wheel("demo", "1.0").data
    assert "yanked: broken on &lt;Windows&gt;" in page


def test_the_names_are_those_seen_and_those_that_private_indexes_list(town: Town) -> None:
    page = town.page("/projects/")
    assert re.findall(r'<li><a href="([a-z-]+)/">', page)[:2] == ["acme-app", "acme-core"]
    assert '<a href="zope-interface/">zope-interface</a> <small>pypi</small>' in page


def test_a_search_narrows_the_names(town: Town) -> None:
    page = town.page("/projects/?q=Zope.Interface")
    assert re.findall(r'<li><a href="([a-z-]+)/">', page) == ["zope-interface"]
    assert 'value="Zope.Interface"' in page


def test_the_start_page_shows_how_each_index_is(town: Town) -> None:
    town.page("/projects/demo/")
    states = re.findall(r'<b>([a-z]+)</b>.*?<span class="state \w+">([a-z ]+)<', town.page("/"))
    assert [name for name, _ in states] == ["private", "mirror", "pypi"]
    assert dict(states)["private"] == dict(states)["pypi"] == "up"
    assert dict(states)["mirror"] in ("down", "being tried")


@pytest.mark.parametrize("path", PAGES)
def test_no_page_runs_anything_or_asks_another_host(town: Town, path: str) -> None:
    answer = town.look(path)
    policy = dict(
        part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["style-src"].startswith("'sha256-")
    assert set(policy) == {"default-src", "style-src", "form-action", "base-uri", "frame-ancestors"}
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    page = answer.body.decode()
    assert re.findall(r"<script|<img|<link|\ssrc=|\sstyle=|\son\w+=|url\(", page) == []


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_ours_works_below_any_base(town: Town, path: str) -> None:
    page = town.look(path).body.decode()
    for href in re.findall(r'(?:href|action)="([^"]+)"', page):
        assert not href.startswith("/"), href
        if not href.startswith(("http", "#")):
            linked = urljoin(path, href.replace("&amp;", "&"))
            assert town.look(linked).status in (200, 404 if "no-such-thing" in path else 200), href


def test_a_project_that_no_index_has_is_a_page_for_people_and_json_for_clients(town: Town) -> None:
    answer = town.look("/projects/no-such-thing/")
    assert answer.status == 404
    assert "No such project: no-such-thing" in answer.body.decode()
    assert "What each index said" in answer.body.decode()
    for accept in (
        "*/*",
        "application/json",
        "application/vnd.pypi.simple.v1+json, text/html;q=0.1",
    ):
        problem = town.shim.get("/projects/no-such-thing/", {"Accept": accept}).problem
        assert problem["title"] == "No such project"


@pytest.mark.parametrize(
    "path", ["/simple/no-such-thing/", "/simple/%3Cb%3E/", "/files/pypi/demo/x.whl", "/nothing"]
)
def test_elsewhere_no_error_is_html_not_even_to_a_browser(town: Town, path: str) -> None:
    assert town.look(path).problem["status"] == 404


@pytest.mark.parametrize(
    "path", ["/projects/%3Cscript%3E/", "/projects/demo/x", "/projects/a%2fb/"]
)
def test_other_errors_below_projects_are_pages_for_people(town: Town, path: str) -> None:
    answer = town.look(path)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert b"<script" not in answer.body
    assert town.shim.get(path).problem["status"] == 404


def test_a_name_is_redirected_to_its_proper_address(town: Town) -> None:
    for path in ("/projects/Demo/", "/projects/demo", "/projects/DEMO"):
        answer = town.look(path)
        assert (answer.status, answer.headers["Location"]) == (301, "/projects/demo/")
    assert town.look("/projects").headers["Location"] == "/projects/"


@pytest.mark.parametrize("number", ["2", "0", "-1", "x", "9" * 50, "\u0663", ""])
def test_a_number_of_a_page_is_taken_or_left(town: Town, number: str) -> None:
    assert town.look(f"/projects/?page={quote(number)}").status == 200
    assert town.look(f"/projects/demo/?page={quote(number)}").status == 200


def test_the_second_page_of_files_has_no_description(served: Serve) -> None:
    with FakeIndex([wheel("demo", f"{number}.0") for number in range(45)]) as index:
        shim = served(index_table("pypi", index.url))
        first = shim.get("/projects/demo/", BROWSER).body.decode()
        third = shim.get("/projects/demo/?page=3", BROWSER).body.decode()
    assert "Page 1 of 3" in first
    assert "<b>44.0</b>" in first
    assert "<b>0.0</b>" in third


def test_a_costly_description_holds_up_no_client(served: Serve) -> None:
    costly = described(wheel("demo"), text="> " * 100_000)
    with FakeIndex([costly, wheel("idna")]) as index:
        shim = served(index_table("pypi", index.url))
        shim.get("/simple/idna/")
        with ThreadPoolExecutor(1) as person:
            looking = person.submit(shim.get, "/projects/demo/", BROWSER)
            answered = 0
            while not looking.done():
                assert shim.get("/simple/idna/").status == 200
                answered += not looking.done()
        page = looking.result().body.decode()
    assert '<pre class="plain">&gt; &gt;' in page
    assert answered > 3


def test_a_file_that_has_changed_is_said_and_not_linked(served: Serve) -> None:
    with FakeIndex([wheel("demo")]) as index:
        shim = served(index_table("pypi", index.url), cache={"fresh": "0 s"})
        page = shim.get("/projects/demo/", BROWSER).body.decode()
        (href,) = re.findall(r'href="\.\./\.\./(files/[^"]*)"', page)
        assert shim.get(f"/{href}").status == 200
        index.add(wheel("demo", size=10))
        withheld = b"demo-1.0-py3-none-any.whl is withheld"
        # An answer may be repeated for a second.
        look = partial(shim.get, "/projects/demo/", BROWSER)
        wait_until(lambda: withheld in look().body, 20, "it is not withheld")
        page = look().body.decode()
    assert "No files that can be installed" in page


def test_files_that_are_left_out_are_said(served: Serve) -> None:
    with FakeIndex([wheel("demo")]) as index:
        body = b'<a href="demo-1.0.zip#sha256=beef">x</a><a href="demo-2.0.zip">y</a>'
        index.answer(200, {"Content-Type": "text/html"}, body, path="/simple/demo/")
        shim = served(index_table("pypi", index.url))
        page = shim.get("/projects/demo/", BROWSER).body.decode()
        listed = shim.get("/simple/demo/").body.decode()
    assert "1 left out (1: a malformed sha256)" in page
    assert "malformed" not in listed


def test_what_is_unavailable_says_which_index_and_what_to_do(served: Serve) -> None:
    shim = served(
        index_table("private", "http://127.0.0.1:9/simple/", role="private", projects=["acme-*"])
    )
    answer = shim.get("/projects/acme-app/", BROWSER)
    page = answer.body.decode()
    assert answer.status == 503
    assert "Project unavailable: acme-app" in page
    assert "Start private, or correct the port" in page
    assert "(claimed by projects)" in page


def test_the_report_for_programs_is_as_before(town: Town) -> None:
    report = json.loads(town.shim.get("/-/why/demo").body)
    assert (report["owner"], report["status"], report["files"]) == ("pypi", 200, 5)
