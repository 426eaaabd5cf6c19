"""Rendering of one description, in a process of its own that can be killed.

Some markup takes the renderer minutes, in which it blocks all other threads of its process.
"""

import subprocess
import sys
from importlib.util import find_spec
from os import pathsep

#: Time limit, seconds: the longest known descriptions take two, imports included.
SECONDS = 6.0
#: Most bytes of HTML: only malicious markup expands to more.
_MOST = 5_000_000
#: The process gets the import path of this one.
_MAIN = """\
import os, sys
sys.path[:] = sys.argv.pop(1).split(os.pathsep)
from indexfallback.server.browse.renderer import main
main()
"""

_ATTRIBUTES = {
    "*": {"id"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start"},
    "input": {"checked", "disabled"},
}


def is_there() -> bool:
    """Tell whether the library is installed: it comes with the extra ``browse``."""
    return find_spec("readme_renderer") is not None


def rendered(text: str, *, markdown: bool) -> str | None:
    """Return clean HTML; None if the text cannot be rendered within the limits."""
    command = [sys.executable, "-c", _MAIN, pathsep.join(filter(None, sys.path))]
    try:
        done = subprocess.run(  # noqa: S603 - ourselves
            [*command, "markdown" if markdown else "rst"],
            input=text.encode("utf-8", "replace"),
            capture_output=True,
            check=True,
            timeout=SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace") if len(done.stdout) <= _MOST else None


def main() -> None:
    """Render standard input to standard output, as the first argument says."""
    import nh3  # noqa: PLC0415 - only in the process of its own
    from readme_renderer import clean, markdown, rst  # noqa: PLC0415 - as above

    text = sys.stdin.buffer.read().decode("utf-8")
    made = markdown.render(text) if sys.argv[1] == "markdown" else rst.render(text)
    cleaned = nh3.clean(
        made or "",
        # No images: each would tell another host that somebody looks at the page.
        tags=clean.ALLOWED_TAGS - {"img", "picture"},
        attributes=_ATTRIBUTES,
        attribute_filter=_filtered,
        tag_attribute_values={"input": {"type": {"checkbox"}}},
        link_rel="nofollow noreferrer noopener",
        url_schemes={"http", "https", "mailto"},
    )
    sys.stdout.buffer.write(cleaned.encode("utf-8"))


def _filtered(_tag: str, attribute: str, value: str) -> str | None:
    """Drop relative links: they are meant for a repository's files, and would lead to our pages."""
    if attribute != "href" or value.startswith(("#", "http://", "https://", "mailto:")):
        return value
    return None
