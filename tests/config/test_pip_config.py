"""The chain and the CA bundle from pip's configuration, read from real files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from indexfallback.config import Settings
from indexfallback.config.load import chain_of, load_settings
from indexfallback.config.pip import PipConfig, PipIndex, default_url
from indexfallback.errors import ConfigError

A = "https://a.example.com/team/dev/+simple/"
B = "https://b.example.com/simple/"


@pytest.fixture(autouse=True)
def _no_pip_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration of the machine's: neither pip's nor ours."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for variable in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))


def pip_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> Path:
    file = tmp_path / "pip.conf"
    file.write_text(text, encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    return file


def chain(settings: Settings) -> list[tuple[str, str, str, str]]:
    return [
        (index.name, index.role, index.url, settings.origins[f"index.{index.name}.url"])
        for index in settings.indexes
    ]


PYPI = ("pypi", "public", default_url(), "pip: default")


def test_without_anything_the_chain_is_pypi() -> None:
    assert chain(load_settings(environ={})) == [PYPI]


def test_a_file_without_indexes_leaves_the_chain_to_pip(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[server]\nport = 5504\n", encoding="utf-8")
    settings = load_settings(config=file, environ={"PIP_EXTRA_INDEX_URL": B})
    assert [index.name for index in settings.indexes] == ["b.example.com", "pypi"]
    assert settings.port == 5504


def test_pips_file_gives_private_indexes_then_the_public_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = f"[global]\nindex_url = {B}\nextra-index-url =\n    {A}\n    https://u:p@c.example.com\n"
    pip_file(monkeypatch, tmp_path, text)
    settings = load_settings(environ={})
    assert chain(settings) == [
        ("dev", "private", A, "pip: extra-index-url"),
        ("c.example.com", "private", "https://c.example.com/", "pip: extra-index-url"),
        ("b.example.com", "public", B, "pip: index-url"),
    ]
    assert (settings.indexes[1].username, settings.indexes[1].password) == ("u", "p")


def deferring(settings: Settings) -> dict[str, tuple[bool, str]]:
    """Return ``defer_copies`` and its origin by the name of each index."""
    return {
        index.name: (index.defer_copies, settings.origins[f"index.{index.name}.defer_copies"])
        for index in settings.indexes
    }


def test_private_indexes_of_pip_defer_copies_and_the_public_one_and_directories_do_not(
    tmp_path: Path,
) -> None:
    wheels = (tmp_path / "wheels").as_uri()
    settings = load_settings(environ={"PIP_EXTRA_INDEX_URL": f"{A} HTTP://b.example.com {wheels}"})
    assert deferring(settings) == {
        "dev": (True, "pip: extra-index-url"),
        "b.example.com": (True, "pip: extra-index-url"),
        "wheels": (False, "default"),
        "pypi": (False, "default"),
    }


def test_the_main_index_of_pip_defers_copies_beside_pypi() -> None:
    environ = {"PIP_INDEX_URL": A, "PIP_EXTRA_INDEX_URL": default_url()}
    assert deferring(load_settings(environ=environ))["dev"] == (True, "pip: index-url")


def test_indexes_of_the_command_line_do_not_defer_copies() -> None:
    settings = load_settings(indexes=[f"dev={A}", "pypi"], environ={"PIP_EXTRA_INDEX_URL": B})
    assert deferring(settings)["dev"] == (False, "default")


def test_indexes_of_other_clients_do_not_defer_copies() -> None:
    found = [PipIndex(A, "uv: [[index]]", public=False), PipIndex(B, "pip: index-url", public=True)]
    chain = chain_of(found, {}, host="127.0.0.1", port=5503)
    assert [index.defer_copies for index in chain.indexes] == [False, False]


def test_the_section_install_beats_global_and_the_environment_beats_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pip_file(
        monkeypatch,
        tmp_path,
        f"[global]\nextra-index-url = {A}\n[install]\nextra-index-url = {B}\n",
    )
    assert PipConfig({}).get("extra-index-url") == B
    assert PipConfig({"PIP_EXTRA_INDEX_URL": A}).get("extra-index-url") == A
    assert PipConfig({"PIP_EXTRA_INDEX_URL": ""}).get("extra-index-url") == B


@pytest.mark.skipif(sys.platform != "linux", reason="the place of pip's file is Linux's")
def test_pips_file_is_found_in_the_users_configuration(tmp_path: Path) -> None:
    home = tmp_path / "xdg"
    (home / "pip").mkdir(parents=True)
    (home / "pip" / "pip.conf").write_text(f"[global]\nextra-index-url = {B}\n", encoding="utf-8")
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PIP_")}
    command = (
        "from indexfallback.config.load import load_settings\n"
        "print(*(index.name for index in load_settings().indexes))"
    )
    result = subprocess.run(
        [sys.executable, "-c", command],
        env=environ | {"XDG_CONFIG_HOME": str(home)},
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "b.example.com pypi\n"


def test_a_directory_that_pip_knows_is_an_index(tmp_path: Path) -> None:
    directory = tmp_path / "wheels" / "simple"
    settings = load_settings(environ={"PIP_EXTRA_INDEX_URL": directory.as_uri()})
    assert chain(settings) == [
        ("wheels", "private", directory.as_uri() + "/", "pip: extra-index-url"),
        PYPI,
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_shims_own_address_is_not_its_upstream(host: str) -> None:
    own = f"http://{host}:5503/simple/"
    settings = load_settings(environ={"PIP_INDEX_URL": own, "PIP_EXTRA_INDEX_URL": f"{own} {B}"})
    assert [index.url for index in settings.indexes] == [B, default_url()]


def test_an_index_that_is_both_extra_and_main_is_asked_once() -> None:
    settings = load_settings(environ={"PIP_INDEX_URL": B, "PIP_EXTRA_INDEX_URL": B})
    assert chain(settings) == [("b.example.com", "public", B, "pip: index-url")]


def test_pypi_as_extra_index_stays_public_and_last() -> None:
    environ = {"PIP_INDEX_URL": B, "PIP_EXTRA_INDEX_URL": f"{default_url().rstrip('/')} {A}"}
    assert chain(load_settings(environ=environ)) == [
        ("dev", "private", A, "pip: extra-index-url"),
        ("b.example.com", "private", B, "pip: index-url"),
        ("pypi", "public", default_url(), "pip: extra-index-url"),
    ]


def test_pypi_spelt_out_twice_is_asked_once() -> None:
    environ = {"PIP_INDEX_URL": default_url(), "PIP_EXTRA_INDEX_URL": default_url().rstrip("/")}
    assert chain(load_settings(environ=environ)) == [
        ("pypi", "public", default_url(), "pip: index-url")
    ]


def test_no_index_leaves_no_public_index() -> None:
    environ = {"PIP_NO_INDEX": "1", "PIP_EXTRA_INDEX_URL": B, "PIP_INDEX_URL": A}
    assert chain(load_settings(environ=environ)) == [
        ("b.example.com", "private", B, "pip: extra-index-url")
    ]
    assert load_settings(environ={"PIP_NO_INDEX": "true"}).indexes == ()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://packages.example.com/simple/", "packages.example.com"),
        ("https://h.example.com/artifactory/api/pypi/team-local/simple", "team-local"),
        ("https://h.example.com/api/v4/projects/12/packages/pypi/simple", "h.example.com"),
        ("https://h.example.com/Some%20Team/simple", "some-team"),
        ("https://h.example.com/0123456789abcdef0123456789abcdef/simple", "h.example.com"),
        ("https://u:p@h.example.com:8443/", "h.example.com"),
        ("file:///simple", "local"),
    ],
)
def test_an_index_is_named_after_the_last_distinctive_part_of_its_address(
    url: str, name: str
) -> None:
    settings = load_settings(environ={"PIP_EXTRA_INDEX_URL": url})
    assert [index.name for index in settings.indexes] == [name, "pypi"]


def test_names_are_unique() -> None:
    urls = "https://h.example.com/1/simple https://h.example.com/2/simple https://pypi/simple"
    settings = load_settings(environ={"PIP_EXTRA_INDEX_URL": urls})
    assert [index.name for index in settings.indexes] == [
        "h.example.com",
        "h.example.com-2",
        "pypi-2",
        "pypi",
    ]


def test_an_invalid_address_in_pips_configuration_is_an_error() -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(environ={"PIP_EXTRA_INDEX_URL": "ftp://u:p@h.example.com/team"})
    assert str(caught.value) == (
        'pip: extra-index-url: index "team": url = "ftp://h.example.com/team" has the scheme "ftp"'
        "; use https, http, file or s3"
    )


def test_a_broken_file_of_pips_is_named_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = pip_file(monkeypatch, tmp_path, "index-url = https://u:hunter2@h.example.com/\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(environ={})
    assert str(caught.value) == (
        f"{file}: pip cannot read this file; correct it; `pip config list` says where it fails"
    )


def test_internals_that_pip_has_moved_are_an_error_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pip_file(monkeypatch, tmp_path, f"[global]\nindex-url = {B}\n")
    # None in sys.modules is how Python itself says that a module is not there.
    monkeypatch.setitem(sys.modules, "pip._internal.configuration", None)
    with pytest.raises(ConfigError) as caught:
        load_settings(environ={})
    assert str(caught.value) == (
        "pip: its configuration cannot be read (import of pip._internal.configuration halted; "
        "None in sys.modules); install a version of pip that indexfallback supports: "
        "`python -m pip install 'pip==26.3'`"
    )


def imports_pips_reader(environ: str, home: Path, file: str) -> bool:
    """Tell whether a process that loads the settings imports pip's own reader."""
    command = (
        "import sys\nfrom indexfallback.config.load import load_settings\n"
        f"load_settings(environ={environ})\n"
        "print('pip._internal.configuration' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", command],
        env=os.environ | {"PIP_CONFIG_FILE": file, "HOME": str(home)},
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout == "True\n"


