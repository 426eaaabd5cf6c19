"""Each setting that overrides a client's per-user file is reported, with its remedy."""

from collections.abc import Mapping

import pytest

from indexfallback.clients.catalogue import CLIENTS
from indexfallback.clients.machine import ClientFileError
from indexfallback.clients.obstacles import of_additional, of_lost, of_pip_file, of_proxy
from tests.setup.machines import machine

SHIM = "http://127.0.0.1:5503"
OTHER = "https://packages.example.com/simple/"


def is_own(url: str) -> bool:
    return url.startswith(SHIM)


def found(
    client: str,
    environ: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    platform: str = "linux",
) -> list[str]:
    overrides = CLIENTS[client].overrides
    return [str(each) for each in overrides(machine(platform, environ, files=files), is_own)]


@pytest.mark.parametrize(
    ("client", "variable"),
    [
        ("pip", "PIP_INDEX_URL"),
        ("pip", "PIP_EXTRA_INDEX_URL"),
        ("uv", "UV_DEFAULT_INDEX"),
        ("uv", "UV_INDEX_URL"),
        ("uv", "UV_EXTRA_INDEX_URL"),
        ("uv", "UV_INDEX"),
        ("poetry", "POETRY_PYPI_MIRROR_URL"),
        ("pdm", "PDM_PYPI_URL"),
        ("pipenv", "PIPENV_PYPI_MIRROR"),
    ],
)
def test_a_variable_with_another_index_is_in_the_way_and_one_with_the_shim_is_not(
    client: str, variable: str
) -> None:
    expected = [f"{variable}: this environment variable overrides every file; unset {variable}"]
    assert found(client, {variable: OTHER}) == expected
    assert found(client, {variable: f"{SHIM}/simple/"}) == []


def test_a_named_index_in_a_variable_of_uv_is_known_by_its_address() -> None:
    assert found("uv", {"UV_INDEX": f"private={SHIM}/index/private/simple/"}) == []
    assert len(found("uv", {"UV_INDEX": f"private={OTHER}"})) == 1


@pytest.mark.parametrize("variable", ["PIP_NO_INDEX", "UV_NO_INDEX", "UV_NO_CONFIG"])
def test_a_variable_that_switches_indexes_or_files_off_is_in_the_way(variable: str) -> None:
    client = "pip" if variable.startswith("PIP") else "uv"
    assert len(found(client, {variable: "1"})) == 1
    assert found(client, {variable: "0"}) == []


def test_the_file_of_a_virtual_environment_is_in_the_way_of_pip() -> None:
    files = {"/venv/pip.conf": f"[global]\nindex-url = {OTHER}\n"}
    (only,) = found("pip", {"VIRTUAL_ENV": "/venv"}, files)
    assert only == (
        f"/venv/pip.conf: [global] index-url ({OTHER}) overrides the per-user file; "
        "remove it, or replace it by the shim's address"
    )
    assert found("pip", {}, files) == []
    assert len(found("pip", {}, {"/prefix/pip.conf": files["/venv/pip.conf"]})) == 1


def test_the_password_in_an_overriding_file_is_not_shown() -> None:
    text = "[global]\nindex-url = https://ci:secret@packages.example.com/simple/\n"
    (only,) = found("pip", {"VIRTUAL_ENV": "/venv"}, {"/venv/pip.conf": text})
    assert "secret" not in only


@pytest.mark.parametrize("value", ["/dev/null", "/x/pip.conf"])
def test_another_file_that_pip_is_told_to_read_is_in_the_way(value: str) -> None:
    files = {"/x/pip.conf": f"[install]\nextra-index-url = {OTHER}\n"}
    (only,) = found("pip", {"PIP_CONFIG_FILE": value}, files)
    assert value in only


def test_a_file_that_pip_is_told_to_read_and_that_names_no_index_is_not_in_the_way() -> None:
    environ = {"PIP_CONFIG_FILE": "/x/pip.conf"}
    assert found("pip", environ, {"/x/pip.conf": "[global]\ntimeout = 60\n"}) == []


