"""Projects in directories, as far as their files state what they are."""

from pathlib import Path

import pytest

from indexfallback.wanted.developed import developed

SCRIPT = """\
import os
from setuptools import setup, find_packages
NAME = "zope.foo"
TESTS = ["zope.testing"]
def more():
    raise SystemExit("is not run")
setup(
    name=NAME,
    version=open("version.txt").read(),
    install_requires=["setuptools", "zope.interface >= 4"] + TESTS,
    extras_require=dict(test=TESTS, docs=["Sphinx"]),
)
"""


def project(directory: Path, **files: str) -> Path:
    for name, text in files.items():
        (directory / name.replace("_", ".", 1)).write_text(text, encoding="utf-8")
    return directory


def test_pyproject_toml_states_all(tmp_path: Path) -> None:
    text = """
[build-system]
requires = ["hatchling"]
[project]
name = "Acme.App"
version = "1.0"
dependencies = ["idna", "tomli; python_version < '3.11'"]
optional-dependencies = {Test_All = ["pytest"]}
"""
    found = developed(project(tmp_path, pyproject_toml=text))
    assert (found.name, found.version) == ("acme-app", "1.0")
    assert found.build == ("hatchling",)
    assert found.requires == ("idna", "tomli; python_version < '3.11'")
    assert found.extras == {"test-all": ("pytest",)}


def test_setup_cfg_states_what_pyproject_toml_leaves_out(tmp_path: Path) -> None:
    text = "[metadata]\nname = acme\n[options]\ninstall_requires =\n  idna\n  # no\n  six>=1\n"
    text += "[options.extras_require]\ntest = pytest\ndocs = file: docs.txt\n"
    files = {"setup_cfg": text, "pyproject_toml": '[build-system]\nrequires = ["setuptools"]\n',
             "setup_py": "from setuptools import setup\nsetup()\n"}  # fmt: skip
    found = developed(project(tmp_path, **files))
    assert (found.name, found.requires) == ("acme", ("idna", "six>=1"))
    assert found.extras == {"test": ("pytest",)}


def test_literals_of_setup_py_are_read_and_nothing_is_run(tmp_path: Path) -> None:
    found = developed(project(tmp_path, setup_py=SCRIPT))
    assert (found.name, found.version) == ("zope-foo", "")
    assert found.requires == ("setuptools", "zope.interface >= 4", "zope.testing")
    assert found.extras == {"test": ("zope.testing",), "docs": ("Sphinx",)}


@pytest.mark.parametrize(
    ("script", "requires"),
    [
        ("setup(name='a')", ()),
        ("setup(name='a', install_requires=read('r.txt'))", None),
        ("setup(name='a', **more)", None),
        ("setup(name='a', install_requires='''\n idna\n six\n''')", ("idna", "six")),
        ("main()", None),
        ("r = ['idna']\nr += more()\nsetup(install_requires=r)", None),
        ("r = ['idna']\nr.append('six')\nsetup(install_requires=r)", None),
        ("r = {}\nr['x'] = ['six']\nsetup(install_requires=[], extras_require=r)", ()),
        ("setup(", None),
    ],
)
def test_requirements_that_only_a_run_would_tell_are_unknown(
    tmp_path: Path, script: str, requires: tuple[str, ...] | None
) -> None:
    assert developed(project(tmp_path, setup_py=script)).requires == requires


def test_dynamic_dependencies_and_an_empty_directory_are_unknown(tmp_path: Path) -> None:
    assert developed(tmp_path).requires is None
    text = '[project]\nname = "a"\ndynamic = ["dependencies"]\n'
    found = developed(project(tmp_path, pyproject_toml=text, setup_py="setup(version='1.2')"))
    assert (found.name, found.version, found.requires) == ("a", "1.2", None)
    script = "setup(install_requires=['idna'])"
    found = developed(project(tmp_path, pyproject_toml=text, setup_py=script))
    assert found.requires == ("idna",)
