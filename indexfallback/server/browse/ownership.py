"""The owner of a project, and what each index answered for it."""

from collections.abc import Mapping
from typing import Any

from indexfallback.chain.explain import hidden_lines, owner_reason
from indexfallback.mode import Cause
from indexfallback.server.browse.markup import NOTHING, Html, html, joined
from indexfallback.words import counted, span

_ROW = """\
<li><div class="line"><b>{name}</b> <small>{role}</small> \
<span class="state {colour}">{what}</span></div>
<div class="note">{detail}</div></li>
"""
#: Answer of an index to its colour.
_COLOURS = {"found": "good", "unavailable": "bad"}


def ownership_section(report: Mapping[str, Any]) -> Html:
    """Return the section for a report of `why.why`."""
    return html(
        '<section id="indexes"><h2>{title}</h2>{owner}<ol class="indexes">{rows}</ol></section>',
        title="Where it comes from" if "owner" in report else "What each index said",
        owner=_owner(report),
        rows=joined(
            _row(entry, by_rule=report["belongs_to"] is not None) for entry in report["indexes"]
        ),
    )


def _owner(report: Mapping[str, Any]) -> Html:
    belongs = report["belongs_to"]
    private = (
        html(
            " It belongs to <b>{index}</b> ({how}): no other index can serve it.",
            index=belongs["index"],
            how=owner_reason(belongs),
        )
        if belongs
        else NOTHING
    )
    if "owner" not in report:
        return html("<p>{private}</p>", private=private) if private else NOTHING
    return html(
        "<p>Served by <b>{owner}</b>, {age}.{private}</p>{hidden}",
        owner=report["owner"],
        age=_age(report),
        private=private,
        hidden=joined(
            html('<p class="notice">{line}.</p>', line=line) for line in hidden_lines(report)
        ),
    )


def _age(report: Mapping[str, Any]) -> str:
    age = span(report["age"])
    if report["offline"]:
        return f"from the cache, {age} old, since {Cause(report['offline_by']).words}"
    if report["how"] == "stale":
        return f"from the cache, {age} old, since the index could not be asked"
    return "asked just now" if report["how"] == "asked" else f"asked {age} ago"


def _row(entry: Mapping[str, Any], *, by_rule: bool) -> Html:
    # Skipped for its state, not because the name belongs to another index.
    is_held = entry["what"] == "skipped" and not by_rule
    known = []
    if entry["files"] is not None:
        known.append(counted(entry["files"], "file") + " known")
    if entry["newest_known"] is not None:
        known.append(f"newest {entry['newest_known']}")
    return html(
        _ROW,
        name=entry["name"],
        role=entry["role"],
        what=entry["what"],
        colour="fair" if is_held else _COLOURS.get(entry["what"], "idle"),
        detail=" · ".join(part for part in (entry["detail"], *known) if part),
    )
