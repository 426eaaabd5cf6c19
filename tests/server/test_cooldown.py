"""What a cooldown withholds at each address of the server, from when on it does not, and why."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

import pytest

from indexfallback.chain import fallback
from indexfallback.config import Index, Settings
from indexfallback.shim import Shim
from indexfallback.store.events import Actor
from indexfallback.store.hosting import Hosting
from tests.fakes import Dist, FakeIndex, sdist, wheel
from tests.fakes.pages import HTML_ONLY, UPLOAD_TIME
from tests.faults.client import Client

DAY = 86400.0
WEEK = 7 * DAY
#: When the fake index says that its files were uploaded.
UPLOADED = datetime.fromisoformat(UPLOAD_TIME.removesuffix("Z")).replace(tzinfo=timezone.utc)
NOW = UPLOADED.timestamp() + 4 * WEEK
YESTERDAY = datetime.fromtimestamp(NOW - DAY, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
OLD, OLDER, NEW = wheel("demo", "1.0"), wheel("demo", "0.9"), wheel("demo", "2.0")
PAGE = "/simple/demo/"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


Make = Callable[..., Client]


@pytest.fixture
def make(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Return a factory of clients of a shim of indexes, which asks for each page again."""
    monkeypatch.setattr(fallback, "REPEAT_SECONDS", 0.0)
    made: list[Shim] = []

    def give(*indexes: Index, **values: Any) -> Client:
        settings = Settings(
            **{"indexes": indexes, "cache_dir": tmp_path / "cache", "fresh": 0.0, **values}
        )
        shim = Shim(settings)
        shim.fallback.cooling.clock = clock
        made.append(shim)
        return Client(shim)

    yield give
    for shim in made:
        shim.close()


@pytest.fixture
def pypi() -> Iterator[FakeIndex]:
    with FakeIndex([OLD, OLDER], json=True) as index:
        index.add(NEW, upload_time=YESTERDAY)
        yield index


def cooled(index: FakeIndex, **values: Any) -> Index:
    return Index(**{"name": "pypi", "url": index.url, "role": "public", "cooldown": WEEK, **values})


def path_of(dist: Dist) -> str:
    return f"/files/pypi/{dist.project}.{dist.sha256}/{dist.filename}"


def names(client: Client) -> list[str]:
    return sorted(client.files("demo"))


def old(*more: Dist) -> list[str]:
    return sorted(dist.filename for dist in (OLD, OLDER, *more))


def test_a_young_file_is_not_listed_and_its_address_is_404_with_reason_date_and_remedy(
    make: Make, pypi: FakeIndex
) -> None:
    client = make(cooled(pypi))
    assert names(client) == old()
    assert client.page("demo")["versions"] == ["0.9", "1.0"]
    for path in (path_of(NEW), f"{path_of(NEW)}.metadata"):
        answer = client.get(path)
        assert answer.status == 404
        problem = answer.problem
        assert problem.startswith("File withheld: ")
        assert "it was uploaded at pypi on 2026-01-28 " in problem
        assert "the cooldown of 7 days withholds it until 2026-02-04 " in problem
        assert "`indexfallback cache accept demo 2.0` offers it" in problem
    assert client.get(path_of(NEW), {"Range": "bytes=-10"}).status == 404
    assert pypi.count(f"/files/{NEW.filename}") == 0
    assert client.get(path_of(OLD)).body == OLD.data


