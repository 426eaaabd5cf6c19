"""``doctor --mend``: the files of a project get the indexes' own addresses back."""

import os
import sys
from pathlib import Path

import pytest

from indexfallback.page import File, ProjectPage
from indexfallback.store import PageFacts, Store
from indexfallback.store.page_rows import Validators
from indexfallback.store.ports import ports_file
from tests.cli.doctoring import Patient
from tests.cli.support import CommandLine
from tests.serving import index_table

SHA256 = "a" * 64
ROOT = "http://127.0.0.1:5503"
PYPI = "https://pypi.example.com/simple/"
MIRROR = "https://mirror.example.com/simple/"
PRIVATE = "https://private.example.com/simple/"
LOGIN = "https://ci:hunter2@private.example.com/simple/"
FOO = f"/files/pypi/foo.{SHA256}/foo-1.0.zip"
FOO_OWN = "https://files.example.com/ab/foo-1.0.zip"
posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")


@pytest.fixture
def patient(cli: CommandLine, tmp_path: Path) -> Patient:
    """Return somebody whose cache has pages of foo, of PyPI, and of acme, of a private index."""
    cli.configure(
        index_table("private", LOGIN, role="private", projects=["acme-*"]),
        index_table("mirror", MIRROR, role="mirror", mirror_of="pypi"),
        index_table("pypi", PYPI, role="public"),
    )
    keep(cli, MIRROR, "foo", "https://mirror.example.com/packages/foo-1.0.zip")
    keep(cli, PYPI, "foo", FOO_OWN)
    keep(cli, MIRROR, "bar", "https://mirror.example.com/packages/bar-1.0.zip")
    patient = Patient(cli, tmp_path / "project")
    patient.cli.environ["UV_TOOL_DIR"] = str(tmp_path / "tools")
    return patient


def keep(cli: CommandLine, source: str, project: str, url: str) -> None:
    """Put a page with one file into the cache."""
    listed = File(filename=url.rpartition("/")[2], url=url, hashes={"sha256": SHA256})
    store = Store(cli.cache, 10**6)
    store.pages.put(
        source, ProjectPage(name=project, files=(listed,)), PageFacts(Validators(), "1", 1e9)
    )
    store.close()


def mend(patient: Patient, *options: str, code: int = 0) -> str:
    """Return what it prints."""
    done = patient.cli("doctor", "--mend", *options).expect(code)
    assert "hunter2" not in done.words
    return done.words


def lock(registry: str, private: str, file: str) -> str:
    return f"""\
version = 1

[[package]]
name = "acme-app"
source = {{ registry = "{private}" }}

[[package]]
name = "foo"
source = {{ registry = "{registry}" }}
sdist = {{ url = "{file}", hash = "sha256:{SHA256}" }}
"""


def test_a_lock_file_gets_the_address_of_each_owner_and_file(patient: Patient) -> None:
    simple = f"{ROOT}/simple/"
    file = patient.write("uv.lock", lock(simple, simple, f"{ROOT}{FOO}"))
    assert "uv.lock: 3 addresses of the shim replaced" in mend(patient)
    assert file.read_text("utf-8") == lock(PYPI, PRIVATE, FOO_OWN)


def test_a_second_time_has_nothing_to_do(patient: Patient) -> None:
    file = patient.write("uv.lock", lock(f"{ROOT}/simple/", f"{ROOT}/simple/", f"{ROOT}{FOO}"))
    mend(patient)
    written = file.stat().st_mtime_ns, file.stat().st_ino
    assert "no file of this project has one" in mend(patient)
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == written


def test_a_dry_run_prints_the_change_and_writes_nothing(patient: Patient) -> None:
    file = patient.write("requirements.txt", text := f"-i {ROOT}/simple/\nfoo\n")
    said = mend(patient, "--dry-run")
    assert f"--- requirements.txt +++ requirements.txt @@ -1,2 +1,2 @@ --i {ROOT}/simple/" in said
    assert f"+-i {PYPI}" in said
    assert file.read_text("utf-8") == text


def test_a_dry_run_needs_mend(patient: Patient) -> None:
    assert "--dry-run is for --mend" in patient.cli("doctor", "--dry-run").expect(2).words


def test_the_findings_are_there_as_json(patient: Patient) -> None:
    patient.write("requirements.txt", f"-i {ROOT}/simple/\n")
    assert patient.cli("doctor", "--mend", "--json").expect().json["findings"] == [
        {
            "verdict": "ok",
            "subject": "addresses",
            "what": "requirements.txt: 1 address of the shim replaced",
            "remedy": "",
            "effects": [],
        }
    ]


