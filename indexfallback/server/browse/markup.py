"""HTML templates that escape all text."""

from collections.abc import Iterable
from html import escape


class Html(str):
    """Safe markup; a plain string is text, and is escaped."""

    __slots__ = ()


def html(template: str, /, **values: object) -> Html:
    """Return a trusted template with each ``{name}`` filled in; text is escaped, `Html` is not."""
    return Html(template.format_map({name: _safe(value) for name, value in values.items()}))


def optional(template: str, /, **values: object) -> Html:
    """Return a template filled in, or nothing if a value is empty."""
    return html(template, **values) if all(values.values()) else NOTHING


def joined(parts: Iterable[Html], between: str = "") -> Html:
    """Return the parts, concatenated."""
    return Html(between.join(parts))


def _safe(value: object) -> str:
    return value if isinstance(value, Html) else escape(str(value))


#: The markup of an empty part.
NOTHING = Html()
