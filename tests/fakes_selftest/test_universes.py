"""The universes: each is made from its seed alone, and a hundred of them have all that differs."""

import os
import random
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from tests.fakes.universes import Entry, universe
from tests.in_process import ROOT

SEEDS = st.integers(0, 10**6)
HUNDRED = [universe(seed) for seed in range(100)]
FILES = [entry for each in HUNDRED for entry in each.files]


@given(SEEDS)
def test_a_universe_is_made_from_its_seed_alone(seed: int) -> None:
    made = universe(seed)
    random.random()
    assert universe(seed) == made


@given(SEEDS, SEEDS)
def test_two_universes_share_no_project(one: int, other: int) -> None:
    shared = set(universe(one).projects) & set(universe(other).projects)
    assert bool(shared) is (one == other)


@given(SEEDS)
def test_no_universe_has_two_files_of_one_name(seed: int) -> None:
    names = [entry.dist.filename for entry in universe(seed).files]
    assert len(set(names)) == len(names)


def test_every_process_makes_the_same_universes() -> None:
    code = "from tests.fakes.universes import universe; print(*map(universe, range(10)))"

    def made(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", code]
        return subprocess.check_output(command, cwd=ROOT, env=environment, text=True)

    assert made("1") == made("2")


WITH: dict[str, Callable[[Entry], bool]] = {
    "a wheel": lambda e: e.dist.is_wheel,
    "an sdist": lambda e: not e.dist.is_wheel,
    "a wheel of another platform": lambda e: "win" in e.dist.filename or "mac" in e.dist.filename,
    "a pre-release": lambda e: Version(e.dist.version).is_prerelease,
    "a local version": lambda e: Version(e.dist.version).local is not None,
    "an epoch": lambda e: Version(e.dist.version).epoch > 0,
    "a yanked file": lambda e: e.yanked is True,
    "a file yanked with a reason": lambda e: isinstance(e.yanked, str),
    "a required Python": lambda e: e.dist.requires_python is not None,
    "an extra": lambda e: b"Provides-Extra" in e.dist.metadata,
    "a marker": lambda e: b"; sys_platform" in e.dist.metadata,
    "no metadata file": lambda e: e.dist.is_wheel and not e.has_metadata,
    "another spelling of its name": lambda e: e.dist.name != e.dist.project,
}


@pytest.mark.parametrize("feature", WITH)
def test_a_hundred_universes_have_ten_files_and_more_with(feature: str) -> None:
    assert sum(map(WITH[feature], FILES)) >= 10


def test_a_hundred_universes_have_options_for_uv_in_a_quarter() -> None:
    assert 20 <= sum(bool(each.options) for each in HUNDRED) <= 40
