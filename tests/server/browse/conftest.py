"""A shim whose projects have metadata."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.fakes import FakeIndex, sdist, wheel
from tests.server.browse.browser import CHROMIUM, Browser, browsing
from tests.server.browse.described import described
from tests.serving import Answer, Served, config_text, index_table, serving, wait_until

README = (Path(__file__).parent / "readme.md").read_text(encoding="utf-8")
FIELDS = (
    "Summary: A small <demonstration> of what a page shows",
    "Author-email: Ada Lovelace <ada@example.com>",
    "License-Expression: MIT",
    "Keywords: demo,pages,index",
    "Project-URL: Documentation, https://docs.example.com/",
    "Classifier: Framework :: Django",
    "Project-URL: Evil, javascript:alert(1)",
)
#: What a browser sends.
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PIP = {"User-Agent": "pip/26.3 {}"}
#: Nobody listens there.
DOWN = "http://127.0.0.1:9/simple/"


class Town(NamedTuple):
    """A shim with a private index, a mirror that is down, and PyPI behind it."""

    shim: Served
    pypi: FakeIndex

    def look(self, path: str) -> Answer:
        """Return what a browser gets."""
        return self.shim.get(path, BROWSER)

    def page(self, path: str) -> str:
        """Return the page that a browser gets."""
        answer = self.look(path)
        assert answer.status == 200, answer
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        return answer.body.decode()


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    demo = described(
        wheel("demo", "2.0", requires_python=">=3.8", requires=["idna>=3", "click"], size=50_000),
        *FIELDS, text=README,
    )  # fmt: skip
    old = [wheel("demo", "1.0"), wheel("demo", "1.1"), wheel("demo", "2.1rc1")]
    known = [wheel(name) for name in ("zope.interface", "idna", "click", "requests", "flask")]
    with (
        FakeIndex([demo, sdist("demo", "2.0"), *old, *known]) as pypi,
        FakeIndex([wheel("acme-core", "1.4"), wheel("acme-app")]) as private,
        serving(
            tmp_path_factory.mktemp("town"),
            config_text(
                index_table("private", private.url, role="private"),
                index_table(
                    "mirror", "http://127.0.0.1:9/simple/", mirror_of="pypi", role="mirror"
                ),
                index_table("pypi", pypi.url),
            ),
        ) as shim,
    ):
        pypi.project("demo").files["demo-1.1-py3-none-any.whl"].yanked = "broken on <Windows>"
        for project in ("acme-core", "zope-interface", "idna", "click", "requests", "flask"):
            assert shim.get(f"/simple/{project}/", PIP).status == 200
        assert shim.get("/simple/no-such-thing/", PIP).status == 404
        town = Town(shim, pypi)
        town.page("/projects/demo/")  # whose metadata is then stored
        found = partial(shim.json, "/-/search?q=demonstration")
        wait_until(lambda: found()["total"], 20, "the metadata is not read")
        yield town


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium")
    with browsing(tmp_path_factory.mktemp("chromium")) as made:
        yield made
