"""The start page: the state of the indexes, the cache and the clients, and the latest decisions."""

from collections.abc import Mapping, Sequence
from typing import Any

from indexfallback.chain.decisions import Decision
from indexfallback.condition import Condition
from indexfallback.mode import Cause
from indexfallback.server.browse.decisions import decisions_section
from indexfallback.server.browse.frame import framed
from indexfallback.server.browse.install import commands
from indexfallback.server.browse.markup import (
    NOTHING,
    Html,
    as_of,
    html,
    joined,
    moment,
    optional,
    sentence,
)
from indexfallback.words import counted, ms, size, span

#: The colour of each condition.
_COLOURS = {
    Condition.UP: "good",
    Condition.SLOW: "fair",
    Condition.DOWN: "bad",
    Condition.UNAUTHORIZED: "bad",
    Condition.FORBIDDEN: "bad",
    Condition.LIMITED: "fair",
    Condition.OFFLINE: "fair",
    Condition.UNKNOWN: "idle",
    Condition.LOCAL: "fair",
}

#: Seconds after which the script renews the page. It takes the shim some milliseconds.
_RENEWED_AFTER = 2

_BODY = """\
<h1>One package index in front of all of yours</h1>
<p class="lead">The indexes are asked in this order; the first that has a project owns it.</p>
<p class="note">State {as_of}</p>
<p class="notice" id="silent" hidden>The shim does not answer now: the page is not up to date.</p>
{offline}
<section><h2>Indexes</h2><ol class="indexes">{indexes}</ol></section>
<div class="pair">
<section><h2>Cache</h2>{cache}</section>
<section><h2>Clients</h2>{clients}</section>
</div>
{commands}
<p class="note">On this machine: <code class="command">indexfallback setup pip</code> for good, or
<code>indexfallback run --</code> before one command.</p>
{decisions}
"""

_INDEX = """\
<li id="index-{name}"><div class="line"><b>{name}</b> <small>{role}</small> \
<span class="state {colour}">{state}</span></div>
<div class="url">{url}</div>
<div class="note">{figures}</div>{trouble}</li>
"""


def start_page(
    address: str, report: Mapping[str, Any], decisions: Sequence[Decision], now: float
) -> Html:
    """Return the page.

    ``address`` is that of the simple API, ``report`` from `status.status`; ``decisions`` are the
    latest ones, the newest first, and ``now`` is seconds since the epoch.
    """
    body = html(
        _BODY,
        as_of=as_of(now),
        offline=_offline(report),
        commands=commands(address, "PROJECT"),
        indexes=joined(_index(index, now) for index in report["indexes"]),
        cache=_cache(report["cache"]),
        clients=_clients(report["activity"]["clients"], now),
        decisions=decisions_section(decisions, now),
    )
    return framed("indexfallback", body, "", renewed_after=_RENEWED_AFTER)


def _offline(report: Mapping[str, Any]) -> Html:
    if not report["offline"]:
        return NOTHING
    return html(
        '<p class="notice">Offline: {words}. Projects and files in the cache are served.</p>',
        words=Cause(report["offline_by"]).words,
    )


def _index(index: Mapping[str, Any], now: float) -> Html:
    state = Condition(index["state"])
    role = f"{index['role']} of {index['mirror_of']}" if index["mirror_of"] else index["role"]
    has_begun = state not in (Condition.UNKNOWN, Condition.OFFLINE)
    since = moment(now - index["since"], now) if has_begun else NOTHING
    return html(
        _INDEX,
        name=index["name"],
        role=role,
        state=html("{state}{since}", state=state.value, since=optional(" since {at}", at=since)),
        colour=_COLOURS[state],
        url=index["url"],
        figures=_figures(index, now),
        trouble=_trouble(index, state, now),
    )


def _trouble(index: Mapping[str, Any], state: Condition, now: float) -> Html:
    """Return why the index is not asked and what to do, or else its latest failure."""
    if not state.is_well and state is not Condition.OFFLINE:
        when = f"next try in {span(index['next_try'])}" if index["next_try"] else "being tried"
        why = "; ".join(filter(None, (index["last_error"], when)))
        return html(
            '<div class="trouble">{why}. {remedy}</div>',
            why=why,
            remedy=sentence(index["remedy"]),
        )
    if not index["failed"]:
        return NOTHING
    return html(
        '<div class="note">last failure {when}: {what}. {remedy}</div>',
        when=moment(index["failed"], now),
        what=index["last_error"],
        remedy=sentence(index["remedy"]),
    )


def _figures(index: Mapping[str, Any], now: float) -> Html:
    parts = [counted(index["requests"], "request")]
    if index["p50"] is not None:
        parts.append(f"half within {ms(index['p50'])}")
    if index["errors"]:
        parts.append(counted(index["errors"], "error"))
    if index["behind"]:
        parts.append(f"up to {span(index['behind_seconds'])} behind")
    answered = moment(index["answered"], now) if index["answered"] else NOTHING
    return html(
        "{parts}{answered}",
        parts=" · ".join(parts),
        answered=optional(" · last answer {at}", at=answered),
    )


def _clients(clients: Mapping[str, float], now: float) -> Html:
    """Return the clients of this shim, the latest one first; values are seconds since the epoch."""
    latest = sorted(clients.items(), key=lambda item: item[1], reverse=True)
    items = joined(
        html(
            "<li>{name} <small>last {when}</small></li>",
            name=name or "without a name",
            when=moment(when, now),
        )
        for name, when in latest
    )
    if not items:
        return html("<p>None yet. The commands below use this shim.</p>")
    return html('<ul class="plain">{items}</ul>', items=items)


def _cache(cache: Mapping[str, Any]) -> Html:
    if "error" in cache:
        return html('<p class="notice">{error}</p>', error=cache["error"])
    notice = html('<p class="notice">The cache ends with this process: see its log.</p>')
    return html(
        "<p>{bytes} of {limit}, {files}, {pages}.</p>{temporary}",
        bytes=size(cache["bytes"]),
        limit=size(cache["limit"]),
        files=counted(cache["files"], "file"),
        pages=counted(cache["pages"], "page"),
        temporary=notice if cache["temporary"] else NOTHING,
    )
