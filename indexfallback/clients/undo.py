"""Undoes an edit of a file, and keeps what the user has edited since; no I/O.

An edit has one step for each key or section. Each step is undone separately: its lines are found
in the current file, and replaced by the lines that were there before.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple


class Step(NamedTuple):
    """The file after one step of an edit; the first step is the original file."""

    #: The setting that was changed: ``[global] index-url``; empty for the original file.
    label: str
    text: str


def undone(steps: Sequence[Step], current: str) -> tuple[str, tuple[str, ...]]:
    """Return ``current`` without the steps, and the labels of those that cannot be undone."""
    if current in (steps[0].text, steps[-1].text):
        return steps[0].text, ()
    left = []
    lines = current.split("\n")
    for number in range(len(steps) - 1, 0, -1):
        before, after = steps[number - 1].text.split("\n"), steps[number].text.split("\n")
        found = _without(before, after, lines)
        if found is None:
            left.append(steps[number].label)
        else:
            lines = found
    return "\n".join(lines), tuple(reversed(left))


def _without(before: list[str], after: list[str], current: list[str]) -> list[str] | None:
    """Return ``current`` with one step undone; None if its lines have been changed."""
    same = SequenceMatcher(None, after, current, autojunk=False).get_matching_blocks()
    changed = SequenceMatcher(None, after, before, autojunk=False).get_opcodes()
    result = list(current)
    for tag, start, end, old_start, old_end in reversed(changed):
        if tag == "equal":
            continue
        added, old = after[start:end], before[old_start:old_end]
        moved = [
            block.b - block.a for block in same if block.a <= start < end <= block.a + block.size
        ]
        places = [start + moved[0]] if moved else list(_places(added, current))
        if len(places) != 1:
            return None
        place = places[0]
        headers = [line for line in added if line.strip().startswith("[")]
        if headers and not old and _is_in_use(current[place + len(added) :]):
            # Without the header, the user's lines below it would move to another section.
            return result if all(line in headers or not line for line in added) else None
        result[place : place + len(added)] = old
    return result


def _places(lines: list[str], current: list[str]) -> Iterator[int]:
    """Yield the positions of the lines."""
    for place in range(len(current) - len(lines) + 1):
        if lines and current[place : place + len(lines)] == lines:
            yield place


def _is_in_use(rest: list[str]) -> bool:
    """Tell whether the section above has more lines."""
    line = next((line.strip() for line in rest if line.strip()), "[")
    return not line.startswith("[")
