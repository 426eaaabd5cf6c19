"""The parts of a page: their order, and the navigation among them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from indexfallback.server.browse.markup import Html, html, joined

View = TypeVar("View")

_BODY = """\
{head}
{above}
{commands}
<nav class="parts" aria-label="Parts">{parts}</nav>
<div class="columns">
<div>{main}</div>
<aside>{beside}</aside>
</div>
"""


@dataclass(frozen=True)
class Section(Generic[View]):
    """A part of a page, made of the page's data."""

    #: Returns its markup, or nothing if there is nothing to show.
    make: Callable[[View], Html]
    #: Its name in the navigation, and the id of its element; empty for a part that is not listed.
    title: str = ""
    anchor: str = ""


@dataclass(frozen=True)
class Layout(Generic[View]):
    """The sections of a page, each in order."""

    #: Above the commands that install.
    above: Sequence[Section[View]]
    #: In the wide column below them, with the navigation.
    main: Sequence[Section[View]]
    #: In the narrow column beside it.
    beside: Sequence[Section[View]]


def laid_out(layout: Layout[View], view: View, head: Html, commands: Html) -> Html:
    """Return the body of a page: its head, the commands, and the sections of its data."""
    parts, main = _with_navigation(layout.main, view)
    return html(
        _BODY,
        head=head,
        above=_made(layout.above, view),
        commands=commands,
        parts=parts,
        main=main,
        beside=_made(layout.beside, view),
    )


def _made(sections: Sequence[Section[View]], view: View) -> Html:
    """Return the markup of sections, one after the other."""
    return joined(section.make(view) for section in sections)


def _with_navigation(sections: Sequence[Section[View]], view: View) -> tuple[Html, Html]:
    """Return the links to the sections that are not empty, and the markup of all."""
    parts = [(section, section.make(view)) for section in sections]
    links = joined(
        html('<a href="#{anchor}">{title}</a>', anchor=section.anchor, title=section.title)
        for section, markup in parts
        if markup and section.anchor
    )
    return links, joined(markup for _, markup in parts)
