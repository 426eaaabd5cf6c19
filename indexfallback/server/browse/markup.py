"""HTML templates that escape all text."""

import re
from collections.abc import Iterable
from datetime import datetime, timezone
from html import escape

from indexfallback.words import clock

#: A command in a sentence, as messages have it.
_COMMAND = re.compile(r"`([^`]*)`")


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


def sentence(text: str) -> Html:
    """Return a message as markup: the commands in it, between backticks, as code to copy."""
    texts = _COMMAND.split(text)  # text and commands in turn
    return joined(
        html('<code class="command">{text}</code>' if number % 2 else "{text}", text=text)
        for number, text in enumerate(texts)
    )


def moment(when: float, now: float) -> Html:
    """Return a time of day, or day and time; both are seconds since the epoch."""
    exact = datetime.fromtimestamp(int(when), timezone.utc).isoformat()
    return html('<time datetime="{exact}">{text}</time>', exact=exact, text=clock(when, now))


def as_of(now: float) -> Html:
    """Return when a page was made, with a link that renews it; without a script, too."""
    return html('as of {now} · <a href="">renew</a>', now=moment(now, now))


def _safe(value: object) -> str:
    return value if isinstance(value, Html) else escape(str(value))


#: The markup of an empty part.
NOTHING = Html()
