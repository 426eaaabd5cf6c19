"""The pages of the documentation, and the blocks of code on them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Path below the root to its text. The changelog and the generated table show no commands.
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))
    if path.name not in ("CHANGELOG.md", "faults.md")
}
_BLOCK = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text: str, language: str) -> list[str]:
    """Return the blocks of code in a language; an empty one is a block that names none."""
    return [block for kind, block in _BLOCK.findall(text) if kind == language]


def without_blocks(text: str) -> str:
    """Return a page's prose and tables."""
    return _BLOCK.sub("", text)


def lines(block: str) -> list[str]:
    """Return the lines of a shell, continued ones joined."""
    return block.replace("\\\n", " ").splitlines()


def marked(page: str, marker: str) -> str:
    """Return the block behind ``<!-- marker -->``, or an empty text."""
    found = re.search(rf"<!-- {marker} -->\n```[a-z]+\n(.*?)```", PAGES[page], re.DOTALL)
    return found[1] if found is not None else ""
