"""The parts of a page: their order, and the navigation among them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from indexfallback.server.browse.markup import Html, html, joined

View = TypeVar("View")


@dataclass(frozen=True)
class Section(Generic[View]):
    """A part of a page, made of the page's data."""

    #: Returns its markup, or nothing if there is nothing to show.
    make: Callable[[View], Html]
    #: Its name in the navigation, and the id of its element; empty for a part that is not listed.
    title: str = ""
    anchor: str = ""


def made(sections: Sequence[Section[View]], view: View) -> Html:
    """Return the markup of sections, one after the other."""
    return joined(section.make(view) for section in sections)


def made_with_navigation(sections: Sequence[Section[View]], view: View) -> tuple[Html, Html]:
    """Return the links to the sections that are not empty, and the markup of all."""
    parts = [(section, section.make(view)) for section in sections]
    links = joined(
        html('<a href="#{anchor}">{title}</a>', anchor=section.anchor, title=section.title)
        for section, markup in parts
        if markup and section.anchor
    )
    return links, joined(markup for _, markup in parts)
