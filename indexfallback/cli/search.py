"""``search``: finds known projects by name, and by what their metadata says."""

import sys
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

import click

from indexfallback.cli.logs import silence_chain
from indexfallback.cli.options import Options, examples, json_option, takes_options
from indexfallback.cli.output import note, print_json, print_table, tell
from indexfallback.cli.running import ask_same
from indexfallback.config import Settings
from indexfallback.search.query import MOST_RESULTS, USUAL_RESULTS, Query, query_of
from indexfallback.words import counted

#: Longest wait for a running shim, seconds.
_SECONDS = 10.0
#: Longest wait of this process for metadata that is not read yet, seconds: nobody else waits.
_PATIENCE = 5.0


@click.command(
    epilog=examples(
        "indexfallback search http client",
        'indexfallback search --classifier "Framework :: Django" admin',
    )
)
@click.argument("text", nargs=-1)
@click.option(
    "--classifier", metavar="BEGINNING", default="", help="Only projects with such a classifier."
)
@click.option(
    "--limit",
    type=click.IntRange(1, MOST_RESULTS),
    default=USUAL_RESULTS,
    show_default=True,
    help="The most projects to list.",
)
@json_option
@takes_options
def search(
    options: Options, text: tuple[str, ...], classifier: str, limit: int, as_json: bool
) -> None:
    """Find known projects with TEXT in name, summary, keywords or classifiers.

    The last word may be the beginning of one. Asks no index: projects are found that were served
    before, that a private index lists, or that a directory has.
    """
    query = query_of(" ".join(text), classifier)
    if not query.text and not query.classifier:
        raise click.UsageError("TEXT or --classifier is needed")
    settings = options.settings()
    asked = urlencode({"q": query.text, "classifier": query.classifier, "limit": limit})
    found = ask_same(settings, f"/-/search?{asked}", _SECONDS)
    if found is None:
        if options.verbose <= 0:
            silence_chain()
        found = _in_process(settings, query, limit)
    if as_json:
        print_json(found)
    else:
        _print(found)
    sys.exit(0 if found["projects"] else 1)


def _in_process(settings: Settings, query: Query, limit: int) -> dict[str, Any]:
    from indexfallback.search.finding import report  # noqa: PLC0415 - slow, and a running shim
    from indexfallback.shim import Shim  # noqa: PLC0415 - answers without them

    with closing(Shim(settings)) as shim:
        return report(query, shim.search.find(query, 0, limit, patience=_PATIENCE))


def _print(found: dict[str, Any]) -> None:
    rows = [
        (each["project"], each["version"] or "", each["owner"], each["summary"] or "")
        for each in found["projects"]
    ]
    if rows:
        print_table(("project", "version", "index", "summary"), rows)
    left = found["total"] - len(rows)
    if left > 0:
        limit = min(found["total"], MOST_RESULTS)
        which = "all" if limit == found["total"] else f"the first {limit:,}"
        note(f"{counted(left, 'more project')} found: --limit {limit} lists {which}")
    if not rows:
        tell("no known project was found; `indexfallback why NAME` asks the indexes")
    if not found["complete"]:
        note("not all metadata is read yet: search again in a while")
