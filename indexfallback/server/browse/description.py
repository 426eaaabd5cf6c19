"""A project's description as safe HTML: rendered if `readme-renderer` is there, else as it stands.

It is other people's markup, and cleaned twice: by the renderer, then of all that could look like
a part of our page or ask another host for something.

Locks: ``_rendering`` lets one description be rendered at a time, since docutils is made for one
thread and a long one costs seconds; who does not get it in time shows the text.
"""

import functools
import logging
import threading

from indexfallback.server.browse.markup import NOTHING, Html, html

log = logging.getLogger("indexfallback")

#: Characters that are rendered; the longest descriptions of known projects have 200,000.
RENDERED = 300_000
#: Characters that are shown at all.
SHOWN = 1_000_000
#: The descriptions that were rendered last stay, up to a few MB.
_KEPT = 32
#: A page waits this long for the descriptions of others to be rendered, seconds.
_PATIENCE = 3.0

_ATTRIBUTES = {
    "*": {"id"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start"},
    "input": {"type", "checked", "disabled"},
}
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
    if kind == "text/plain" or len(text) > RENDERED or not _rendering.acquire(timeout=_PATIENCE):
        return None
    try:
        return _render(text, markdown=kind == "text/markdown")
    except Exception:
        log.warning("a description could not be rendered and is shown as text", exc_info=True)
        return None
    finally:
        _rendering.release()


@functools.lru_cache(maxsize=_KEPT)
def _render(text: str, *, markdown: bool) -> Html | None:
    """Return cleaned HTML, or None without the renderer and for what it does not take."""
    try:
        import nh3  # noqa: PLC0415 - optional, and half a second to import
        from readme_renderer import clean, rst  # noqa: PLC0415 - as above
        from readme_renderer import markdown as md  # noqa: PLC0415 - as above
    except ImportError:
        return None
    made = md.render(text) if markdown else rst.render(text)
    if not made:
        return None
    return Html(
        nh3.clean(
            made,
            # No picture: each would ask another host who it is that looks.
            tags=clean.ALLOWED_TAGS - {"img", "picture"},
            attributes=_ATTRIBUTES,
            attribute_filter=_filtered,
            link_rel="nofollow noreferrer noopener",
            url_schemes={"http", "https", "mailto"},
        )
    )


def _filtered(_tag: str, attribute: str, value: str) -> str | None:
    """Drop links that lead nowhere from here: to files of a repository, to pages of ours."""
    if attribute != "href" or value.startswith(("#", "http://", "https://", "mailto:")):
        return value
    return None
