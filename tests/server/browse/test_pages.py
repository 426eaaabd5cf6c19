"""The pages for people, as a browser gets them from a running shim."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import quote, urljoin

import pytest

from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.server.browse.conftest import BROWSER, PIP, Town
from tests.server.browse.described import described
from tests.serving import index_table, wait_until

_ROW = re.compile(r'<b>([a-z]+)</b> <small>[a-z]+</small> <span class="state \w+">(\w+)<')
PAGES = [
    "/",
    "/projects/",
    "/projects/?q=Zope.Interface",
    "/projects/demo/",
    "/projects/demo/1.1/",
    "/projects/no-such-thing/",
    "/projects/no-such-thing/1.0/",
]


def test_a_project_shows_its_metadata(town: Town) -> None:
    page = town.page("/projects/demo/")
    for expected in (
        "<h1>demo <small>2.0</small></h1>",
        "A small &lt;demonstration&gt; of what a page shows",
        "<strong>one thing</strong>",
        "Ada Lovelace &lt;ada@example.com&gt;",
        '<a rel="nofollow noreferrer noopener" href="https://docs.example.com/">Documentation</a>',
        '<code><a href="../idna/">idna</a>&gt;=3</code>',
    ):
        assert expected in page
    assert "javascript:" not in page


def test_a_project_shows_how_to_install_it(town: Town) -> None:
    page = town.page("/projects/demo/")
    assert f'<code class="command">pip install --index-url {town.shim.url} demo</code>' in page
    assert (
        f'<code class="command">uv pip install --default-index {town.shim.url} demo</code>' in page
    )


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
    page = town.page("/")
    states = re.findall(r'<b>([a-z]+)</b>.*?<span class="state \w+">([a-z ]+) since <time', page)
    assert states == [("private", "up"), ("mirror", "down"), ("pypi", "up")]
    (mirror,) = re.findall(r'<li id="index-mirror">.*?</li>', page, re.DOTALL)
    assert "connection refused" in mirror
    assert "Start mirror, or correct the port in its url" in mirror
    assert page.count("last answer <time") == 2


def row_of(page: str, name: str) -> str:
    """Return the first row of the decisions with a link of that text."""
    rows: list[str] = re.findall(r"<tr .*?</tr>", page)
    return next(row for row in rows if f">{name}</a>" in row)


def test_the_start_page_shows_what_was_decided(town: Town) -> None:
    town.shim.get("/simple/flask/", {**PIP, "Cache-Control": "no-cache"})
    flask = row_of(town.page("/"), "flask")
    for expected in ("<time", 'href="projects/flask/"', ">pypi<", ">asked<", ">pip/26.3<", " ms<"):
        assert expected in flask
    assert "failed" not in flask


def test_the_start_page_marks_what_failed_with_cause_and_remedy(town: Town) -> None:
    failed = row_of(town.page("/"), "no-such-thing")
    assert ' class="failed"' in failed
    assert 'href="projects/no-such-thing/"' in failed
    assert "no index has it. Check the name, or add the index that has it." in failed
    assert "not found (404)" in failed


def test_the_start_page_shows_the_clients(town: Town) -> None:
    assert "<li>pip/26.3 <small>last <time" in town.page("/")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_one_file_of_ours_and_asks_no_other_host(town: Town, path: str) -> None:
    answer = town.look(path)
    policy = dict(
        part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["style-src"].startswith("'sha256-")
    own = ("script-src", "connect-src", "img-src", "form-action")
    assert [policy[name] for name in own] == ["'self'"] * len(own)
    assert set(policy) == {"default-src", "style-src", *own, "base-uri", "frame-ancestors"}
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    page = answer.body.decode()
    (script,) = re.findall(r"<script[^>]*>[^<]*", page)
    assert re.fullmatch(r'<script src="(\./|(\.\./)+)-/pages\.js" defer>', script)
    (icon,) = re.findall(r"<link[^>]*>", page)
    page = page.replace(script, "").replace(icon, "")
    assert re.findall(r"<script|<img|<link|\ssrc=|\sstyle=|\son\w+=|url\(", page) == []


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_ours_works_below_any_base(town: Town, path: str) -> None:
    page = town.look(path).body.decode()
    for href in re.findall(r'(?:href|action)="([^"]+)"', page):
        assert not href.startswith("/"), href
        if not href.startswith(("http", "#")):
            linked = urljoin(path, href.replace("&amp;", "&"))
            expected = 404 if "no-such-thing" in linked else 200
            assert town.look(linked).status == expected, href


@pytest.mark.parametrize(
    ("path", "kind"), [("/-/pages.js", "text/javascript"), ("/-/icon.svg", "image/svg+xml")]
)
def test_the_script_and_the_icon_are_fetched_again_only_if_they_have_changed(
    town: Town, path: str, kind: str
) -> None:
    answer = town.look(path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-cache"
    again = town.shim.get(path, {"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


def test_a_project_that_no_index_has_is_a_page_for_people_and_json_for_clients(town: Town) -> None:
    answer = town.look("/projects/no-such-thing/")
    assert answer.status == 404
    assert "No such project: no-such-thing" in answer.body.decode()
    assert "Why an install of it fails now" in answer.body.decode()
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
    "path", ["/projects/%3Cscript%3E/", "/projects/demo/x/y", "/projects/demo/%3Cb%3E/"]
)
def test_other_errors_below_projects_are_pages_for_people(town: Town, path: str) -> None:
    answer = town.look(path)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.body.count(b"<script") == 1
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
    assert "Its files have changed since they were first seen" in page
    assert "indexfallback cache accept demo demo-1.0-py3-none-any.whl</code>" in page


def test_a_file_that_could_not_be_served_says_why_until_it_is(served: Serve) -> None:
    with FakeIndex([wheel("demo")]) as index:
        shim = served(index_table("pypi", index.url))
        page = shim.get("/projects/demo/", BROWSER).body.decode()
        assert "Why an install of it fails now" not in page
        (href,) = re.findall(r'href="\.\./\.\./(files/[^"]*)"', page)
        index.fail(404, path="/files/")
        assert shim.get(f"/{href}").status == 404
        page = shim.get("/projects/demo/", BROWSER).body.decode()
        assert "<b>demo-1.0-py3-none-any.whl</b> was not served at <time" in page
        assert "pypi: 404" in page
        assert "Tell whoever runs pypi, whose page lists it" in page


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