def test_a_page_offers_a_file_from_the_moment_on_that_its_cooldown_is_over(
    make: Make, pypi: FakeIndex, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what is in memory nor an ETag holds beyond that moment."""
    monkeypatch.setattr(fallback, "REPEAT_SECONDS", 60.0)
    client = make(cooled(pypi), fresh=1e6)
    clock.now = NOW - DAY + WEEK - 0.1
    before = client.get(PAGE)
    assert NEW.filename.encode() not in before.body
    assert client.get(PAGE).headers["etag"] == before.headers["etag"]
    clock.now += 0.2
    after = client.get(PAGE)
    assert NEW.filename.encode() in after.body
    assert after.headers["etag"] != before.headers["etag"]
    assert client.get(path_of(NEW)).body == NEW.data


def test_a_page_that_is_made_as_a_file_gets_old_enough_is_not_repeated_to_those_of_before(
    make: Make, pypi: FakeIndex, clock: Clock
) -> None:
    client = make(cooled(pypi), read_ahead=False)
    cooling = client.shim.fallback.cooling
    times = iter([NOW])
    cooling.clock = lambda: next(times, NOW + WEEK)
    first = client.get(PAGE)
    cooling.clock = clock
    assert client.get(PAGE).body == first.body
    assert NEW.filename.encode() not in first.body


def test_a_file_that_was_served_before_stays(make: Make, pypi: FakeIndex) -> None:
    client = make(cooled(pypi, cooldown=None))
    assert client.fetch("demo", NEW.filename).body == NEW.data
    client.kept(NEW.sha256)
    client.shim.close()
    again = make(cooled(pypi))
    assert names(again) == old(NEW)
    assert again.get(path_of(NEW)).body == NEW.data


def test_an_acceptance_and_its_end_hold_at_once(make: Make, pypi: FakeIndex) -> None:
    client = make(cooled(pypi))
    assert names(client) == old()
    with closing(Hosting()) as hosting:  # as the command, in a process of its own
        hosting.acceptances.accept("demo", "2.0", Actor("ann"))
        assert names(client) == old(NEW)
        assert client.get("/-/why/demo").status == 200
        hosting.acceptances.undo("demo", "2.0", Actor("ann"))
        assert names(client) == old()
        hosting.acceptances.accept("demo", "2.0", Actor("ann"))
        assert client.get(path_of(NEW)).body == NEW.data


def test_an_index_without_times_withholds_what_was_not_on_its_first_page(
    make: Make, clock: Clock
) -> None:
    with FakeIndex([OLD, OLDER], formats=HTML_ONLY) as index:
        client = make(cooled(index))
        assert names(client) == old()
        index.add(NEW)
        clock.now += DAY
        assert names(client) == old()
        problem = client.get(path_of(NEW)).problem
        assert "it was first seen at pypi on 2026-01-30 " in problem
        clock.now += WEEK
        assert names(client) == old(NEW)


def test_status_tells_the_date_of_an_earlier_time_that_another_shim_has_seen(
    make: Make, clock: Clock
) -> None:
    with FakeIndex([OLD], formats=HTML_ONLY) as index:
        client = make(cooled(index))
        names(client)
        index.add(NEW)
        clock.now += 2 * DAY
        until = []
        for seen in (clock.now, NOW + DAY):
            client.shim.store.first_seen.learn(index.url, "demo", {NEW.filename: seen})
            client.get(PAGE)
            projects = json.loads(client.get("/-/status").body)["activity"]["projects"]
            until.append(projects["demo"]["withheld"][0]["until"])
        assert until == [NOW + 2 * DAY + WEEK, NOW + DAY + WEEK]


def test_an_index_that_states_times_no_more_has_its_old_files_offered(
    make: Make, pypi: FakeIndex, clock: Clock
) -> None:
    client = make(cooled(pypi))
    assert names(client) == old()
    pypi.formats = HTML_ONLY
    for listed in pypi.project("demo").files.values():
        listed.upload_time = None
    late = sdist("demo", "3.0")
    pypi.add(late, upload_time=None)
    assert names(client) == old()
    clock.now += WEEK - DAY
    assert names(client) == old(NEW)  # by the time that was stated
    clock.now += DAY
    assert names(client) == old(NEW, late)


def test_a_mirror_with_the_same_cooldown_offers_no_more_than_its_public_index(
    make: Make, pypi: FakeIndex
) -> None:
    with FakeIndex([OLD, OLDER]) as near:
        near.add(NEW, upload_time=YESTERDAY)
        mirror = Index(name="mirror", url=near.url, role="mirror", mirror_of="pypi", cooldown=WEEK)
        client = make(mirror, cooled(pypi))
        assert names(client) == old()
        assert client.get(path_of(NEW)).status == 404
        assert client.get("/index/pypi/simple/demo/").body.count(b"<a ") == 2


def test_a_mirror_that_lists_a_young_file_with_a_wrong_hash_has_it_withheld_as_before(
    make: Make, pypi: FakeIndex
) -> None:
    """The right hash is pinned then, which is no proof that the file was served."""
    with FakeIndex([OLD, OLDER], json=True) as near:
        near.add(NEW, upload_time=YESTERDAY)
        near.project("demo").files[NEW.filename].hashes = {"sha256": "f" * 64}
        mirror = Index(name="mirror", url=near.url, role="mirror", mirror_of="pypi", cooldown=WEEK)
        client = make(mirror, cooled(pypi))
        for address in ("/index/pypi/simple/demo/", "/index/mirror/simple/demo/", PAGE):
            assert client.get(address).body.count(b"<a ") == 2
        assert client.get(path_of(NEW)).status == 404
        assert client.shim.store.pins.get("demo", NEW.filename) == NEW.sha256


def test_a_copy_of_what_the_public_index_withholds_is_withheld_at_the_address_of_the_extra_index(
    make: Make, pypi: FakeIndex
) -> None:
    """Its project is the public index's; a lock file may have the address of the copy."""
    with FakeIndex([OLD, NEW], json=True) as near:
        extra = Index(name="extra", url=near.url, defer_copies=True)
        client = make(extra, cooled(pypi))
        at_extra = f"/via/http/127.0.0.1:{near.port}/files/{NEW.filename}"
        assert client.get(at_extra).problem.startswith("File withheld: ")
        assert client.get(path_of(NEW).replace("pypi", "extra")).status == 404
        near.add(wheel("demo", "1.0+cpu"))  # now the project is its own
        assert NEW.filename in names(client)
        assert client.get(at_extra).body == NEW.data


@pytest.mark.parametrize("pages", ["authority", "first"])
def test_a_time_that_the_public_index_states_counts_for_its_mirror_too(
    make: Make, pypi: FakeIndex, pages: Literal["authority", "first"]
) -> None:
    """Else the first page of a mirror that states no times would make every release old."""
    with FakeIndex([OLD, OLDER, NEW], formats=HTML_ONLY) as near:
        mirror = Index(
            name="mirror", url=near.url, role="mirror", mirror_of="pypi", cooldown=WEEK, pages=pages
        )
        client = make(mirror, cooled(pypi))
        assert names(client) == old()
        assert client.get(path_of(NEW)).status == 404
        assert client.get("/index/mirror/simple/demo/").body.count(b"<a ") == 2
        assert client.get(path_of(OLD)).body == OLD.data


def test_a_public_index_is_asked_once_for_the_times_that_its_mirror_does_not_state(
    make: Make, pypi: FakeIndex, clock: Clock
) -> None:
    with FakeIndex([OLD, OLDER, NEW], formats=HTML_ONLY) as near:
        mirror = Index(name="mirror", url=near.url, role="mirror", mirror_of="pypi", cooldown=WEEK)
        client = make(mirror, cooled(pypi))
        assert names(client) == old()
        assert names(client) == old()
        assert pypi.count(PAGE) == 1
        late = wheel("demo", "3.0")
        near.add(late)
        assert names(client) == old()
        clock.now += WEEK - DAY / 2
        assert names(client) == old(NEW)  # the other one was first seen later
        clock.now += DAY
        assert names(client) == old(NEW, late)
        assert pypi.count(PAGE) == 1


def test_a_mirror_that_states_no_hashes_has_the_times_of_its_public_index_by_name(
    make: Make, pypi: FakeIndex
) -> None:
    with FakeIndex([OLD, OLDER, NEW], formats=HTML_ONLY) as near:
        for listed in near.project("demo").files.values():
            listed.hashes = {}
        mirror = Index(name="mirror", url=near.url, role="mirror", mirror_of="pypi", cooldown=WEEK)
        assert names(make(mirror, cooled(pypi))) == old()


def test_a_mirror_without_times_serves_while_its_public_index_cannot_be_asked(
    make: Make, pypi: FakeIndex
) -> None:
    pypi.stop_listening()
    with FakeIndex([OLD, OLDER], formats=HTML_ONLY) as near:
        mirror = Index(name="mirror", url=near.url, role="mirror", mirror_of="pypi", cooldown=WEEK)
        assert names(make(mirror, cooled(pypi))) == old()


def test_the_exceptions_have_no_cooldown(make: Make, pypi: FakeIndex) -> None:
    assert names(make(cooled(pypi, cooldown_except=("d?mo",)))) == old(NEW)


@pytest.mark.parametrize("address", ["/index/pypi/simple/demo/", "/direct/simple/demo/", "via"])
def test_no_other_address_of_the_page_lists_it(make: Make, pypi: FakeIndex, address: str) -> None:
    client = make(cooled(pypi))
    if address == "via":
        address = f"/via/http/127.0.0.1:{pypi.port}/simple/demo/"
    body = client.get(address).body
    assert OLD.filename.encode() in body
    assert NEW.filename.encode() not in body


def test_its_address_at_the_index_is_404_in_a_transparent_run(make: Make, pypi: FakeIndex) -> None:
    client = make(cooled(pypi))
    answer = client.get(f"/via/http/127.0.0.1:{pypi.port}/files/{NEW.filename}")
    assert answer.status == 404
    assert "withholds it until 2026-02-04" in answer.problem


def test_pypis_json_leaves_the_release_out_and_describes_one_that_is_offered(
    make: Make, pypi: FakeIndex
) -> None:
    client = make(cooled(pypi))
    document = json.loads(client.get("/pypi/demo/json").body)
    assert document["info"]["version"] == "1.0"
    assert set(document["releases"]) == {"0.9", "1.0"}
    assert [file["filename"] for file in document["urls"]] == [OLD.filename]
    answer = client.get("/pypi/demo/2.0/json")
    assert answer.status == 404
    assert "withholds it until 2026-02-04" in answer.problem
    assert json.loads(client.get("/pypi/demo/1.0/json").body)["info"]["version"] == "1.0"


@pytest.mark.parametrize("version", ["", "1.0/", "2.0/"])
def test_a_client_that_asks_for_json_alone_is_told_what_is_withheld(
    make: Make, pypi: FakeIndex, version: str
) -> None:
    """As poetry, which installs the releases of its lock file so."""
    client = make(cooled(pypi))
    client.get(f"/pypi/demo/{version}json")
    projects = json.loads(client.get("/-/status").body)["activity"]["projects"]
    assert [release["version"] for release in projects["demo"]["withheld"]] == ["2.0"]


def test_a_withheld_release_that_is_older_than_another_one_is_told_too(
    make: Make, pypi: FakeIndex
) -> None:
    """It may be pinned, as that of a series with long support."""
    pypi.add(wheel("demo", "0.9.1"), upload_time=YESTERDAY)
    client = make(cooled(pypi))
    client.get(PAGE)
    projects = json.loads(client.get("/-/status").body)["activity"]["projects"]
    told = [(each["version"], each["is_newest"]) for each in projects["demo"]["withheld"]]
    assert told == [("2.0", True), ("0.9.1", False)]


def test_a_project_with_young_files_alone_has_an_empty_page_and_no_json(make: Make) -> None:
    with FakeIndex(json=True) as index:
        index.add(NEW, upload_time=YESTERDAY)
        client = make(cooled(index))
        assert client.page("demo")["files"] == []
        assert "cache accept demo 2.0" in client.get("/pypi/demo/json").problem
        page = client.get("/projects/demo/", {"Accept": "text/html"}).body.decode()
        assert "Why an install of it fails now" in page
        assert "withholds it until 2026-02-04" in page


def test_offline_what_is_young_stays_withheld(make: Make, pypi: FakeIndex) -> None:
    client = make(cooled(pypi))
    client.fetch("demo", OLD.filename)
    client.kept(OLD.sha256)
    client.shim.close()
    offline = make(cooled(pypi), offline=True)
    assert names(offline) == [OLD.filename]
    answer = offline.shim.fallback.page("demo")
    assert [young.version for young in offline.shim.too_young(answer).withheld] == ["2.0"]


def test_a_file_of_another_version_beside_old_ones_is_withheld_alone(
    make: Make, pypi: FakeIndex
) -> None:
    late = sdist("demo", "1.0")
    pypi.add(late, upload_time=YESTERDAY)
    client = make(cooled(pypi))
    assert names(client) == old()
    assert client.page("demo")["versions"] == ["0.9", "1.0"]


def test_why_and_status_tell_what_is_withheld_and_until_when(make: Make, pypi: FakeIndex) -> None:
    client = make(cooled(pypi))
    client.get(PAGE)
    report = json.loads(client.get("/-/why/demo").body)["cooldown"]
    (release,) = report["releases"]
    assert (report["seconds"], report["accepted"]) == (WEEK, [])
    assert (release["version"], release["files"]) == ("2.0", [NEW.filename])
    assert release["until"] == NOW + 6 * DAY
    assert release["is_whole"]
    projects = json.loads(client.get("/-/status").body)["activity"]["projects"]
    assert projects["demo"]["withheld"] == [release]
    page = client.get("/projects/demo/", {"Accept": "text/html"}).body.decode()
    assert page.count('<p class="notice">') == 1
    assert '<p class="notice">2.0: it was uploaded at pypi on 2026-01-28' in page
    assert '<code class="command">indexfallback cache accept demo 2.0</code> offers it.</p>' in page
    release = client.get("/projects/demo/2.0/", {"Accept": "text/html"})
    assert release.status == 404
    assert "withholds it until 2026-02-04" in release.body.decode()


def test_without_a_cooldown_nothing_is_recorded(make: Make, pypi: FakeIndex) -> None:
    client = make(cooled(pypi, cooldown=None))
    assert names(client) == old(NEW)
    assert client.shim.store.database.rows("SELECT * FROM first_seen") == []
    assert json.loads(client.get("/-/why/demo").body)["cooldown"] is None
