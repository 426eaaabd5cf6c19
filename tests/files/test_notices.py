"""Known vulnerabilities of downloads: who is asked, when, and what is kept."""

from collections.abc import Iterator
from typing import Any

import pytest

from indexfallback.config import Index
from indexfallback.files import notices as module
from indexfallback.files.pinned import FileAddress
from indexfallback.names import FileKey
from indexfallback.shim import Shim
from tests.conftest import MakeShim
from tests.fakes import Dist, FakeIndex, FakeOsv, wheel
from tests.fakes.osv import Query

OLD, NEW, OTHER = wheel("demo", "1.0"), wheel("demo", "2.0"), wheel("other", "1.0")
SECRET = wheel("acme-secret", "1.0")
STATED = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-1"],
    "summary": "demo is broken",
    "fixed_in": ["2.0"],
}
JSON = "/pypi/demo/1.0/json"
#: Longest wait for a look-up, seconds.
SECONDS = 30.0


@pytest.fixture
def pypi() -> Iterator[FakeIndex]:
    with FakeIndex([OLD, NEW, OTHER, wheel("acme-secret", "9.0")], json=True) as index:
        index.project("demo").vulnerabilities["1.0"] = [STATED]
        yield index


@pytest.fixture
def private() -> Iterator[FakeIndex]:
    with FakeIndex([SECRET], json=True) as index:
        yield index


@pytest.fixture
def osv() -> Iterator[FakeOsv]:
    with FakeOsv() as database:
        yield database


def download(shim: Shim, *dists: Dist, owner: str = "pypi") -> list[dict[str, Any]]:
    """Have files downloaded; return the notices when their look-ups have ended."""
    for dist in dists:
        shim.fallback.page(dist.project)
    for dist in dists:
        key = FileKey(dist.project, dist.sha256)
        shim.notices.downloaded(FileAddress(owner, key, dist.filename))
    return shim.notices.since(0.0, SECONDS)


