"""The frame of every page for people: head, style, script, navigation, and response headers.

The pages work without the script, which adds buttons that copy commands, and renews the start page.
"""

import base64
import hashlib
from importlib.resources import files

from indexfallback import __version__
from indexfallback.server.browse.markup import Html, html

_STYLE = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

#: The addresses of the script and the icon, below the root. Clients can reach them, and all else
#: that this server sends is of no type that a browser runs.
SCRIPT, ICON = "-/pages.js", "-/icon.svg"

#: No inline script, no other hosts, no embedding in frames. The style sheet is allowed by its hash,
#: so that a description, which is untrusted markup, cannot bring its own.
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; script-src 'self'; "
        "connect-src 'self'; img-src 'self'; form-action 'self'; "
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
<link rel="icon" type="image/svg+xml" href="{to_root}{icon}">
<style>{style}</style>
<script src="{to_root}{script}" defer></script>
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
<main{renews}>
{body}
</main>
<p class="unseen" role="status"></p>
<footer>indexfallback {version} · <a href="{to_root}-/status">state as JSON</a></footer>
</body>
</html>
"""


def framed(
    title: str,
    body: Html,
    to_root: str,
    *,
    query: str = "",
    listing: bool = False,
    renewed_after: int = 0,
) -> Html:
    """Return a whole page; ``to_root`` is the relative link from it to ``/``.

    ``renewed_after`` is the number of seconds after which the script renews it; 0 for never.
    """
    return html(
        _PAGE,
        title=title,
        style=Html(_STYLE),
        script=SCRIPT,
        icon=ICON,
        renews=Html(f' data-renew="{renewed_after}"' if renewed_after else ""),
        to_root=to_root or "./",
        here=Html(' aria-current="page"' if listing else ""),
        query=query,
        body=body,
        version=__version__,
    )
