"""The page of one release."""

import re
from datetime import datetime, timezone
from functools import partial
from urllib.parse import urljoin

import pytest

from indexfallback.page import File, ProjectPage
from indexfallback.server.browse.release import MissingRelease
from indexfallback.server.browse.releases import current, nearest, releases
from tests.conftest import Serve
from tests.fakes import FakeIndex, sdist, wheel
from tests.server.browse.conftest import BROWSER, Town
from tests.server.browse.described import described
from tests.serving import index_table, wait_until

KNOWN = releases(
    ProjectPage(
        name="demo",
        files=tuple(
            File(filename=f"demo-{v}.tar.gz", url="https://x.example.com")
            for v in ("3.0", "1.2", "1.0")
        ),
    )
)


def test_a_release_shows_its_own_metadata_and_files(town: Town) -> None:
    page = town.page("/projects/demo/2.0/")
    for expected in (
        '<h1><a href="../">demo</a> <small>2.0</small></h1>',
        "A small &lt;demonstration&gt; of what a page shows",
        "<strong>one thing</strong>",
        "<dt>Licence</dt><dd>MIT</dd>",
        '<code><a href="../../idna/">idna</a>&gt;=3</code>',
        '<a href="../../?classifier=Framework+%3A%3A+Django">Framework :: Django</a>',
        "demo==2.0</code>",
    ):
        assert expected in page
    assert set(re.findall(r">(demo-[^<]*)</a>", page)) == {
        "demo-2.0-py3-none-any.whl",
        "demo-2.0.tar.gz",
    }


def test_another_release_names_the_one_that_clients_install(town: Town) -> None:
    page = town.page("/projects/demo/1.1/")
    assert '<span class="mark bad">yanked</span>' in page
    assert "yanked: broken on &lt;Windows&gt;" in page
    assert 'Clients install <a href="../2.0/">2.0</a> unless' in page
    assert "Clients install" not in town.page("/projects/demo/2.0/")


def test_the_page_of_a_project_leads_to_its_releases_and_a_release_to_its_files(
    town: Town,
) -> None:
    (href,) = re.findall(r'href="(1\.0/)"', town.page("/projects/demo/"))
    page = town.page(urljoin("/projects/demo/", href))
    (file,) = re.findall(r'href="([^"]*demo-1\.0-py3-none-any\.whl)"', page)
    assert town.shim.get(urljoin("/projects/demo/1.0/", file)).body == wheel("demo", "1.0").data


@pytest.mark.parametrize(
    ("path", "proper"),
    [("Demo/2.0/", "demo/2.0/"), ("demo/2.0", "demo/2.0/"), ("demo/v2.0.0/", "demo/2.0/"),
     ("demo/2.1.RC1/", "demo/2.1rc1/")],
)  # fmt: skip
def test_a_release_has_one_address(town: Town, path: str, proper: str) -> None:
    answer = town.look(f"/projects/{path}")
    assert (answer.status, answer.headers["Location"]) == (301, f"/projects/{proper}")


def test_a_version_that_does_not_exist_is_404_and_names_the_newest_and_the_nearest(
    town: Town,
) -> None:
    answer = town.look("/projects/demo/1.0.5/")
    assert answer.status == 404
    page = answer.body.decode()
    assert '<li>The newest is <a href="../2.0/">2.0</a></li>' in page
    assert '<li>The nearest is <a href="../1.0/">1.0</a></li>' in page
    problem = town.shim.get("/projects/demo/1.0.5/").problem
    assert problem["detail"] == (
        "the page of pypi lists no version 1.0.5 of demo; the newest is 2.0, the nearest is 1.0"
    )


@pytest.mark.parametrize(
    ("version", "found"), [("2.0", "1.2"), ("1.1", "1.0"), ("0.5", "1.0"), ("what", None)]
)
def test_the_nearest_release_is_the_one_before_else_the_one_after(
    version: str, found: str | None
) -> None:
    release = nearest(KNOWN, version)
    assert (release.version if release else None) == found


def test_the_newest_release_is_not_named_twice() -> None:
    newest = current(KNOWN)
    text = str(MissingRelease("demo", "4.0", "pypi", newest, nearest(KNOWN, "4.0")))
    assert text == "the page of pypi lists no version 4.0 of demo; the newest is 3.0"


def test_no_file_is_fetched_for_a_release(served: Serve) -> None:
    old = described(sdist("demo", "1.0"), "Summary: Old", text="")
    with FakeIndex([old, sdist("demo", "2.0")]) as index:
        shim = served(index_table("pypi", index.url))
        page = shim.get("/projects/demo/1.0/", BROWSER).body.decode()
        assert "None of its files has metadata that can be shown" in page
        assert [r.path for r in index.requests if "/files/" in r.path] == []
        (href,) = re.findall(r'href="\.\./\.\./\.\./(files/[^"]*)"', page)
        assert shim.get(f"/{href}").status == 200
        look = partial(shim.get, "/projects/demo/1.0/", BROWSER)
        wait_until(lambda: b'<p class="lead">Old</p>' in look().body, 20, "it is not stored")


def test_a_release_that_is_too_young_says_until_when_it_is_withheld(served: Serve) -> None:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    with FakeIndex([wheel("demo", "1.0"), wheel("demo", "2.0")]) as index:
        index.project("demo").files["demo-2.0-py3-none-any.whl"].upload_time = now
        shim = served(index_table("pypi", index.url, cooldown="7 days"))
        answer = shim.get("/projects/demo/2.0/", BROWSER)
        page, problem = answer.body.decode(), shim.get("/projects/demo/2.0/").problem
    assert answer.status == 404
    assert '<h1>Withheld release 2.0 of <a href="../">demo</a></h1>' in page
    assert "and the cooldown of 7 days withholds it until" in page
    assert "indexfallback cache accept demo 2.0</code>" in page
    assert problem["detail"].startswith("version 2.0 of demo is not offered: it was")
    assert problem["detail"].endswith("; the newest that is offered is 1.0")


def test_a_release_shows_its_own_vulnerabilities(served: Serve) -> None:
    old, new = wheel("demo", "1.0"), wheel("demo", "2.0")
    with FakeIndex([old, new], json=True) as index:
        index.project("demo").vulnerabilities["1.0"] = [{"id": "PYSEC-2026-1", "fixed_in": ["2.0"]}]
        shim = served(index_table("pypi", index.url))
        for version in ("1.0", "2.0"):
            assert shim.get(f"/pypi/demo/{version}/json").status == 200
        pages = [shim.get(f"/projects/demo/{v}/", BROWSER).body for v in ("1.0", "2.0")]
    assert [b"PYSEC-2026-1" in page for page in pages] == [True, False]
