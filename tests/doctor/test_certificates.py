"""The shim's own certificate: expired, about to end, or one that cannot be used."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from indexfallback.config import Settings
from indexfallback.doctor.certificates import in_days, own
from indexfallback.doctor.finding import Verdict
from indexfallback.doctor.machine import Machine
from indexfallback.errors import ConfigError

NOW = 1_796_000_000.0  # 2026-11-30
MACHINE = Machine(
    settings=Settings(indexes=(), cache_dir=Path("cache"), tls_cert=Path("own.pem")),
    environ={}, version="1", now=NOW,
)  # fmt: skip


@pytest.mark.parametrize(
    ("end", "verdict", "what"),
    [
        (date(2026, 11, 29), Verdict.FAIL, "expired on 2026-11-29: clients refuse it"),
        (date(2026, 11, 30), Verdict.WARN, "ends on 2026-11-30, today"),
        (date(2026, 12, 1), Verdict.WARN, "ends on 2026-12-01, in 1 day"),
        (date(2026, 12, 14), Verdict.WARN, "ends on 2026-12-14, in 14 days"),
        (date(2026, 12, 15), Verdict.OK, "is valid until 2026-12-15"),
    ],
)
def test_the_day_of_its_end_is_told(end: date, verdict: Verdict, what: str) -> None:
    (finding,) = own(replace(MACHINE, certificate_end=end))
    assert (finding.verdict, finding.what) == (verdict, f"the shim's own (own.pem) {what}")


def test_one_that_cannot_be_used_is_told_with_the_reason() -> None:
    wrong = ConfigError("config.toml:2", "own.pem and own.pem cannot be used", "name another")
    (finding,) = own(replace(MACHINE, certificate_problem=wrong))
    assert (finding.verdict, finding.what) == (Verdict.FAIL, wrong.problem)


def test_without_tls_there_is_nothing_to_tell() -> None:
    settings = replace(MACHINE.settings, tls_cert=None)
    assert list(own(replace(MACHINE, settings=settings))) == []


def test_days_are_counted_in_utc() -> None:
    assert in_days(date(2026, 12, 4), NOW) == "ends on 2026-12-04, in 4 days"
