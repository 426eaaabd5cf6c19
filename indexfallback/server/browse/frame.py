"""The frame of every page for people: head, style, navigation, and response headers."""

import base64
import hashlib
from importlib.resources import files

from indexfallback import __version__
from indexfallback.server.browse.markup import Html, html

_STYLE = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

#: No scripts, no other hosts, no embedding in frames. The style sheet is allowed by its hash, so
#: that a description, which is untrusted markup, cannot bring its own.
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    # Sites that a description links to must not learn the names of private projects.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header class="top"><div class="bar">
<a class="home" href="{to_root}">indexfallback</a>
<nav><a href="{to_root}projects/"{here}>Projects</a></nav>
<form class="search" action="{to_root}projects/" method="get" role="search">
<input type="search" name="q" value="{query}" placeholder="Find a project" \
aria-label="Find a project" autocomplete="off" spellcheck="false" maxlength="255">
<button>Find</button>
</form>
</div></header>
<main>
{body}
</main>
<footer>indexfallback {version} · <a href="{to_root}-/status">state as JSON</a></footer>
</body>
</html>
"""


def framed(title: str, body: Html, to_root: str, *, query: str = "", listing: bool = False) -> Html:
    """Return a whole page; ``to_root`` is the relative link from it to ``/``."""
    return html(
        _PAGE,
        title=title,
        style=Html(_STYLE),
        to_root=to_root or "./",
        here=Html(' aria-current="page"' if listing else ""),
        query=query,
        body=body,
        version=__version__,
    )
