"""A buildout whose public index has a cooldown."""

from datetime import datetime, timedelta, timezone

from tests.buildout.support import Project
from tests.fakes import FakeIndex, wheel


def test_it_takes_the_newest_release_that_is_old_enough(
    project: Project, public: FakeIndex
) -> None:
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    stated = yesterday.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    public.add(wheel("acme-lib", "4.0"), upload_time=stated)
    project.write("", buildout={"index": public.url}, indexfallback={"cooldown": "7 days"})
    done = project.run().expect()
    assert project.version_of("acme_lib") == "3.1"
    until = (yesterday + timedelta(days=7)).astimezone().strftime("%Y-%m-%d %H:%M")
    assert f"newer releases are withheld by a cooldown: acme-lib 4.0 (until {until})" in done.stdout
    assert "is withheld." not in done.stdout
