"""A client that no proxy, netrc or retry comes in the way of."""

from collections.abc import Iterator

import pytest
import requests


@pytest.fixture
def client() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session
