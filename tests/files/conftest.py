"""Fixtures for the tests of files."""

import pytest


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin an answer before the whole file is there."""
    monkeypatch.setattr("indexfallback.files.download.WHOLE_SECONDS", 0.1)
