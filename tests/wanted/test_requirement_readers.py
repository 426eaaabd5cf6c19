"""Requirements of the command line, of files and of projects."""

from pathlib import Path

import pytest

from indexfallback.errors import WantedError
from indexfallback.wanted import Origin, Wanted
from indexfallback.wanted.reading import read_file
from indexfallback.wanted.requirements import requirements, specifier

HASH = "a" * 64


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def texts(wanted: Wanted) -> list[str]:
    return [demand.text for demand in wanted.demands]


def test_nested_files_and_constraints_are_followed_and_each_line_keeps_its_place(
    tmp_path: Path,
) -> None:
    write(tmp_path / "base.txt", "# first\nidna>=3; python_version > '3'\n")
    write(tmp_path / "limits.txt", "idna<4\n")
    file = write(tmp_path / "r.txt", "-r base.txt\n-c limits.txt\nacme[all] \\\n  >=1\n")
    wanted = read_file(file)
    assert texts(wanted) == ["idna>=3; python_version > '3'", "acme[all]   >=1"]
    assert wanted.demands[0].origin == Origin(str(tmp_path / "base.txt"), 2)
    assert [each.text for each in wanted.constraints] == ["idna<4"]
    alone = requirements(tmp_path / "limits.txt", constraint=True)
    assert [each.text for each in alone.constraints] == ["idna<4"]


def test_a_requirement_with_hashes_is_a_pin(tmp_path: Path) -> None:
    line = f"Idna==3.10 ; python_version > '3' --hash=sha256:{HASH}\n"
    (pin,) = read_file(write(tmp_path / "r.txt", line)).pins
    assert (pin.project, pin.version) == ("idna", "3.10")
    assert pin.hashes == {f"sha256:{HASH}"}
    assert pin.marker == 'python_version > "3"'
    assert str(pin.origin) == f"{tmp_path / 'r.txt'}:1"
    with pytest.raises(WantedError, match=r"r\.txt:1: idna has a hash but no version"):
        read_file(write(tmp_path / "r.txt", f"idna>3 --hash=sha256:{HASH}\n"))


def test_options_that_decide_are_kept_and_indexes_are_said_not_to_be_asked(tmp_path: Path) -> None:
    lines = "--index-url https://example.com/\n--no-binary Acme.App\n--only-binary :all:\n--pre\n"
    wanted = read_file(write(tmp_path / "r.txt", lines))
    assert wanted.no_binary == {"acme-app"}
    assert wanted.only_binary == {":all:"}
    assert wanted.pre
    assert [remark.partition(": ")[2] for remark in wanted.remarks] == [
        "--index-url has no effect: the chain is asked"
    ]


def test_what_comes_from_no_index_is_named_with_its_place(tmp_path: Path) -> None:
    lines = "git+https://example.com/a.git\nacme @ https://example.com/acme.whl\n-e ./gone\n"
    wanted = read_file(write(tmp_path / "r.txt", lines))
    assert texts(wanted) == []
    assert [each.origin.line for each in wanted.direct_references] == [1, 2, 3]


def test_a_project_beside_the_file_is_read_for_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app").mkdir()
    project = '[project]\nname = "app"\ndependencies = ["idna"]\n'
    extra = '[project.optional-dependencies]\nall = ["acme"]\n[build-system]\nrequires = ["h"]\n'
    write(tmp_path / "app" / "pyproject.toml", project + extra)
    assert texts(read_file(write(tmp_path / "r.txt", "-e ./app[all]\n"))) == ["idna", "acme", "h"]


@pytest.mark.parametrize(("line", "problem"), [("acme>>1", "acme>>1"), ("--nonsense", "no such")])
def test_a_line_that_pip_would_refuse_is_refused(tmp_path: Path, line: str, problem: str) -> None:
    with pytest.raises(WantedError, match=problem):
        read_file(write(tmp_path / "r.txt", f"{line}\n"))


