"""The pages in a real browser: light and dark, at a desk and on a phone, and pictures of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.browse.browser import CHROMIUM, Browser, browsing
from tests.server.browse.conftest import Town
from tests.serving import wait_until

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")

PAGES = {
    "start": "/",
    "list": "/projects/",
    "search": "/projects/?q=interface",
    "project": "/projects/demo/",
    "private": "/projects/acme-core/",
    "missing": "/projects/no-such-thing/",
}
DESK, PHONE = 1100, 360
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
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("chromium")) as made:
        yield made


def address(town: Town, path: str) -> str:
    return f"http://127.0.0.1:{town.shim.port}{path}"


@pytest.mark.parametrize("width", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_and_nothing_is_refused_or_fetched_elsewhere(
    town: Town, browser: Browser, tmp_path: Path, name: str, width: int
) -> None:
    url = address(town, PAGES[name])
    browser.open(url, width=width)
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.requests[0] == url
    assert set(browser.requests[1:]) <= {address(town, "/favicon.ico")}
    # The status of the page itself, and that there is no icon, are said, too.
    assert [said for said in browser.complaints if "404" not in said] == []
    assert len(browser.screenshot(tmp_path / f"{name}.png")) > 5_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_text_stands_out_from_its_ground(
    town: Town, browser: Browser, tmp_path: Path, name: str, scheme: str
) -> None:
    browser.open(address(town, PAGES[name]), scheme=scheme)
    ground = browser.value("getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is (scheme == "light")
    ratio, element = browser.value(_CONTRAST)
    assert ratio >= CONTRAST, element
    browser.screenshot(tmp_path / f"{name}-{scheme}.png")


def test_the_search_needs_no_script(town: Town, browser: Browser) -> None:
    browser.open(address(town, "/projects/demo/"))
    assert browser.value("document.scripts.length") == 0
    browser.value("document.querySelector('input[type=search]').value = 'zope'")
    browser.call("Runtime.evaluate", expression="document.forms[0].requestSubmit()")
    wanted = address(town, "/projects/?q=zope")
    wait_until(lambda: browser.value("location.href") == wanted, 20, "nothing was searched")
    found = "document.querySelector('.names a')?.textContent"  # the page may be loading still
    wait_until(lambda: browser.value(found) == "zope-interface", 20, "nothing was found")


def test_a_command_is_selected_as_a_whole(town: Town, browser: Browser) -> None:
    browser.open(address(town, "/projects/demo/"))
    style = "getComputedStyle(document.querySelector('.commands code')).userSelect"
    assert browser.value(style) == "all"


def test_a_files_address_is_what_pip_would_fetch(town: Town, browser: Browser) -> None:
    browser.open(address(town, "/projects/demo/"))
    href = browser.value("document.querySelector('details[open] .files a').href")
    assert href.startswith(address(town, "/files/pypi/demo."))
    assert href.endswith("/demo-2.0-py3-none-any.whl")
