"""The command ``doctor``: settings and files by which clients go past the shim."""

from pathlib import Path

import pytest

from tests.cli.doctoring import Patient
from tests.cli.support import CommandLine
from tests.fakes import flat_directory

SHIM = "http://127.0.0.1:5503/simple/"
OTHER = "https://ci:hunter2@elsewhere.example.com/simple/"
NAMED = "https://elsewhere.example.com/simple/"


@pytest.fixture
def patient(cli: CommandLine, tmp_path: Path) -> Patient:
    """Return somebody with whom all is well, and who has no network to wait for."""
    wheels = flat_directory(tmp_path / "wheels", [])
    cli.configure(f'[[index]]\nname = "wheels"\nurl = "{wheels.as_posix()}"\n')
    return Patient(cli, tmp_path / "project")


def told(patient: Patient, subject: str, **environ: str) -> list[str]:
    """Return the verdict and text of what is wrong with a subject."""
    found = patient.cli("doctor", "--json", **environ).json["findings"]
    assert "hunter2" not in str(found)
    return [
        f"{finding['verdict']}: {finding['what']}. {finding['remedy']}"
        for finding in found
        if finding["subject"] == subject and finding["verdict"] != "ok"
    ]


def test_with_no_settings_nothing_is_told(patient: Patient) -> None:
    assert {finding["verdict"] for finding in patient.findings()} == {"ok"}


# -- pip


def test_an_extra_index_beside_the_shim_fails(patient: Patient) -> None:
    patient.pip_conf(f"[global]\nindex-url = {SHIM}\nextra-index-url =\n  {OTHER}\n  {SHIM}\n")
    file = "~/.config/pip/pip.conf"
    (found,) = (text for text in told(patient, "pip") if f" {file} makes pip" in text)
    assert found.startswith(f"FAIL: {file} makes pip ask {NAMED} besides the shim")
    assert f"Remove extra-index-url from {file}" in found


def test_an_extra_index_where_nothing_points_at_the_shim_is_its_chain(patient: Patient) -> None:
    assert told(patient, "pip", PIP_EXTRA_INDEX_URL=OTHER) == []


def test_an_extra_index_of_the_environment_beside_the_shim_fails(patient: Patient) -> None:
    (found,) = told(patient, "pip", PIP_EXTRA_INDEX_URL=OTHER, PIP_INDEX_URL=SHIM)
    assert found.startswith("FAIL: PIP_EXTRA_INDEX_URL makes pip ask")
    assert "unset PIP_EXTRA_INDEX_URL" in found


@pytest.mark.parametrize("active", [True, False], ids=["active", "in the directory"])
def test_a_file_of_a_virtual_environment_is_told(patient: Patient, active: bool) -> None:
    place = patient.project.parent if active else patient.project
    environ = {"VIRTUAL_ENV": str(place / ".venv")} if active else {}
    patient.pip_conf("")
    patient.write(f"{place}/.venv/pip.conf", f"[install]\nindex_url = {OTHER}\n")
    (found,) = told(patient, "pip", **environ)
    assert found.startswith("warn: the file of a virtual environment, ")
    assert f".venv/pip.conf makes pip ask {NAMED} instead of the shim" in found


def test_another_index_in_the_environment_than_in_the_file_is_told(patient: Patient) -> None:
    patient.pip_conf(f"[global]\nindex-url = {SHIM}\n")
    found = told(patient, "pip", PIP_INDEX_URL=OTHER)
    assert (
        f"warn: PIP_INDEX_URL makes pip ask {NAMED} instead of the shim. unset PIP_INDEX_URL"
        in found
    )


@pytest.mark.parametrize("value", ["127.0.0.1", "localhost:5503", "x.example.com 127.0.0.1"])
def test_that_pip_trusts_the_shim_is_told(patient: Patient, value: str) -> None:
    (found,) = told(patient, "pip", PIP_TRUSTED_HOST=value)
    assert found.startswith("warn: PIP_TRUSTED_HOST trusts ")


# -- uv


