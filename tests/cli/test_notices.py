"""What commands tell of known vulnerabilities, and of the database that is asked for them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexfallback.cli.notices import corrections, explained, sentences, untold
from indexfallback.words import minute
from tests.cli.support import CommandLine
from tests.conftest import MakeSettings, Serve
from tests.fakes import FakeIndex, FakeOsv, wheel
from tests.serving import index_table

NOON = 1795953600.0


def advisory(identifier: str, *fixed_in: str, **fields: str) -> dict[str, Any]:
    texts = {"summary": "", "link": "", "source": "", "modified": ""}
    return {"id": identifier, "aliases": [], "fixed_in": [*fixed_in], **texts, **fields}


def report(project: str, *advisories: dict[str, Any]) -> dict[str, Any]:
    return {"project": project, "version": "1.0", "advisories": [*advisories]}


@pytest.fixture
def osv() -> Iterator[FakeOsv]:
    with FakeOsv() as database:
        yield database


def test_a_vulnerability_of_a_release_is_told_once(settings: MakeSettings) -> None:
    known = settings()
    first = [report("demo", advisory("X-1")), report("other", advisory("X-1"))]
    assert untold(known, first) == first
    assert untold(known, first) == []
    more = [report("demo", advisory("X-1"), advisory("X-2"))]
    assert untold(known, more) == [report("demo", advisory("X-2"))]


def test_what_cannot_be_recorded_is_told_again(settings: MakeSettings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    known = settings(cache_dir=tmp_path / "file" / "cache")
    told = [report("demo", advisory("X-1"))]
    assert [untold(known, told) for _ in range(2)] == [told, told]


def test_the_sentences_name_three_vulnerabilities_and_ten_releases() -> None:
    many = report("demo", *(advisory(f"X-{number}", "2.0") for number in range(5)))
    first, *_, last = sentences([many, *(report(f"p{n}", advisory("Y")) for n in range(11))], {})
    assert first == (
        "demo 1.0 has 5 known vulnerabilities: X-0 (corrected in 2.0), X-1 (corrected in 2.0), "
        "X-2 (corrected in 2.0) and 2 more."
    )
    assert last == "so have p9 1.0, p10 1.0."


def test_a_correction_that_is_withheld_is_told_with_its_date_and_what_offers_it() -> None:
    young = [
        {"version": "3.0", "until": NOON, "is_whole": True},
        {"version": "2", "until": NOON, "is_whole": True},
    ]
    vulnerable = report("demo", advisory("X-1", "1.9", "2.0"))
    (said,) = sentences([vulnerable], {"demo": young})
    assert said == (
        "demo 1.0 has 1 known vulnerability: X-1 (corrected in 1.9, 2.0, which is withheld until "
        f"{minute(NOON)}). `indexfallback cache accept demo 2` offers it."
    )
    assert corrections([vulnerable], {"demo": young, "other": young}) == young[1:]
    lines = explained({"stated": 1, "releases": [vulnerable], "problem": ""}, young)
    assert f"2.0, which is withheld until {minute(NOON)})" in "".join(lines)


def test_a_correction_of_which_some_files_are_offered_is_not_told_to_be_withheld() -> None:
    young = [{"version": "2.0", "until": NOON, "is_whole": False}]
    (said,) = sentences([report("demo", advisory("X-1", "2.0"))], {"demo": young})
    assert said == "demo 1.0 has 1 known vulnerability: X-1 (corrected in 2.0)."


def test_why_explains_what_is_known_of_each_release() -> None:
    one = advisory("X-1", "2.0", summary="demo is broken", link="https://example.com/X-1")
    releases = [{"version": "1.0", "advisories": [one]}]
    lines = list(explained({"stated": 3, "releases": releases, "problem": "503"}))
    assert lines == [
        "  known vulnerabilities: in 1 of 3 releases asked about",
        "  1.0: X-1 (corrected in 2.0): demo is broken https://example.com/X-1",
        "  advisories: the database cannot be asked: 503",
    ]
    assert list(explained({"stated": 0, "releases": [], "problem": ""})) == []


def test_a_download_from_the_shim_is_looked_up_and_shown_by_why_and_the_projects_page(
    served: Serve, osv: FakeOsv
) -> None:
    osv.add("PYSEC-2026-1", "demo", "1.0", summary="<b>broken</b>", fixed="2.0")
    dist = wheel("demo", "1.0")
    with FakeIndex([dist]) as index:
        shim = served(index_table("pypi", index.url), policy={"advisories": osv.url})
        shim.get("/simple/demo/")
        shim.get(f"/files/pypi/demo.{dist.sha256}/{dist.filename}")
        told = shim.json("/-/status?notices=true")
        assert [each["version"] for each in told["notices"]] == ["1.0"]
        lines = list(explained(shim.json("/-/why/demo")["notices"]))
        page = shim.get("/projects/demo/", {"Accept": "text/html"}).body.decode()
    assert "  1.0: PYSEC-2026-1 (corrected in 2.0): <b>broken</b>" in lines
    assert "<h2>Known vulnerabilities</h2>" in page
    assert "PYSEC-2026-1: &lt;b&gt;broken&lt;/b&gt;" in page
    assert "corrected in 2.0" in page


@pytest.mark.parametrize(("status", "words"), [(None, "ok advisories"), (404, "warn advisories")])
def test_config_check_asks_the_database_and_only_warns(
    cli: CommandLine, osv: FakeOsv, status: int | None, words: str
) -> None:
    osv.status = status
    with FakeIndex([wheel("pip", "26.3")]) as index:
        cli.configure(index_table("pypi", index.url), policy={"advisories": osv.url})
        assert words in cli("config", "check").expect().words
    assert [query.project for query in osv.queries] == ["pip"]


def test_doctor_warns_of_a_database_that_is_down(cli: CommandLine, public: FakeIndex) -> None:
    with FakeOsv() as osv:
        url = osv.url
    public.add(wheel("pip", "26.3"))
    cli.configure(index_table("pypi", public.url), policy={"advisories": url})
    words = cli("doctor").words
    host = url.removeprefix("http://")
    assert f"warn advisories {host}: connection refused ({host}); installations go on" in words


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("http://osv.example.com", "is not an https address"),
        ("https://ci:secret@osv.example.com", "has a login"),
        ("osv.example.com", "is not an https address"),
        ("https://[", "is not an address"),
    ],
)
def test_the_address_of_a_database_is_checked(cli: CommandLine, address: str, problem: str) -> None:
    cli.configure(policy={"advisories": address})
    told = cli("config", "show").expect(2).err
    assert problem in told
    assert "secret" not in told
