"""The pages by the rules of axe-core: WCAG 2.2 A and AA, and what is good practice.

Descriptions are left out: their markup is that of the projects.
"""

import json
import shutil
import subprocess
import tarfile

import pytest

from tests.server.browse.browser import Browser
from tests.server.browse.conftest import Town
from tests.server.browse.test_browser import PAGES, SCREENS, WIDTHS, address

AXE = "axe-core@4.14.1"
_RUN = """
axe.run({exclude: '.description'}, {resultTypes: ['violations']}).then(
    found => found.violations.map(rule => [
        rule.id, rule.help, ...rule.nodes.map(node => node.html.slice(0, 200))]))
"""


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the script of axe-core, which npm fetches."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm")
    folder = tmp_path_factory.mktemp("axe")
    packed = subprocess.run(
        [npm, "pack", "--json", "--pack-destination", str(folder), AXE],
        capture_output=True, check=True, timeout=120, cwd=folder,
    )  # fmt: skip
    with tarfile.open(folder / json.loads(packed.stdout)[0]["filename"]) as archive:
        script = archive.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode()


@pytest.mark.parametrize("screen", [SCREENS[0], SCREENS[-1]], ids=" ".join)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_breaks_no_rule(
    town: Town, browser: Browser, axe: str, name: str, screen: tuple[str, str]
) -> None:
    browser.open(address(town, PAGES[name]), width=WIDTHS[screen[0]], scheme=screen[1])
    browser.value(axe)
    assert browser.awaited(_RUN) == []