def test_an_index_for_all_users_that_uv_adds_to_the_users_own_is_in_the_way() -> None:
    text = f'[[index]]\nurl = "{OTHER}"\n'
    (only,) = found("uv", files={"/etc/uv/uv.toml": text})
    assert only.startswith("/etc/uv/uv.toml: ")
    assert found("uv", files={"/etc/uv/uv.toml": f"{text}default = true\n"}) == []


PROJECTS = [
    ("uv", "uv.toml", '[[index]]\nurl = "{url}"\n'),
    ("uv", "uv.toml", 'extra-index-url = ["{url}"]\n'),
    ("uv", "pyproject.toml", '[[tool.uv.index]]\nurl = "{url}"\ndefault = true\n'),
    ("uv", "pyproject.toml", '[tool.uv.pip]\nindex-url = "{url}"\n'),
    ("poetry", "pyproject.toml", '[[tool.poetry.source]]\nname = "a"\nurl = "{url}"\n'),
    ("pdm", "pyproject.toml", '[[tool.pdm.source]]\nname = "a"\nurl = "{url}"\n'),
    ("pdm", "pdm.toml", '[pypi]\nurl = "{url}"\n'),
    ("buildout", "buildout.cfg", "[buildout]\nindex = {url}\n"),
]


@pytest.mark.parametrize(("client", "name", "text"), PROJECTS)
def test_a_projects_own_file_is_in_the_way_unless_it_names_the_shim(
    client: str, name: str, text: str
) -> None:
    file = f"/home/me/project/{name}"
    (only,) = found(client, files={file: text.format(url=OTHER)})
    assert only.startswith(f"{file}: ")
    own = f"{SHIM}/index/private/simple/"
    assert found(client, files={file: text.format(url=own)}) == []


@pytest.mark.parametrize(
    ("client", "text"),
    [
        ("uv", '[[tool.uv.index]]\nname = "a"\nurl = "{url}"\nexplicit = true\n'),
        ("poetry", '[[tool.poetry.source]]\nname = "a"\nurl = "{url}"\npriority = "explicit"\n'),
    ],
)
def test_an_index_that_is_asked_on_demand_only_is_not_in_the_way(client: str, text: str) -> None:
    files = {"/home/me/project/pyproject.toml": text.format(url=OTHER)}
    assert found(client, files=files) == []


def test_a_projects_file_that_is_broken_is_named() -> None:
    files = {"/home/me/project/pyproject.toml": "[tool\n"}
    with pytest.raises(ClientFileError, match=r"pyproject\.toml: is not TOML"):
        found("uv", files=files)


def test_on_windows_the_variable_of_pipenv_is_left_to_the_user() -> None:
    (only,) = found("pipenv", platform="win32")
    assert "setx PIPENV_PYPI_MIRROR" in only


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_that_would_be_asked_for_the_shim_is_in_the_way(variable: str) -> None:
    environ = {variable: "http://proxy.example.com:3128"}
    (only,) = of_proxy(machine(environ=environ))
    assert only.where == variable
    for exception in ("127.0.0.1", "packages.example.com, 127.0.0.1", "*"):
        assert list(of_proxy(machine(environ={**environ, "no_proxy": exception}))) == []


def test_an_additional_index_is_in_the_way() -> None:
    text = f'[[index]]\nurl = "{OTHER}"\n'
    client = CLIENTS["uv"]
    file = client.file(machine())
    (only,) = of_additional(file, client.indexes(text), is_own)
    assert "would be used besides indexfallback" in str(only)


def test_an_index_that_would_be_lost_is_in_the_way() -> None:
    text = f"[buildout]\nindex = {OTHER}\n"
    client = CLIENTS["buildout"]
    named = client.indexes(text)
    (only,) = of_lost(client.file(machine()), named, is_own, known=())
    assert "is not in indexfallback's chain" in str(only)
    assert list(of_lost(client.file(machine()), named, is_own, known=(OTHER,))) == []


def test_a_pip_that_asks_no_index_is_not_pointed_at_one() -> None:
    file = CLIENTS["pip"].file(machine())
    (only,) = of_pip_file(file, "[global]\nno-index = true\n")
    assert "no-index" in str(only)
