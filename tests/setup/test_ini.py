"""Options of INI files: read as pip reads them, and set without changing other lines."""

import configparser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.clients import ini

FILE = """\
# by hand
[global]
Timeout = 60
extra_index_url =
    https://one.example.com/simple/
    # not this one

    https://two.example.com/simple/
; between
[install]
no-compile: yes
"""
NAMES = ("index-url", "extra-index-url", "timeout", "cert")
VALUES = ("http://a.example.com/", "60", "a\n    b", "")
#: Lines of files: comments, blank ones, and options with values of one line or several.
LINES = st.one_of(
    st.sampled_from(("# comment", "; other", "", "  ")),
    st.builds("{}{}{}".format, st.sampled_from(NAMES), st.sampled_from((" = ", "=", ": ")),
              st.sampled_from(VALUES)),
)  # fmt: skip
SECTIONS = st.builds(
    lambda name, lines: [f"[{name}]", *lines],
    st.sampled_from(("global", "install", "download")),
    st.lists(LINES, max_size=4, unique_by=lambda line: line.split(" ")[0].split("=")[0].strip(":")),
)
FILES = st.lists(SECTIONS, max_size=3, unique_by=lambda lines: lines[0]).map(
    lambda sections: "\n".join(line for lines in sections for line in lines)
)
KEYS = st.tuples(st.sampled_from(("global", "install", "wheel")), st.sampled_from(NAMES))


def by_pip(text: str) -> dict[tuple[str, str], str]:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return {
        (section, key.replace("_", "-")): value
        for section in parser.sections()
        for key, value in parser.items(section)
    }


def edited(text: str, section: str, key: str) -> str:
    return ini.with_option(ini.with_section(text, section), section, key, "http://new.example.com/")


def test_a_value_continues_in_lines_with_a_deeper_indent() -> None:
    value = ini.value_of(FILE, "global", "extra-index-url")
    assert value is not None
    assert value.split() == ["https://one.example.com/simple/", "https://two.example.com/simple/"]


def test_an_option_is_replaced_where_it_stands_with_the_spelling_it_has() -> None:
    text = edited(FILE, "global", "extra-index-url")
    assert text.split("\n")[3:5] == ["extra_index_url = http://new.example.com/", "; between"]


def test_a_new_option_stands_below_the_header_of_its_section() -> None:
    lines = edited(FILE, "install", "index-url").split("\n")
    assert lines[lines.index("[install]") + 1] == "index-url = http://new.example.com/"


def test_a_new_section_stands_at_the_end() -> None:
    assert edited("[global]\na = b", "x", "k").endswith(
        "a = b\n\n[x]\nk = http://new.example.com/\n"
    )


def test_an_empty_file_gets_a_section_and_no_blank_line() -> None:
    assert edited("", "global", "k") == "[global]\nk = http://new.example.com/\n"


@pytest.mark.parametrize("comment", ["#", ";"])
def test_a_comment_is_not_an_option(comment: str) -> None:
    assert ini.value_of(f"[global]\n{comment}index-url = a\n", "global", "index-url") is None


@given(FILES)
def test_options_are_those_that_pips_parser_reads(text: str) -> None:
    found = {(option.section, option.key): option.value.split() for option in ini.options(text)}
    assert found == {key: value.split() for key, value in by_pip(text).items()}


@given(FILES, KEYS)
def test_pip_reads_the_option_that_was_set_and_all_others_as_before(
    text: str, key: tuple[str, str]
) -> None:
    expected = {**by_pip(text), key: "http://new.example.com/"}
    found = by_pip(edited(text, *key))
    assert {name: value.split() for name, value in found.items()} == {
        name: value.split() for name, value in expected.items()
    }


@given(FILES, KEYS)
def test_every_other_line_survives_in_its_order(text: str, key: tuple[str, str]) -> None:
    gone = [option for option in ini.options(text) if option[:2] == key]
    taken = {number for option in gone for number in range(option.start, option.end)}
    kept = [line for number, line in enumerate(text.split("\n")) if number not in taken]
    remaining = iter(edited(text, *key).split("\n"))
    assert all(line in remaining for line in kept)


@given(FILES, KEYS)
def test_setting_an_option_twice_is_setting_it_once(text: str, key: tuple[str, str]) -> None:
    once = edited(text, *key)
    assert edited(once, *key) == once