@pytest.mark.parametrize("name", ["UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX"])
def test_a_variable_of_uv_is_told(patient: Patient, name: str) -> None:
    (found,) = told(patient, "uv", **{name: f"mine={OTHER}"})
    assert found.startswith(f"warn: {name} makes uv ask {NAMED} before the shim")
    assert told(patient, "uv", **{name: SHIM}) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("uv.toml", f'[[index]]\nurl = "{OTHER}"\n'),
        ("uv.toml", f'[pip]\nextra-index-url = ["{OTHER}"]\n'),
        ("pyproject.toml", f'[project]\nname = "x"\n[[tool.uv.index]]\nurl = "{OTHER}"\n'),
    ],
)
def test_an_index_in_a_file_of_uv_is_told(patient: Patient, file: str, text: str) -> None:
    patient.write(file, text)
    (found,) = told(patient, "uv")
    assert found.startswith(f"warn: {file} makes uv ask {NAMED}")


@pytest.mark.parametrize(
    "text",
    [
        f'[[tool.uv.index]]\nurl = "{OTHER}"\nexplicit = true\n',
        f'[project]\nname = "x"\n[project.urls]\nurl = "{OTHER}"\n',
        "[tool]\nuv = 3\n",
        "not TOML at all",
    ],
)
def test_what_is_no_index_for_everything_is_not_told(patient: Patient, text: str) -> None:
    patient.write("pyproject.toml", text)
    assert told(patient, "uv") == []


def test_a_uv_that_points_at_a_stopped_shim_is_found(patient: Patient) -> None:
    patient.uv_toml(f'[[index]]\nurl = "{SHIM}"\ndefault = true\n')
    (found,) = told(patient, "shim")
    assert "but clients use it (~/.config/uv/uv.toml)" in found


# -- files of the project


@pytest.mark.parametrize(
    "line", [f"-i {OTHER}", f"--index-url={OTHER}", f"  --extra-index-url  {OTHER}"]
)
def test_a_requirements_file_with_an_index_is_told(patient: Patient, line: str) -> None:
    patient.write("requirements-dev.txt", f"foo\n{line}\n")
    (found,) = told(patient, "requirements")
    assert found.startswith(f"warn: requirements-dev.txt names {NAMED}")


def test_one_without_is_well(patient: Patient) -> None:
    patient.write("requirements.txt", f"# -i {OTHER}\nfoo\n-i {SHIM}\n")
    assert told(patient, "requirements") == []


@pytest.mark.parametrize(
    "name",
    ["uv.lock", "pyproject.toml", "pylock.dev.toml", "poetry.lock", "pdm.lock", "Pipfile",
     "Pipfile.lock", "constraints.txt", "requirements/base/dev.in", "tool.py.lock"],
)  # fmt: skip
def test_a_file_with_the_shims_address_is_told(patient: Patient, name: str) -> None:
    patient.write(name, f'url = "{SHIM}"\n# {SHIM}foo/\n')
    (found,) = told(patient, "addresses")
    assert found == (
        f"warn: {name} has 2 addresses of the shim, valid only on this machine. "
        "indexfallback doctor --mend"
    )


def test_an_address_on_another_port_of_this_machine_is_not_told(patient: Patient) -> None:
    patient.write("uv.lock", 'source = { registry = "http://127.0.0.1:3141/simple/" }')
    assert told(patient, "addresses") == []


def test_a_uv_lock_of_another_index_is_told_where_uv_uses_the_shim(patient: Patient) -> None:
    patient.write("uv.lock", f'source = {{ registry = "{OTHER}" }}')
    assert told(patient, "uv") == []
    (found,) = told(patient, "uv", UV_DEFAULT_INDEX=SHIM)
    assert found.startswith(f"warn: uv.lock names {NAMED}, but UV_DEFAULT_INDEX points uv at")
    assert "uv sync --locked fails" in found


def test_a_lock_without_indexes_is_well(patient: Patient) -> None:
    patient.write("poetry.lock", '[[package]]\nname = "foo"\nfiles = []\n')
    patient.write("pylock.toml", f'url = "{OTHER}foo-1.0.tar.gz"\n')
    assert told(patient, "addresses") == []
