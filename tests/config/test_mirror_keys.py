"""The keys of ``[mirror]``: valid values, and the errors for others."""

from pathlib import Path

import pytest

from indexfallback.config import Settings
from indexfallback.config.load import load_settings
from indexfallback.config.mirror import Wanted
from indexfallback.config.wire import decode_settings, encode_settings
from indexfallback.errors import ConfigError

_INDEX = '[[index]]\nname = "up"\nurl = "https://packages.example.com/simple/"\nrole = "public"\n'


def load(directory: Path, text: str) -> Settings:
    file = directory / "config.toml"
    file.write_text(f"[mirror]\n{text}\n{_INDEX}", encoding="utf-8")
    return load_settings(config=file, environ={})


def test_patterns_are_normalised_and_specifiers_checked(tmp_path: Path) -> None:
    mirror = load(tmp_path, 'index = "up"\nprojects = ["Acme_*", "Django >= 4, < 6"]').mirror
    assert mirror is not None
    assert mirror.projects == (Wanted("acme-*"), Wanted("django", "<6,>=4"))


def test_extras_are_normalised_and_sorted(tmp_path: Path) -> None:
    text = 'index = "up"\ndependencies = true\nprojects = ["Dep [Fast, a_b] > 1", "x[]"]'
    mirror = load(tmp_path, text).mirror
    assert mirror is not None
    assert mirror.projects == (Wanted("dep", ">1", ("a-b", "fast")), Wanted("x"))
    assert str(mirror.projects[0]) == "dep[a-b,fast]>1"


def test_a_date_is_a_toml_date_or_text(tmp_path: Path) -> None:
    for text in ("2025-06-01", '"2025-06-01"'):
        mirror = load(tmp_path, f'index = "up"\nsince = {text}').mirror
        assert mirror is not None
        assert mirror.since == "2025-06-01"


def test_it_is_the_same_in_a_child_process(tmp_path: Path) -> None:
    text = 'index = "up"\nprojects = ["a[x]>1"]\ndependencies = true\n'
    text += 'requirements = ["r.txt"]\nlatest = 3'
    settings = load(tmp_path, text)
    assert decode_settings(encode_settings(settings)) == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('projects = ["a"]', 'index is missing; add index = "..."'),
        ('index = "upp"', 'index = "upp" names no index; did you mean "up"?'),
        ('index = "up"\nprojects = "a"', "is not a list"),
        (
            'index = "up"\nprojects = ["a=>1"]',
            'has the item "a=>1", which has an invalid version specifi',
        ),
        ('index = "up"\nprojects = ["a b"]', "which has an invalid version specifier"),
        ('index = "up"\nprojects = ["/"]', 'has the item "/", which is not a pattern'),
        (
            'index = "up"\nprojects = ["dep[fast]>1"]',
            "has extras, and the dependencies are not mirrored; add dependencies = true, or write",
        ),
        (
            'index = "up"\nexclude = ["dep[fast]"]',
            'has the item "dep[fast]", but an extra cannot be excluded; write "dep"',
        ),
        ('index = "up"\nprojects = ["dep[a+b]"]', "which has an invalid version specifier"),
        ('index = "up"\npythons = ["2.7"]', 'has the item "2.7", which is not a version of Python'),
        ('index = "up"\nplatforms = ["linux x"]', "which is not a platform"),
        ('index = "up"\nlatest = 0', "is not a number above zero"),
        ('index = "up"\nsince = "soon"', "is not a date"),
        ('index = "up"\non_removed = "kept"', 'did you mean "keep"?'),
        ('index = "up"\nmax_file_size = 5', "has no unit"),
    ],
)
def test_an_error_has_a_cause_and_a_remedy(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert message in str(caught.value)


def test_a_directory_needs_no_mirror(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    text = f'[mirror]\nindex = "own"\n[[index]]\nname = "own"\nurl = "{tmp_path.as_posix()}"\n'
    file.write_text(text + _INDEX, encoding="utf-8")
    with pytest.raises(ConfigError, match="names a directory"):
        load_settings(config=file, environ={})
