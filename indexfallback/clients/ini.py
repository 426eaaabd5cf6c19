"""Reads and edits options in INI files (``pip.conf``, buildout's ``default.cfg``); no I/O.

The edit keeps all other lines, comments and blank lines, which `configparser` would lose.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_HEADER = re.compile(r"\s*\[(?P<name>.+)\]")
#: A name, the first of the two delimiters, and the value after it.
_OPTION = re.compile(r"(?P<left>\s*(?P<key>[^\s#;=:][^=:]*?)\s*[=:][^\S\n]*)(?P<value>.*)")


class Option(NamedTuple):
    """One option of a file."""

    section: str
    #: Normalised as in pip: lower case, dashes instead of underscores.
    key: str
    #: The lines of the value, joined by line feeds.
    value: str
    #: The text before the value: the name as written, and the delimiter.
    left: str
    #: Its lines: the first, and the one after the last.
    start: int
    end: int


def options(text: str) -> Iterator[Option]:
    """Yield every option, in the order of the file."""
    lines = text.split("\n")
    section, number = "", 0
    while number < len(lines):
        line = lines[number]
        if header := _HEADER.match(line):
            section = header["name"]
        elif section and (found := _OPTION.match(line)):
            end = _end(lines, number)
            rest = [more.strip() for more in lines[number + 1 : end] if not _is_comment(more)]
            value = "\n".join([found["value"].strip(), *rest]).strip()
            is_tight = not found["value"] and found["left"].endswith(("=", ":"))
            left = f"{found['left']} " if is_tight else found["left"]
            yield Option(section, _normal(found["key"]), value, left, number, end)
            number = end
            continue
        number += 1


def value_of(text: str, section: str, key: str) -> str | None:
    """Return the value of an option, or None; as in pip, the last one counts."""
    values = [option.value for option in options(text) if option[:2] == (section, key)]
    return values[-1] if values else None


def with_section(text: str, section: str) -> str:
    """Return the text with the section; a new one is added at the end."""
    headers = (_HEADER.match(line) for line in text.split("\n"))
    if any(header and header["name"] == section for header in headers):
        return text
    return with_paragraph(text, f"[{section}]\n")


def with_paragraph(text: str, paragraph: str) -> str:
    """Return the text with a paragraph at its end, after a blank line."""
    if not text:
        return paragraph
    return f"{text}\n{paragraph}" if text.endswith("\n") else f"{text}\n\n{paragraph}"


def with_option(text: str, section: str, key: str, value: str) -> str:
    """Return the text with the option set in its place, or below the header of its section."""
    lines = text.split("\n")
    found = [option for option in options(text) if option[:2] == (section, key)]
    for option in reversed(found):
        lines[option.start : option.end] = [f"{option.left}{value}"]
    if not found:
        headers = (_HEADER.match(line) for line in lines)
        place = next(n for n, header in enumerate(headers) if header and header["name"] == section)
        lines.insert(place + 1, f"{key} = {value}")
    return "\n".join(lines)


def _end(lines: Sequence[str], start: int) -> int:
    """Return the line after the option: its value continues in lines with a deeper indent."""
    depth = _depth(lines[start])
    end = start + 1
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if not line.strip() or _is_comment(line):
            continue
        if _depth(line) <= depth:
            break
        end = number + 1
    return end


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(("#", ";"))


def _normal(key: str) -> str:
    return key.strip().lower().replace("_", "-")
