"""The pages in a real browser: light and dark, at a desk and on a phone, and pictures of them."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.fakes import FakeIndex, wheel
from tests.server.browse.browser import Browser
from tests.server.browse.conftest import Town
from tests.serving import Served, config_text, index_table, serving, wait_until

PAGES = {
    "start": "/",
    "list": "/projects/",
    "search": "/projects/?q=demonstration",
    "long-search": f"/projects/?q={'a' * 255}",
    "project": "/projects/demo/",
    "release": "/projects/demo/2.0/",
    "private": "/projects/acme-core/",
    "missing": "/projects/no-such-thing/",
}
WIDTHS = {"desk": 1280, "phone": 390}
SCREENS = [(width, scheme) for width in WIDTHS for scheme in ("light", "dark")]
#: Less contrast is hard to read (WCAG 2.2, 1.4.3).
CONTRAST = 4.5

_CONTRAST = """
(() => {
  const parts = color => color.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    const [x, y, z] = [r, g, b].map(v => linear(v / 255));
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const found = parts(getComputedStyle(e).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  let least = [21, ''];
  for (const element of document.querySelectorAll('body *')) {
    const text = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!text) continue;
    const [a, b] = [light(parts(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < least[0]) least = [ratio, element.outerHTML.slice(0, 80)];
  }
  return least;
})()
"""


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a shim with a private index of a thousand projects."""
    with (
        FakeIndex(wheel(f"a-rather-long-name-of-project-{n:04}") for n in range(1000)) as index,
        serving(
            tmp_path_factory.mktemp("crowd"),
            config_text(index_table("private", index.url, role="private")),
        ) as shim,
    ):
        shim.get("/simple/a-rather-long-name-of-project-0000/")
        page = partial(shim.get, "/projects/")
        wait_until(lambda: b"1,000 known" in page().body, 30, "the names are not known")
        yield shim


def address(town: Town, path: str) -> str:
    return f"http://127.0.0.1:{town.shim.port}{path}"


@pytest.mark.parametrize("screen", SCREENS, ids=" ".join)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_is_legible_and_loads_only_what_is_ours(
    town: Town, browser: Browser, tmp_path: Path, name: str, screen: tuple[str, str]
) -> None:
    url, width, scheme = address(town, PAGES[name]), WIDTHS[screen[0]], screen[1]
    browser.open(url, width=width, scheme=scheme)
    assert browser.value("document.documentElement.scrollWidth") <= width
    ground = browser.value("getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is (scheme == "light")
    ratio, element = browser.value(_CONTRAST)
    assert ratio >= CONTRAST, element
    ours = {url, address(town, "/-/pages.js"), address(town, "/-/icon.svg")}
    assert set(browser.requests) <= ours
    # The status of the page itself is said, too.
    assert [said for said in browser.complaints if "404" not in said] == []
    assert len(browser.screenshot(tmp_path / f"{name}-{width}-{scheme}.png")) > 5_000


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_a_thousand_projects_are_shown_in_pages_that_fit(
    crowd: Served, browser: Browser, tmp_path: Path, width: int
) -> None:
    browser.open(f"http://127.0.0.1:{crowd.port}/projects/?page=7", width=width)
    assert browser.value("document.querySelector('.lead').textContent").startswith("1,000 known")
    assert browser.value("document.querySelectorAll('.names a').length") == 100
    assert browser.value("document.querySelector('.pagination').textContent").count("Page 7 of 7")
    assert browser.value("document.documentElement.scrollWidth") <= width
    browser.screenshot(tmp_path / f"crowd-{width}.png")


@pytest.fixture
def scriptless(browser: Browser) -> Iterator[Browser]:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    yield browser
    browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_the_search_needs_no_script(town: Town, scriptless: Browser) -> None:
    scriptless.open(address(town, "/projects/demo/"))
    scriptless.value("document.querySelector('input[type=search]').value = 'zope'")
    scriptless.follow("document.forms[0].requestSubmit()")
    assert scriptless.value("location.href") == address(town, "/projects/?q=zope")
    assert scriptless.value("document.querySelector('.names a').textContent") == "zope-interface"


def test_without_script_a_link_renews_the_start_page(town: Town, scriptless: Browser) -> None:
    scriptless.open(address(town, "/"))
    assert scriptless.value("document.querySelectorAll('button.copy').length") == 0
    before = scriptless.value("performance.timeOrigin")
    scriptless.follow("[...document.links].find(link => link.textContent == 'renew').click()")
    assert scriptless.value("performance.timeOrigin") != before
    assert scriptless.value("location.href") == address(town, "/")


def test_a_command_is_selected_as_a_whole(town: Town, browser: Browser) -> None:
    browser.open(address(town, "/projects/demo/"))
    style = "getComputedStyle(document.querySelector('.commands code')).userSelect"
    assert browser.value(style) == "all"


def test_a_files_address_is_what_pip_would_fetch(town: Town, browser: Browser) -> None:
    browser.open(address(town, "/projects/demo/"))
    href = browser.value("document.querySelector('details[open] .files a').href")
    assert href.startswith(address(town, "/files/pypi/demo."))
    assert href.endswith("/demo-2.0-py3-none-any.whl")
