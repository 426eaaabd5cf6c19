"""Settings that a parent process sends to a child."""

import os
from pathlib import Path

import pytest

from indexfallback.config import Index, Settings
from indexfallback.config.wire import decode_settings, encode_settings
from indexfallback.errors import ConfigError


def test_decoded_settings_equal_the_encoded_ones_with_passwords_and_origins() -> None:
    index = Index(
        name="private",
        url="https://packages.example.com/simple/",
        projects=("acme-*",),
        username="ci",
        password="s3cret\n",
    )
    settings = Settings(
        indexes=(index, Index(name="pypi", url="https://example.com/", role="public")),
        beside=(Index(name="py.index", url="https://other.example.com/simple/", password="x"),),
        # No text in any encoding that JSON knows.
        cache_dir=Path(os.fsdecode(b"/caf\xe9")),
        ca_bundle=Path("/ca.pem"),
        proxy="http://me:s3cret@proxy.example.com:3128",
        offline=True,
        origins={"offline": "--offline"},
    )
    line = encode_settings(settings)
    read = decode_settings(line)
    assert line.count(b"\n") == 1
    assert read == settings
    assert (read.identity, read.origins) == (settings.identity, settings.origins)


def test_a_line_without_settings_is_refused() -> None:
    with pytest.raises(ConfigError, match="standard input: it has no settings"):
        decode_settings(b"")
