"""Whether readers on loopback need a token, where the configuration does not say so."""

from pathlib import Path

import pytest

from indexfallback.config import rules
from indexfallback.config.load import entry_of, load_settings
from indexfallback.config.people import Account, own_uid
from tests.serving import index_table

ROOT = Account("root", 0, "/bin/bash")
BOB = Account("bob", 54321, "/bin/bash")
URL = "https://packages.example.com/simple/"
PRIVATE = index_table("private", URL, role="private", username="ci", password_env="PW")
KEYRING = index_table("private", URL, role="private", keyring=True)
OPEN = index_table("private", URL, role="private")
PUBLIC = index_table("pypi", URL, username="ci", password_env="PW")

pytestmark = pytest.mark.skipif(own_uid() is None, reason="Windows lists no accounts so")


@pytest.fixture(autouse=True)
def _shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give bob an account."""
    monkeypatch.setattr(rules, "accounts", lambda: (ROOT, BOB))


def asks(tmp_path: Path, *tables: str) -> tuple[bool, str]:
    """Return whether readers need a token, and why."""
    config = tmp_path / "config.toml"
    config.write_text("\n".join(tables), "utf-8")
    settings = load_settings(config=config, environ={"PW": "s3cret"})
    assert settings.asks_for_tokens == settings.private
    return settings.private, settings.origins["server.private"]


@pytest.mark.parametrize("table", [PRIVATE, KEYRING])
def test_it_is_on_where_others_could_read_by_a_login(tmp_path: Path, table: str) -> None:
    why = "default: bob has an account here, and private a login"
    assert asks(tmp_path, table) == (True, why)


@pytest.mark.parametrize("table", [OPEN, PUBLIC])
def test_it_is_off_where_no_login_opens_a_private_index(tmp_path: Path, table: str) -> None:
    assert asks(tmp_path, table) == (False, "default")


def test_it_is_on_where_a_login_opens_an_index_beside_the_chain(tmp_path: Path) -> None:
    values = {"name": "py.index", "url": URL, "role": "public", "username": "ci"}
    entry = entry_of({**values, "password_env": "PW"}, "[py] index", tmp_path)
    settings = load_settings(beside=[entry], environ={"PW": "s3cret"})
    assert settings.origins["server.private"].endswith("and py.index a login")


def test_it_is_off_where_the_user_is_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "accounts", lambda: (ROOT,))
    assert asks(tmp_path, PRIVATE) == (False, "default")


@pytest.mark.parametrize("value", [True, False])
def test_the_configuration_decides_if_it_says_so(tmp_path: Path, value: bool) -> None:
    section = f"[server]\nprivate = {str(value).lower()}\n"
    is_private, origin = asks(tmp_path, section, PRIVATE)
    assert is_private is value
    assert origin.endswith("config.toml:2")


def test_an_address_for_other_machines_has_its_own_rule(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[server]\nhost = "0.0.0.0"\npublic_read = true\n{PRIVATE}', "utf-8")
    settings = load_settings(config=config, environ={"PW": "s3cret"})
    assert (settings.private, settings.asks_for_tokens) == (False, False)
