"""Replacements of parts of a text; no I/O."""

from collections.abc import Iterable
from typing import NamedTuple


class Edit(NamedTuple):
    """New text for ``[start:stop]`` of the old one."""

    start: int
    stop: int
    text: str


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with parts replaced; the parts do not overlap."""
    parts, at = [], 0
    for edit in sorted(edits):
        parts += [text[at : edit.start], edit.text]
        at = edit.stop
    return "".join([*parts, text[at:]])
