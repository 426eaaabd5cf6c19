"""A full disk and what follows from it."""

from dataclasses import replace
from pathlib import Path

import pytest

from indexfallback.config import Settings
from indexfallback.doctor.finding import Verdict
from indexfallback.doctor.folding import folded
from indexfallback.doctor.machine import Cache, Machine, SharedBucket
from indexfallback.doctor.storage import cache, room

FULL = Machine(
    settings=Settings(indexes=(), cache_dir=Path("cache")), environ={}, version="1",
    cache=Cache(directory="~/cache", free=1000, problem="no space left", remedy="Make room"),
)  # fmt: skip


@pytest.mark.parametrize(
    "of_cache", [FULL.cache, replace(FULL.cache, problem="", is_temporary=True)]
)
def test_a_cache_that_a_full_disk_stops_is_told_with_the_disk(of_cache: Cache) -> None:
    machine = replace(FULL, cache=of_cache)
    (finding,) = folded([*room(machine), *cache(machine)])
    assert finding.subject == "disk"
    assert [effect.subject for effect in finding.effects] == ["cache"]


def test_with_room_the_cache_is_told_by_itself() -> None:
    machine = replace(FULL, cache=replace(FULL.cache, free=10**12))
    first, second = folded([*room(machine), *cache(machine)])
    assert (first.subject, first.verdict) == ("cache", Verdict.FAIL)
    assert (second.subject, second.verdict) == ("disk", Verdict.OK)


def test_what_waited_for_the_bucket_in_a_damaged_database_is_to_be_shared_again() -> None:
    damaged = Cache(directory="~/cache", free=10**12, damaged=("index.sqlite3.damaged-1",))
    alone = replace(FULL, cache=damaged)
    (finding,) = cache(alone)
    assert "cache share" not in finding.remedy
    (finding,) = cache(replace(alone, shared=SharedBucket("s3://packages/x")))
    assert finding.remedy.startswith("Run `indexfallback cache share`. Check the disk")
