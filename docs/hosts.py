"""A hook of MkDocs: the built site loads nothing from another host.

Whoever reads the documentation offline sees all of it, and is reported to no one.
"""  # noqa: INP001 - a script, loaded by MkDocs

import logging
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

log = logging.getLogger("mkdocs.hooks.hosts")

#: Tags whose address a browser loads by itself, and the attributes with that address.
_LOADS = {
    "audio": ("src",), "embed": ("src",), "iframe": ("src",), "image": ("href", "xlink:href"),
    "img": ("src", "srcset"), "input": ("src",), "link": ("href",), "object": ("data",),
    "script": ("src",), "source": ("src", "srcset"), "track": ("src",), "use": ("href",),
    "video": ("src", "poster"),
}  # fmt: skip
#: What a `link` may say of the page without having anything loaded.
_SAYS = frozenset(("alternate", "author", "canonical", "license", "next", "prev"))
_FOREIGN = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
_IN_STYLE = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)


class _Loads(HTMLParser):
    """Collects what a page loads from another host."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one tag."""
        values = {name: value or "" for name, value in attrs}
        self.found += _IN_STYLE.findall(values.get("style", ""))
        if tag == "link" and _SAYS.issuperset(values.get("rel", "").split()):
            return
        for name in _LOADS.get(tag, ()):
            self.found += filter(_FOREIGN.match, values.get(name, "").split(","))

    def handle_data(self, data: str) -> None:
        """Look at the text of a style, which may load fonts and images."""
        if self.cdata_elem == "style":
            self.found += _IN_STYLE.findall(data)


def foreign_loads(html: str) -> list[str]:
    """Return the addresses at other hosts that a page loads scripts, styles and images from."""
    parser = _Loads()
    parser.feed(html)
    return parser.found


def foreign_in_style(css: str) -> list[str]:
    """Return the addresses at other hosts that a style sheet loads."""
    return _IN_STYLE.findall(css)


def on_post_build(config: Any) -> None:
    """Warn of each load from another host; with ``--strict`` the build fails."""
    for name, address in _all_loads(Path(config["site_dir"])):
        log.warning("%s loads %s: serve it with the site instead", name, address)


def _all_loads(site: Path) -> Iterator[tuple[Path, str]]:
    for ending, find in (("html", foreign_loads), ("css", foreign_in_style)):
        for path in sorted(site.rglob(f"*.{ending}")):
            for address in find(path.read_text(encoding="utf-8")):
                yield path.relative_to(site), address
