"""Addresses of buckets and of their servers."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.config.bucket_url import BucketUrl, parse_bucket_url, parse_endpoint
from indexfallback.config.load import load_settings
from indexfallback.config.units import InvalidValueError
from indexfallback.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("s3://packages", BucketUrl("packages")),
        ("s3://packages/", BucketUrl("packages")),
        ("s3://packages/a/b.c_d/", BucketUrl("packages", "a/b.c_d")),
    ],
)
def test_a_bucket_and_its_prefix_are_read(text: str, parsed: BucketUrl) -> None:
    assert parse_bucket_url(text) == parsed
    assert parse_bucket_url(str(parsed)) == parsed


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("https://packages.example.com/", "is not the address of a bucket"),
        ("s3://", "has no valid name of a bucket"),
        ("s3://Packages/x", "has no valid name of a bucket"),
        ("s3://key:secret@packages/x", "contains credentials"),
        ("s3://packages/../other", "has a prefix with other characters"),
        ("s3://packages/a//b", "has a prefix with other characters"),
        ("s3://packages/a b", "has a prefix with other characters"),
        ("s3://packages/a?x=1", "has a prefix with other characters"),
    ],
)
def test_another_address_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidValueError) as raised:
        parse_bucket_url(text)
    assert raised.value.problem.startswith(problem)
    assert "secret" not in str(raised.value)


@given(st.text())
def test_what_is_accepted_names_one_place(text: str) -> None:
    try:
        parsed = parse_bucket_url(f"s3://{text}")
    except InvalidValueError:
        return
    assert ".." not in parsed.prefix.split("/")
    assert parse_bucket_url(str(parsed)) == parsed


@pytest.mark.parametrize("text", ["http://127.0.0.1:8333", "https://s3.example.com/path"])
def test_a_server_is_read_without_a_last_slash(text: str) -> None:
    assert parse_endpoint(f"{text}/") == text


@pytest.mark.parametrize(
    "text", ["s3.example.com", "ftp://s3.example.com", "https://", "https://a:b@s3.example.com",
             "https://s3.example.com?x=1", "http://[", "http://s3.example.com:port"]
)  # fmt: skip
def test_another_server_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        parse_endpoint(text)


def written(directory: Path, text: str) -> Path:
    path = directory / "config.toml"
    path.write_text(f"[cache]\n{text}\n", encoding="utf-8")
    return path


def test_the_settings_have_the_bucket(tmp_path: Path) -> None:
    text = """shared = "s3://packages/x/"
shared_endpoint = "https://s3.example.com/"
shared_mode = "read"
shared_timeout = "500 ms"
strict_pins = true"""
    settings = load_settings(config=written(tmp_path, text), environ={})
    assert (settings.shared, settings.shared_endpoint) == (
        "s3://packages/x", "https://s3.example.com",
    )  # fmt: skip
    assert (settings.shared_mode, settings.shared_timeout) == ("read", 0.5)
    assert settings.strict_pins


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('shared = "s3://key:secret@packages"', "AWS_ACCESS_KEY_ID"),
        ('shared_mode = "readonly"', "read"),
        ('shared_endpoint = "s3.example.com"', "https://s3.example.com"),
    ],
)
def test_a_wrong_setting_names_the_remedy(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_settings(config=written(tmp_path, text), environ={})
