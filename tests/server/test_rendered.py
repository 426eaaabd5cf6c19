"""Rendered pages: rendered once, and bounded in memory."""

import threading

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


def test_the_least_recently_sent_page_goes_first() -> None:
    pages = RenderedPages(limit=30)
    for key in "abc":
        pages.get(key, lambda: b"0123456789")
    pages.get("a", lambda: b"never rendered")
    pages.get("d", lambda: b"0123456789")
    assert pages.get("a", lambda: b"again").body == b"0123456789"
    assert pages.get("b", lambda: b"again").body == b"again"


def test_a_page_above_the_bound_is_sent_and_not_held() -> None:
    pages = RenderedPages(limit=3)
    assert pages.get("key", lambda: b"0123456789").body == b"0123456789"
    assert pages.get("key", lambda: b"again").body == b"again"


def test_pages_rendered_at_once_count_once() -> None:
    pages, start = RenderedPages(limit=100), threading.Barrier(8)

    def render() -> bytes:
        start.wait(60)
        return b"0123456789"

    threads = [threading.Thread(target=pages.get, args=("key", render)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pages._size == 10


def test_the_same_body_has_the_same_etag_and_another_has_not() -> None:
    assert as_rendered(b"a").etag == as_rendered(b"a").etag
    assert as_rendered(b"a").etag != as_rendered(b"b").etag
    assert as_rendered(b"a").etag.startswith('"')
