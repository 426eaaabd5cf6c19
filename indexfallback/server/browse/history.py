"""The latest changes of a project in hosted indexes: who uploaded, yanked or removed what.

Addresses of clients are left out: readers of the page may be others than the administrator.
"""

from collections.abc import Sequence

from indexfallback.server.browse.markup import NOTHING, Html, html, joined, moment
from indexfallback.store.events import Event

_ROW = """\
<li><div class="line"><b>{action}</b> <small>{subject}</small></div>
<div class="note">{who}{index} · {when}{detail}</div></li>
"""


def history_section(events: Sequence[Event], now: float) -> Html:
    """Return the section, or nothing without events; ``now`` is seconds since the epoch."""
    if not events:
        return NOTHING
    return html(
        '<section id="changes"><h2>Changes</h2><ol class="indexes">{rows}</ol></section>',
        rows=joined(_row(event, now) for event in events),
    )


def _row(event: Event, now: float) -> Html:
    return html(
        _ROW,
        action=event.action,
        subject=event.subject,
        who=f"by {event.actor.name}",
        index=f" in {event.index_name}" if event.index_name else "",
        when=moment(event.at, now),
        detail=f" · {event.detail}" if event.detail else "",
    )