def test_every_file_that_clients_write_is_mended(patient: Patient) -> None:
    names = [
        "pyproject.toml", "uv.lock", "pylock.toml", "pylock.dev.toml", "poetry.lock", "pdm.lock",
        "Pipfile", "Pipfile.lock", "requirements.txt", "requirements-dev.in", "constraints.txt",
        "requirements/base.txt", "requirements/ci/test.txt", "tool.py.lock",
        "../tools/x/uv-receipt.toml",
    ]  # fmt: skip
    files = [patient.write(name, f'url = "{ROOT}{FOO}"\n') for name in names]
    mend(patient)
    assert {file.read_text("utf-8") for file in files} == {f'url = "{FOO_OWN}"\n'}


def test_other_files_are_not(patient: Patient) -> None:
    text = f'URL = "{ROOT}/simple/"\n'
    files = [patient.write(name, text) for name in ("notes.txt", "code.py", "below/uv.lock")]
    mend(patient)
    assert [file.read_text("utf-8") for file in files] == [text] * 3


def test_members_of_the_workspace_below_are_mended(patient: Patient) -> None:
    members = 'members = ["packages/*", "../other", "/srv/*", "**/[", ""]\n'
    patient.write("pyproject.toml", f"[tool.uv.workspace]\n{members}")
    names = ("packages/one/pyproject.toml", "packages/two/requirements.txt", "../other/uv.lock")
    one, two, outside = (patient.write(name, f'"{ROOT}{FOO}"') for name in names)
    mend(patient)
    assert one.read_text("utf-8") == two.read_text("utf-8") == f'"{FOO_OWN}"'
    assert outside.read_text("utf-8") == f'"{ROOT}{FOO}"'


# -- what is the shim's


def test_a_port_that_was_served_once_is_the_shims(patient: Patient) -> None:
    file = patient.write("requirements.txt", "-i http://127.0.0.1:40123/simple/\n")
    assert "no file of this project" in mend(patient)
    state = patient.cli.environment()["XDG_STATE_HOME"]
    ports = Path(state, *ports_file().parts[-2:])
    ports.parent.mkdir(exist_ok=True)
    ports.write_text("40123\n", encoding="utf-8")
    mend(patient)
    assert file.read_text("utf-8") == f"-i {PYPI}\n"


def test_a_file_of_one_port_tells_the_port_in_another(patient: Patient) -> None:
    other = ROOT.replace("5503", "49999")
    settings = patient.write("pyproject.toml", f'[[tool.uv.index]]\nurl = "{other}/simple/"\n')
    patient.write("uv.lock", lock(f"{other}/simple/", f"{other}/simple/", f"{other}{FOO}"))
    mend(patient)
    assert settings.read_text("utf-8") == f'[[tool.uv.index]]\nurl = "{PYPI}"\n'


def test_an_index_of_the_chain_on_this_machine_is_not(patient: Patient) -> None:
    local = "http://localhost:3141/simple/"
    patient.cli.configure(
        index_table("devpi", local, role="private"), index_table("pypi", PYPI, role="public")
    )
    file = patient.write("requirements.txt", text := f"-i {local}\n")
    assert "no file of this project" in mend(patient)
    assert file.read_text("utf-8") == text


def test_a_path_behind_a_proxy_and_tls_are_heeded(patient: Patient) -> None:
    patient.cli.configure(
        index_table("pypi", PYPI, role="public"), server={"base_path": "/pypi", "port": 8443}
    )
    file = patient.write("requirements.txt", "-i https://127.0.0.1:8443/pypi/simple/\n")
    mend(patient)
    assert file.read_text("utf-8") == f"-i {PYPI}\n"


# -- what cannot be told


@pytest.mark.parametrize(
    ("path", "problem", "remedy"),
    [
        (f"/files/pypi/foo.{'b' * 64}/foo-1.0.zip", "no stored page of pypi lists foo-1.0.zip",
         "indexfallback refresh foo"),
        (f"/files/pypi/new.{SHA256}/new-1.0.zip", "no stored page of pypi lists new-1.0.zip",
         "indexfallback refresh new"),
        (f"/files/pypi/acme-app.{SHA256}/acme_app-1.0.zip",
         "acme-app belongs to private, not to pypi", "Lock again"),
        (f"/files/old/foo.{SHA256}/foo-1.0.zip", "no index is named old", "Lock again"),
        ("/index/old/simple/", "no index is named old", "Write the address"),
    ],
)  # fmt: skip
def test_what_the_cache_does_not_tell_stays_and_is_named(
    patient: Patient, path: str, problem: str, remedy: str
) -> None:
    file = patient.write("pylock.toml", text := f'url = "{ROOT}{path}"\n')
    said = mend(patient, code=1)
    assert f"FAIL addresses pylock.toml: {ROOT}{path} left: {problem}" in said
    assert remedy in said
    assert file.read_text("utf-8") == text


