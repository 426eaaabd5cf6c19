"""A project's description as safe HTML: rendered if `readme-renderer` is there, else as it stands.

It is other people's markup, and cleaned twice: by the renderer, then of all that could look like
a part of our page or ask another host for something.

Locks: ``_rendering`` lets one description be rendered at a time; who does not get it in time shows
the text.
"""

import functools
import threading

from indexfallback.server.browse import renderer
from indexfallback.server.browse.markup import NOTHING, Html, html

#: Characters that are rendered; the longest descriptions of known projects have 200,000.
RENDERED = 300_000
#: Characters that are shown at all.
SHOWN = 1_000_000
#: The descriptions that were rendered last stay, up to a few MB.
_KEPT = 32
#: A page waits this long for the descriptions of others to be rendered, seconds.
_PATIENCE = 3.0

_rendering = threading.Lock()


def description_section(text: str, content_type: str) -> Html:
    """Return the part of the page with a description of that type (text/x-rst if empty)."""
    if not text.strip():
        return NOTHING
    return html(
        '<section id="description"><h2 class="unseen">Description</h2>'
        '<div class="description">{body}</div></section>',
        body=_rendered(text, content_type) or _plain(text),
    )


def _plain(text: str) -> Html:
    cut = html("<p>It is longer, and cut here.</p>") if len(text) > SHOWN else NOTHING
    return html('<pre class="plain">{text}</pre>{cut}', text=text[:SHOWN], cut=cut)


def _rendered(text: str, content_type: str) -> Html | None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/plain" or len(text) > RENDERED or not renderer.is_there():
        return None
    if not _rendering.acquire(timeout=_PATIENCE):
        return None
    try:
        return _render(text, markdown=kind == "text/markdown")
    finally:
        _rendering.release()


@functools.lru_cache(maxsize=_KEPT)
def _render(text: str, *, markdown: bool) -> Html | None:
    """Return what was rendered; also that it could not be, so that nobody waits for it again."""
    made = renderer.rendered(text, markdown=markdown)
    return Html(made) if made else None
