"""The script of the pages in a real browser: what it renews, and what it leaves as it is."""

import pytest

from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.server.browse.browser import Browser
from tests.server.browse.conftest import PIP, Town
from tests.serving import Served, index_table, wait_until

#: The names in the list of decisions, the newest first.
NAMES = "[...document.querySelectorAll('.decisions tbody a')].map(a => a.textContent)"
TAB, ENTER = ("Tab", 9), ("Enter", 13)


def start(shim: Served) -> str:
    return f"http://127.0.0.1:{shim.port}/"


def ask(town: Town, browser: Browser, name: str) -> None:
    """Have a client ask for a project, and wait until the page shows it."""
    assert town.shim.get(f"/simple/{name}/", PIP).status == 404
    wait_until(lambda: browser.value(NAMES)[0] == name, 20, "the page was not renewed")


def test_the_start_page_renews_what_has_changed_and_nothing_else(
    town: Town, browser: Browser
) -> None:
    browser.open(start(town.shim))
    browser.value("""
        window.row = document.querySelector('.decisions tbody tr');
        window.index = document.querySelector('#index-pypi');
        window.button = document.querySelector('button.copy');
        document.querySelector('.decisions tbody a').focus();
    """)
    asof = "document.querySelector('main time').textContent"
    before = browser.value(asof)
    ask(town, browser, "no-such-thing-1")
    assert browser.value("document.body.contains(row) && document.body.contains(index)")
    assert browser.value("document.querySelectorAll('.decisions tbody tr')[1] === row")
    assert browser.value("document.activeElement === row.querySelector('a')")
    assert browser.value("document.querySelector('button.copy') === button")
    assert browser.value(asof) != before
    assert browser.complaints == []


def test_a_renewal_keeps_what_is_selected(town: Town, browser: Browser) -> None:
    browser.open(start(town.shim))
    browser.value("getSelection().selectAllChildren(document.querySelector('main time'))")
    selected = browser.value("getSelection().toString()")
    assert selected
    ask(town, browser, "no-such-thing-2")
    assert browser.value("getSelection().toString()") == selected


def test_a_row_that_is_over_stays_while_it_has_the_focus(town: Town, browser: Browser) -> None:
    browser.open(start(town.shim))
    browser.value("""
        window.over = document.querySelector('.decisions tbody').insertRow();
        over.id = 'over';
        over.insertCell().innerHTML = '<a href="?">over</a>';
        over.querySelector('a').focus();
    """)
    ask(town, browser, "no-such-thing-3")
    assert browser.value("document.activeElement === over.querySelector('a')")
    browser.value("document.activeElement.blur()")
    wait_until(lambda: not browser.value("over.isConnected"), 20, "it is not removed")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_renewal_moves_nothing_that_is_on_the_screen(
    town: Town, browser: Browser, width: int
) -> None:
    browser.open(start(town.shim), width=width)
    browser.value("""
        document.body.style.paddingBottom = '2000px';
        window.row = document.querySelectorAll('.decisions tbody tr')[3];
        scrollTo(0, row.getBoundingClientRect().top + scrollY - 40);
    """)
    top = "row.getBoundingClientRect().top"
    before = browser.value(top)
    ask(town, browser, f"no-such-thing-{width}")
    assert abs(browser.value(top) - before) <= 1


def test_a_shim_that_was_stopped_is_said_to_be_silent(served: Serve, browser: Browser) -> None:
    with FakeIndex([wheel("demo")]) as index:
        shim = served(index_table("pypi", index.url))
        browser.open(start(shim))
        hidden = "document.querySelector('#silent').hidden"
        assert browser.value(hidden)
        shim.stop()
        wait_until(lambda: not browser.value(hidden), 30, "it is not said")


def test_a_command_is_copied_by_keyboard(town: Town, browser: Browser) -> None:
    browser.open(f"{start(town.shim)}projects/demo/")
    browser.value("navigator.clipboard.writeText = async text => { window.copied = text }")
    for _ in range(20):
        browser.press(*TAB)
        if browser.value("document.activeElement.matches('button.copy')"):
            break
    assert browser.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.press(*ENTER)
    said = "document.querySelector('[role=status]').textContent"
    wait_until(lambda: browser.value(said) == "Copied", 20, "nothing was said")
    assert browser.value("copied") == f"pip install --index-url {town.shim.url} demo"


def test_every_control_is_reached_by_keyboard_in_its_order(town: Town, browser: Browser) -> None:
    browser.open(f"{start(town.shim)}projects/demo/")
    every = """
        [...document.querySelectorAll('a[href], button, input:enabled, summary')]
            .filter(e => e.checkVisibility()).map((e, n) => (e.dataset.place = n))"""
    places = browser.value(every)
    reached = []
    for _ in places:
        browser.press(*TAB)
        reached.append(int(browser.value("document.activeElement.dataset.place ?? -1")))
    assert reached == places
