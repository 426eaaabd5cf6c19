"""A project's description as safe HTML: rendered if `readme-renderer` is installed, else as text.

The markup is untrusted and is cleaned twice: by the renderer, then of all that could look like a
part of our page or load something from another host.

Locks: ``_rendering`` lets one thread render at a time; another one that does not get it in time
shows the text.
"""

import functools
import threading

from indexfallback.server.browse import renderer
from indexfallback.server.browse.markup import NOTHING, Html, html

#: Longest description that is rendered, characters; the longest known ones have 200,000.
RENDERED = 300_000
#: Characters that are shown of a text.
SHOWN = 1_000_000
#: Rendered descriptions that stay in memory: a few MB.
_KEPT = 32
#: Longest wait for other descriptions to be rendered, seconds.
_PATIENCE = 3.0

_rendering = threading.Lock()


def description_section(text: str, content_type: str) -> Html:
    """Return the section with a description of that content type (text/x-rst if empty)."""
    if not text.strip():
        return NOTHING
    return html(
        '<section id="description"><h2 class="unseen">Description</h2>'
        '<div class="description">{body}</div></section>',
        body=_rendered(text, content_type) or _plain(text),
    )


def _plain(text: str) -> Html:
    cut = html("<p>The rest is not shown.</p>") if len(text) > SHOWN else NOTHING
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
    """Return the rendered description; None is cached too, so that it is tried only once."""
    made = renderer.rendered(text, markdown=markdown)
    return Html(made) if made else None
