"""What is around every page for people: head, style, navigation, and the headers sent with it."""

import base64
import hashlib
from importlib.resources import files

from indexfallback import __version__
from indexfallback.server.browse.markup import Html, html

_STYLE = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

#: No script, no other host, no frame around it; the one style sheet is named by its hash, since
#: descriptions are other people's markup.
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    # The names of private projects are not for the sites that a description links to.
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
    """Return a whole page; ``to_root`` leads from its address to ``/``."""
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
