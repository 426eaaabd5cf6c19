"""Times, sizes and tables as commands print them."""

import errno
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from indexfallback.cli.output import (
    clock,
    colour,
    columns,
    print_table,
    say,
    tell,
    tilde,
    wrapped,
)
from indexfallback.words import counted, ms, size, span


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1 KB"), (1234, "1.2 KB"), (12_345, "12 KB"),
        (999_600, "1.0 MB"), (1_234_000_000, "1.2 GB"), (20_000_000_000, "20 GB"),
        (5 * 10**15, "5,000 TB"),
    ],
)  # fmt: skip
def test_sizes_are_said_in_their_largest_unit(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"), (0.4, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"),
        (7300, "2 h"), (86400 * 2.5, "2 d"),
    ],
)  # fmt: skip
def test_times_are_said_in_their_largest_unit(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_milliseconds_that_nobody_measured_are_a_dash() -> None:
    assert (ms(None), ms(0.0384), ms(12.3456)) == ("-", "38 ms", "12,346 ms")


def test_a_time_of_another_day_is_a_date() -> None:
    assert clock(86400 * 365.0) in ("1970-12-31", "1971-01-01")


def test_nouns_agree_with_their_number() -> None:
    assert counted(1, "file") == "1 file"
    assert counted(3412, "file") == "3,412 files"
    assert counted(2, "index", "indexes") == "2 indexes"


def test_the_home_directory_is_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert tilde(tmp_path / "cache") == str(Path("~/cache"))
    assert tilde("/elsewhere") == "/elsewhere"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Return what makes the standard streams a terminal of so many columns, without colours."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def resize(wide: int) -> None:
        for stream in (sys.stdout, sys.stderr):
            monkeypatch.setattr(stream, "isatty", lambda: True)
        size = os.terminal_size((wide, 24))
        monkeypatch.setattr(os, "get_terminal_size", lambda _: size)

    with click.Context(click.Command("any"), color=False).scope():
        yield resize


@pytest.mark.parametrize(
    ("wide", "used"), [(80, 80), (64, 64), (100, 100), (250, 100), (20, 40), (0, 80)]
)
def test_lines_are_as_wide_as_the_terminal_within_limits(
    terminal: Callable[[int], None], wide: int, used: int
) -> None:
    terminal(wide)
    assert columns() == columns(err=True) == used


@pytest.mark.parametrize(("told", "used"), [("60", 60), ("500", 100), ("", 80), ("many", 80)])
def test_a_width_in_the_environment_comes_first(
    terminal: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, told: str, used: int
) -> None:
    terminal(80)
    monkeypatch.setenv("COLUMNS", told)
    assert columns() == used


def test_a_terminal_that_does_not_tell_has_80_columns(
    terminal: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal(0)

    def refuse(_: int) -> os.terminal_size:
        raise OSError(errno.ENOTTY, "not a terminal")

    monkeypatch.setattr(os, "get_terminal_size", refuse)
    assert columns() == 80


@pytest.mark.parametrize("told", [None, "60"])
def test_without_a_terminal_a_message_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, told: str | None
) -> None:
    if told is not None:
        monkeypatch.setenv("COLUMNS", told)
    say("word " * 99 + "end")
    assert capsys.readouterr().err == "indexfallback: " + "word " * 99 + "end\n"


def test_without_a_terminal_a_row_of_a_table_is_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table(("name", "n", "note"), [("a", "10", "word " * 99), ("x" * 60, "9", "word " * 30)])
    lines = capsys.readouterr().out.splitlines()
    assert [re.split(" {2,}", line)[0] for line in lines] == ["name", "a", "x" * 60]
    assert lines[1].endswith("  word" + " word" * 98)


def test_the_streams_have_each_their_own_width(
    terminal: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal(50)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert (columns(), columns(err=True)) == (None, 50)


def test_what_a_terminal_would_obey_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "red\x1b[31m\nbell\x07\u202e \xa0\u00e9"
    say(evil)
    tell(evil)
    print_table(("name", ""), [(evil, evil)])
    captured = capsys.readouterr()
    safe = "red?[31m bell??  \u00e9"
    assert captured.err == f"indexfallback: {safe}\n"
    assert captured.out == f"{safe}\nname\n{safe}  {safe}\n"


def test_an_address_is_never_broken(terminal: Callable[[int], None]) -> None:
    terminal(80)
    url = f"https://packages.example.com/{'a' * 100}/"
    assert url in wrapped(f"see {url} for more").split()


def test_a_table_is_aligned_and_its_last_column_stays_beside_the_others(
    terminal: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    terminal(80)
    content = ("name", "n", "note"), [("a", "10", "word " * 20), ("long", "9", "")]
    print_table(*content, right=(1,))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "name   n  note"
    assert lines[1].startswith("a     10  word word")
    assert lines[2].startswith("          word")
    assert lines[3] == "long   9"
    assert max(map(len, lines)) <= 80


def test_free_text_without_room_beside_the_others_stands_below(
    terminal: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    terminal(80)
    print_table((), [("x" * 60, "word " * 10)])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["x" * 60, "    " + "word " * 9 + "word"]


def test_an_empty_table_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table((), [])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [
        ({}, None),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, None),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": ""}, None),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
    ],
)
def test_the_environment_says_whether_there_are_colours(
    environ: dict[str, str], coloured: bool | None
) -> None:
    assert colour(environ) is coloured
