"""Files of requirements, and what mirrored wheels require."""

from pathlib import Path

from tests.fakes import wheel
from tests.mirror.support import Mirrored


def test_what_a_file_of_requirements_names_is_mirrored(mirror: Mirrored, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("acme.app<1.2  # old\nother\n", encoding="utf-8")
    mirror.configure(requirements=[str(file)])
    result = mirror.run()
    assert (result["projects"], result["files"]) == (2, 3)


def test_a_file_of_requirements_that_is_not_there_is_said(mirror: Mirrored) -> None:
    mirror.configure(requirements=["missing.txt"])
    done = mirror().expect(2)
    assert "missing.txt: Could not open requirements file" in done.words
    assert "correct that" in done.words


def test_what_wheels_require_is_mirrored_to_the_end(mirror: Mirrored) -> None:
    mirror.upstream.add(wheel("top", "1.0", requires=["middle>=2", 'acme-app; extra == "x"']))
    mirror.upstream.add(wheel("middle", "1.0"))
    mirror.upstream.add(wheel("middle", "2.0", requires=["Other; sys_platform == 'win32'"]))
    mirror.configure(projects=["top"], dependencies=True)
    mirror.run()
    assert sorted(mirror.state()["pages"]) == ["middle", "other", "top"]
    assert len(mirror.listed("middle") or []) == 1
    mirror.upstream.clear()
    assert mirror.run()["files"] == 0
    assert len(mirror.state()["pages"]) == 3


def test_what_nothing_requires_any_more_goes(mirror: Mirrored) -> None:
    mirror.upstream.add(wheel("top", "1.0", requires=["other"]))
    mirror.configure(projects=["top", "acme-*"], dependencies=True)
    mirror.run()
    mirror.upstream.add(wheel("top", "1.1"))
    mirror.configure(projects=["top>1", "acme-*"], dependencies=True)
    mirror.run("--yes")
    mirror.run("--yes")
    assert "other" not in mirror.state()["pages"]
