"""The metadata of a distribution, for people."""

from indexfallback.server.browse.about import about, about_section

BASE = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"


def said(*lines: str) -> str:
    return about_section(about((BASE + "\n".join(lines) + "\n\n").encode()))


def test_facts_are_shown_in_their_order() -> None:
    shown = said("Keywords: a,b", "License: MIT\n        and the whole text", "Author: Ada",
                 "Requires-Python: >=3.8")  # fmt: skip
    order = [shown.index(text) for text in ("&gt;=3.8", "MIT", "Ada", "a, b")]
    assert order == sorted(order)
    assert "the whole text" not in shown


def test_only_links_to_the_web_are_links() -> None:
    shown = said(
        "Home-page: https://example.com/", "Project-URL: Evil, javascript:alert(1)",
        "Project-URL: File, file:///etc/passwd", "Project-URL: Broken, https://[",
        'Project-URL: Docs, https://docs.example.com/?a=1&b="2"',
    )  # fmt: skip
    assert shown.count("<a ") == 2
    assert 'href="https://example.com/">Home page' in shown
    assert 'href="https://docs.example.com/?a=1&amp;b=&quot;2&quot;">Docs' in shown


def test_markup_in_a_field_is_text() -> None:
    shown = said("Author: <script>alert(1)</script>", "Requires-Dist: x; extra == '<b>'")
    assert "<script" not in shown
    assert "<b>" not in shown


def test_many_dependencies_are_counted() -> None:
    shown = said(*(f"Requires-Dist: name-{number}" for number in range(100)))
    assert "and 60 more" in shown


def test_a_description_is_found_in_its_field_and_in_the_body() -> None:
    in_body = about((BASE + "Description-Content-Type: text/markdown\n\n# Demo\n").encode())
    in_field = about((BASE + "Description: # Demo\n\n").encode())
    assert in_body.description.strip() == in_field.description.strip() == "# Demo"
    assert in_body.content_type == "text/markdown"


def test_what_cannot_be_read_is_left_out() -> None:
    for data in (b"", b"\x00\xff\xfe", b"no metadata", BASE.encode() + b"Summary: \xff\xfe\n\n\xff",
                 BASE.encode() + b"Name: twice\nSummary: once\n", b"\n" * 1000):  # fmt: skip
        assert about_section(about(data)) == ""
