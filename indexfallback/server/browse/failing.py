"""Why an install of a project fails now, and what to do."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from indexfallback.chain.decisions import Decision
from indexfallback.chain.refusals import acceptance
from indexfallback.server.browse.cooldown import cooldown_reason
from indexfallback.server.browse.markup import NOTHING, Html, html, joined, moment, sentence
from indexfallback.words import left_out

_SECTION = """\
<section class="failing"><h2>{title}</h2>{reasons}</section>
"""


class Reason(NamedTuple):
    """One reason why an install fails: a clause of why, and a sentence of what to do."""

    cause: str
    remedy: str


def refused_section(report: Mapping[str, Any]) -> Html:
    """Return the section for a project that cannot be served, from a report of `why.refused`."""
    return _section([_reason(Reason(report["cause"], report["remedy"]))])


def failing_section(
    report: Mapping[str, Any], failures: Sequence[Decision], now: float, *, has_files: bool
) -> Html:
    """Return the section for a project that is served, or nothing if an install of it works.

    ``report`` is from `why.found`, ``failures`` are those of its files (`Decisions.failing`), and
    ``has_files`` tells whether any file is offered.
    """
    reasons = [_reason(_without_files(report))] if not has_files else []
    return _section([*reasons, *_of_files(failures, now)])


def _section(reasons: Sequence[Html]) -> Html:
    if not reasons:
        return NOTHING
    return html(_SECTION, title="Why an install of it fails now", reasons=joined(reasons))


def _reason(reason: Reason) -> Html:
    return html(
        "<p>{cause}. {remedy}</p>",
        cause=sentence(reason.cause[:1].upper() + reason.cause[1:]),
        remedy=sentence(reason.remedy),
    )


def _without_files(report: Mapping[str, Any]) -> Reason:
    """Return why no file of a page is offered."""
    owner = report["owner"]
    if report["withheld"]:
        changed = report["withheld"][0]["filename"]
        cause = "its files have changed since they were first seen, and are withheld"
        return Reason(cause, acceptance(report["project"], changed))
    if young := cooldown_reason(report):
        return Reason(*young)
    if report["dropped"]:
        cause = f"of the files that {owner} lists, {left_out(report['dropped'])}"
        return Reason(cause, f"Tell whoever runs {owner}.")
    return Reason(f"the page of {owner} lists no file", f"Ask whoever publishes it at {owner}.")


def _of_files(failures: Sequence[Decision], now: float) -> Iterator[Html]:
    for failure in failures:
        if failure.filename:  # that the page failed is over, since it is shown
            yield html(
                "<p><b>{filename}</b> was not served at {when}: {cause}. {remedy}</p>",
                filename=failure.filename,
                when=moment(failure.when, now),
                cause=sentence(failure.cause),
                remedy=sentence(failure.remedy),
            )