def test_the_rest_of_the_file_is_mended(patient: Patient) -> None:
    file = patient.write("pylock.toml", f'"{ROOT}{FOO}" "{ROOT}/index/old/simple/"')
    assert "1 address of the shim replaced" in mend(patient, code=1)
    assert file.read_text("utf-8") == f'"{FOO_OWN}" "{ROOT}/index/old/simple/"'


def test_a_project_that_several_indexes_may_own_is_named(patient: Patient) -> None:
    patient.write("uv.lock", f'name = "new"\nregistry = "{ROOT}/simple/"\n')
    assert "which index owns new is not known" in mend(patient, code=1)


def test_files_of_a_directory_have_no_other_address(patient: Patient, tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    patient.cli.configure(
        index_table("wheels", str(tmp_path / "wheels"), role="private"),
        index_table("pypi", PYPI, role="public"),
    )
    patient.write("requirements.txt", f"-i {ROOT}/index/wheels/simple/\n")
    assert "wheels is a directory on this machine" in mend(patient, code=1)


def test_only_a_mirrors_page_gives_the_mirrors_address(patient: Patient) -> None:
    file = patient.write("pylock.toml", f'"{ROOT}/files/pypi/bar.{SHA256}/bar-1.0.zip"')
    mend(patient)
    assert file.read_text("utf-8") == '"https://mirror.example.com/packages/bar-1.0.zip"'


# -- how files are written


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("latin-1"),
        lambda text: ("\ufeff" + text).encode("utf-16-le"),
        lambda text: ("\ufeff" + text).encode("utf-16-be"),
        lambda text: text.rstrip("\n").encode(),
    ],
    ids=["CRLF", "mark", "latin-1", "utf-16-le", "utf-16-be", "no last line end"],
)
def test_line_ends_and_encodings_stay(patient: Patient, encode: object) -> None:
    assert callable(encode)
    file = patient.write("requirements.txt", "")
    file.write_bytes(encode(f"# für alle\n-i {ROOT}/simple/\nfoo\n"))
    mend(patient)
    assert file.read_bytes() == encode(f"# für alle\n-i {PYPI}\nfoo\n")


def test_half_a_character_of_utf_16_stays(patient: Patient) -> None:
    file = patient.write("requirements.txt", "")
    before = b"\xff\xfe\n" + f"-i {ROOT}/simple/\n".encode() + b"\xff"
    assert len(before) % 2
    file.write_bytes(before)
    mend(patient)
    assert file.read_bytes() == before.replace(f"{ROOT}/simple/".encode(), PYPI.encode())


@posix
@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_the_mode_stays(patient: Patient, mode: int) -> None:
    file = patient.write("requirements.txt", f"-i {ROOT}/simple/\n")
    file.chmod(mode)
    mend(patient)
    assert file.stat().st_mode & 0o777 == mode
    assert list(patient.project.iterdir()) == [file]


@posix
def test_a_symbolic_link_stays_and_its_target_is_mended_once(patient: Patient) -> None:
    target = patient.write("locks/all.txt", f"-i {ROOT}/simple/\n")
    links = [patient.project / name for name in ("requirements.txt", "requirements-dev.txt")]
    for link in links:
        link.symlink_to("locks/all.txt")
    assert mend(patient).count("1 address of the shim replaced") == 1
    assert all(link.is_symlink() for link in links)
    assert target.read_text("utf-8") == f"-i {PYPI}\n"


@posix
def test_a_read_only_file_is_named(patient: Patient) -> None:
    file = patient.write("requirements.txt", text := f"-i {ROOT}/simple/\n")
    file.chmod(0o444)
    said = mend(patient, code=1)
    assert "requirements.txt is read-only: 1 address of the shim left" in said
    assert "chmod u+w requirements.txt" in said
    assert file.read_text("utf-8") == text


@posix
def test_what_is_no_file_is_left_out(patient: Patient) -> None:
    os.mkfifo(patient.project / "requirements.txt")
    (patient.project / "uv.lock").mkdir()
    (patient.project / "poetry.lock").symlink_to("nowhere")
    assert "no file of this project" in mend(patient)
