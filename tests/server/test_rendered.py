"""Rendered pages: rendered once, and bounded in memory."""

from indexfallback.server.rendered import RenderedPages, as_rendered


def test_a_page_is_rendered_once() -> None:
    pages, rendered = RenderedPages(), []

    def render() -> bytes:
        rendered.append(1)
        return b"page"

    first, second = pages.get("key", render), pages.get("key", render)
    assert first is second
    assert len(rendered) == 1


def test_each_key_has_a_page_of_its_own() -> None:
    pages = RenderedPages()
    assert pages.get("a", lambda: b"A").body == b"A"
    assert pages.get("b", lambda: b"B").body == b"B"
    assert pages.get("a", lambda: b"C").body == b"A"


def test_the_same_body_has_the_same_etag_and_another_has_not() -> None:
    assert as_rendered(b"a").etag == as_rendered(b"a").etag
    assert as_rendered(b"a").etag != as_rendered(b"b").etag
    assert as_rendered(b"a").etag.startswith('"')