KNOWN = (
    "requirements.txt, pyproject.toml, pylock.toml, uv.lock, poetry.lock, pdm.lock, Pipfile.lock, "
    "the .cfg of a buildout"
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("package.json", b'{"dependencies": ["idna"]}'),
        ("environment.yml", b"name: acme\ndependencies:\n  - idna\n"),
        ("tox.ini", b"[testenv]\ndeps = idna\n"),
        ("Cargo.lock", b'[[package]]\nname = "idna"\n'),
        ("acme-1.0.whl", bytes(range(256))),
        ("nothing.bin", bytes(100)),
    ],
)
def test_a_file_of_another_tool_is_refused_with_the_formats_that_are_known(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WantedError, match=r"its format is not known") as caught:
        read_file(path)
    assert str(caught.value).endswith(f"; name one of {KNOWN}")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["requirements.lock", "base.req", "deps.txt.in", "constraints"])
def test_requirements_may_have_any_name(tmp_path: Path, name: str) -> None:
    assert texts(read_file(write(tmp_path / name, "idna>=3\n"))) == ["idna>=3"]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("Pipfile", r"Pipfile\.lock"), ("setup.py", "uv pip compile"), ("setup.cfg", "pip lock")],
)
def test_for_a_file_without_versions_the_way_to_a_lock_is_told(
    tmp_path: Path, name: str, remedy: str
) -> None:
    with pytest.raises(WantedError, match=rf"{name}: it states no versions .*; .*{remedy}"):
        read_file(write(tmp_path / name, "idna\n"))


def test_of_a_long_invalid_line_the_start_is_shown(tmp_path: Path) -> None:
    with pytest.raises(WantedError) as caught:
        read_file(write(tmp_path / "r.txt", "{" * 100_000))
    assert len(str(caught.value)) < len(str(tmp_path)) + 300


def test_an_argument_is_a_requirement_or_refused() -> None:
    assert texts(specifier("acme>=1", Origin("the command line"))) == ["acme>=1"]
    with pytest.raises(WantedError, match=r"the command line: .* is not a requirement"):
        specifier("acme ==", Origin("the command line"))


PROJECT = """
[project]
name = "Acme.App"
dependencies = ["idna>=3"]
[project.optional-dependencies]
web = ["flask"]
all = ["acme-app[web]", "rich"]
[dependency-groups]
test = ["pytest"]
dev = [{ include-group = "test" }, "ruff"]
[build-system]
requires = ["hatchling"]
"""


def test_a_project_needs_its_dependencies_and_what_builds_it(tmp_path: Path) -> None:
    file = write(tmp_path / "pyproject.toml", PROJECT)
    assert texts(read_file(file)) == ["idna>=3", "hatchling"]
    assert texts(read_file(file, ["ALL"], ["dev"])) == [
        "idna>=3", "flask", "rich", "pytest", "ruff", "hatchling",
    ]  # fmt: skip
    with pytest.raises(WantedError, match="no extra docs; use one of: all, web"):
        read_file(file, ["docs"])


def test_without_a_build_system_it_is_setuptools(tmp_path: Path) -> None:
    file = write(tmp_path / "pyproject.toml", '[project]\nname = "a"\n')
    assert texts(read_file(file)) == ["setuptools>=40.8.0", "wheel"]


def test_dynamic_dependencies_are_refused_with_the_remedy(tmp_path: Path) -> None:
    file = write(tmp_path / "pyproject.toml", '[project]\nname = "a"\ndynamic = ["dependencies"]\n')
    with pytest.raises(WantedError, match=r"dynamic.*lock them"):
        read_file(file)


def test_groups_that_include_one_another_are_refused(tmp_path: Path) -> None:
    text = '[dependency-groups]\na = [{include-group = "b"}]\nb = [{include-group = "a"}]\n'
    with pytest.raises(WantedError, match="includes itself"):
        read_file(write(tmp_path / "pyproject.toml", text), groups=["a"])


@pytest.mark.parametrize("dependencies", ['["acme>>1"]', "[3]", "7"])
def test_dependencies_that_are_none_are_refused(tmp_path: Path, dependencies: str) -> None:
    text = f'[project]\nname = "a"\ndependencies = {dependencies}\n'
    with pytest.raises(WantedError, match=r"it is not a valid pyproject\.toml"):
        read_file(write(tmp_path / "pyproject.toml", text))
