"""Durations and sizes."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.config.units import (
    DURATION_UNITS,
    MAX_SIZE,
    SIZE_UNITS,
    InvalidValueError,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10 s", 10),
        ("10s", 10),
        (" 10 s ", 10),
        ("500 ms", 0.5),
        ("1.5 s", 1.5),
        ("10 min", 600),
        ("1 minute", 60),
        ("2 h", 7200),
        ("30 days", 2592000),
        ("1 day", 86400),
        ("2 Weeks", 1209600),
        ("0 s", 0),
    ],
)
def test_durations_are_read_as_written(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("20 GB", 20_000_000_000),
        ("64 MiB", 67_108_864),
        ("64mib", 67_108_864),
        ("1.5 kB", 1500),
        ("0 B", 0),
        ("512 B", 512),
    ],
)
def test_sizes_are_read_as_written(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (10, 'has no unit; write "10 s"'),
        (1.5, 'has no unit; write "1.5 s"'),
        (0, 'has no unit; write "10 s"'),
        (-3, 'has no unit; write "10 s"'),
        ("10", 'has no unit; write "10 s"'),
        (True, 'is not a duration; write a duration like "10 s"'),
        ("soon", 'is not a duration; write a duration like "10 s"'),
        ("", 'is not a duration; write a duration like "10 s"'),
        ("1 2 s", 'is not a duration; write a duration like "10 s"'),
        ("inf s", 'is not a duration; write a duration like "10 s"'),
        ("-1 s", 'is negative; write a duration like "10 s"'),
        ("3 m", 'has the unknown unit "m"; use ms, s, min, h, days or weeks'),
        ("101000 days", "is longer than 100 years; write a shorter duration"),
    ],
)
def test_a_wrong_duration_is_refused_with_a_remedy(value: object, message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        parse_duration(value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (20, 'has no unit; write "20 B"'),
        ("20", 'has no unit; write "20 B"'),
        ([], 'is not a size; write a size like "20 GB"'),
        ("big", 'is not a size; write a size like "20 GB"'),
        ("-1 B", 'is negative; write a size like "20 GB"'),
        ("20 G", 'has the unknown unit "G"; use B, KB, MB, GB, TB, KiB, MiB, GiB, TiB'),
        ("1000001 TB", "is more than 1,000,000 TB; write a smaller size"),
    ],
)
def test_a_wrong_size_is_refused_with_a_remedy(value: object, message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        parse_size(value)
    assert str(caught.value) == message


@given(st.integers(0, 100 * 365 * 86_400_000))
def test_a_formatted_duration_is_parsed_to_the_same_value(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000


@given(st.integers(0, MAX_SIZE))
def test_a_formatted_size_is_parsed_to_the_same_value(size: int) -> None:
    assert parse_size(format_size(size)) == size


@given(st.integers(0, 5000), st.sampled_from(sorted(DURATION_UNITS)))
def test_every_unit_of_duration_is_its_factor(number: int, unit: str) -> None:
    assert parse_duration(f"{number} {unit}") == float(number * DURATION_UNITS[unit])


@given(st.integers(0, 9999), st.sampled_from(sorted(SIZE_UNITS)))
def test_every_unit_of_size_is_its_factor(number: int, unit: str) -> None:
    assert parse_size(f"{number} {unit}") == number * SIZE_UNITS[unit]


@given(st.text())
def test_any_text_is_read_or_refused_as_an_invalid_value(text: str) -> None:
    for parse in (parse_duration, parse_size):
        with contextlib.suppress(InvalidValueError):
            assert parse(text) >= 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(600.0, "10 min"), (2592000.0, "30 days"), (0.5, "500 ms"), (90.0, "90 s"), (0.0, "0 s")],
)
def test_durations_are_written_in_the_largest_whole_unit(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(20 * 1000**3, "20 GB"), (64 * 1024**2, "64 MiB"), (1001, "1001 B")]
)
def test_sizes_are_written_in_the_largest_whole_unit(size: int, text: str) -> None:
    assert format_size(size) == text
