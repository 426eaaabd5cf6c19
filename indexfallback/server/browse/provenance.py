"""Who has published the files of a project, as their provenance objects say (PEP 740)."""

from collections.abc import Mapping
from typing import Any

from indexfallback.formats.provenance import Publisher, words
from indexfallback.server.browse.markup import NOTHING, Html, html, joined
from indexfallback.words import counted

_SECTION = """\
<section id="provenance"><h2>Provenance</h2>
<p>Stated for {stated}, {kept} in the cache.</p>
{publishers}
</section>
"""
_PUBLISHERS = """\
<p>That of {version} names as its publisher:</p>
<ul>{publishers}</ul>
<p class="note"><code>indexfallback why --provenance FILE</code> verifies it.</p>
"""


def provenance_section(provenance: Mapping[str, Any]) -> Html:
    """Return the section for a report of `publishers.publishers`; nothing without provenance."""
    if not provenance["stated"] and not provenance["kept"]:
        return NOTHING
    stated = counted(provenance["stated"], "file")
    return html(
        _SECTION,
        stated=stated,
        kept=f"{provenance['kept']:,}",
        publishers=_publishers(provenance) if provenance["publishers"] else NOTHING,
    )


def _publishers(provenance: Mapping[str, Any]) -> Html:
    return html(
        _PUBLISHERS,
        version=provenance["version"],
        publishers=joined(
            html("<li>{publisher}</li>", publisher=words(Publisher(**each)))
            for each in provenance["publishers"]
        ),
    )
