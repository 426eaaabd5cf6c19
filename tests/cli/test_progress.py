"""Progress on a real terminal: it is drawn in one line, and leaves nothing behind."""

import os
import re
from pathlib import Path

import pytest

from indexfallback.store import Store
from tests.carry.support import LIMIT, fill
from tests.cli.support import CommandLine
from tests.cli.test_carry_commands import tables

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals")

_UP, _ERASE, _SHOW, _HIDE = "\x1b[1A", "\x1b[2K", "\x1b[?25h", "\x1b[?25l"


class Screen:
    """What somebody sees of what was written to a terminal."""

    def __init__(self, out: str) -> None:
        self.lines = [""]
        #: The most lines that were ever seen at once.
        self.tallest = 1
        self.row = self.column = 0
        for part in re.findall(r"\x1b\[[?\d;]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", out):
            self._take(part)
        #: Whether the cursor can be seen.
        self.has_cursor = out.rfind(_SHOW) >= out.rfind(_HIDE)

    def _take(self, part: str) -> None:
        line = self.lines[self.row]
        if part == "\r":
            self.column = 0
        elif part == "\n":
            self.row += 1
            self.lines += [""] * (self.row == len(self.lines))
        elif part == _UP:
            self.row -= 1
        elif part == _ERASE:
            self.lines[self.row] = ""
        elif not part.startswith("\x1b"):
            after = self.column + len(part)
            self.lines[self.row] = line[: self.column].ljust(self.column) + part + line[after:]
            self.column = after
        self.tallest = max(self.tallest, sum(bool(line.strip()) for line in self.lines))


def ends_cleanly(screen: Screen) -> bool:
    """Tell whether a prompt would stand on a line of its own, with a cursor."""
    return screen.has_cursor and screen.column == 0 and not screen.lines[screen.row]


@pytest.fixture
def archive(cli: CommandLine, tmp_path: Path) -> Path:
    """Return an archive of another cache than that of ``cli``."""
    cli.configure(*tables())
    store = Store(cli.cache, LIMIT)
    fill(store)
    store.close()
    path = tmp_path / "packages.tar"
    cli("cache", "export", str(path)).expect()
    cli.environ["INDEXFALLBACK_CACHE_DIR"] = str(tmp_path / "other")
    return path


def test_an_import_shows_how_far_it_is_and_then_only_what_it_did(
    cli: CommandLine, archive: Path
) -> None:
    out = cli.on_terminal("cache", "import", str(archive)).expect().out
    assert re.search(r"Importing .*100%", out)
    screen = Screen(out)
    assert ends_cleanly(screen)
    words = " ".join(" ".join(screen.lines).split())
    assert words.startswith(f"{archive} had 2 projects: 2 files imported (1.8 KB)")
    assert words.endswith("0 not newer than the cached ones")


def test_an_import_that_fails_says_why_on_lines_of_its_own(cli: CommandLine, archive: Path) -> None:
    os.truncate(archive, archive.stat().st_size - 2048)
    screen = Screen(cli.on_terminal("cache", "import", str(archive)).expect(1).out)
    assert ends_cleanly(screen)
    words = " ".join(" ".join(screen.lines).split())
    assert words.startswith(f"indexfallback: {archive}: it ")


def test_a_fetch_draws_one_line_and_then_only_says_what_it_fetched(
    cli: CommandLine, chain: str
) -> None:
    out = cli.on_terminal("fetch", "idna", COLUMNS="80").expect().out
    bars, _, _ = out.rpartition(_SHOW)
    assert "Resolving 1 requirement" in bars
    assert "Fetching 1/1" in bars
    assert Screen(bars).tallest == 1
    screen = Screen(out)
    assert ends_cleanly(screen)
    assert [line.split()[0] for line in screen.lines if line] == ["index", "pypi"]


def test_a_fetch_that_fails_leaves_no_bar(cli: CommandLine, chain: str) -> None:
    screen = Screen(cli.on_terminal("fetch", "nowhere", COLUMNS="80").expect(1).out)
    assert ends_cleanly(screen)
    assert screen.lines[0].startswith(
        "indexfallback: missing: nowhere (the command line): no index"
    )
