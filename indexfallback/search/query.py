"""A query of a user: text, and the classifier that what is found must have."""

import re
from typing import NamedTuple

from indexfallback.names import normalize

#: Letters and digits: nothing of it means anything to SQLite.
_WORD = re.compile(r"[^\W_]+")
#: Most results in one answer for programs, and as many as there are unless more are asked for.
MOST_RESULTS, USUAL_RESULTS = 1000, 20
#: Most characters and words that are taken of a query.
_MOST, _MOST_WORDS = 255, 16


class Query(NamedTuple):
    """What to find."""

    text: str = ""
    #: The beginning of a classifier; empty for any.
    classifier: str = ""

    @property
    def part(self) -> str:
        """The text as a part of a normalised project name."""
        return normalize("-".join(self.text.split()))

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the text."""
        return tuple(_WORD.findall(self.text)[:_MOST_WORDS])


def query_of(text: str, classifier: str = "") -> Query:
    """Return the query of what a user has typed."""
    return Query(text.strip()[:_MOST], " ".join(classifier.split())[:_MOST])
