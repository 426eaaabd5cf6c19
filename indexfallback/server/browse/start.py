"""The start page: what this server is, how to use it, and the state of the indexes."""

from collections.abc import Mapping
from typing import Any

from indexfallback.condition import Condition
from indexfallback.mode import Cause
from indexfallback.server.browse.frame import framed
from indexfallback.server.browse.install import commands
from indexfallback.server.browse.markup import NOTHING, Html, html, joined, optional
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

_BODY = """\
<h1>One package index in front of all of yours</h1>
<p class="lead">The indexes below are asked in this order; the first that has a project owns it.
Pages and files are cached here, for when an index is slow, down or unreachable.</p>
{offline}
<h2>Use it</h2>
{commands}
<p class="note">On this machine: <code>indexfallback setup pip</code> for good, or
<code>indexfallback run --</code> before one command.</p>
<h2>Indexes</h2>
<ol class="indexes">{indexes}</ol>
<h2>Cache</h2>
{cache}
"""

_INDEX = """\
<li><div class="line"><b>{name}</b> <small>{role}</small> \
<span class="state {colour}">{state}</span></div>
<div class="url">{url}</div>
<div class="note">{figures}</div>{trouble}</li>
"""


def start_page(address: str, report: Mapping[str, Any]) -> Html:
    """Return the page; ``address`` is that of the simple API, ``report`` from `why.status`."""
    body = html(
        _BODY,
        offline=_offline(report),
        commands=commands(address, "PROJECT"),
        indexes=joined(_index(index) for index in report["indexes"]),
        cache=_cache(report["cache"]),
    )
    return framed("indexfallback", body, "")


def _offline(report: Mapping[str, Any]) -> Html:
    if not report["offline"]:
        return NOTHING
    return html(
        '<p class="notice">Offline: {words}. Projects and files in the cache are served.</p>',
        words=Cause(report["offline_by"]).words,
    )


def _index(index: Mapping[str, Any]) -> Html:
    state = Condition(index["state"])
    role = f"{index['role']} of {index['mirror_of']}" if index["mirror_of"] else index["role"]
    is_in_trouble = not state.is_well and state is not Condition.OFFLINE
    trouble = f"{index['held']}. {index['remedy']}".strip(" .") if is_in_trouble else ""
    return html(
        _INDEX,
        name=index["name"],
        role=role,
        state=state.value,
        colour=_COLOURS[state],
        url=index["url"],
        figures=_figures(index),
        trouble=optional('<div class="trouble">{why}</div>', why=trouble),
    )


def _figures(index: Mapping[str, Any]) -> str:
    parts = [counted(index["requests"], "request")]
    if index["p50"] is not None:
        parts.append(f"half within {ms(index['p50'])}")
    if index["errors"]:
        parts.append(counted(index["errors"], "error"))
    if index["behind"]:
        parts.append(f"up to {span(index['behind_seconds'])} behind")
    return " · ".join(parts)


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