def test_pips_reader_is_imported_only_if_a_file_names_the_option(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\ntimeout = 60\n", encoding="utf-8")
    assert not imports_pips_reader("{'PIP_CERT': sys.executable}", tmp_path, str(file))


@pytest.mark.skipif(os.name == "nt", reason="HOME is not where pip looks there")
def test_pips_reader_is_not_imported_if_pip_reads_no_file(tmp_path: Path) -> None:
    file = tmp_path / ".pip" / "pip.conf"
    file.parent.mkdir()
    file.write_text(f"[global]\ncert = {sys.executable}\n", encoding="utf-8")
    assert imports_pips_reader("{}", tmp_path, str(tmp_path / "missing"))
    assert not imports_pips_reader("{}", tmp_path, os.devnull)


@pytest.mark.parametrize(
    ("variables", "origin"),
    [
        (("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), "PIP_CERT"),
        (("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), "REQUESTS_CA_BUNDLE"),
        (("CURL_CA_BUNDLE",), "CURL_CA_BUNDLE"),
    ],
)
def test_the_strongest_variable_names_the_ca_bundle(
    tmp_path: Path, variables: tuple[str, ...], origin: str
) -> None:
    for variable in variables:
        (tmp_path / variable).touch()
    settings = load_settings(environ={name: str(tmp_path / name) for name in variables})
    assert settings.ca_bundle == tmp_path / origin
    assert settings.origins["ca_bundle"] == origin


def test_pips_file_names_the_ca_bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    pip_file(monkeypatch, tmp_path, f"[global]\ncert = {bundle}\n")
    settings = load_settings(environ={"REQUESTS_CA_BUNDLE": str(tmp_path)})
    assert settings.ca_bundle == bundle
    assert settings.origins["ca_bundle"] == "pip: cert"


@pytest.mark.parametrize("written", ["proxy.example.com:3128", "http://proxy.example.com:3128"])
def test_pips_proxy_is_a_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str
) -> None:
    pip_file(monkeypatch, tmp_path, f"[global]\nproxy = {written}\n")
    settings = load_settings(environ={})
    assert settings.proxy == "http://proxy.example.com:3128"
    assert settings.origins["proxy"] == "pip: proxy"
    of_variable = load_settings(environ={"PIP_PROXY": "http://other.example.com"})
    assert of_variable.proxy == "http://other.example.com"
    assert of_variable.origins["proxy"] == "PIP_PROXY"


def test_without_a_ca_bundle_the_systems_certificates_are_used() -> None:
    settings = load_settings(environ={})
    assert settings.ca_bundle is None
    assert settings.origins["ca_bundle"] == "default"


def test_a_ca_bundle_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(environ={"PIP_CERT": str(tmp_path / "absent.pem")})
    assert str(caught.value) == (
        f"PIP_CERT: the CA bundle {tmp_path / 'absent.pem'} does not exist; "
        "correct the path, or remove the setting to use the system's certificates"
    )