def names(reports: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the identifiers of the vulnerabilities of each release."""
    return {
        f"{report['project']} {report['version']}": [each["id"] for each in report["advisories"]]
        for report in reports
    }


def test_the_indexes_json_of_a_downloaded_release_is_asked_for(
    shim: MakeShim, pypi: FakeIndex
) -> None:
    (report,) = download(shim(pypi), OLD)
    assert (report["project"], report["version"]) == ("demo", "1.0")
    (advisory,) = report["advisories"]
    assert advisory["aliases"] == ("CVE-2026-1",)
    assert advisory["fixed_in"] == ("2.0",)
    assert pypi.count(JSON) == 1


def test_a_release_without_known_vulnerabilities_is_not_reported(
    shim: MakeShim, pypi: FakeIndex
) -> None:
    made = shim(pypi)
    assert download(made, NEW) == []
    assert pypi.count("/pypi/demo/2.0/json") == 1
    known = made.notices.of_project("demo", made.settings.indexes[0])
    assert known == {"stated": 1, "releases": [], "problem": ""}


def test_an_answer_holds_for_a_day_also_in_the_next_process(
    shim: MakeShim, pypi: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shim(pypi, fresh=0.0)
    download(first, OLD)
    first.close()
    second = shim(pypi, fresh=0.0)
    assert names(download(second, OLD)) == {"demo 1.0": ["PYSEC-2026-1"]}
    assert pypi.count(JSON) == 1
    monkeypatch.setattr(module, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.0)
    download(second, OLD)
    assert pypi.count(JSON) == 2


def test_nothing_is_asked_with_notices_off(shim: MakeShim, pypi: FakeIndex) -> None:
    assert download(shim(pypi, notices=False), OLD) == []
    assert pypi.count(JSON) == 0


def test_an_index_in_trouble_is_not_asked(shim: MakeShim, pypi: FakeIndex) -> None:
    made = shim(pypi)
    made.fallback.page("demo")
    with pypi.fail(503, path="/simple/"):
        for _ in range(4):
            made.fallback.page("demo", again=True)
    assert made.members["pypi"].health.trouble is not None
    assert download(made, OLD) == []
    assert pypi.count(JSON) == 0


def test_offline_no_one_is_asked(shim: MakeShim, pypi: FakeIndex, osv: FakeOsv) -> None:
    made = shim(pypi)
    made.fallback.page("demo")
    made.close()
    assert download(shim(pypi, offline=True, advisories=osv.url), OLD) == []
    assert pypi.count(JSON) == 0
    assert osv.requests == []


def test_an_index_without_json_is_asked_once(shim: MakeShim, pypi: FakeIndex) -> None:
    pypi.json = False
    made = shim(pypi)
    assert download(made, OLD) == []
    assert download(made, NEW, OTHER) == []
    assert sum(request.path.startswith("/pypi/") for request in pypi.requests) == 1


def test_that_an_index_has_no_json_holds_for_a_day_also_in_the_next_process(
    shim: MakeShim, pypi: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    pypi.json = False
    for _ in range(2):
        made = shim(pypi)
        assert download(made, OLD) == []
        made.close()
    assert pypi.count(JSON) == 1
    monkeypatch.setattr(module, "FRESH_SECONDS", 0.0)
    assert download(shim(pypi), OLD) == []
    assert pypi.count(JSON) == 2


def test_a_slow_answer_is_not_waited_for_and_reported_when_it_has_come(
    shim: MakeShim, pypi: FakeIndex
) -> None:
    made = shim(pypi)
    made.fallback.page("demo")
    with pypi.hang(path="/pypi/") as hanging:
        made.notices.downloaded(FileAddress("pypi", FileKey("demo", OLD.sha256), OLD.filename))
        pypi.wait_for(JSON)
        assert made.notices.since(0.0, 0.0) == []
        hanging.lift()
        assert names(made.notices.since(0.0, SECONDS)) == {"demo 1.0": ["PYSEC-2026-1"]}


def test_what_the_json_of_a_project_states_of_its_newest_release_is_known(
    shim: MakeShim, pypi: FakeIndex
) -> None:
    pypi.project("demo").vulnerabilities["2.0"] = [{"id": "X-2"}]
    made = shim(pypi)
    download(made, OLD, NEW)
    known = made.notices.of_project("demo", made.settings.indexes[0])
    assert known["stated"] == 2
    assert [release["version"] for release in known["releases"]] == ["2.0", "1.0"]


# -- private projects


def test_no_request_for_the_json_of_a_private_release_is_sent(
    shim: MakeShim, pypi: FakeIndex, private: FakeIndex, osv: FakeOsv
) -> None:
    chain = Index(name="private", url=private.url), Index(name="pypi", url=pypi.url, role="public")
    made = shim(*chain, advisories=osv.url)
    assert names(download(made, SECRET, owner="private")) == {}
    download(made, OLD)
    assert [query.project for query in osv.queries] == ["demo"]
    for index in (pypi, private):
        assert not [r.path for r in index.requests if "secret" in r.path and "/pypi/" in r.path]


def test_nobody_is_told_of_a_name_that_a_private_index_has_got_meanwhile(
    shim: MakeShim, pypi: FakeIndex, private: FakeIndex, osv: FakeOsv
) -> None:
    chain = Index(name="private", url=private.url), Index(name="pypi", url=pypi.url, role="public")
    made = shim(*chain, advisories=osv.url)
    made.fallback.page("demo")
    made.store.ledger.record_page(private.url, "demo")
    made.notices.downloaded(FileAddress("pypi", FileKey("demo", OLD.sha256), OLD.filename))
    made.notices.since(0.0, SECONDS)
    assert osv.requests == []
    assert pypi.count(JSON) == 0


def test_a_database_is_not_told_of_a_claimed_name(
    shim: MakeShim, pypi: FakeIndex, private: FakeIndex, osv: FakeOsv
) -> None:
    claiming = Index(name="private", url=private.url, projects=("demo",))
    made = shim(claiming, Index(name="pypi", url=pypi.url, role="public"), advisories=osv.url)
    made.notices.downloaded(FileAddress("pypi", FileKey("demo", OLD.sha256), OLD.filename))
    made.notices.since(0.0, SECONDS)
    assert osv.requests == []


# -- a database of advisories


def test_without_the_setting_no_other_host_is_asked(
    shim: MakeShim, pypi: FakeIndex, osv: FakeOsv
) -> None:
    download(shim(pypi), OLD)
    assert osv.requests == []


def test_a_database_is_asked_by_name_and_version_and_what_both_state_is_one(
    shim: MakeShim, pypi: FakeIndex, osv: FakeOsv
) -> None:
    osv.add("GHSA-aaaa-bbbb-cccc", "demo", "1.0", fixed="2.1", aliases=["CVE-2026-1"])
    osv.add("PYSEC-2026-7", "other", "1.0")
    made = shim(pypi, advisories=osv.url)
    reports = download(made, OLD, OTHER)
    assert sorted(osv.queries) == [
        Query("PyPI", "demo", "1.0"),
        Query("PyPI", "other", "1.0"),
    ]
    assert names(reports) == {"demo 1.0": ["PYSEC-2026-1"], "other 1.0": ["PYSEC-2026-7"]}
    (advisory,) = next(each for each in reports if each["project"] == "demo")["advisories"]
    assert advisory["fixed_in"] == ("2.0", "2.1")
    assert made.notices.of_project("other", made.settings.indexes[0])["stated"] == 1


def test_its_answer_holds_for_a_day_and_a_record_until_it_changes(
    shim: MakeShim, pypi: FakeIndex, osv: FakeOsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    osv.add("PYSEC-2026-7", "other", "1.0")
    made = shim(pypi, advisories=osv.url)
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.0)
    for _ in range(2):
        download(made, OTHER)
    assert len(osv.queries) == 1
    monkeypatch.setattr(module, "FRESH_SECONDS", 0.0)
    assert names(download(made, OTHER)) == {"other 1.0": ["PYSEC-2026-7"]}
    assert [request.method for request in osv.requests] == ["POST", "GET", "POST"]


@pytest.mark.parametrize(
    "answer",
    [
        (503, None, "503 Service Unavailable"),
        (302, None, "302 Found"),
        (None, b"<html>", "not an answer of OSV's API"),
        (None, b" " * (9 * 1024**2), "an answer of more than 8388608 bytes"),
    ],
)
def test_a_database_that_fails_is_left_alone_and_said_to_fail(
    shim: MakeShim, pypi: FakeIndex, osv: FakeOsv, answer: tuple[int | None, bytes | None, str]
) -> None:
    osv.status, osv.body, problem = answer
    made = shim(pypi, advisories=osv.url)
    assert names(download(made, OLD)) == {"demo 1.0": ["PYSEC-2026-1"]}
    download(made, OTHER)
    assert len(osv.requests) == 1
    assert made.notices.of_project("demo", made.settings.indexes[0])["problem"] == problem
