"""HTML that is put together so that text cannot become markup."""

from collections.abc import Iterable
from html import escape


class Html(str):
    """Markup, as opposed to text that is still to be escaped."""

    __slots__ = ()


def html(template: str, /, **values: object) -> Html:
    """Return a template of ours with ``{name}`` filled in: text escaped, markup as it is."""
    return Html(template.format_map({name: _safe(value) for name, value in values.items()}))


def joined(parts: Iterable[Html], between: str = "") -> Html:
    """Return parts one after the other."""
    return Html(between.join(parts))


def _safe(value: object) -> str:
    return value if isinstance(value, Html) else escape(str(value))


#: What stands where there is nothing to show.
NOTHING = Html()
