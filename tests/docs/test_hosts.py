"""The check that the built site loads nothing from another host; `mkdocs build` runs it."""

import runpy

from tests.docs.pages import ROOT

HOOK = runpy.run_path(str(ROOT / "docs" / "hosts.py"))
foreign_loads, foreign_in_style = HOOK["foreign_loads"], HOOK["foreign_in_style"]


def test_a_style_sheet_a_script_and_a_font_from_another_host_are_found() -> None:
    page = """
        <link rel="stylesheet" href="https://cdn.example.com/x.css">
        <link rel="preconnect" href="https://fonts.example.com">
        <script src="//cdn.example.com/x.js"></script>
        <style>@font-face { src: url('https://fonts.example.com/x.woff2') }</style>
    """
    assert len(foreign_loads(page)) == 4
    assert foreign_in_style("@import 'https://cdn.example.com/x.css';")


def test_an_image_from_another_host_is_found() -> None:
    page = '<img src="https://cdn.example.com/x.png" srcset="a.png 1x, https://x.example.com/b 2x">'
    assert len(foreign_loads(page)) == 2


def test_what_the_site_has_itself_and_links_to_other_hosts_are_no_loads_from_them() -> None:
    page = """
        <link rel="canonical" href="https://docs.example.com/"><link rel="icon" href="x.png">
        <a href="https://packages.example.com/">x</a><script src="../x.js"></script>
    """
    assert foreign_loads(page) == []
    assert foreign_in_style("a { background: url(data:image/svg+xml;x) }") == []
