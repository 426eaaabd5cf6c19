"""Descriptions are untrusted markup: how they are cleaned."""

import re
import sys
import time

import pytest

from indexfallback.server.browse import description, renderer
from indexfallback.server.browse.description import RENDERED, SHOWN, description_section

MARKDOWN, RST, PLAIN = "text/markdown; charset=UTF-8; variant=GFM", "text/x-rst", "text/plain"


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (MARKDOWN, "A **bold** word", "<strong>bold</strong>"),
        (MARKDOWN, "| a | b |\n|---|---|\n| 1 | 2 |", "<td>1</td>"),
        (RST, "A **bold** word", "<strong>bold</strong>"),
        ("", "A **bold** word", "<strong>bold</strong>"),
        (PLAIN, "A **bold** word", '<pre class="plain">A **bold** word</pre>'),
    ],
)
def test_it_is_rendered_as_its_type_says(kind: str, text: str, expected: str) -> None:
    assert expected in description_section(text, kind)


HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example.com/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example.com/pixel.png)",
    "<picture><source srcset=https://evil.example.com/p.png><img src=x></picture>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&#58;alert(1))",
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="&#106;avascript:alert(1)" onclick=alert(1)>x</a>',
    "<iframe src=https://evil.example.com></iframe>",
    "<object data=https://evil.example.com></object><embed src=https://evil.example.com>",
    "<form action=https://evil.example.com><input name=password type=password></form>",
    "<style>body { display: none }</style>",
    '<p style="position:fixed;inset:0">all over the page</p>',
    '<div class="notice">It belongs to private.</div>',
    '<base href="https://evil.example.com/"><meta http-equiv=refresh content="0;url=//evil">',
    "<svg onload=alert(1)><a xlink:href=javascript:alert(1)>x</a></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "</div></section></main><h1>Owned</h1>",
    '<img alt="x><script>alert(1)</script>">',
]
_TAG = re.compile(r"<[a-zA-Z/!][^>]*>")


BAD = (
    "<script", "<img", "<iframe", "<object", "<embed", "<form", "<style", "<base", "<meta", "<svg",
    "<math", "<source", "<link", " on", "style=", 'class="notice', "javascript:", "data:", "src=",
    "srcset", "password", "</section", "</main",
)  # fmt: skip


@pytest.mark.parametrize("kind", [MARKDOWN, RST, PLAIN, "no/such; x"])
def test_no_script_no_other_host_and_no_style_of_ours_is_left(kind: str) -> None:
    # One after the other: each takes a process.
    for text in [*HOSTILE, "\n\n".join(HOSTILE)] if kind == MARKDOWN else ["\n\n".join(HOSTILE)]:
        found = _body(description_section(f"{text}\n\nafter", kind))
        tags = " ".join(_TAG.findall(found)).lower()
        assert [bad for bad in BAD if bad in tags] == [], (text, found)


def _body(section: str) -> str:
    inside = re.fullmatch(
        r'<section id="description"><h2 class="unseen">Description</h2>'
        r'<div class="description">(.*)</div></section>',
        section, re.DOTALL,
    )  # fmt: skip
    assert inside is not None
    assert inside[1].count("<div") == inside[1].count("</div")
    return inside[1]


def test_a_link_tells_the_other_side_nothing_and_is_no_recommendation() -> None:
    found = description_section("[x](https://docs.example.com/)", MARKDOWN)
    assert '<a href="https://docs.example.com/" rel="nofollow noreferrer noopener">x</a>' in found


def test_a_link_into_the_repository_leads_nowhere_from_here() -> None:
    found = description_section("[x](docs/x.md) [y](/simple/) [z](//evil.example.com)", MARKDOWN)
    assert "href" not in found


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (RST, "Title\n=\n\n:unknown:`x` |missing| `broken <"),
        (RST, ".. include:: /etc/passwd"),
        (RST, ".. raw:: html\n\n   <b>raw</b>"),
        (MARKDOWN, "\x00\ufffe ``` [ ]( <"),
        (RST, "\x00\x1b[31m"),
    ],
)
def test_broken_markup_is_shown_as_text(kind: str, text: str) -> None:
    found = description_section(text, kind)
    assert "root:" not in found
    assert "<b>" not in found
    assert len(_body(found)) > 10


@pytest.mark.parametrize(
    ("kind", "text"),
    [(MARKDOWN, "> " * 100_000), (RST, "- *a*\n\n" * 40_000), (RST, "x" * 5_000_000)],
    ids=["quotes", "items", "huge"],
)
def test_markup_that_would_take_minutes_is_shown_as_text(
    text: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renderer, "SECONDS", 1.5)
    began = time.monotonic()
    for _ in range(3):  # and is not tried again
        assert '<pre class="plain">' in description_section(text, kind)
    assert time.monotonic() - began < 60


def test_a_long_description_is_shown_as_text_and_a_longer_one_is_cut() -> None:
    long = description_section("**b** " * (RENDERED // 6 + 1), MARKDOWN)
    assert "<strong>" not in long
    assert "The rest is not shown" not in long
    assert "The rest is not shown" in description_section("x" * (SHOWN + 1), PLAIN)


def test_an_empty_one_is_no_part_of_the_page() -> None:
    assert not description_section(" \n", MARKDOWN)


def test_without_the_renderer_it_is_escaped_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "readme_renderer", None)
    description._render.cache_clear()
    found = description_section("**b** <script>alert(1)</script>", MARKDOWN)
    assert '<pre class="plain">**b** &lt;script&gt;' in found


def test_while_another_is_rendered_for_long_it_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(description, "_PATIENCE", 0.01)
    with description._rendering:
        assert '<pre class="plain">**b**' in description_section("**b**", MARKDOWN)
