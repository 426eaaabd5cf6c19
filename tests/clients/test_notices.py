"""`run` tells of known vulnerabilities of what a client has downloaded, once."""

from datetime import datetime, timezone

from tests.clients.support import Client, User, write_config
from tests.fakes import FakeIndex, wheel

STATED = {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fixed_in": ["2.0"]}


def test_run_tells_of_a_vulnerability_and_of_its_withheld_correction_once(
    user: User, environments: dict[str, Client]
) -> None:
    with FakeIndex([wheel("demo", "1.0")], json=True) as index:
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        index.add(wheel("demo", "2.0"), upload_time=now)
        index.project("demo").vulnerabilities["1.0"] = [STATED]
        public = {"url": index.url, "role": "public", "cooldown": "7 days"}
        write_config(user.config, {"public": public}, policy_notices=True)
        first, second = (
            user.run(
                *environments["pip"].install(user.target(), "--index-url", index.url, "demo")
            ).expect()
            for _ in range(2)
        )
    told = "demo 1.0 has 1 known vulnerability: CVE-2026-1 (corrected in 2.0, which is withheld "
    assert told in first.said
    assert "`indexfallback cache accept demo 2.0` offers it." in first.said
    newer = "newer releases are withheld by a cooldown: demo 2.0"
    assert newer not in first.said  # the notice has said so
    assert "vulnerab" not in second.said
    assert newer in second.said
    assert "1 project: 1 from public" in second.said
