"""The latest decisions, for people: which answer each client got, or why it got none."""

from collections.abc import Iterator, Sequence

from indexfallback.chain.decisions import Decision
from indexfallback.server.browse.markup import NOTHING, Html, html, joined, moment, sentence
from indexfallback.words import ms

#: Decisions that are shown; of older ones only the failures.
LATEST = 50
#: How an answer was found, for people, and its colour.
_HOWS = {
    "fresh": ("cached", "good"),
    "cached": ("cached", "good"),
    "mirrored": ("mirrored", "good"),
    "ahead": ("fetched ahead", "good"),
    "asked": ("asked", "good"),
    "fetched": ("fetched", "good"),
    "stale": ("stale", "fair"),
}
#: Status of a failure, for people.
_STATUSES = {404: "not found", 409: "refused", 503: "unavailable"}

#: The roles are stated, since a narrow screen shows the rows as blocks, which are no table.
_TABLE = """\
<table class="decisions" role="table" aria-labelledby="decisions"><thead role="rowgroup">\
<tr role="row">{heads}</tr></thead><tbody role="rowgroup">{rows}</tbody></table>"""
_ROW = """\
<tr role="row" id="d{number}"{failed}><td role="cell">{when}</td>\
<td role="cell">{what}{trouble}</td><td role="cell">{owner}</td>\
<td role="cell"><span class="state {colour}">{how}</span></td>\
<td role="cell">{client}</td><td role="cell">{took}</td></tr>"""
_HEADS = ("Time", "Project or file", "From", "How", "Client", "Took")


def decisions_section(decisions: Sequence[Decision], now: float) -> Html:
    """Return the section; the newest decision comes first, ``now`` is seconds since the epoch."""
    rows = joined(_row(decision, now) for decision in _shown(decisions))
    heads = joined(html('<th role="columnheader" scope="col">{text}</th>', text=t) for t in _HEADS)
    return html(
        '<section><h2 id="decisions">Latest decisions</h2>{table}</section>',
        table=html(_TABLE, heads=heads, rows=rows)
        if rows
        else html("<p>None yet. What clients ask for appears here.</p>"),
    )


def _shown(decisions: Sequence[Decision]) -> Iterator[Decision]:
    yield from decisions[:LATEST]
    yield from (decision for decision in decisions[LATEST:] if decision.is_failure)


def _row(decision: Decision, now: float) -> Html:
    if decision.is_failure:
        how, colour = _STATUSES.get(decision.status, "failed"), "bad"
        how = f"{how} ({decision.status})"
    else:
        how, colour = _HOWS[decision.how]
    return html(
        _ROW,
        number=decision.number,
        failed=Html(' class="failed"' if decision.is_failure else ""),
        when=moment(decision.when, now),
        what=_what(decision),
        trouble=trouble(decision) if decision.is_failure else NOTHING,
        owner=decision.owner,
        how=how,
        colour=colour,
        client=decision.client,
        took=ms(decision.seconds),
    )


def _what(decision: Decision) -> Html:
    name = decision.filename or decision.project
    if not decision.project:  # a file of no known project
        return html("{name}", name=name)
    return html('<a href="projects/{project}/">{name}</a>', project=decision.project, name=name)


def trouble(decision: Decision) -> Html:
    """Return why a client got nothing, and what to do."""
    return html(
        '<div class="trouble">{cause}. {remedy}</div>',
        cause=sentence(decision.cause),
        remedy=sentence(decision.remedy),
    )
